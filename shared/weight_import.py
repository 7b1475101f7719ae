"""Activity weights as Dynamics 365 sets them, turned into ours: sliders of -50 to +50 percent, or numbers of 3 to 9.

Dynamics 365 publishes no arithmetic for either. Our reading: a slider raises or lowers the default weight by its percentage; of
the numbers a low one means important, and 6, the middle, leaves the default as it is (kpis 8.1).
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from msgspec.structs import asdict

from shared.kpi.rounding import rounded
from shared.organisation_settings import Document, KindWeights
from shared.widgets import Shape

HEAVIEST = 5.0
_MIDDLE = 6.0

Slider = Annotated[int, Meta(ge=-50, le=50)]
Number = Annotated[int, Meta(ge=3, le=9)]


class Sliders(Document, frozen=True):
    """Percent by kind; 0 is the default weight."""

    email: Slider = 0
    meeting: Slider = 0
    call: Slider = 0
    task: Slider = 0


class Numbers(Document, frozen=True):
    """Importance by kind, 3 the highest."""

    email: Number = 6
    meeting: Number = 6
    call: Number = 6
    task: Number = 6


class WeightImport(Document, frozen=True):
    """What stands in Dynamics 365: `sliders` or `numbers`, one of the two."""

    sliders: Sliders | None = None
    numbers: Numbers | None = None

    def __post_init__(self) -> None:
        if (self.sliders is None) == (self.numbers is None):
            raise ValueError("give sliders or numbers, one of the two")


class ImportedWeights(Shape, frozen=True):
    """`weights` for the document of settings; `cut` names those that would be above 5 and are 5."""

    weights: KindWeights
    cut: list[str]


def imported(given: WeightImport) -> ImportedWeights:
    """Our weights for those of Dynamics 365, to 4 decimals. A kind that weighs nothing by default goes on weighing nothing.

    >>> imported(WeightImport(sliders=Sliders(meeting=50, call=-25))).weights.meeting
    4.5
    """
    values: Sliders | Numbers | None = given.sliders or given.numbers
    factors = {kind: _factor(values, kind) for kind in KindWeights.__struct_fields__}
    wanted = {kind: rounded(weight * factors[kind], 4) for kind, weight in asdict(KindWeights()).items()}
    cut = [kind for kind, weight in wanted.items() if weight > HEAVIEST]
    return ImportedWeights(weights=KindWeights(**{k: min(v, HEAVIEST) for k, v in wanted.items()}), cut=cut)


def _factor(values: Sliders | Numbers | None, kind: str) -> float:
    value = float(getattr(values, kind))
    return 1 + value / 100 if isinstance(values, Sliders) else _MIDDLE / value
