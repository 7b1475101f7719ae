"""A Service Bus stand-in on one machine: AMQP 1.0 for the real client, messages in one SQLite file.

`python -m local.bus --help` starts it; docs/service-bus-stand-in.md says what it serves and what it refuses.
"""
