"""Who knows whom for one caller: rows of acquaintances, people's choices and the caller's own closeness, put in order.

Nothing that a colleague hides leaves a trace: hidden people are taken out before anything is counted, ordered or paged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from itertools import chain

from msgspec import Struct

from shared import choices, closeness, exchange, organisation, retention, stamps, targets
from shared import directory as directories
from shared.acquaintance import Known, Line, raw_at, rule_of
from shared.auth import LOOKUP, Caller, require_role
from shared.choices import Block, Choices, Standing
from shared.directory import Directory
from shared.errors import InvalidInputError
from shared.known_colleagues import PAGE, Ago, Evidence, Introduction, KnownColleague, RecordQuery, WhoKnowsWhom
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.strength import Acquaintance, bars_by_share, bars_of, strength_of
from shared.kpi.who_knows_whom import NO_CONTACT, Asker, in_order
from shared.moments import instant
from shared.noise import is_functional
from shared.organisation_settings import OrganisationSettings
from shared.paging import seal, unseal
from shared.stamps import Stamps
from shared.targets import Found
from shared.widgets import PersonRef

LEVELS = {6: "strong", 5: "strong", 4: "medium", 3: "medium", 2: "weak", 1: "weak"}
BRIDGED = 5  # how many of the first colleagues are looked at for somebody in between
_PURPOSE = "who knows whom"
_WEEK = 7


class _Page(Struct, frozen=True):
    """Where the next page begins: behind this colleague, else at this place."""

    target: str
    colleague: int
    place: int


class Candidate(Struct, frozen=True):
    """A line that may be listed, at the instant of the question."""

    line: Line
    raw: float
    knows: PersonRef | None


class View:
    """What one caller sees at one instant: people of ours, their choices, the settings in force.

    Raises ForbiddenError for a caller without the role for it, where the organisation asks for one.
    """

    def __init__(self, who: Caller, now: int, own_order: bool = True) -> None:
        self.in_force: Stamps = stamps.read()
        self.ours: Directory = directories.directory(self.in_force.people)
        self.settings: OrganisationSettings = organisation.settings_at(self.in_force.parameters)
        if self.settings.lookup_role:
            require_role(who, (LOOKUP,))
        self.parameters: Parameters = organisation.parameters(self.in_force.parameters)
        self.rule: str = rule_of(self.parameters)
        self.basic: bool = self.parameters.strength_basic
        self.standing: Standing = choices.standing()
        self.now = now
        self.user = user_of(who, self.ours)
        self._own_order = own_order and self.settings.introductions.asker_specific_order

    @cached_property
    def asker(self) -> Asker | None:
        """The caller with those close to them; None when the caller is none of ours, or wants the order of everyone."""
        if not self.user or not self._own_order or self.basic:  # the basic mode gives everyone the same order
            return None
        return self.close_to(self.user)

    def close_to(self, user_id: str) -> Asker:
        """A colleague with those close to them."""
        key = closeness.user_key(user_id)
        since = self.now - self.parameters.strength_window_days * DAY
        team = frozenset(closeness.user_keys(closeness.team_of(user_id, self.ours)))
        return Asker(key, team, frozenset(closeness.met_with(key, since)))

    def chosen(self, key: int) -> Choices:
        """A colleague's choices."""
        return self.standing.choices.get(key, choices.NO_CHOICE)

    def may_be_named(self, who: str, key: int) -> bool:
        """Whether a colleague may be listed for this caller: active, no function, not hidden, not the caller."""
        if self.chosen(key).hidden or (self.user and who == f"user:{self.user}"):
            return False
        if not who.startswith("user:"):
            return not is_functional(who)
        user = self.ours.users.get(who.removeprefix("user:"))
        if user is None or user.deleted or not user.active or user.merged_into:
            return False
        return not user.emails or not all(map(is_functional, user.emails))

    def person(self, who: str) -> PersonRef:
        """The colleague as answers name people."""
        return PersonRef(id=who, name=self.ours.name(who.removeprefix("user:")) if who.startswith("user:") else who)


def user_of(who: Caller, ours: Directory) -> str:
    """The CRM user who calls, by sign-in address, else by object id; empty for callers whom the CRM does not know."""
    user = ours.address_owner.get(who.address, "")
    return user or (who.id if who.id in ours.users else "")


