"""Cross-origin answers, from `Host.CORS` of `local.settings.json`."""

from __future__ import annotations

from aiohttp import web

from local.host.settings import LocalSettings


class Cors:
    """Lets the named origins in, `*` lets all in; with no origins nothing is added and nothing answered."""

    def __init__(self, settings: LocalSettings) -> None:
        self._origins = frozenset(origin.rstrip("/").lower() for origin in settings.origins)
        self._credentials = settings.credentials

    def _accepts(self, origin: str) -> bool:
        return bool(origin) and ("*" in self._origins or origin.lower() in self._origins)

    def preflight(self, request: web.BaseRequest) -> web.Response | None:
        """The answer to a preflight request; None for every other request."""
        headers = request.headers
        if not self._origins or request.method != "OPTIONS" or "Access-Control-Request-Method" not in headers:
            return None
        response = web.Response(status=204)
        if self._accepts(headers.get("Origin", "")):
            response.headers["Access-Control-Allow-Methods"] = headers["Access-Control-Request-Method"]
            if asked := headers.get("Access-Control-Request-Headers"):
                response.headers["Access-Control-Allow-Headers"] = asked
        return response

    def mark(self, request: web.BaseRequest, response: web.Response) -> None:
        """Add the origin's permission to an answer."""
        if not self._origins:
            return
        origin = request.headers.get("Origin", "")
        if not self._accepts(origin):
            return
        everyone = "*" in self._origins and not self._credentials
        response.headers["Access-Control-Allow-Origin"] = "*" if everyone else origin
        if not everyone:
            response.headers.add("Vary", "Origin")
        if self._credentials:
            response.headers["Access-Control-Allow-Credentials"] = "true"
