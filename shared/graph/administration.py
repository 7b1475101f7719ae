"""What administrators see and press: the state with its banner, enable, disable, the Exchange switch, preview, consent page."""

from __future__ import annotations

import secrets
import time
from typing import Annotated
from urllib.parse import urlencode

from msgspec import Meta, Struct

from shared import stamps, tables
from shared.directory import directory
from shared.errors import ConflictError, ForbiddenError, InvalidInputError
from shared.graph import consent, consent_state, mailboxes, private_events, scope_preview, work
from shared.graph.consent import Consent, Scope, State, Transition
from shared.graph.coverage import Coverage, coverage
from shared.graph.scope_preview import Preview
from shared.graph.times import text_of
from shared.graph.work import Lifecycle
from shared.settings import settings
from shared.widgets import Shape

STATE_SECONDS = 600
_LONGEST_HISTORY = 100


class StatusQuery(Struct, frozen=True):
    """`language` (such as `de` or `ar`) of the banner's words; without a catalogue, English."""

    language: Annotated[str, Meta(max_length=35)] = "en"


class Choice(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Whose mailboxes: CRM security roles by name or id (`GET consent/roles` lists them), directory groups by id."""

    roles: list[str] = []
    groups: list[str] = []
    include_inactive: bool = False


class Switch(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The Exchange switch. `eraseNow`, with off: what is held is erased at once, not after the days that the settings grant."""

    on: bool
    erase_now: bool = False


class StopQuery(Struct, frozen=True, rename="camel"):
    """`eraseNow`: what is held is erased at once and not after the days that the settings grant; also later, by asking again."""

    erase_now: bool = False


class Returned(Struct, frozen=True, forbid_unknown_fields=False):
    """What the consent page handed back, as its names are."""

    state: str
    tenant: str = ""
    admin_consent: str = ""
    error: str = ""


class Link(Shape, frozen=True):
    """Where an administrator gives consent."""

    url: str


class HistoryEntry(Shape, frozen=True):
    """A transition: RFC 3339, its number in the life cycle, from where to where, by whom."""

    at: str
    transition: str
    before: str
    after: str
    by: str


class Status(Shape, frozen=True):
    """The connection. `day` of 14 and `daysLeft` while consent is pending, else null. `banner`: a message id, or empty, and
    `bannerText` its words; `reminded`: the day of the last reminder, 0 before the first. `privateEvents`: how many there were on
    each of the last 30 days, which is all that is known of them."""

    state: str
    banner: str
    banner_text: str
    reminded: int
    day: int | None
    days_left: int | None
    enabled_at: str | None
    deadline: str | None
    consent_suspect: bool
    mode: str
    roles: list[str]
    groups: list[str]
    include_inactive: bool
    mailboxes: Coverage
    private_events: dict[str, int]
    history: list[HistoryEntry]


def status(now: int, language: str = "en") -> Status:
    """How the connection stands."""
    state = consent_state.read()
    pending, banner = state.state is State.PENDING_CONSENT, _banner(state)
    day, left = consent.day_of(state, now) if pending else (None, None)
    entries = [
        HistoryEntry(at=text_of(e.at), transition=e.name, before=e.before, after=e.after, by=e.by)
        for e in consent_state.history()
    ]
    return Status(
        state=state.state, banner=banner, banner_text=_words(banner, day, left, language), reminded=state.reminded,
        day=day, days_left=left,
        enabled_at=text_of(state.enabled_at) if state.enabled_at else None,
        deadline=text_of(state.deadline) if pending else None, consent_suspect=bool(state.suspect_since),
        mode=settings().graph_mode, roles=list(state.scope.roles), groups=list(state.scope.groups),
        include_inactive=state.scope.include_inactive, mailboxes=coverage(mailboxes.read_all(), now),
        private_events=private_events.totals(now - 30 * consent.DAY), history=entries[-_LONGEST_HISTORY:],
    )  # fmt: skip


def _banner(state: Consent) -> str:
    if state.suspect_since:
        return "consentSuspect"
    banners = {
        State.PENDING_CONSENT: "consentPending",
        State.AUTO_OFF: "consentAutoOff",
        State.WITHDRAWN: "consentWithdrawn",
    }
    return banners.get(state.state, "")


def _words(banner: str, day: int | None, left: int | None, language: str) -> str:
    if not banner:
        return ""
    from shared.messages.render import Renderer

    return Renderer().render(f"banner.{banner}", {"day": day or 0, "left": left or 0}, language).text


def _scope(choice: Choice) -> Scope:
    if not choice.roles and not choice.groups:
        raise InvalidInputError("choose at least one role or group", "$.roles")
    return Scope(tuple(sorted(set(choice.roles))), tuple(sorted(set(choice.groups))), choice.include_inactive)


def _refuse_nobody(chosen: Scope) -> None:
    """Refuse roles of which the CRM knows that nobody has them. Where it has told of no roles yet, they may come later."""
    our_people = directory(stamps.read().people)
    if chosen.groups or not any(user.roles for user in our_people.users.values()):
        return
    if len(scope_preview.empty_roles(chosen, our_people)) == len(chosen.roles):
        raise InvalidInputError(
            "no active user with a mail address has one of these roles; GET /api/consent/roles lists the roles that are known",
            "$.roles",
        )


def enable(choice: Choice, by: str, now: int) -> Status:
    """Enable, or change whose mailboxes are read; one probe at once.

    Raises InvalidInputError without any role or group, and for roles that bring nobody.
    """
    chosen = _scope(choice)
    _refuse_nobody(chosen)
    done = consent_state.change(lambda state: consent.enable(state, chosen, now), now, by)
    if done and done.name == "T12":
        _follow(done, now)
        return status(now)
    # Asked for in the queue: the answer must not wait for Graph, nor fail with it. Pressing again asks again.
    work.send([Lifecycle(do="probe")])
    return status(now)


def _follow(done: Transition | None, now: int) -> None:
    # Imported here: it knows how to read mailboxes, which those who only look at the state need not load.
    from shared.graph import lifecycle

    lifecycle.follow(done, now)


def disable(by: str, now: int, erase_now: bool = False) -> Status:
    """Switch everything off; what Exchange told is hidden, and erased later or at once."""
    _follow(consent_state.change(lambda state: consent.disable(state, now), now, by), now)
    return _stopped(by, now, erase_now)


def _stopped(by: str, now: int, erase_now: bool) -> Status:
    if erase_now:
        _follow(consent_state.change(consent.erase_at_once, now, by), now)
    return status(now)


def switch(wanted: Switch, by: str, now: int) -> Status:
    """Turn the Exchange switch. Raises ConflictError when it cannot be turned on now: wrong state, or the probe fails."""
    if not wanted.on:
        _follow(consent_state.change(lambda state: consent.switch_off(state, now), now, by), now)
        return _stopped(by, now, wanted.erase_now)
    from shared.graph import lifecycle

    passes = lifecycle.passes_now(now)
    done = consent_state.change(lambda state: consent.switch_on(state, passes, now), now, by)
    if done is None and consent_state.read().state is State.CRM_ONLY:
        raise ConflictError("The connection to Microsoft 365 cannot be read now.")
    _follow(done, now)
    return status(now)


def previewed(choice: Choice) -> Preview:
    """Who would be read with this choice. Raises InvalidInputError without any, UnavailableError when the directory is away."""
    return scope_preview.preview(_scope(choice))


def consent_link(caller_id: str, now: int) -> Link:
    """The consent page for this administrator, with a state that is good once, for ten minutes, and for nobody else."""
    config, state = settings(), secrets.token_urlsafe(32)
    row = {"PartitionKey": "pending", "RowKey": state, "v": 1, "caller": caller_id, "until": now + STATE_SECONDS}
    tables.upsert(consent_state.TABLE, row)
    query = urlencode(
        {
            "client_id": config.need("GRAPH_CLIENT_ID"),
            "scope": "https://graph.microsoft.com/.default",
            "redirect_uri": config.need("CONSENT_REDIRECT_URL"),
            "state": state,
        }
    )
    return Link(url=f"{config.graph_login}/{config.need('GRAPH_TENANT_ID')}/v2.0/adminconsent?{query}")


def consent_returned(answer: Returned, caller_id: str, caller_tenant: str) -> Status:
    """Take the consent page's answer from the administrator who was sent there. Nothing in it is believed: a probe decides.

    Raises ForbiddenError for a state that is not this administrator's, is used or old, and for another tenant;
    ConflictError when consent was not given.
    """
    now = int(time.time())
    row = tables.read(consent_state.TABLE, "pending", answer.state) if answer.state else None
    if row is None or row["caller"] != caller_id or row["until"] < now:
        raise ForbiddenError("This answer belongs to no open question.")
    used = {"PartitionKey": "pending", "RowKey": answer.state, "v": 1, "caller": "", "until": 0}
    if not tables.write_if(consent_state.TABLE, used, row["etag"]):
        raise ForbiddenError("This answer was used already.")
    tables.delete(consent_state.TABLE, "pending", answer.state)
    # A refusal carries admin_consent=True as well, so the error is looked at first.
    if answer.error or answer.admin_consent.lower() != "true":
        raise ConflictError("Consent was not given.")
    if answer.tenant != caller_tenant or answer.tenant != settings().graph_tenant_id:
        raise ForbiddenError("This consent is for another organisation.")
    work.send([Lifecycle(do="probe")])
    return status(now)
