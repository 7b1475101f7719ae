"""The real credential classes; building one asks nobody for a token."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from shared.credentials import credential
from shared.settings import settings


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    settings.cache_clear()
    credential.cache_clear()
    yield
    settings.cache_clear()
    credential.cache_clear()


def test_named_identity_is_used_in_the_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e003")
    assert type(credential()) is ManagedIdentityCredential
    assert credential() is credential()


def test_developer_signs_in_as_himself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)
    assert type(credential()) is DefaultAzureCredential


def test_import_does_not_load_azure_identity() -> None:
    code = "import sys, shared.credentials; sys.exit('azure.identity' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
