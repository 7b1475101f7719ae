"""Putting interactions where they belong: first with their anchors, then with every record that counts an anchor.

The order matters. A record that begins to count a person announces it first and copies the person's history afterwards; we append
to the person first and look up who counts them afterwards. Whatever the interleaving, at least one side sees the other.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from shared import acquaintance_rows, membership, partitions
from shared.columns import Entries, joined
from shared.entries import entries_of, person_key, removal
from shared.groups import Placement, Reach
from shared.interactions import Interaction, Participant
from shared.people import domain_of
from shared.settings import settings


def outsiders(interaction: Interaction) -> list[Participant]:
    """The participants who may be a customer's people: all who are not ours by their domain, or as a user without address.

    This follows from the interaction and the app settings alone. Who owns an address is learnt later and changes, so a user's
    address elsewhere is kept like a stranger's; figures tell them apart when they are computed.
    """
    ours = settings().internal_domains
    return [
        participant
        for participant in interaction.participants
        if (domain_of(participant.address) not in ours if participant.address else not _is_user(participant.party))
    ]


def _is_user(party: str) -> bool:
    return party.startswith("user:")


def reach(interaction: Interaction) -> list[Reach]:
    """The anchors of an interaction with its month: each external person, their companies' mail domains, and each record that
    it regards.
    """
    month = partitions.month_of(interaction.at)
    external = outsiders(interaction)
    people = {membership.person_anchor(person_key(participant)) for participant in external}
    companies = {acquaintance_rows.company_anchor(participant.address) for participant in external} - {""}
    return [(anchor, month) for anchor in sorted({*people, *companies, *interaction.regarding})]


def put(placement: Placement) -> set[str]:
    """Append the interactions of a placement and take out what has left; what to compute again: records, company domains, and
    people whom no contact or lead stands for (`person:<key>`).
    """
    entries = entries_of(placement.interactions)
    by_anchor: dict[str, list[int]] = defaultdict(list)
    for position, (interaction, _) in enumerate(placement.interactions):
        for anchor, _ in reach(interaction):
            by_anchor[anchor].append(position)
    removals: dict[str, list[Entries]] = defaultdict(list)
    for key, revision, (anchor, month) in placement.removals:
        removals[anchor].append(removal(key, revision, month))
    _write(
        {anchor: (by_anchor.get(anchor, []), removals.get(anchor, [])) for anchor in {*by_anchor, *removals}}, entries
    )

    at = entries.facts.at.tolist()
    by_record: dict[str, tuple[dict[int, None], list[Entries]]] = defaultdict(lambda: ({}, []))
    bare: set[str] = set()
    claimed = [anchor for anchor in {*by_anchor, *removals} if not anchor.startswith("domain:")]
    for anchor, claims in membership.claims_on(claimed).items():
        if anchor.startswith("person:") and not any(c.record.startswith(("contact:", "lead:")) for c in claims):
            bare.add(anchor)
        for claim in claims:
            kept = [position for position in by_anchor.get(anchor, ()) if claim.covers(at[position])]
            if kept or anchor in removals:
                by_record[claim.record][0].update(dict.fromkeys(kept))
                by_record[claim.record][1].extend(removals.get(anchor, ()))
    _write({record: (sorted(positions), gone) for record, (positions, gone) in by_record.items()}, entries)
    regarded = {anchor for anchor in by_anchor.keys() | removals.keys() if not anchor.startswith("person:")}
    return {*by_record, *regarded, *bare}


def _write(wanted: dict[str, tuple[list[int], list[Entries]]], entries: Entries) -> None:
    for partition in sorted(wanted):
        positions, gone = wanted[partition]
        chosen = entries.take(np.array(positions, dtype="i8"))
        if gone:  # what has left is wanted out of the rows too, and not only out of the figures
            partitions.fold_tail(partitions.read(partition), joined([chosen, *gone]))
        else:
            partitions.append(partition, chosen)
