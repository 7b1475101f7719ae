"""The shape of what is held about a person, and how to ask for it. Light: nothing heavy is loaded with it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from shared.access_log import Access
from shared.choices import Choices
from shared.receipts import Receipt
from shared.widgets.shape import Shape

Part = Literal["about", "accesses", "figures", "copies"]
Address = Annotated[str, Meta(max_length=320)]


class OwnDataQuery(Struct, frozen=True):
    """`page`: the token of the page before; empty for the first one."""

    page: str = ""


class AddressRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A person's mail address, in the body so that no log of requests has it."""

    address: Address


class PersonalDataRequest(AddressRequest, frozen=True, forbid_unknown_fields=True):
    """Whose data; `page`: the token of the page before, empty for the first one."""

    page: str = ""


class PersonalSubject(Shape, frozen=True):
    """Whose data it is: internal (one of ours) or external, under which addresses, as which rows of the CRM."""

    side: Literal["internal", "external"]
    addresses: list[str]
    records: list[str]


class HeldRow(Shape, frozen=True):
    """What the CRM told of the person: a row and the newest value of each attribute."""

    record: str
    attributes: dict[str, Any]


class HeldScore(Shape, frozen=True):
    """What was worked out about a record that is the person: health score, grade and trend as lists show them."""

    record: str
    computed_at: str
    score: float | None
    grade: int
    trend: int


class HeldIntroduction(Shape, frozen=True):
    """A request for an introduction in which the person asks, is asked, or is asked about."""

    id: str
    asker: str
    introducer: str
    target: str
    target_name: str
    record: str
    reason: str
    state: str
    created_at: str


class HeldMailbox(Shape, frozen=True):
    """A mailbox of the person that is or was read, up to when, and its last refusal."""

    id: str
    address: str
    state: str
    connected_at: str | None
    mail_until: str | None
    calendar_until: str | None
    error: str


class MetWith(Shape, frozen=True):
    """A colleague with whom the person was on an interaction with somebody external, and about when last."""

    colleague: str
    last_at: str


class HeldAbout(Shape, frozen=True):
    """What is held besides interactions and readings. `namedBy`: records that refer to the person; `registered`: the texts kept
    behind the person's keys; `optOut`: the receipt of an erasure."""

    rows: list[HeldRow]
    named_by: list[str]
    scores: list[HeldScore]
    choices: Choices | None
    introductions: list[HeldIntroduction]
    opt_out: Receipt | None
    mailboxes: list[HeldMailbox]
    met_with: list[MetWith]
    registered: list[str]


class HeldAcquaintance(Shape, frozen=True):
    """How well a colleague knows a target, with what that follows from: as who knows whom has it."""

    target: str
    colleague: str
    strength: float | None
    emails: int
    meetings: int
    calls: int
    last_at: str


class HeldInteraction(Shape, frozen=True):
    """The person's part in an interaction as a record has it: counted or not, with the ledger's reason.

    `recordName` is empty where the caller may not read the record. `reason` is `no_record` where no record is computed from it:
    it is kept with a bare address or a company's domain (`person:…`, `domain:…`). `inCrm`, `inExchange`: who told of it.
    """

    record: str
    record_name: str
    interaction_id: str
    activity_id: str
    kind: str
    at: str
    end: str
    direction: str
    role: str
    counted: bool
    reason: str
    sources: int
    in_crm: bool
    in_exchange: bool


class HeldCopyOf(Shape, frozen=True):
    """One source's stored copy of an interaction, from which all else follows: the person as that source names them. `others`:
    how many further people are on it. A copy of the CRM has a row behind it with the same facts (`activityId`)."""

    id: str
    source: str
    activity_id: str
    mailbox: str
    kind: str
    at: str
    end: str
    address: str
    name: str
    role: str
    response: str
    regarding: list[str]
    others: int


class PersonalData(Shape, frozen=True):
    """One page. Go on with `nextPage` until it is null; a page may be empty and still have one.

    `part` says what this page is of: about, accesses (readings of 400 days, newest first), figures (interactions by record, and
    acquaintances), copies.
    """

    at: str
    part: Part
    subject: PersonalSubject
    about: HeldAbout | None = None
    accesses: list[Access] = field(default_factory=list)
    acquaintances: list[HeldAcquaintance] = field(default_factory=list)
    interactions: list[HeldInteraction] = field(default_factory=list)
    copies: list[HeldCopyOf] = field(default_factory=list)
    next_page: str | None = None
