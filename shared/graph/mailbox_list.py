"""The list of mailboxes for administrators: what each is doing, how far it is read, and what is wrong with it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared.graph import mailboxes
from shared.graph.coverage import lags, progress
from shared.graph.mailboxes import Mailbox
from shared.moments import instant
from shared.paging import seal, unseal
from shared.widgets import Shape

MailboxState = Literal["connecting", "backfill", "live", "waiting", "parked", "held"]
_DENIED = frozenset(("ErrorAccessDenied", "AccessDenied", "Authorization_RequestDenied"))


class MailboxQuery(Struct, frozen=True):
    """`state` narrows, several may be given; `language` (such as `de` or `ar`) of the words; `page`: the `nextPage` of the
    answer before."""

    state: tuple[MailboxState, ...] = ()
    language: Annotated[str, Meta(max_length=35)] = "en"
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    page: str = ""


class MailboxRow(Shape, frozen=True):
    """A mailbox. Instants are RFC 3339, null = not yet.

    `state`: connecting (in scope, nothing read yet), backfill (past and new items), live (new items), waiting (Exchange asked
    for a pause), parked (it cannot be read; tried again once a day), held (not read any more, what it told is kept or about to be
    erased). `lastSynced`: start of the last run that read both mail and calendar; `lagSeconds`: how long ago that was; `lagging`:
    longer than it should be. `readBackTo`: how far the past is read; `progress`: share of it, 0 to 1. `error`: the code that
    Exchange gave, or empty, and `errorText` what it means; `retryAt`: when it is called again.
    """

    id: str
    address: str
    state: MailboxState
    connected_at: str | None
    last_synced: str | None
    lag_seconds: int | None
    lagging: bool
    read_back_to: str | None
    progress: float
    error: str
    error_text: str
    retry_at: str | None


class MailboxList(Shape, frozen=True):
    """One page, by address. `total` is of all that pass the filter, `states` counts all mailboxes."""

    total: int
    states: dict[MailboxState, int]
    mailboxes: list[MailboxRow]
    next_page: str | None = None


class _Page(Struct, frozen=True):
    """How many rows the pages before have held."""

    rows: int


def listed(query: MailboxQuery, now: int) -> MailboxList:
    """One page of the mailboxes that are or were read and are not erased. Raises InvalidInputError for a page of another list."""
    purpose = f"mailboxes|{','.join(sorted(query.state))}"
    first = unseal(query.page, _Page, purpose=purpose).rows if query.page else 0
    known = [(state_of(one, now), one) for one in mailboxes.read_all() if one.state != "gone"]
    counts: dict[MailboxState, int] = {}
    for state, _ in known:
        counts[state] = counts.get(state, 0) + 1
    wanted = sorted(
        (one.address, one.id, state, one) for state, one in known if not query.state or state in query.state
    )
    chosen = wanted[first : first + query.limit]
    after = first + len(chosen)
    return MailboxList(
        total=len(wanted),
        states=counts,
        mailboxes=[_row(one, state, now, query.language) for _, _, state, one in chosen],
        next_page=seal(_Page(after), purpose=purpose) if after < len(wanted) else None,
    )


def state_of(mailbox: Mailbox, now: int) -> MailboxState:
    """What a mailbox is doing.

    >>> state_of(Mailbox(id="m", address="a@b.example", not_before=20.0, error="429"), 10)
    'waiting'
    """
    if mailbox.state != "connected":
        return "held"
    if mailbox.parked_until > 0:
        return "parked"
    if mailbox.not_before > now:
        return "waiting"
    if not mailbox.mail_from:
        return "connecting"
    return "live" if mailbox.is_backfilled else "backfill"


def _row(mailbox: Mailbox, state: MailboxState, now: int, language: str) -> MailboxRow:
    synced = min(mailbox.mail_until, mailbox.calendar_until)
    retry = max(mailbox.parked_until, mailbox.not_before)
    back = max(mailbox.mail_from, mailbox.calendar_from) if mailbox.mail_from and mailbox.calendar_from else 0
    return MailboxRow(
        id=mailbox.id,
        address=mailbox.address,
        state=state,
        connected_at=instant(mailbox.connected_at) if mailbox.connected_at else None,
        last_synced=instant(synced) if synced else None,
        lag_seconds=max(0, now - synced) if synced else None,
        lagging=state != "held" and lags(mailbox, now),
        read_back_to=instant(back) if back else None,
        progress=round(progress(mailbox), 4),
        error=mailbox.error,
        error_text=_words(mailbox, language),
        retry_at=instant(int(retry)) if retry > now else None,
    )


def _words(mailbox: Mailbox, language: str) -> str:
    if not mailbox.error:
        return ""
    from shared.messages.render import Renderer

    return Renderer().render(f"mailbox.{_reason(mailbox)}", {}, language).text


def _reason(mailbox: Mailbox) -> str:
    """What an error means for whoever reads it: not let in, nothing there, or a pause that ends by itself."""
    if mailbox.error in _DENIED:
        return "denied"
    return "missing" if mailbox.parked_until else "busy"
