"""What a Graph call can end with, as the workers see it: one error with status, code and how long to wait."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

WAIT_WITHOUT_ADVICE = 30.0
LONGEST_WAIT = 3_600.0
FOREIGN_LINK = "foreignLink"
_BUSY = frozenset((429, 503, 504))
_RESYNC_CODES = frozenset(("syncstatenotfound", "resyncrequired"))
_GONE = frozenset(("ErrorItemNotFound", "ErrorFolderNotFound", "itemNotFound"))
_NO_MAILBOX = frozenset(
    ("MailboxNotEnabledForRESTAPI", "ResourceNotFound", "Request_ResourceNotFound", "ErrorInvalidUser")
)


class GraphCallError(Exception):
    """Graph refused or did not answer. `status` 0: no answer at all; `retry_after`: seconds that it asked for, or None."""

    def __init__(self, status: int, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"Graph answered {status} {code}".strip() if status else "Graph did not answer")
        self.status, self.code, self.retry_after = status, code, retry_after

    @property
    def is_busy(self) -> bool:
        """Throttled or out of service: come back later, and count nothing against the permission."""
        return self.status in _BUSY

    @property
    def is_passing(self) -> bool:
        """Worth another try without anybody doing anything: no answer, busy, or a fault of the service."""
        return self.status == 0 or self.is_busy or self.status >= 500

    @property
    def is_denied(self) -> bool:
        """Neither the tenant nor the mailbox lets us in."""
        return self.status in (401, 403)

    @property
    def is_resync(self) -> bool:
        """The delta link is no longer known, or leads to another host: a new anchor and a list of the gap are needed."""
        if self.code == FOREIGN_LINK:
            return True
        return self.status == 410 or (400 <= self.status < 500 and self.code.lower() in _RESYNC_CODES)

    @property
    def is_no_mailbox(self) -> bool:
        """There is no mailbox behind the user (any more)."""
        return self.status == 404 and self.code in _NO_MAILBOX

    @property
    def is_gone(self) -> bool:
        """The folder or item that was asked for is not there (any more); the mailbox is."""
        return self.status == 404 and self.code in _GONE

    @property
    def wait(self) -> float:
        """Seconds to wait: what Graph asked for, at most an hour; 30 without advice."""
        return min(self.retry_after or WAIT_WITHOUT_ADVICE, LONGEST_WAIT)


def retry_after(text: str | None, now: float) -> float | None:
    """Seconds from a `Retry-After` header, a number or a date; None for none and for nonsense.

    >>> retry_after("120", 0.0)
    120.0
    >>> retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 0.0)
    60.0
    """
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except ValueError:
        return None