def answer(found: Found, view: View, query: RecordQuery, exact: Collection[str]) -> WhoKnowsWhom:
    """One page for a caller. `exact`: the records that the caller may read; of interactions that belong to one of them the exact
    times are told, of others about when.

    Raises InvalidInputError for a page of another target.
    """
    candidates = list(_candidates(found.rows, view))
    ordered = _ordered(candidates, view)
    start = _start(ordered, found.target, query.page)
    page = ordered[start : start + query.limit]
    write = _Writer(found, view, exact, max((each.raw for each in ordered), default=0.0))
    colleagues = _with_bridges([write(each) for each in page], view, start)
    last = start + len(page)
    following = _Page(found.target, page[-1].line.key, last) if last < len(ordered) and page else None
    row = found.rows[0][0] if found.rows else None
    return WhoKnowsWhom(
        target=found.target,
        name=found.name,
        computed_at=instant(row.computed_at if row else view.now),
        as_of=instant(view.now),
        flags=_flags(view),
        params_version=view.in_force.parameters,
        records=list(found.records),
        total=len(ordered),
        colleagues=colleagues,
        next_page=seal(following, purpose=_PURPOSE) if following else None,
        reason=None if ordered else found.reason or NO_CONTACT,
        alternatives=_alternatives(found, view, {each.line.key for each in ordered}) if not start else [],
    )


def _flags(view: View) -> list[str]:
    flags, held_from = exchange.flags(), retention.held_from()
    cut = held_from is not None and held_from > view.now - view.parameters.strength_window_days * DAY
    return flags + ["partial"] * (cut and "partial" not in flags)


def _candidates(rows: Iterable[tuple[Known, PersonRef | None]], view: View) -> Iterator[Candidate]:
    """Everyone who may be listed; of a colleague who knows several of a deal's people the strongest tie."""
    best: dict[int, Candidate] = {}
    for known, person in rows:
        for line in known.lines:
            if view.may_be_named(line.who, line.key):
                candidate = Candidate(line, raw_at(line, known, view.now, view.parameters), person)
                if line.key not in best or candidate.raw > best[line.key].raw:
                    best[line.key] = candidate
    return iter(best.values())


def _ordered(candidates: list[Candidate], view: View) -> list[Candidate]:
    by_key = {candidate.line.key: candidate for candidate in candidates}
    names = {key: view.person(candidate.line.who).name for key, candidate in by_key.items()}
    found = [
        Acquaintance(
            key, each.raw, None if view.basic else strength_of(each.raw), 1, each.line.two_way, each.line.emails_out,
            each.line.emails_in, each.line.meetings, each.line.calls, each.line.last_at,
        )
        for key, each in by_key.items()
    ]  # fmt: skip
    return [by_key[each.colleague] for each in in_order(found, view.asker, names)]


def _start(ordered: list[Candidate], target: str, token: str) -> int:
    if not token:
        return 0
    page = unseal(token, _Page, purpose=_PURPOSE)
    if page.target != target:
        raise InvalidInputError("the page belongs to another target", "$.page")
    keys = [candidate.line.key for candidate in ordered]
    return keys.index(page.colleague) + 1 if page.colleague in keys else min(page.place, len(keys))


class _Writer:
    """Turns candidates into answers."""

    def __init__(self, found: Found, view: View, exact: Collection[str] = (), most: float = 0.0) -> None:
        self._found, self._view, self._exact, self._most = found, view, exact, most

    @cached_property
    def _names(self) -> set[str]:
        return targets.names_of(self._found.target)

    def __call__(self, candidate: Candidate) -> KnownColleague:
        view, line = self._view, candidate.line
        strength = None if view.basic else strength_of(candidate.raw)
        bars = bars_by_share(candidate.raw, self._most) if strength is None else bars_of(strength)
        user = view.ours.users.get(line.who.removeprefix("user:"))
        about = candidate.knows.id if candidate.knows else self._found.target
        return KnownColleague(
            person=view.person(line.who),
            title=user.title if user else "",
            address=next(iter(user.emails), "") if user else line.who,
            strength=strength,
            bars=bars,
            level=LEVELS[bars],
            evidence=_evidence(line, view.now, about in self._exact),
            introduction=self.introduction(line),
            closeness=_closeness(line.key, view),
            knows=candidate.knows,
        )

    def introduction(self, line: Line) -> Introduction:
        """Whether the caller may ask this colleague: the colleague's choices first, then what is blocked for a time."""
        chosen = self._view.chosen(line.key)
        if chosen.do_not_ask or (chosen.do_not_ask_for and not self._names.isdisjoint(chosen.do_not_ask_for)):
            return Introduction(possible=False, reason="do_not_ask")
        introducer = line.who.removeprefix("user:")
        blocks, now = self._view.standing.blocks, self._view.now
        if (until := blocks.get(Block(introducer, self._view.user, self._found.target), 0)) > now:
            return Introduction(possible=False, reason="declined", free_from=instant(until))
        if (until := blocks.get(Block(introducer), 0)) > now:
            return Introduction(
                possible=False, reason="at_capacity", free_from=instant(until) if until < choices.UNTOLD else None
            )
        return Introduction(possible=line.who.startswith("user:") and bool(self._view.user))


