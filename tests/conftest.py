"""Real storage and real queues for tests: one Azurite and one Service Bus stand-in a session, empty for every test."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.doubles.processes import forget
from tests.local.azurite_process import RunningAzurite, running_azurite
from tests.local.bus_process import RunningBus, running_bus

PERSON_KEY = base64.b64encode(b"the person key of all the tests.").decode()


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAzurite]:
    """Azurite's tables in memory, for the whole session."""
    with running_azurite(tmp_path_factory.mktemp("azurite"), in_memory=True) as running:
        yield running


@pytest.fixture(scope="session")
def service_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    """The Service Bus stand-in with the app's own queues, for the whole session. Tests share its messages."""
    with running_bus(tmp_path_factory.mktemp("bus")) as running:
        yield running


@pytest.fixture
def storage(azurite: RunningAzurite, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningAzurite]:
    """The app's settings point to Azurite, whose tables are gone; nothing is remembered from the test before."""
    from shared import tables

    monkeypatch.setenv("TABLES", azurite.connection_string)
    monkeypatch.setenv("PERSON_KEY", PERSON_KEY)
    monkeypatch.setenv("TENANT_DOMAINS", "us.example")
    forget()
    for table in tables.service().list_tables():
        tables.service().delete_table(table.name)
    yield azurite
    forget()


@pytest.fixture
def queues(service_bus: RunningBus, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningBus]:
    """The app's settings point to the stand-in."""
    monkeypatch.setenv("SERVICEBUS", service_bus.connection_string)
    forget()
    yield service_bus
    forget()
