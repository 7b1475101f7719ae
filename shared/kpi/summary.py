"""The summary of a record: up to five sentences, chosen from facts, as message ids with parameters (kpis 13).

The words live in `shared/messages`. No sentence states a cause, a feeling or an opinion about a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.kpi.rhythm import Alarm
from shared.kpi.rounding import rounded

MOST_SENTENCES = 5
MOST_ALARMS = 2
FEWEST_SIMILAR = 10  # below, similar deals say too little to compare with
CUSTOMER, SIMILAR = "customer", "similar"


@dataclass(frozen=True)
class Subjects:
    """What sentences compare, of one side or of similar deals; None = not known."""

    meetings: float | None = None  # initiated
    hours: float | None = None  # invested
    open_rate: float | None = None  # 0 to 1, of followed mails
    response_hours: float | None = None  # median
    response_rate: float | None = None  # 0 to 1


@dataclass(frozen=True)
class Facts:
    """Everything the summary of a record is chosen from.

    `similar` are the means of similar won deals at equal age and `similar_number` how many there are; opportunities only.
    """

    ours: Subjects = field(default_factory=Subjects)
    theirs: Subjects = field(default_factory=Subjects)
    similar: Subjects | None = None
    similar_number: int = 0
    alarm: Alarm | None = None
    silence_days: float | None = None
    waiting: int = 0  # mails of theirs that wait for us
    waiting_business_hours: float | None = None  # of the oldest
    single_thread_share: float | None = None  # of the colleague on whom the relationship hangs; None = on several


@dataclass(frozen=True)
class Message:
    """A sentence without its words: an id of the catalogue and its parameters."""

    id: str
    parameters: Mapping[str, int | float | str]


@dataclass(frozen=True)
class Summary:
    """The sentences in order; `reason` says why there are none."""

    messages: tuple[Message, ...]
    reason: str | None


# Subject, its digits when compared, and the factor from the stored figure to the shown one.
_COMPARED = (
    ("meetings", "meetings", 0, 1),
    ("hours", "hours", 0, 1),
    ("openRate", "open_rate", 0, 100),
    ("responseHours", "response_hours", 1, 1),
    ("responseRate", "response_rate", 0, 100),
)


def summary(facts: Facts) -> Summary:
    """At most two alarms (lost or cooling, waiting, single-threaded), then comparisons, in a fixed order, five in all.

    Facts that are not known are left out; with nothing known the reason is "insufficient".

    >>> summary(Facts(ours=Subjects(meetings=5), theirs=Subjects(meetings=2))).messages
    (Message(id='summary.meetings.more', parameters={'n': 3, 'other': 'customer'}),)
    """
    messages = (*_alarms(facts)[:MOST_ALARMS], *_comparisons(facts))[:MOST_SENTENCES]
    return Summary(messages, None if messages else "insufficient")


def _alarms(facts: Facts) -> list[Message]:
    found = []
    if facts.alarm in (Alarm.PROBABLY_LOST, Alarm.COOLING) and facts.silence_days is not None:
        kind = "probablyLost" if facts.alarm is Alarm.PROBABLY_LOST else "cooling"
        found.append(Message(f"summary.{kind}", {"n": int(facts.silence_days)}))
    if facts.waiting and facts.waiting_business_hours is not None:
        hours = whole_when_exact(facts.waiting_business_hours, 1)
        found.append(Message("summary.waiting", {"n": facts.waiting, "hours": hours}))
    if facts.single_thread_share is not None:
        found.append(Message("summary.singleThread", {"n": int(rounded(100 * facts.single_thread_share, 0))}))
    return found


def _comparisons(facts: Facts) -> list[Message]:
    has_similar = facts.similar is not None and facts.similar_number >= FEWEST_SIMILAR
    other, name = (facts.similar, SIMILAR) if has_similar else (facts.theirs, CUSTOMER)
    found = []
    for subject, column, digits, factor in _COMPARED:
        ours, against = getattr(facts.ours, column), getattr(other, column)
        if ours is not None and against is not None:
            found.append(
                _comparison(subject, rounded(ours * factor, digits), rounded(against * factor, digits), digits, name)
            )
    return found


def _comparison(subject: str, ours: float, against: float, digits: int, other: str) -> Message:
    word = "equal" if ours == against else "more" if ours > against else "fewer"
    return Message(f"summary.{subject}.{word}", {"n": whole_when_exact(abs(ours - against), digits), "other": other})


def whole_when_exact(value: float, digits: int) -> int | float:
    """A rounded number, as an integer when it is whole: 2 hours, not 2.0.

    >>> whole_when_exact(1.9600000000000002, 1), whole_when_exact(1.45, 1)
    (2, 1.5)
    """
    shown = rounded(value, digits)
    return int(shown) if shown.is_integer() else shown
