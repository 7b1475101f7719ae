"""Keeping the acquaintances of each target in step with its interactions.

Contacts, leads and accounts go with their record's own update. Bare people and company domains have messages of their own in
the queue of record updates, folded by the same windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from msgspec.structs import replace

from shared import acquaintance_rows, closeness, exchange, membership, organisation, partitions, rosters, stamps
from shared.acquaintance import Known, met_together, work_out
from shared.columns import Entries, joined, live, newest
from shared.directory import Directory, directory
from shared.errors import UnavailableError
from shared.keys import keys
from shared.kpi.parameters import DAY, Parameters
from shared.rosters import Roster

RECORD_TARGETS = ("contact", "lead", "account")
BRIEF = 300  # seconds that a row holds of which no update would tell
_TRIES = 8


def is_own_target(name: str) -> bool:
    """Say whether an update is for a bare person or a domain, and not for a record."""
    return name.startswith(("person:", "domain:"))


def follow_record(
    roster: Roster, children: Sequence[Roster], entries: Entries, now: int, parameters: Parameters, ours: Directory
) -> None:
    """Store who knows this record's people; `entries` are those of its partition that may be used. Other records have no row.

    Call it before the record's snapshot is stored under its ETag: whoever loses there comes back with newer entries, so the
    last row is always of the newest ones.
    """
    if roster.type not in RECORD_TARGETS:
        return
    external = people_of(roster, children)
    if roster.type == "lead":  # its own partition holds what is near its span only
        entries = _entries_of(membership.person_anchor(key) for key in external)
    known, people = _known(entries, external, now, parameters, ours)
    known = replace(known, name=roster.name, company=roster.account)
    acquaintance_rows.write(roster.record, known, people)


def people_of(roster: Roster, children: Sequence[Roster]) -> dict[int, int]:
    """The people whom a contact, lead or account stands for: every key of theirs, to the person's own."""
    rows = [child for child in children if child.type == "contact"] if roster.type == "account" else [roster]
    own = [person for row in rows for person in row.people if person.party == row.record]
    if roster.type == "account":
        own += roster.people
    return {key: person.keys[0] for person in own for key in person.keys}


def _entries_of(anchors: Iterable[str]) -> Entries:
    """What of these partitions may be used now."""
    held = live(newest(joined([partitions.read(anchor, with_ids=False).entries for anchor in anchors])))
    return exchange.shown(held)[0]


def _known(
    entries: Entries, external: dict[int, int], now: int, parameters: Parameters, ours: Directory
) -> tuple[Known, bytes]:
    known, seen_by, facts = work_out(entries, external, now, parameters, ours)
    since = now - parameters.strength_window_days * DAY
    closeness.note(met_together(facts, seen_by, now, parameters), since)
    return known, np.unique(facts.part_person).astype("<u8").tobytes()


def recompute(target: str, now: int) -> Known:
    """Bring the row of a bare person or a domain up to date.

    A person who has become a contact or lead keeps no row: that record answers. Raises UnavailableError when other writers
    are faster all the time.
    """
    for _ in range(_TRIES):
        in_force = stamps.read()
        _, etag = acquaintance_rows.read(target)
        entries = _entries_of([target])
        parameters, ours = organisation.parameters(in_force.parameters), directory(in_force.people)
        known, people = _known(entries, _external(target, entries), now, parameters, ours)
        if target.startswith("person:") and (claimed := claimants(target)):
            if owners(target, claimed):
                acquaintance_rows.remove([target])
                return known
            known = replace(known, valid_until=min(known.valid_until, now + BRIEF))
        if acquaintance_rows.write_if(target, known, people, etag) and stamps.read() == in_force:
            return known
    raise UnavailableError("The acquaintances are being computed by too many workers at once.")


def _external(target: str, entries: Entries) -> dict[int, int]:
    if target.startswith("person:"):
        key = int(target.removeprefix("person:"), 16)
        return {key: key}
    domains = [keys().domain(domain) for domain in acquaintance_rows.domains_of(target)]
    facts = entries.facts
    people = np.unique(facts.part_person[np.isin(facts.part_domain, np.array(domains, dtype=np.uint64))])
    return {key: key for key in people.tolist()}


def claimants(person: str) -> list[str]:
    """The contacts and leads that ever had this person's address, sorted."""
    claims = membership.claims_on([person])[person]
    return sorted({claim.record for claim in claims if claim.record.startswith(("contact:", "lead:"))})


def owners(person: str, claimed: Iterable[str]) -> list[Roster]:
    """The rosters among `claimed` whose own person has this key now; merged and deleted ones do not."""
    key = int(person.removeprefix("person:"), 16)
    found = [roster for record in claimed if (roster := rosters.read(record))]
    return [each for each in found if not each.gone and not each.merged_into and key in people_of(each, ())]
