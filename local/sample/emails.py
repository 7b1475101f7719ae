"""Email activities: one for each mail that crosses the two sides, and copies that colleagues filed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.sample.cast import Cast, Clock, Row, regarding
from local.sample.deals import Deal
from local.sample.draw import between, draw, guid
from local.sample.mail import Mail
from local.sample.people import OUR_DOMAIN
from local.sample.threads import Threads

EMAIL_ACTIVITIES = 20_000
REGARDING_SHARE = 0.4  # of mails between an opportunity's people while it is open
FOLLOWED_SHARE = 0.55  # of mails we send


def _engagement(mail: Mail, answered: bool) -> dict[str, Any]:
    """Counters of a followed mail: what was answered was opened, of the rest half; links and attachments in some."""
    if draw("followed", mail.key) >= FOLLOWED_SHARE:
        return {"followed": False}
    opened = answered or draw("opened", mail.key) < 0.5
    links = between(1, 3, "links", mail.key) if draw("has links", mail.key) < 0.4 else 0
    attachments = int(draw("attachment", mail.key) < 0.3)
    return {
        "followed": True,
        "opens": between(1, 4, "opens", mail.key) if opened else 0,
        "links": links,
        "clicks": int(opened and links > 0 and draw("clicked", mail.key) < 0.35),
        "attachmentsDelivered": attachments,
        "attachmentsViewed": int(opened and draw("viewed", mail.key) < 0.5) * attachments,
    }


def _email(mail: Mail, cast: Cast, threads: Threads, clock: Clock) -> dict[str, Any]:
    """What every copy of a mail says."""
    sent = cast.is_ours(mail.sender)
    return {
        "from": cast.party(mail.sender, mail.key),
        "to": [cast.party(person, mail.key) for person in mail.to],
        "cc": [cast.party(person, mail.key) for person in mail.cc],
        "status": "sent" if sent else "received",
        "sentAt": clock.text(mail.at),
        "messageId": f"<{mail.key}@{OUR_DOMAIN if sent else 'mail.example'}>",
        "conversationId": guid("conversation", threads.conversation[mail.key]),
    }


def _company(mail: Mail, cast: Cast) -> str:
    return cast.company(mail.sender, *mail.to, *mail.cc)


def second_copies(mails: Sequence[Mail], cast: Cast) -> list[tuple[Mail, str]]:
    """Mails that a second, third, ... colleague filed too, to fill up 20,000 email activities: by draw, oldest first.

    The mails that cross the two sides number below 20,000; where several of ours are named, a CRM often has several rows for
    one mail, and merging them is the engine's first task.
    """
    chances = []
    for mail in mails:
        ours = sorted(person for person in mail.people if cast.is_ours(person))
        filer = mail.sender if mail.sender in ours else ours[0]
        chances += [(draw("copy", mail.key, person), mail, person) for person in ours if person != filer]
    chances.sort(key=lambda chance: chance[0])
    chosen = chances[: max(0, EMAIL_ACTIVITIES - len(mails))]
    return sorted(((mail, person) for _, mail, person in chosen), key=lambda copy: (copy[0].at, copy[0].key, copy[1]))


def emails(
    mails: Sequence[Mail], cast: Cast, threads: Threads, cases: Mapping[str, Deal], clock: Clock
) -> Iterator[Row]:
    """One row a mail, then the second copies.

    A mail of a case's conversation regards the case; 40 in 100 mails among the people of an open opportunity regard it.
    """
    answered = set(threads.answers.values())
    for mail in mails:
        deal = cases.get(threads.conversation[mail.key])
        if deal is None and draw("regarding", mail.key) < REGARDING_SHARE:
            deal = cast.opportunity(mail.people, mail.at)
        row = _email(mail, cast, threads, clock) | {"regarding": regarding(deal)}
        if cast.is_ours(mail.sender):
            row |= _engagement(mail, mail.key in answered)
        yield _company(mail, cast), mail.at, "email", guid("email", mail.key), row
    for mail, person in second_copies(mails, cast):
        copy = _email(mail, cast, threads, clock)
        yield _company(mail, cast), mail.at, "email", guid("email", mail.key, person), copy
