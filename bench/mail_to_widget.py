"""From a mail in a mailbox to the widget that counts it: `python -m bench.mail_to_widget [MAILS]`, default 24.

The whole local stack with its default windows; Graph's own delay before a notification, up to three minutes, is not in it. A
mail comes every 3 to 7 seconds, so most wait for windows that others have opened, as in life. Takes two to three minutes, and
is not one of the parts of `python -m bench`.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

from local.supervisor import rapport
from local.supervisor.folder import StateFolder
from local.supervisor.options import OPTIONS, Options, parse
from local.supervisor.ready import token
from local.supervisor.stack import Stack
from tests.doubles.mailboxes import ANNA, BEN, KIM, ago, crm_rows
from tests.doubles.ports import free_port
from tests.local.graph_process import Control, call

PATIENCE = 120.0


class App:
    """The running app: its routes for an administrator and a reader, and the simulator's controls."""

    def __init__(self, options: Options) -> None:
        self._base, self.graph = f"{options.base_url}/api", Control(options.signin_url)
        self._tokens = {role: token(options.signin_url, f"Rapport.{role}") for role in ("Reader", "Ingest", "Admin")}

    def __call__(self, method: str, path: str, body: Any = None, role: str = "Admin") -> Any:
        bearer = {"Authorization": f"Bearer {self._tokens[role]}", "Content-Type": "application/json"}
        return call(method, self._base + path, body, bearer)[1]

    def mails(self) -> int:
        """How many mails the deal's widget counts; -1 while there is none."""
        found = self("GET", "/records/opportunity/c1/widgets/volumes", role="Reader")
        return int(found["data"]["emailsReceived"]) if "data" in found else -1


def options_in(folder: str) -> Options:
    """Free ports, no sample tenant."""
    ports = [option.flag for option in OPTIONS if option.flag.endswith("-port")]
    flags = [text for flag in ports for text in (flag, str(free_port()))]
    return parse(["up", "--folder", folder, "--host", "local", "--sample", "0", *flags], {}, ("up",))[1]


def wait(holds: Any, patience: float = PATIENCE) -> None:
    """Raises TimeoutError when it does not come true in time."""
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.1)


def connect(app: App) -> None:
    """Two mailboxes, a CRM that knows them, consent, and back-fill to its end."""
    for address in (ANNA, BEN):
        app.graph.post("users", mail=address)
    app.graph.mail(ANNA, **{"from": KIM, "to": [ANNA], "at": ago(3), "quiet": True})
    app("POST", "/crm/changes", {"changes": crm_rows()}, "Ingest")
    app("POST", "/consent/enable", {"roles": ["salesperson"]})
    app.graph.post("consent", grant=True, principal=True)
    for permission in ("Mail.Read", "Calendars.Read"):
        app.graph.post("scope", permission=permission, mailboxes="*")
    app("POST", "/consent/enable", {"roles": ["salesperson"]})  # has the connection checked now
    wait(lambda: app("GET", "/settings/status").get("state") == "LIVE")
    wait(lambda: app.mails() == 1)


def measure(app: App, mails: int, seed: int = 1) -> list[float]:
    """Seconds from each mail's arrival until a reader saw it counted."""
    draw = random.Random(seed)
    came: list[float] = []
    seen: list[float] = []

    def send() -> None:
        for _ in range(mails):
            app.graph.mail(ANNA, **{"from": KIM, "to": [ANNA]})
            came.append(time.monotonic())
            time.sleep(draw.uniform(3, 7))

    sender = Thread(target=send)
    sender.start()
    while len(seen) < mails:
        before = 1 + len(seen)
        wait(lambda before=before: app.mails() > before)
        now, counted = time.monotonic(), app.mails() - 1
        seen += [now] * (min(counted, mails) - len(seen))
    sender.join()
    return [until - at for at, until in zip(came, seen, strict=True)]


def main(mails: int = 24) -> None:
    """Print median, 95th percentile and the longest."""
    with tempfile.TemporaryDirectory() as name:
        folder, options = StateFolder(Path(name)), options_in(name)
        folder.create()
        stack = Stack(folder, Event(), lambda _: None)
        with folder.locked():
            try:
                stack.start(rapport.pieces(options, folder, func=False)[:4])
                app = App(options)
                connect(app)
                seconds = sorted(measure(app, mails))
            finally:
                stack.end()
    p95 = seconds[-(-95 * len(seconds) // 100) - 1]
    print(f"{mails} mails: median {statistics.median(seconds):.1f} s, p95 {p95:.1f} s, longest {seconds[-1]:.1f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
