"""The shape of what who knows whom answers, and what can be asked. Light: nothing heavy is loaded with it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from shared.widgets import PersonRef, Shape

PAGE = 5


class RecordQuery(Struct, frozen=True, rename="camel"):
    """`limit`: colleagues a page; `page`: the token of the answer before; `ownOrder`: prefer colleagues close to the caller;
    `language` (such as `de` or `ar`): have the evidence put into words."""

    limit: Annotated[int, Meta(ge=1, le=100)] = PAGE
    page: str = ""
    own_order: bool = True
    language: Annotated[str, Meta(max_length=35)] = ""


class AddressQuery(RecordQuery, frozen=True):
    """`address`: an outside person's mail address, or `domain`: a company's mail domain; one of the two."""

    address: Annotated[str, Meta(max_length=320)] = ""
    domain: Annotated[str, Meta(max_length=255)] = ""


class Ago(Shape, frozen=True):
    """How long ago in whole `unit`s: days, weeks or months."""

    unit: str
    n: int


class Evidence(Shape, frozen=True):
    """What the strength is made of, in the last 365 days, each interaction once. `lastAt` is null for who may only know about
    when; `lastAgo` is always there. `text`: all of it in words, where a language was asked for."""

    emails: int
    emails_out: int
    emails_in: int
    two_way: bool
    meetings: int
    calls: int
    last_at: str | None
    last_ago: Ago
    text: str | None = None


class Introduction(Shape, frozen=True):
    """Whether the caller may ask for an introduction; else `reason`: `do_not_ask`, `declined` or `at_capacity`, the last two
    with the day from which it is possible."""

    possible: bool
    reason: str = ""
    free_from: str | None = None


class KnownColleague(Shape, frozen=True):
    """One colleague and how well known the target is to them.

    `strength` 0-100 (null in the basic mode), `bars` 1-6, `level` strong, medium or weak. `knows`: which of several people, for
    a deal or a case. `closeness` to the caller: `team`, `customers` or empty. `through`: a colleague close to both.
    """

    person: PersonRef
    title: str
    address: str
    strength: float | None
    bars: int
    level: str
    evidence: Evidence
    introduction: Introduction
    closeness: str = ""
    knows: PersonRef | None = None
    through: PersonRef | None = None


class WhoKnowsWhom(Shape, frozen=True):
    """Colleagues in order, strongest first. `total` counts all who may be listed. `reason` when there is nobody.

    `alternatives`: who knows others of the same company, given where fewer know the target than a page holds. `records`: the
    contacts or leads that an address belongs to; more than one share it.
    """

    target: str
    name: str
    computed_at: str
    as_of: str
    flags: list[str]
    params_version: int
    records: list[PersonRef]
    total: int
    colleagues: list[KnownColleague]
    next_page: str | None
    reason: str | None
    alternatives: list[KnownColleague]
