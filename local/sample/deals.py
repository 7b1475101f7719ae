"""Opportunities, cases and leads, placed where the mail shows that something was going on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from local.sample.draw import between, draw, guid
from local.sample.mail import DAY, END, Mail
from local.sample.threads import Threads

QUIET_DAYS = 21  # a gap this long ends a deal's stretch of mail
LONGEST_DAYS = 80
FEWEST_MAILS = 14
CASE_SHARE = 0.12  # of conversations with 4 to 12 mails that a contact began
CASE_OPEN_DAYS = 10
STAKEHOLDERS, TEAM = 5, 4


@dataclass(frozen=True)
class Deal:
    """An opportunity, a case or a lead with the people on it, all by key; instants as recorded. `closed` None = open."""

    key: str
    entity: str
    contact: str
    owner: str
    team: tuple[str, ...]
    stakeholders: tuple[str, ...]
    created: int
    closed: int | None
    status: str
    mails: int

    @property
    def id(self) -> str:
        return guid(self.entity, self.key)


def by_customer(mails: Iterable[Mail], customers: Iterable[str]) -> dict[str, list[Mail]]:
    """Each customer's mails, oldest first."""
    known = set(customers)
    found: dict[str, list[Mail]] = defaultdict(list)
    for mail in mails:
        for person in sorted(mail.people & known):
            found[person].append(mail)
    return dict(sorted(found.items()))


def stretches(mails: Sequence[Mail]) -> list[list[Mail]]:
    """Cut one customer's mails where they pause for 21 days, and after 80 days at the latest."""
    found: list[list[Mail]] = []
    for mail in mails:
        last = found[-1] if found else None
        if last and mail.at - last[-1].at <= QUIET_DAYS * DAY and mail.at - last[0].at <= LONGEST_DAYS * DAY:
            last.append(mail)
        else:
            found.append([mail])
    return found


def _people(contact: str, mails: Iterable[Mail], sellers: frozenset[str]) -> tuple[list[str], tuple[str, ...]]:
    """Our people on these mails, most mails first, and the other customers who are named at least twice."""
    count = Counter(person for mail in mails for person in mail.people if person != contact)
    ranked = sorted(count, key=lambda person: (-count[person], person))
    ours = [person for person in ranked if person in sellers]
    theirs = [person for person in ranked if person not in sellers and count[person] >= 2]
    return ours, tuple(theirs[:STAKEHOLDERS])


def _outcome(key: str, contact: str, mails: Sequence[Mail]) -> str:
    """Won more often where the customer wrote a good part of the mails: a rule of the sample, no finding."""
    theirs = sum(mail.sender == contact for mail in mails) / len(mails)
    return "won" if draw("won", key) < (0.6 if theirs >= 0.3 else 0.35) else "lost"


def opportunities(customers: dict[str, list[Mail]], contacts: Iterable[str], sellers: frozenset[str]) -> list[Deal]:
    """One for each stretch of at least 14 mails with a contact; open while the stretch reaches the last 21 days.

    The owner is the colleague with the most mails in it, the team those with two or more, at most four.
    """
    found = []
    for contact in sorted(contacts):
        for mails in stretches(customers.get(contact, [])):
            ours, theirs = _people(contact, mails, sellers)
            if len(mails) < FEWEST_MAILS or not ours:
                continue
            key = f"{contact}.{mails[0].at}"
            created = mails[0].at + between(0, 6 * DAY, "created", key)
            is_open = mails[-1].at >= END - QUIET_DAYS * DAY
            closed = None if is_open else mails[-1].at + between(DAY // 2, 10 * DAY, "closed", key)
            status = "open" if is_open else _outcome(key, contact, mails)
            team = tuple(ours[1:TEAM])
            found.append(Deal(key, "opportunity", contact, ours[0], team, theirs, created, closed, status, len(mails)))
    return found


def cases(mails: Sequence[Mail], threads: Threads, contacts: Iterable[str], sellers: frozenset[str]) -> list[Deal]:
    """One for 12 in 100 conversations of 4 to 12 mails that a contact began; open if a mail came in the last 10 days.

    Its key is the conversation's, so that the conversation's mails can regard it.
    """
    known, conversations = set(contacts), defaultdict(list)
    for mail in mails:
        conversations[threads.conversation[mail.key]].append(mail)
    found = []
    for key, parts in conversations.items():
        contact = parts[0].sender
        ours, theirs = _people(contact, parts, sellers)
        if contact not in known or not ours or len(parts) < 4 or draw("case", key) >= CASE_SHARE:
            continue
        is_open = parts[-1].at >= END - CASE_OPEN_DAYS * DAY
        closed = None if is_open else parts[-1].at + 3_600
        status = "open" if is_open else ("cancelled" if draw("cancelled", key) < 0.08 else "resolved")
        team = tuple(ours[1:TEAM])
        found.append(Deal(key, "case", contact, ours[0], team, theirs, parts[0].at + 300, closed, status, len(parts)))
    return found


def leads(customers: dict[str, list[Mail]], still_leads: frozenset[str], sellers: frozenset[str]) -> list[Deal]:
    """The customers who are leads still, and a qualified lead for every second contact who came after the first 100 days.

    Leads are open while a mail came in the last 120 days, else disqualified; qualifying took 10 to 40 days.
    """
    start = min(mails[0].at for mails in customers.values())
    found = []
    for person, mails in customers.items():
        created = mails[0].at
        if person in still_leads:
            is_open = mails[-1].at >= END - 120 * DAY
            status, closed = ("open", None) if is_open else ("disqualified", mails[-1].at + 14 * DAY)
        elif created >= start + 100 * DAY and draw("qualified", person) < 0.5:
            status, closed = "qualified", created + between(10 * DAY, 40 * DAY, "qualified", person)
        else:
            continue
        within = [mail for mail in mails if closed is None or mail.at < closed]
        ours, theirs = _people(person, within, sellers)
        if ours:
            found.append(Deal(person, "lead", person, ours[0], (), theirs, created, closed, status, len(within)))
    return found
