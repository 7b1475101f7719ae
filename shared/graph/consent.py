"""The consent life cycle as pure functions: a state, an event, an instant, and what it becomes. No clock, no storage.

    DISABLED ──T1 enable──► PENDING_CONSENT ──T2 probe──► BACKFILL ──T5──► LIVE
        ▲                     │ T3 deadline  ▲ T4 enable      │  ◄─T7─┐     │
        └── T11 disable       ▼              │                └─T6 off─┴─► CRM_ONLY
                            AUTO_OFF ────────┘      T8 two failed probes ► WITHDRAWN ──T10 probe──► BACKFILL

The numbers are those of the product's table of transitions. A failed probe makes a connection suspect, which stops reading at
once; only a second one, 15 minutes later or more, makes it withdrawn.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

DAY = 86_400
PERIOD = 14 * DAY  # 336 hours, whatever clocks do
CONFIRM_AFTER = 15 * 60
REMINDER_DAYS = (7, 12, 13)


class State(StrEnum):
    """Where an organisation stands."""

    DISABLED = "DISABLED"
    PENDING_CONSENT = "PENDING_CONSENT"
    AUTO_OFF = "AUTO_OFF"
    BACKFILL = "BACKFILL"
    LIVE = "LIVE"
    CRM_ONLY = "CRM_ONLY"
    WITHDRAWN = "WITHDRAWN"


_CONNECTED = (State.BACKFILL, State.LIVE, State.CRM_ONLY)


class Scope(Struct, frozen=True):
    """Whose mailboxes are read: CRM security roles by name or id, directory groups by id; nobody when both are empty."""

    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    include_inactive: bool = False


class Consent(Struct, frozen=True, kw_only=True):
    """The connection of one organisation. Instants are seconds UTC, 0 = never.

    `suspect_since`: first of the failed probes; `stopped_at`: when reading ended (switch, disable, withdrawal);
    `erased`: nothing of Exchange is held any more; `changed_at`: when it last changed whether it may be shown; `reminded`: the
    last day of a pending consent of which the administrator was reminded, 0 = none. `erase_now`: what is held is not kept for
    the days that the settings grant, but erased at once. `hidden_at`: when mailboxes that left the scope were last hidden.
    """

    state: State = State.DISABLED
    enabled_at: int = 0
    suspect_since: int = 0
    stopped_at: int = 0
    erased: bool = True
    changed_at: int = 0
    scope: Scope = Scope()
    reminded: int = 0
    erase_now: bool = False
    hidden_at: int = 0

    @property
    def deadline(self) -> int:
        """When a pending consent ends by itself."""
        return self.enabled_at + PERIOD

    @property
    def is_visible(self) -> bool:
        """Whether figures may use what Exchange told."""
        return self.state in (State.BACKFILL, State.LIVE)

    @property
    def is_reading(self) -> bool:
        """Whether mailboxes may be called now."""
        return self.is_visible and not self.suspect_since

    def is_erasing(self, now: int, keep_seconds: int) -> bool:
        """Whether what is held shall go: at once after a withdrawal or on demand, else when it has been kept long enough."""
        if self.is_visible:
            return False
        return self.state is State.WITHDRAWN or self.erase_now or now >= self.stopped_at + keep_seconds

    @property
    def wants_probe(self) -> bool:
        """Whether the hourly check has anything to find out."""
        return self.state not in (State.DISABLED, State.AUTO_OFF)


class Transition(Struct, frozen=True):
    """What a change is called in the record of transitions, and the state that it leads to."""

    name: str
    consent: Consent


def day_of(consent: Consent, now: int) -> tuple[int, int]:
    """The day of the 14 that `now` lies in, and how many are left with it; at most day 14 of 14, 1 left.

    >>> day_of(Consent(enabled_at=0), 0), day_of(Consent(enabled_at=0), 7 * DAY)
    ((1, 14), (8, 7))
    """
    day = min(max((now - consent.enabled_at) // DAY, 0) + 1, PERIOD // DAY)
    return day, PERIOD // DAY + 1 - day


def enable(consent: Consent, scope: Scope, now: int) -> Transition | None:
    """An administrator presses Enable (T1, T4), or chooses other roles and groups while connected (T12)."""
    if consent.state in (State.DISABLED, State.AUTO_OFF):
        name = "T1" if consent.state is State.DISABLED else "T4"
        begun = replace(consent, enabled_at=now, suspect_since=0, scope=scope, reminded=0)
        return Transition(name, replace(begun, state=State.PENDING_CONSENT))
    if scope == consent.scope:
        return None
    return Transition("T12", replace(consent, scope=scope))


def remind(consent: Consent, now: int) -> Transition | None:
    """A pending consent has reached day 7, 12 or 13 and nobody was reminded of it; of days that were slept through, the last."""
    if consent.state is not State.PENDING_CONSENT or now >= consent.deadline:
        return None
    day, _ = day_of(consent, now)
    due = max((each for each in REMINDER_DAYS if each <= day), default=0)
    return Transition(f"reminder{due}", replace(consent, reminded=due)) if due > consent.reminded else None


def disable(consent: Consent, now: int) -> Transition | None:
    """An administrator disables everything (T11)."""
    if consent.state is State.DISABLED:
        return None
    stopped = consent.stopped_at if consent.stopped_at else now
    return Transition("T11", _hidden(replace(consent, state=State.DISABLED, suspect_since=0, stopped_at=stopped), now))


def switch_off(consent: Consent, now: int) -> Transition | None:
    """An administrator turns the Exchange switch off (T6)."""
    if consent.state not in (State.BACKFILL, State.LIVE):
        return None
    return Transition("T6", _hidden(replace(consent, state=State.CRM_ONLY, stopped_at=now), now))


def switch_on(consent: Consent, passes: bool | None, now: int) -> Transition | None:
    """An administrator turns the switch on again and a probe passes (T7): catch-up if data is held, else everything anew."""
    if consent.state is not State.CRM_ONLY or not passes:
        return None
    state = State.BACKFILL if consent.erased else State.LIVE
    return Transition("T7", _shown(replace(consent, state=state, suspect_since=0, stopped_at=0), now))


def probed(consent: Consent, passes: bool | None, now: int) -> Transition | None:
    """A probe has been made; None as `passes` is no evidence and changes nothing, except that a deadline does not wait."""
    if consent.state is State.PENDING_CONSENT:
        return _pending(consent, passes, now)
    if consent.state is State.WITHDRAWN and passes:
        return Transition("T10", _shown(replace(consent, state=State.BACKFILL, stopped_at=0), now))
    if consent.state in _CONNECTED and passes is not None:
        return _connected(consent, passes, now)
    return None


def _pending(consent: Consent, passes: bool | None, now: int) -> Transition | None:
    if passes:
        return Transition("T2", _shown(replace(consent, state=State.BACKFILL, stopped_at=0), now))
    if now >= consent.deadline and passes is False:
        return Transition("T3", replace(consent, state=State.AUTO_OFF))
    return None


def _connected(consent: Consent, passes: bool, now: int) -> Transition | None:
    if passes:
        return Transition("T9", replace(consent, suspect_since=0)) if consent.suspect_since else None
    if not consent.suspect_since:
        return Transition("suspect", replace(consent, suspect_since=now))
    if now - consent.suspect_since < CONFIRM_AFTER:
        return None
    return Transition("T8", _hidden(replace(consent, state=State.WITHDRAWN, suspect_since=0, stopped_at=now), now))


def backfilled(consent: Consent) -> Transition | None:
    """Every mailbox has reached its target date, or is parked with a listed error (T5)."""
    return Transition("T5", replace(consent, state=State.LIVE)) if consent.state is State.BACKFILL else None


def mailboxes_hidden(consent: Consent, now: int) -> Transition:
    """Mailboxes left the scope and are marked as hidden (T12): a later instant each time, so that everybody sees the marks."""
    return Transition("hidden", replace(consent, hidden_at=max(now, consent.hidden_at + 1)))


def erase_at_once(consent: Consent) -> Transition | None:
    """An administrator does not want to wait: what is hidden is erased now (T11). Nothing is hidden while Exchange is shown."""
    if consent.is_visible or consent.erased:
        return None
    return Transition("eraseNow", replace(consent, erase_now=True))


def erased(consent: Consent) -> Transition | None:
    """Nothing of Exchange is held any more."""
    if consent.is_visible or consent.erased:
        return None
    return Transition("erased", replace(consent, erased=True, erase_now=False))


def _hidden(consent: Consent, now: int) -> Consent:
    return replace(consent, changed_at=now)


def _shown(consent: Consent, now: int) -> Consent:
    # What is held from before the stop is shown again; only what was erased must be read anew.
    return replace(consent, changed_at=now, erased=False, erase_now=False)
