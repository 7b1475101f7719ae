"""What the app keeps about the signed-in user, in the shapes of the app itself: choices, receipt, readings, what is held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from shared.access_log import Access, Accesses
from shared.choices import Choices
from shared.personal_data_shapes import (
    HeldAbout,
    HeldAcquaintance,
    HeldCopyOf,
    HeldInteraction,
    HeldRow,
    MetWith,
    PersonalData,
    PersonalSubject,
)
from shared.receipts import Receipt

DEAL, KIM = "opportunity:7574479f-fabc-582b-9af1-d106b0a5ffb5", "contact:5e2c514e-a13e-573a-bcfa-b6c9091bfa26"
NOW = "2026-11-23T08:00:00Z"


@dataclass
class RecordedMe:
    """`refused`: the CRM knows no user for the caller. `status`: of the erasure after an opt-out."""

    choices: Choices = field(default_factory=Choices)
    refused: bool = False
    status: str = "PROCESSING"
    accesses: int = 60
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Everything below `/api/me/`."""
        what = request.match_info["what"]
        self.asked.append(f"{request.method} {request.path_qs}")
        if self.refused:
            return _problem(403, "The CRM has no user with your sign-in address.")
        if what == "choices" and request.method == "PUT":
            chosen = msgspec.json.decode(await request.read(), type=Choices)
            if any("." not in one and ":" not in one for one in chosen.do_not_ask_for):
                return _problem(400, "this is no address, mail domain or record")
            self.choices = chosen
        if what == "opt-out" and not self.choices.opt_out:
            return _problem(404, "Nobody has opted out under this id.")
        found: Any = {
            "choices": lambda: self.choices,
            "opt-out": lambda: Receipt("0f", self.status, NOW, None, {"interactionsChanged": 7}, "c0ffee"),  # type: ignore[arg-type]
            "accesses": lambda: Accesses(
                [Access(NOW, f"Reader {n}", DEAL, "who knows whom") for n in range(self.accesses)]
            ),
            "data": lambda: held(request.query.get("page", "")),
        }[what]()
        return web.Response(body=msgspec.json.encode(found), content_type="application/json")


def held(page: str) -> PersonalData:
    """Two pages of what is held."""
    subject = PersonalSubject("internal", ["anna@us.example"], ["user:anna"])
    if page:
        copy = HeldCopyOf("c", "exchange", "", "m", "email", NOW, NOW, "anna@us.example", "Anna", "from", "", [], 3)
        return PersonalData(at=NOW, part="copies", subject=subject, copies=[copy])
    about = HeldAbout(
        rows=[HeldRow("user:anna", {"fullname": "Anna <b>Berg</b>", "isdisabled": False})],
        named_by=[DEAL],
        scores=[],
        choices=Choices(),
        introductions=[],
        opt_out=None,
        mailboxes=[],
        met_with=[MetWith("Ben Ode", NOW)],
        registered=[],
    )
    known = HeldAcquaintance(KIM, "user:anna", 18.6, 2, 0, 1, NOW)
    part = HeldInteraction(
        DEAL, "Big deal", "k", "email:1", "email", NOW, NOW, "out", "from", True, "regarding", 2, True, True
    )
    return PersonalData(
        at=NOW, part="about", subject=subject, about=about, acquaintances=[known], interactions=[part], next_page="2"
    )


def _problem(status: int, detail: str) -> web.Response:
    return web.json_response({"status": status, "detail": detail}, status=status)
