"""The column bundle: the interactions of one record as numpy arrays, the only input of every figure.

`Interactions` holds facts as they were captured and says nothing of any record's point of view. `Membership` says who and
what a record counts. `shared.kpi.inclusion.include` joins the two into a `History`: what every KPI reads.

Keys are unsigned 64-bit keyed hashes (a person, a record, a domain, a conversation); 0 means "none". Instants are whole
seconds since 1970-01-01 UTC, dtype int64.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Codes = NDArray[np.uint8]
Flags = NDArray[np.uint32]
Indices = NDArray[np.int64]
Instants = NDArray[np.int64]
Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]
Ids = NDArray[np.bytes_]  # dtype S16: the interaction's 16-byte key


class Kind(IntEnum):
    """What an interaction is. Tasks count in hours and in Next only."""

    EMAIL = 0
    MEETING = 1
    CALL = 2
    TASK = 3


class Direction(IntEnum):
    """Who initiated: OUT = us, IN = them."""

    OUT = 0
    IN = 1


class Role(IntEnum):
    """A participant's part. A caller is FROM, a called party TO, a task's owner FROM."""

    FROM = 0
    TO = 1
    CC = 2
    ORGANIZER = 3
    ATTENDEE = 4


class Response(IntEnum):
    """An attendee's answer, as Graph names them. Only DECLINED changes a number."""

    NONE = 0
    ORGANIZER = 1
    TENTATIVELY_ACCEPTED = 2
    ACCEPTED = 3
    DECLINED = 4
    NOT_RESPONDED = 5


class Flag(IntFlag):
    """Facts of one interaction, after merging its copies."""

    COMPLETED = 1  # email sent or received; appointment, call or task closed as completed in the CRM
    CANCELLED = 2  # one copy says cancelled
    IN_CRM = 4
    IN_EXCHANGE = 8
    ALL_DAY = 16
    NOT_BUSY = 32  # shown as free, out of office or working elsewhere in every internal copy
    AUTOMATIC = 64
    BULK = 128
    NO_ANSWER = 256  # call marked unanswered or voicemail
    CALL_IN = 512  # the CRM's own direction of a call; neither CALL_IN nor CALL_OUT = unknown
    CALL_OUT = 1024


class RecordType(IntEnum):
    ACCOUNT = 0
    CONTACT = 1
    LEAD = 2
    OPPORTUNITY = 3
    CASE = 4


class Reason(IntEnum):
    """Why an interaction counts for a record (below 10) or does not; `spec: kpis 2.4, 3.3`. First match wins, in this order."""

    REGARDING = 0
    PARTICIPANTS = 1
    ROLLED_UP = 2
    CANCELLED = 10
    DECLINED = 11
    SCHEDULED = 12
    NOT_COMPLETED = 13
    ALL_DAY = 14
    TOO_SHORT = 15
    NOT_BUSY = 16
    AUTOMATIC = 17
    BULK = 18
    TOO_MANY_RECIPIENTS = 19
    INTERNAL_ONLY = 20
    NO_INTERNAL = 21
    REGARDING_OTHER_RECORD = 22
    OUTSIDE_SPAN = 23
    NO_PERSON_OF_INTEREST = 24
    NOT_ON_TEAM = 25
    OUTSIDE_WINDOW = 26  # per window; never stored


def _empty(dtype: str) -> NDArray[np.generic]:
    return np.empty(0, dtype=dtype)


