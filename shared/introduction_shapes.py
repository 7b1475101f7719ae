"""The shapes of introductions over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared.known_colleagues import Introduction
from shared.widgets import PersonRef, Shape

State = Literal["draft", "unclear", "requested", "accepted", "declined", "expired", "cancelled", "done"]


class Wanted(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Who is asked (`user:<id>`) for an introduction to whom (`contact:<id>`, `lead:<id>` or an address), and why. `record`: the
    deal or other record that it is about."""

    introducer: Annotated[str, Meta(min_length=6, max_length=120)]
    target: Annotated[str, Meta(min_length=3, max_length=320)]
    record: Annotated[str, Meta(max_length=120)] = ""
    reason: Annotated[str, Meta(max_length=500)] = ""
    language: Annotated[str, Meta(max_length=20)] = "en"


class NewState(Struct, frozen=True, forbid_unknown_fields=True):
    """The state to which a request is moved by hand."""

    state: State


class ListQuery(Struct, frozen=True, rename="camel"):
    """`role`: the caller's own part in the requests."""

    role: Literal["asker", "introducer"] = "asker"


class FilledMail(Shape, frozen=True):
    """The mail as it would be sent. `canSend`: we send it; else the caller does, with the text or the link."""

    to: str
    subject: str
    body: str
    mailto: str
    can_send: bool
    introduction: Introduction


class RequestView(Shape, frozen=True):
    """One request. `outbox`: planned, claimed, sent, refused or unknown; unknown means: look into Sent Items.

    `proposal` is `done` once all three were seen on one interaction since the yes.
    """

    id: str
    state: str
    outbox: str
    note: str
    asker: PersonRef
    introducer: PersonRef
    target: PersonRef
    record: PersonRef | None
    created_at: str
    requested_at: str | None
    expires_at: str | None
    answered_at: str | None
    closed_at: str | None
    proposal: str = ""


class Requests(Shape, frozen=True):
    """The caller's requests, newest first, and how many are in each state."""

    requests: list[RequestView]
    outcomes: dict[str, int]
