"""The refusals, each with the AMQP condition that a client tells them apart by.

BrokerError
├── EntityNotFoundError    ├── MessageTooLargeError   ├── UnauthorizedError
├── MessageNotFoundError   ├── NotAllowedError        ├── RequestError
├── LockLostError          ├── NotServedError         └── BusyError
"""

from __future__ import annotations


class BrokerError(Exception):
    """A request the rules refuse. `condition` is the AMQP symbol a client looks at."""

    condition = "amqp:internal-error"


class EntityNotFoundError(BrokerError):
    """No queue of that name."""

    condition = "amqp:not-found"


class MessageNotFoundError(BrokerError):
    """No message with that sequence number in the state asked for."""

    condition = "com.microsoft:message-not-found"


class LockLostError(BrokerError):
    """The lock has ended, or never was."""

    condition = "com.microsoft:message-lock-lost"


class MessageTooLargeError(BrokerError):
    """Larger than the queue takes."""

    condition = "amqp:link:message-size-exceeded"


class NotAllowedError(BrokerError):
    """A thing that queue does not do."""

    condition = "amqp:not-allowed"


class NotServedError(BrokerError):
    """A part of Service Bus that this stand-in leaves out."""

    condition = "amqp:not-implemented"


class UnauthorizedError(BrokerError):
    """No accepted token covers the queue."""

    condition = "amqp:unauthorized-access"


class RequestError(BrokerError):
    """A request that cannot be understood."""

    condition = "amqp:invalid-field"


class BusyError(BrokerError):
    """Refused for now because a test asked for it; the client tries again."""

    condition = "com.microsoft:server-busy"
