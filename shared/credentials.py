"""The one azure-identity credential of the process; the library is imported at first use (it costs a quarter second)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from shared.settings import settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


@functools.cache
def credential() -> TokenCredential:
    """The app's managed identity where AZURE_CLIENT_ID names it, else what a developer is signed in with.

    With a user-assigned identity alone the library must be told which one; naming it also skips the chain of other
    sources, each of which would be tried on a cold start. No token is fetched here. Safe to share between threads.
    """
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    client_id = settings().azure_client_id
    return ManagedIdentityCredential(client_id=client_id) if client_id else DefaultAzureCredential()
