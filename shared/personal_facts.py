"""What is held of a person besides interactions: rows of the CRM, choices, introductions, mailboxes, notes."""

from __future__ import annotations

from collections.abc import Iterator

from shared import choices, closeness, erasure, insights, introduction_rows, registry, rosters, stamps, states
from shared.choices import Choices
from shared.directory import directory
from shared.errors import NotFoundError
from shared.graph import mailboxes
from shared.moments import instant
from shared.personal_data_shapes import HeldAbout, HeldIntroduction, HeldMailbox, HeldRow, HeldScore, MetWith
from shared.personal_subject import Held
from shared.receipts import Receipt


def about(person: Held, now: int) -> HeldAbout:
    """All of it. Two scans: of the rosters, for what one of ours owns, and of the introductions."""
    return HeldAbout(
        rows=list(_rows(person)),
        named_by=_named_by(person),
        scores=list(_scores(person)),
        choices=_choices(person),
        introductions=list(_introductions(person)),
        opt_out=_receipt(person, now),
        mailboxes=list(_mailboxes(person)),
        met_with=_met_with(person),
        registered=sorted(registry.texts(person.keys).values()),
    )


def _rows(person: Held) -> Iterator[HeldRow]:
    for record in person.records:
        kind, _, id = record.partition(":")
        if held := states.read(kind, id):
            attributes = {name: value for name, (_, value) in held.state.attributes.items()}
            yield HeldRow(record=record, attributes=attributes)


def _named_by(person: Held) -> list[str]:
    found = {source for record in person.records for source in rosters.sources(record)}
    if person.user:
        ours = directory(stamps.read().people)
        teams = {f"team:{id}" for id, team in ours.teams.items() if person.user in team.members}
        found |= {*teams, *rosters.owned_by([f"user:{person.user}"])}
    return sorted(found - set(person.records))


def _scores(person: Held) -> Iterator[HeldScore]:
    for record in person.records:
        if record.startswith(("contact:", "lead:")) and (row := insights.list_row(record)):
            yield HeldScore(
                record=record, computed_at=instant(row.computed_at), score=row.score, grade=row.state, trend=row.trend
            )


def _choices(person: Held) -> Choices | None:
    """None for people from outside: they have no choices, only an opt-out."""
    return choices.of(person.keys[0]) if person.internal else None


def _introductions(person: Held) -> Iterator[HeldIntroduction]:
    names = {*person.records, *person.addresses}
    for one in introduction_rows.every():
        if (person.user and person.user in (one.asker, one.introducer)) or one.target in names:
            yield HeldIntroduction(
                id=one.id, asker=f"user:{one.asker}", introducer=f"user:{one.introducer}", target=one.target,
                target_name=one.target_name, record=one.record, reason=one.reason, state=one.state,
                created_at=instant(one.created_at),
            )  # fmt: skip


def _receipt(person: Held, now: int) -> Receipt | None:
    for key in person.keys:
        try:
            return erasure.receipt(f"{key:016x}", now)
        except NotFoundError:
            continue
    return None


def _mailboxes(person: Held) -> Iterator[HeldMailbox]:
    for one in mailboxes.read_all():
        if one.address and one.address in person.addresses:
            yield HeldMailbox(
                id=one.id, address=one.address, state=one.state, connected_at=_known(one.connected_at),
                mail_until=_known(one.mail_until), calendar_until=_known(one.calendar_until), error=one.error,
            )  # fmt: skip


def _known(at: int) -> str | None:
    return instant(at) if at else None


def _met_with(person: Held) -> list[MetWith]:
    if not person.internal:
        return []
    ours = directory(stamps.read().people)
    names = {closeness.user_key(id): f"user:{id}" for id in ours.users}
    found = {other: at for key in person.keys for other, at in closeness.notes(key).items()}
    unnamed = registry.texts(key for key in found if key not in names)
    known = [
        MetWith(colleague=names.get(key) or unnamed.get(key, ""), last_at=instant(at)) for key, at in found.items()
    ]
    return sorted(known, key=lambda one: one.colleague)
