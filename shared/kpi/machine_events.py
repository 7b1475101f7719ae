"""Which opens and clicks were made by machines: proxies that fetch ahead, and scanners that try every link (kpis 10.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from shared.kpi.interactions import Bools, Codes, Indices, Instants

OPEN_WITHIN = 10  # seconds after delivery, both ends included
CLICK_WITHIN = 5
BURST_WITHIN = 10  # all links fetched within so many seconds of one another
BURST_LINKS = 3  # a mail with fewer links has no burst


class EventKind(IntEnum):
    """What was fetched."""

    OPEN = 0  # the image
    CLICK = 1  # a link


class Network(IntEnum):
    """Where it was fetched from, as the edge told it before the address was forgotten."""

    OTHER = 0
    PREFETCHING_PROXY = 1  # by user agent or network: mail privacy proxies, scanners
    MICROSOFT = 2  # a data centre of Microsoft: a scanner when it clicks, Outlook on the web when it opens


@dataclass(frozen=True)
class Events:
    """e fetches, in any order. `link` is the number of the link within its mail (0 for opens)."""

    mail: Indices  # (e,) row of the mail
    kind: Codes  # EventKind
    at: Instants
    link: Indices
    network: Codes  # Network
    head: Bools  # asked for the head only

    def __len__(self) -> int:
        return len(self.at)


def is_machine(events: Events, delivered_at: Instants, links: Indices) -> Bools:
    """Whether each event was made by a machine; shape (e,).

    `delivered_at` and `links` (number of different tracked links) are per mail. No events give an empty array.
    """
    opened = events.kind == EventKind.OPEN
    age = events.at - delivered_at[events.mail]
    proxy = opened & (events.network == Network.PREFETCHING_PROXY)
    early = np.where(opened, age <= OPEN_WITHIN, age <= CLICK_WITHIN)
    scanner = ~opened & (events.head | (events.network == Network.MICROSOFT))
    machine: Bools = proxy | early | scanner | _in_burst(events, links)
    return machine


def _in_burst(events: Events, links: Indices) -> Bools:
    """Clicks that are part of a sweep over all links of their mail. Mails with clicks on every link are few: one by one."""
    swept = np.zeros(len(events), dtype=bool)
    clicks = np.flatnonzero((events.kind == EventKind.CLICK) & (links[events.mail] >= BURST_LINKS))
    for mail in np.unique(events.mail[clicks]):
        rows = clicks[events.mail[clicks] == mail]
        rows = rows[np.argsort(events.at[rows], kind="stable")]
        at, link = events.at[rows], events.link[rows]
        behind = np.searchsorted(at, at + BURST_WITHIN, side="right")
        for first, last in enumerate(behind.tolist()):
            if len(np.unique(link[first:last])) == links[mail]:
                swept[rows[first:last]] = True
    return swept
