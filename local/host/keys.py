"""Access keys of the host and its functions, kept in the state folder."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

_LEVELS = ("anonymous", "function", "admin")


class Keys:
    """The `_master` key, the host's `default` key and one key for each function; written on first use, mode 0600.

    enabled: off means that every request passes, as with Core Tools without `--enableAuth`.
    """

    def __init__(self, folder: Path, functions: Iterable[str], enabled: bool) -> None:
        self.enabled = enabled
        self._path = folder / "keys.json"
        kept = json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else {}
        self.master: str = kept.get("master") or secrets.token_urlsafe(32)
        self.default: str = kept.get("default") or secrets.token_urlsafe(32)
        known: dict[str, str] = kept.get("functions", {})
        self.functions = known | {name: secrets.token_urlsafe(32) for name in functions if name not in known}
        self._write()

    def _write(self) -> None:
        text = json.dumps({"master": self.master, "default": self.default, "functions": self.functions}, indent=1)
        draft = self._path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._path)

    def lets_in(self, level: str, function: str, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether a request may call a function of that level (`anonymous`, `function`, `admin`).

        The header `x-functions-key` counts before the query's `code`. An unknown level lets nobody in.
        """
        if not self.enabled or level == "anonymous":
            return True
        given = (headers.get("x-functions-key") or query.get("code") or "").encode(errors="surrogateescape")
        accepted = [self.master]
        if level == "function":
            accepted += [self.default, *([self.functions[function]] if function in self.functions else [])]
        return level in _LEVELS and any(hmac.compare_digest(given, key.encode()) for key in accepted)
