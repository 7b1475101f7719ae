"""Bearer tokens for scripts: of whoever is signed in, or given through the environment."""

from __future__ import annotations

import os
from collections.abc import Callable


def token_source(scope: str, variable: str) -> Callable[[], str]:
    """A function that gives a valid token for `scope`: the environment variable `variable` where it is set, else of the
    service principal in AZURE_CLIENT_ID and its kin, of a managed identity, or of `az login` or `azd auth login`.
    """
    if given := os.environ.get(variable):
        return lambda: given
    from azure.identity import DefaultAzureCredential

    credential = DefaultAzureCredential()  # keeps tokens, and fetches a new one before the old one ends
    return lambda: credential.get_token(scope).token
