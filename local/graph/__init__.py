"""The Graph simulator: mailboxes, calendars, subscriptions and consent, as Microsoft Graph and Entra would answer.

For development machines and tests only. What it does and how to switch its faults on: docs/graph-simulator.md.
"""
