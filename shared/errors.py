"""The tree of errors. Each class says its fate: what an HTTP caller is told, or what becomes of a queue message.

    RapportError
    ├── InvalidInputError      400   the caller must change the request
    ├── UnauthenticatedError   401   the caller must sign in
    ├── ForbiddenError         403   the caller lacks a role or the right to read a record
    ├── NotFoundError          404   there is no such thing, or the caller may not know that there is
    ├── ConflictError          409   the state forbids it now
    ├── PreconditionError      412   the caller's If-Match is out of date
    ├── TooLargeError          413   the caller must send less
    ├── TooManyRequestsError   429   the caller must wait
    ├── UnavailableError       503   the caller should try again
    ├── SettingError           500   the operator must change a setting; callers are not told which
    ├── FormatVersionError     500   a row was written by a newer version of the app; roll forward
    ├── RowTooLargeError       500   a row is longer than the table storage takes; repeating does not help
    ├── PoisonMessageError     -     queue: dead-lettered with its reason
    └── RetryLaterError        -     queue: a copy is scheduled, this one is completed

Any other exception is a fault of ours: 500 without details for a caller, abandoned and tried again for a message.
"""

from __future__ import annotations

from collections.abc import Sequence


class RapportError(Exception):
    """The root. `detail` is one sentence for people, without addresses and tokens; `status` is the HTTP status."""

    status = 500
    title = "Internal error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidInputError(RapportError):
    """The request breaks the contract: 400, naming each place by its JSON path; a message with it is poison."""

    status = 400
    title = "Invalid input"

    def __init__(self, detail: str, path: str = "$", *, errors: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.path = path
        self.errors = tuple(errors) or ((path, detail),)


class UnauthenticatedError(RapportError):
    """There is no valid token: 401 with a challenge. `token_given` tells a bad token from none (RFC 6750, 3)."""

    status = 401
    title = "Not signed in"

    def __init__(self, detail: str, *, token_given: bool = True) -> None:
        super().__init__(detail)
        self.token_given = token_given


class ForbiddenError(RapportError):
    """The caller is known and lacks the role or the right: 403, not worth repeating."""

    status = 403
    title = "Not allowed"


class NotFoundError(RapportError):
    """Nothing is here, or the caller may not learn that something is: 404."""

    status = 404
    title = "Not found"


class ConflictError(RapportError):
    """The present state forbids it: 409; the caller reads the state and decides anew."""

    status = 409
    title = "Conflict"


class PreconditionError(RapportError):
    """The caller's condition (If-Match) no longer holds: 412; the caller reads again and repeats."""

    status = 412
    title = "Precondition failed"


class TooLargeError(RapportError):
    """The body is longer than allowed: 413; the caller sends it in parts."""

    status = 413
    title = "Too large"


class TooManyRequestsError(RapportError):
    """The caller has used up what is allowed in a time: 429 with Retry-After."""

    status = 429
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class UnavailableError(RapportError):
    """A service that we need does not answer: 503 with Retry-After; a message with it is tried again."""

    status = 503
    title = "Not available now"

    def __init__(self, detail: str, *, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class SettingError(RapportError):
    """An app setting is missing or wrong: logged with its name; callers get a 500 that does not name it."""


class FormatVersionError(RapportError):
    """A stored row has a format that this version cannot read: nothing is guessed; deploy the newer version."""


class RowTooLargeError(RapportError):
    """A row would be longer than the storage takes: nothing of its transaction was written, and repeating does not help."""


class PoisonMessageError(RapportError):
    """The message can never succeed: it goes to the dead letters with `detail` as the reason."""

    title = "Poison message"


class RetryLaterError(RapportError):
    """The message may succeed later: a copy is scheduled in `seconds`, this one is completed.

    `counts`: it was an attempt. Who only waits for somebody else to be done waits for as long as that takes.
    """

    title = "Retry later"

    def __init__(self, detail: str, *, seconds: float, counts: bool = True) -> None:
        super().__init__(detail)
        self.seconds, self.counts = seconds, counts