@dataclass(frozen=True)
class Interactions:
    """Interactions sorted by (`at`, `key`), each key once, with their participations and what they regard.

    Participations and regardings are ragged: `part_index`, `regarding_index` and `thread_index` (ascending) say to which
    interaction a row belongs. All first-group arrays have length n, the `part_*` ones m, the `regarding_*` ones q, the
    `thread_*` ones c. Empty arrays are valid.
    """

    key: Ids  # (n,) S16
    at: Instants  # email: sent; meeting: start; call: actual start, else actual end, open: due; task: completed, open: due
    end: Instants  # meeting: end; else equal to `at`
    kind: Codes  # Kind
    flags: Flags  # Flag
    minutes: Floats  # stored duration of calls and tasks; NaN = missing; meetings: (end - at)/60; emails 0
    conversation: Keys  # a name of its conversation; 0 = a conversation of its own
    sources: Codes  # number of copies merged
    part_index: Indices  # (m,) ascending
    part_person: Keys  # the participant's address (or CRM party) as keyed hash
    part_domain: Keys  # the address's domain as keyed hash; 0 = a party without an address
    part_role: Codes  # Role
    part_response: Codes  # Response
    regarding_index: Indices  # (q,) ascending
    regarding_type: Codes  # RecordType
    regarding_key: Keys
    thread_index: Indices = field(default_factory=lambda: np.empty(0, "i8"))  # (c,) ascending
    thread_name: Keys = field(default_factory=lambda: np.empty(0, "u8"))  # further names of a mail's conversation

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def empty(cls) -> Interactions:
        """No interactions at all."""
        dtypes = {"key": "S16", "at": "i8", "end": "i8", "kind": "u1", "flags": "u4", "minutes": "f8", "sources": "u1"}
        dtypes |= {
            "conversation": "u8",
            "part_index": "i8",
            "part_person": "u8",
            "part_domain": "u8",
            "part_role": "u1",
        }
        dtypes |= {"part_response": "u1", "regarding_index": "i8", "regarding_type": "u1", "regarding_key": "u8"}
        dtypes |= {"thread_index": "i8", "thread_name": "u8"}
        return cls(**{f.name: _empty(dtypes[f.name]) for f in fields(cls)})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Membership:
    """Whom and what one record counts (`spec: kpis 3.2`), at the time of computing.

    `persons` and `canonical` map every known address key to one person key (a contact's, a lead's or a user's own key);
    an address that is in neither stays a person of its own. `internal`, `team` and `external` hold canonical keys, sorted.
    For an account, `children` are its contacts and opportunities (and, by setting, cases and child accounts' members).
    """

    type: RecordType
    key: int  # this record's key
    record_keys: Keys  # this record's key and those merged into it, sorted
    persons: Keys  # (k,) sorted address keys
    canonical: Keys  # (k,) the person each belongs to
    internal: Keys  # canonical keys of our people, sorted
    internal_domains: Keys  # keys of domains whose addresses are ours, sorted
    external: Keys  # external people of interest, canonical, sorted
    team: Keys | None = None  # canonical keys of the record's internal people, sorted; None = anyone internal
    created: int | None = None  # None = no lower bound
    closed: int | None = None  # None = open
    children: tuple[Membership, ...] = ()
    when_regarding: Keys = field(
        default_factory=lambda: np.empty(0, np.uint64)
    )  # of interest on what regards this only


@dataclass(frozen=True)
class History:
    """The counted interactions of one record at one instant, sorted by (`at`, `key`): the input of every KPI.

    Only participations of people who take part (kpis 5: From, To, Cc, organizer, attendee who did not decline) are here;
    `part_person` is canonical. `part_counts` marks the record's own people: team members on our side (all of ours where the
    reason is `regarding` or the record has no team), people of interest on theirs.
    """

    as_of: int
    type: RecordType
    key: Ids
    at: Instants
    end: Instants
    kind: Codes
    direction: Codes  # Direction
    reason: Codes  # Reason: REGARDING, PARTICIPANTS or ROLLED_UP
    flags: Flags
    minutes: Floats
    conversation: Keys
    from_them: Bools  # a sign from them (kpis 2.5)
    part_index: Indices
    part_person: Keys
    part_role: Codes
    part_internal: Bools
    part_counts: Bools
    planned: Interactions = field(default_factory=Interactions.empty)  # scheduled, feeds Next; participations canonical
    current: Interactions = field(default_factory=Interactions.empty)  # meetings going on at `as_of`
    wider_team: int = 0  # interactions left out as NOT_ON_TEAM
    closed: int | None = None  # the record's closing instant, if it is closed at `as_of`

    def __len__(self) -> int:
        return len(self.at)
