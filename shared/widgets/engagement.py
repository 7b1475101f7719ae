"""What became of followed mails."""

from __future__ import annotations

from msgspec import field

from shared.widgets.shape import Shape


class EmailEngagement(Shape, frozen=True):
    """What became of the followed mails of the window. A share is null when nothing could be opened, clicked, viewed or answered:
    `reasons` has the code of each null by the name of its field.

    The CRM's own counters do not tell machines from people: `machineOpensNotSeparated` says so.
    """

    followed: int
    delivered: int
    opened: int
    opened_by_machine_only: int
    with_links: int
    clicked: int
    clicked_by_machine_only: int
    attachments: int
    attachments_viewed: int
    replied: int
    open_rate: float | None
    click_rate: float | None
    attachment_rate: float | None
    reply_rate: float | None
    flags: list[str]
    reasons: dict[str, str] = field(default_factory=dict)
