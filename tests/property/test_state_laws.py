"""Taking in changes is a join: order, doubles and grouping change nothing, and what is final stays final."""

import json
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.changes import Change, Ref
from shared.crm.state import EntityState, decode, encode, is_private, join, members, merged_state, value

versions = st.integers(0, 4)  # few, so that ties are frequent
users = st.sampled_from(("u1", "u2", "u3"))
values = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.text("ab", max_size=2), st.lists(users, max_size=2))


def change(version: int, operation: Any, **more: Any) -> Change:
    return Change("opportunity", "o1", version, operation, **more)


attributes = st.fixed_dictionaries(
    {}, optional={"name": values, "stage": values, "team": st.none() | st.lists(users, max_size=3, unique=True)}
)
harmless = st.one_of(
    st.builds(change, versions, st.just("upsert"), attributes=attributes),
    st.builds(
        change,
        versions,
        st.sampled_from(("link", "unlink")),
        relationship=st.just("team"),
        related=st.lists(st.builds(Ref, st.just("user"), users), max_size=2),
    ),
    st.builds(change, versions, st.just("merge"), into=st.sampled_from(("o2", "o3"))),
    st.builds(change, versions, st.just("split")),
)
final = st.one_of(
    st.builds(change, versions, st.just("delete")),
    st.builds(change, versions, st.just("upsert"), attributes=st.just({"private": True})),
    st.builds(change, versions, st.just("upsert"), attributes=st.just({"private": False, "name": "x"})),
)
changes = st.one_of(harmless, final)
histories = st.lists(changes, min_size=1, max_size=8)


def taken_in(history: list[Change]) -> EntityState:
    state: EntityState | None = None
    for each in history:
        state = merged_state(state, each)
    assert state is not None
    return state


@given(histories, st.randoms())
def test_order_and_doubles_change_nothing(history: list[Change], random: Any) -> None:
    shuffled = history + random.sample(history, random.randint(0, len(history)))
    random.shuffle(shuffled)
    assert encode(taken_in(history)) == encode(taken_in(shuffled))


@given(histories, histories, histories)
def test_join_is_associative_commutative_and_idempotent(a: list[Change], b: list[Change], c: list[Change]) -> None:
    x, y, z = taken_in(a), taken_in(b), taken_in(c)
    assert join(join(x, y), z) == join(x, join(y, z))
    assert join(x, y) == join(y, x)
    assert join(x, x) == x
    assert join(x, y) == taken_in(a + b)


@given(histories)
def test_a_state_survives_its_bytes(history: list[Change]) -> None:
    state = taken_in(history)
    assert state == decode(encode(state))
    assert encode(state) == encode(decode(encode(state)))


@given(histories, changes)
def test_taking_in_does_not_alter_the_state_given(history: list[Change], next_change: Change) -> None:
    state = taken_in(history)
    before = encode(state)
    merged_state(state, next_change)
    assert before == encode(state)


@given(histories, versions)
def test_a_deleted_row_holds_nothing(history: list[Change], version: int) -> None:
    state = taken_in([*history, change(version, "delete")])
    assert state.deleted is not None
    assert {} == state.attributes == state.links


@given(st.lists(changes, max_size=6))
def test_a_private_row_stays_private_and_holds_nothing_else(history: list[Change]) -> None:
    state = taken_in([*history, change(2, "upsert", attributes={"private": True})])
    assert is_private(state) or state.deleted is not None
    assert set(state.attributes) <= {"private"}


@given(st.lists(harmless, min_size=1, max_size=10))
def test_members_follow_a_plain_replay_of_every_element(history: list[Change]) -> None:
    """The slow twin: each list writes every possible element, a link its own ones; then the last write of each wins."""
    assert replayed(history) == members(taken_in(history), "team")


def replayed(history: list[Change]) -> tuple[str, ...]:
    lists = [(c.version, c.attributes["team"]) for c in history if "team" in c.attributes]
    # Between two lists of one version the greater canonical JSON counts.
    ranked = [(version, json.dumps(team, separators=(",", ":")), team or []) for version, team in lists]
    version, _, listed = max(ranked, default=(-1, "", []))
    writes = {user: (version, False, user in listed) for user in ("u1", "u2", "u3")}
    for c in history:
        for ref in c.related:
            writes[ref.id] = max(writes[ref.id], (c.version, True, c.operation == "link"))
    return tuple(user for user, (_, _, member) in sorted(writes.items()) if member)


@given(st.lists(st.tuples(versions, st.integers(0, 9)), min_size=1, max_size=8))
def test_the_last_write_wins_and_ties_go_to_the_greater_value(writes: list[tuple[int, int]]) -> None:
    history = [change(version, "upsert", attributes={"stage": stage}) for version, stage in writes]
    assert max(writes)[1] == value(taken_in(history), "stage")


@given(histories)
def test_folding_pairs_equals_folding_in_turn(history: list[Change]) -> None:
    assert taken_in(history) == reduce(join, (merged_state(None, each) for each in history))
