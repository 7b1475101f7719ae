"""A host for Azure Functions in Python on one machine: HTTP, timers and Service Bus queues, for where `func` is missing."""