def _evidence(line: Line, now: int, exact: bool) -> Evidence:
    return Evidence(
        emails=line.emails_out + line.emails_in,
        emails_out=line.emails_out,
        emails_in=line.emails_in,
        two_way=line.two_way,
        meetings=line.meetings,
        calls=line.calls,
        last_at=instant(line.last_at) if exact else None,
        last_ago=ago(now - line.last_at, exact),
    )


def ago(seconds: int, exact: bool) -> Ago:
    """How long ago, in days for whoever may know exactly, else in weeks, and in months of 30 days from 8 weeks on.

    >>> ago(20 * 86_400, False), ago(20 * 86_400, True).n, ago(70 * 86_400, False).unit
    (Ago(unit='weeks', n=2), 20, 'months')
    """
    days = max(seconds, 0) // DAY
    if exact and days < 2 * _WEEK:
        return Ago(unit="days", n=days)
    if days < 8 * _WEEK:
        return Ago(unit="weeks", n=days // _WEEK)
    return Ago(unit="months", n=days // 30)


def _closeness(key: int, view: View) -> str:
    if view.asker is None:
        return ""
    return "team" if key in view.asker.team else "customers" if key in view.asker.met else ""


def _with_bridges(colleagues: list[KnownColleague], view: View, start: int) -> list[KnownColleague]:
    """Where the caller is close to none of the first colleagues: somebody close to both, for each who has one."""
    asker = view.asker
    if asker is None or start or any(each.closeness for each in colleagues):
        return colleagues
    return [*(_bridged(each, asker, view) for each in colleagues[:BRIDGED]), *colleagues[BRIDGED:]]


def _bridged(colleague: KnownColleague, asker: Asker, view: View) -> KnownColleague:
    from msgspec.structs import replace

    if not colleague.person.id.startswith("user:"):
        return colleague
    other = view.close_to(colleague.person.id.removeprefix("user:"))
    users = {closeness.user_key(id): id for id in view.ours.users}
    between = [
        (-asker.closeness(key) - other.closeness(key), view.ours.name(users[key]).casefold(), users[key])
        for key in {*asker.team, *asker.met} & {*other.team, *other.met} - {asker.key, other.key}
        if key in users and view.may_be_named(f"user:{users[key]}", key) and not view.chosen(key).do_not_ask
    ]
    return replace(colleague, through=view.person(f"user:{min(between)[2]}")) if between else colleague


def _alternatives(found: Found, view: View, listed: set[int]) -> list[KnownColleague]:
    """Who knows others of the same company, where few know the target itself."""
    if len(listed) >= PAGE or not found.company:
        return []
    others = [each for each in _around(found, view) if each.line.key not in listed]
    write = _Writer(found, view, (), max((each.raw for each in others), default=0.0))
    return [write(each) for each in _ordered(others, view)[: PAGE - len(listed)]]


def _around(found: Found, view: View) -> list[Candidate]:
    around = targets.current(found.company, view.now, view.rule) if found.company else None
    return list(_candidates(((around, None),), view)) if around else []


def introduction_by(introducer: str, found: Found, view: View) -> Introduction | None:
    """Whether the caller may ask this colleague (`user:<id>`) for the target; None when the colleague would not be listed,
    be it for hiding or for not knowing anybody there."""
    for candidate in chain(_candidates(found.rows, view), _around(found, view)):
        if candidate.line.who == introducer:
            return _Writer(found, view).introduction(candidate.line)
    return None
