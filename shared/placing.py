"""Putting interactions where they belong: first with their anchors, then with every record that counts an anchor.

The order matters. A record that begins to count a person announces it first and copies the person's history afterwards; we append
to the person first and look up who counts them afterwards. Whatever the interleaving, at least one side sees the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from shared import membership, partitions
from shared.columns import Entries, joined
from shared.directory import Directory
from shared.entries import entries_of, person_key, removal
from shared.groups import Placement, Reach
from shared.interactions import Interaction

FOLD_FROM = 3  # entries for one partition from which folding at once is cheaper than a tail


def reach(interaction: Interaction, directory: Directory) -> list[Reach]:
    """The anchors of an interaction with its month: each external person and each record that it regards."""
    month = partitions.month_of(interaction.at)
    external = {
        membership.person_anchor(person_key(participant))
        for participant in interaction.participants
        if not directory.is_internal(participant.address, participant.party)
    }
    return [(anchor, month) for anchor in sorted({*external, *interaction.regarding})]


def put(placement: Placement, directory: Directory) -> set[str]:
    """Append the interactions of a placement and take out what has left; the records to compute again."""
    entries = entries_of(placement.interactions)
    by_anchor: dict[str, list[int]] = defaultdict(list)
    for position, (interaction, _) in enumerate(placement.interactions):
        for anchor, _ in reach(interaction, directory):
            by_anchor[anchor].append(position)
    removals: dict[str, list[Entries]] = defaultdict(list)
    for key, revision, (anchor, month) in placement.removals:
        removals[anchor].append(removal(key, revision, month))
    _write(
        {anchor: (by_anchor.get(anchor, []), removals.get(anchor, [])) for anchor in {*by_anchor, *removals}}, entries
    )

    at = entries.facts.at.tolist()
    by_record: dict[str, tuple[dict[int, None], list[Entries]]] = defaultdict(lambda: ({}, []))
    for anchor, claims in membership.claims_on({*by_anchor, *removals}).items():
        for claim in claims:
            kept = [position for position in by_anchor.get(anchor, ()) if claim.covers(at[position])]
            if kept or anchor in removals:
                by_record[claim.record][0].update(dict.fromkeys(kept))
                by_record[claim.record][1].extend(removals.get(anchor, ()))
    _write({record: (sorted(positions), gone) for record, (positions, gone) in by_record.items()}, entries)
    regarded = {anchor for anchor in by_anchor.keys() | removals.keys() if not anchor.startswith("person:")}
    return {*by_record, *regarded}


def _write(wanted: dict[str, tuple[list[int], list[Entries]]], entries: Entries) -> None:
    for partition in sorted(wanted):
        positions, gone = wanted[partition]
        batch = joined([entries.take(np.array(positions, dtype="i8")), *_still_gone(gone, entries, positions)])
        if len(batch) >= FOLD_FROM:
            partitions.fold(partition, batch)
        else:
            partitions.append(partition, batch)


def _still_gone(gone: Iterable[Entries], entries: Entries, positions: list[int]) -> list[Entries]:
    """The removals that do not contradict what is put into the same month of the same partition by another anchor."""
    here = {
        (entries.facts.key[position], partitions.month_of(int(entries.facts.at[position]))) for position in positions
    }
    return [entry for entry in gone if (entry.facts.key[0], partitions.month_of(int(entry.facts.at[0]))) not in here]
