"""The switches: each names one unfriendly thing that the service is known to do. All off is the polite simulator."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass
class Behaviour:
    """Rates lie in 0 to 1, times are seconds, 0 or False is off."""

    latency: float = 0.005  # of every Graph call, so that calls can overlap
    emptyPages: int = 0  # empty pages with a nextLink before the first page and after each
    repeatItems: bool = False  # the first item of a delta page comes a second time at its end
    replayPages: bool = False  # each delta page comes twice
    deltaLag: float = 0.0  # a change shows in delta this long after its notification
    largePage504: int = 0  # a page size above this answers 504
    foreignLinks: str = ""  # next and delta links point to this host and port
    createdOnMove: bool = False  # a move notifies `created` instead of `updated`
    ghostOnSend: bool = False  # sent mail first notifies an id that answers 404
    notifyBeforeCreate: bool = False  # a notification arrives before the create call returns
    iCalUIdPerSeries: bool = False  # all occurrences share one iCalUId
    concurrencyOverAll: bool = False  # 4 concurrent requests over all mailboxes of the app
    refuseScopedSubscriptions: bool = False  # permission by mailbox scope does not suffice for subscriptions
    reauthorizeEvery: float = 0.0  # reauthorizationRequired comes this often
    reauthorizeWithin: float = 3600.0  # deliveries stop when it is ignored for this long
    tokenLifetime: float = 3600.0  # of Graph tokens: 3600 to 5400; asked for with continuous evaluation 86400
    wrongIssuer: bool = False  # the OpenID configuration names another issuer
    consentAnswer: str = "grant"  # what adminconsent does: grant, refuse, forgedTenant, replayedState
    answerWithin: float = 3.0  # a first delivery counts when answered in this time
    retryAnswerWithin: float = 10.0  # a retried one; also the limit beyond which an answer counts for dropping
    notificationDelay: float = 0.0  # each notification leaves after a draw between 0 and this
    loss: float = 0.0  # share of notifications that never leave
    duplication: float = 0.0  # share that leaves twice
    shuffle: bool = False  # the notifications of one POST come in another order
    itemsPerPost: int = 100  # most notifications in one POST

    @classmethod
    def of(cls, known: dict[str, Any]) -> Behaviour:
        """From stored values; names that have gone are dropped."""
        names = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in known.items() if name in names})

    def change(self, wanted: dict[str, Any]) -> None:
        """Raises ValueError for a name or a type that does not fit; nothing is changed then."""
        current = asdict(self)
        for name, value in wanted.items():
            if name not in current:
                raise ValueError(f"{name} is not a switch; there are {', '.join(current)}")
            number = isinstance(current[name], int | float) and isinstance(value, int | float)
            if not isinstance(value, type(current[name])) and not number:
                raise ValueError(f"{name} wants a value like {current[name]!r}")
        for name, value in wanted.items():
            setattr(self, name, value)
