"""The lanes counted on columns are the places that the core gives to each bubble."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.kpi.health import State
from shared.kpi.pipeline import OpenRecord, bubbles
from shared.list_packs import packed
from shared.list_rows import ListRow
from shared.pipeline_chart import closing_date, lanes

NOW = int(
    datetime(2026, 3, 29, 22, 30, tzinfo=UTC).timestamp()
)  # half an hour into the day after a clock change, in Berlin
MIDNIGHT = NOW // 86_400 * 86_400

rows = st.builds(
    ListRow,
    id=st.just("o"),
    revision=st.just(1),
    state=st.integers(0, 7),
    closes_at=st.none()
    | st.integers(NOW - 90_000, NOW + 90_000)
    | st.sampled_from([MIDNIGHT + day * 86_400 for day in range(-2, 3)]),
    amount=st.none() | st.sampled_from([-5.0, 0.0, 1.0, 1e6]),
).map(lambda row: row if row.state > State.POOR else ListRow(**{**as_dict(row), "score": 50.0}))


def as_dict(row: ListRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


@given(st.lists(rows, max_size=15), st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"]))
def test_lanes_count_the_bubbles_of_the_core(drawn: list[ListRow], zone: str) -> None:
    records = [
        OpenRecord(i, row.name, State(row.state), row.score, closing_date(row.closes_at, zone), row.amount)
        for i, row in enumerate(drawn)
    ]
    number: Counter[tuple[str, str, str]] = Counter()
    revenue: Counter[tuple[str, str, str]] = Counter()
    for bubble in bubbles(records, NOW, zone):
        place = str(bubble.column), str(bubble.row), str(bubble.grade)
        number[place] += 1
        revenue[place] += bubble.revenue or 0.0  # type: ignore[assignment]
    counted = {
        (lane.column, lane.row, lane.grade): (lane.count, lane.revenue) for lane in lanes(packed(drawn), NOW, zone)
    }
    assert counted == {place: (number[place], revenue[place]) for place in number}
