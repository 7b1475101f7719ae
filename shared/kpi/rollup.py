"""The contacts through which an account counts an interaction (kpis 3.4), for all contacts at once."""

from __future__ import annotations

import numpy as np

from shared.kpi.interactions import Indices, Interactions, Keys, Kind, Membership, RecordType
from shared.kpi.people import People, Present

Pairs = tuple[Indices, Indices]


def through_contacts(facts: Interactions, people: People, account: Membership) -> Pairs:
    """Pairs (interaction, position in `account.children`), sorted, each once: the contact takes part, or is regarded.

    An address of two contacts gives both of them. Tasks come in only where they regard the contact.
    """
    contacts = [number for number, child in enumerate(account.children) if child.type == RecordType.CONTACT]
    if not contacts or not len(facts):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    address, child = _addresses(people, account, contacts)
    rows = np.flatnonzero(people.attends & (facts.kind.take(facts.part_index) != Kind.TASK))
    # Step 5 of the rule: with nobody of ours it counts for none; what regards a contact needs nobody.
    ours = (people.present & Present.OURS_ATTEND) != 0
    rows = rows[ours.take(facts.part_index[rows])]
    row, taking_part = _match(people.address_of_row[rows], rows, (address, child))
    about = np.flatnonzero(facts.regarding_type == RecordType.CONTACT)
    by_record = _joined([account.children[number].record_keys for number in contacts], contacts)
    regarding, regarded = _match(facts.regarding_key[about], about, by_record)
    index = np.concatenate([facts.part_index[row], facts.regarding_index[regarding]])
    joint = index * len(account.children) + np.concatenate([taking_part, regarded])
    if (joint[1:] <= joint[:-1]).any():
        joint = np.unique(joint)
    return joint // len(account.children), joint % len(account.children)


def _addresses(people: People, account: Membership, contacts: list[int]) -> Pairs:
    """Pairs (position in `people.address`, contact), sorted: external addresses whose person, by the account's or by the
    contact's own reading, is the contact."""
    rows = np.flatnonzero(~people.ours)
    by_person = _joined([account.children[number].external for number in contacts], contacts)
    by_address = _own_addresses(account, contacts, by_person)
    found = [_match(people.canonical[rows], rows, by_person), _match(people.address[rows], rows, by_address)]
    row, child = (np.concatenate(column) for column in zip(*found, strict=True))
    joint = np.unique(row * len(account.children) + child)
    return joint // len(account.children), joint % len(account.children)


Lookup = tuple[Keys | Indices, Indices]  # sorted keys, and the child of each; a key may stand several times


def _joined(keys: list[Keys], numbers: list[int]) -> Lookup:
    """One sorted lookup out of the keys of several children."""
    joined = np.concatenate(keys)
    child = np.repeat(np.array(numbers, np.int64), [len(each) for each in keys])
    order = np.argsort(joined, kind="stable")
    return joined[order], child[order]


def _own_addresses(account: Membership, contacts: list[int], by_person: Lookup) -> Lookup:
    """Addresses that a contact's own membership gives to it, although the account's gives them to another person."""
    own = [number for number in contacts if account.children[number].persons is not account.persons]
    if not own:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    child = np.repeat(np.array(own, np.int64), [len(account.children[number].persons) for number in own])
    address = np.concatenate([account.children[number].persons for number in own])
    person = np.concatenate([account.children[number].canonical for number in own])
    row, its = _match(person, np.arange(len(address)), by_person)
    row = row[its == child[row]]
    row = row[np.argsort(address[row], kind="stable")]
    return address[row], child[row]


def _match(keys: Keys | Indices, rows: Indices, lookup: Lookup) -> Pairs:
    """Pairs (row, child) for every entry of the lookup that equals the row's key."""
    if not len(lookup[0]) or not len(keys):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    first = np.searchsorted(lookup[0], keys)
    hit = np.flatnonzero(lookup[0].take(first, mode="clip") == keys)
    first, rows = first[hit], rows[hit]
    several = np.searchsorted(lookup[0], keys[hit], side="right") - first
    start = np.repeat(first - (np.cumsum(several) - several), several)
    return np.repeat(rows, several), lookup[1][start + np.arange(len(start))]
