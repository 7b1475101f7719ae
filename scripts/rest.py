"""JSON over HTTPS to Azure's own interfaces, with the sign-in of `azd`. Standard library only."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SECONDS = 60
GRAPH = "https://graph.microsoft.com"
MANAGEMENT = "https://management.azure.com"


class RestError(Exception):
    """An answer that is no success: `status`, and the service's own words."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@dataclass(frozen=True)
class Service:
    """An interface at `address`, called with the bearer `token`."""

    address: str
    token: str

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """The decoded answer, None if it is empty. Raises RestError."""
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, given, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise RestError(error.code, error.read(2000).decode(errors="replace")) from None
        return json.loads(content) if content else None


def signed_in(audience: str, address: str = "") -> Service:
    """The service at `address` (the audience itself if empty) with a token of the person who is signed in to azd."""
    command = ["azd", "auth", "token", "--output", "json", "--scope", f"{audience}/.default"]
    if tenant := os.environ.get("AZURE_TENANT_ID"):
        command += ["--tenant-id", tenant]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"azd gives no token for {audience}: {done.stderr.strip()}")
    return Service(address or audience, json.loads(done.stdout)["token"])


def tenant_of(service: Service) -> str:
    """The tenant that issued the token; it is read, not judged."""
    payload = service.token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["tid"])
