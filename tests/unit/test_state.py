import pytest

from shared.changes import Change, Ref
from shared.crm.state import EntityState, decode, encode, join, members, merged_state, value
from shared.errors import FormatVersionError


def upsert(version: int, **attributes: object) -> Change:
    return Change("opportunity", "o1", version, "upsert", attributes)


def link(version: int, *ids: str, operation: str = "link") -> Change:
    related = [Ref("user", id) for id in ids]
    return Change("opportunity", "o1", version, operation, relationship="team", related=related)  # type: ignore[arg-type]


def state_of(*changes: Change) -> EntityState:
    state: EntityState | None = None
    for change in changes:
        state = merged_state(state, change)
    assert state is not None
    return state


def test_attributes_are_written_one_by_one() -> None:
    state = state_of(upsert(2, name="B", stage="2"), upsert(1, name="A", region="DE"))
    assert state.attributes == {"name": (2, "B"), "stage": (2, "2"), "region": (1, "DE")}


def test_null_clears_and_is_remembered() -> None:
    state = state_of(upsert(2, name=None), upsert(1, name="A"))
    assert value(state, "name") is None
    assert state.attributes["name"] == (2, None)


def test_a_whole_list_outdates_older_links_and_newer_links_amend_it() -> None:
    state = state_of(link(1, "old"), upsert(5, team=["a", "b"]), link(6, "c"), link(7, "a", operation="unlink"))
    assert members(state, "team") == ("b", "c")
    assert "old" not in state.links["team"]


def test_an_older_list_loses_against_a_newer_link() -> None:
    assert members(state_of(link(6, "c"), upsert(5, team=["a"])), "team") == ("a", "c")


def test_a_cleared_list_is_empty_but_for_newer_links() -> None:
    assert members(state_of(link(1, "a"), upsert(2, team=None)), "team") == ()
    assert members(state_of(upsert(2, team=None), link(3, "b")), "team") == ("b",)
    assert members(EntityState("opportunity", "o1"), "team") == ()


def test_a_late_write_does_not_bring_a_deleted_row_back() -> None:
    state = state_of(Change("opportunity", "o1", 3, "delete"), upsert(9, name="A"))
    assert EntityState("opportunity", "o1", deleted=3) == state


def test_a_merged_row_keeps_its_attributes_and_names_the_survivor() -> None:
    state = state_of(upsert(1, name="A"), Change("opportunity", "o1", 3, "merge", into="o2"))
    assert state.merged == (3, "o2")
    assert value(state, "name") == "A"


def test_rows_do_not_mix() -> None:
    with pytest.raises(ValueError, match="two different rows"):
        join(EntityState("opportunity", "o1"), EntityState("opportunity", "o2"))


def test_equal_states_have_equal_bytes_whatever_the_order_of_keys() -> None:
    a = EntityState("case", "c", {"x": (1, {"p": 1, "q": 2}), "y": (2, None)})
    b = EntityState("case", "c", {"y": (2, None), "x": (1, {"q": 2, "p": 1})})
    assert encode(a) == encode(b)


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x00{}"])
def test_bytes_of_another_format_are_refused(data: bytes) -> None:
    with pytest.raises(FormatVersionError):
        decode(data)
