"""Small random tenants as lists of changes: every kind of record and activity, and everything that happens to them later.

A tenant is a story in the order in which a CRM would tell it; tests tell it shuffled, doubled and in many voices at once.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import json

from shared.changes import Change, parse_batch

AS_OF = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
_START = datetime(2026, 6, 1, 8, tzinfo=UTC)

RECORDS = (
    *(f"account:a{n}" for n in range(1, 5)),
    *(f"contact:c{n}" for n in range(1, 10)),
    *(f"lead:l{n}" for n in range(1, 4)),
    *(f"opportunity:o{n}" for n in range(1, 6)),
    *(f"case:k{n}" for n in range(1, 4)),
)
_USERS = tuple(f"u{n}" for n in range(1, 6))
_CONTACTS = tuple(f"c{n}" for n in range(1, 10))
_STATUS = {"lead": ("qualified", "disqualified"), "opportunity": ("won", "lost"), "case": ("resolved", "cancelled")}


class _Story:
    """Draws changes; versions grow with the telling, so the last word on every attribute is known."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.changes: list[dict[str, Any]] = []
        self.version = 0

    def tell(self, entity: str, id: str, operation: str = "upsert", **more: Any) -> None:
        self.version += self.draw.randint(0, 3)  # now and then two writes share a version
        change = {"entity": entity, "id": id, "version": self.version, "operation": operation, **more}
        self.changes.append(change)

    def write(self, entity: str, id: str, **attributes: Any) -> None:
        self.tell(entity, id, attributes={name.rstrip("_"): value for name, value in attributes.items()})

    def moment(self, within_days: int = 190) -> str:
        minutes = self.draw.randrange(within_days * 24 * 60)
        return (_START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:00Z")

    def some(self, of: tuple[str, ...], most: int) -> list[str]:
        return self.draw.sample(of, self.draw.randint(0, most))


def story(seed: int, activities: int = 40) -> list[dict[str, Any]]:
    """The story of one tenant in the plain format. `RECORDS` are the records it may speak of; some exist by name only."""
    told = _Story(seed)
    _our_people(told)
    _records(told)
    for number in range(activities):
        _activity(told, number)
    for _ in range(activities // 2):
        _later(told, activities)
    return told.changes


def changes(seed: int, activities: int = 40) -> list[Change]:
    """The same story as the app understands it."""
    return parse_batch(json.encode({"changes": story(seed, activities)}))


def _our_people(story: _Story) -> None:
    for id in _USERS[:4]:
        story.write("user", id, name=f"User {id}", emails=[f"{id}@us.example"])
    # A freelancer of ours, whose address no domain tells, and whom a contact once was.
    story.write("user", "u5", name="User u5", emails=["kay@freelance.example"], timeZone="Europe/Berlin")
    story.tell("team", "t1", "link", relationship="members", related=[{"entity": "user", "id": "u2"}])
    story.tell("team", "t1", "link", relationship="members", related=[{"entity": "user", "id": "u3"}])


def _address(story: _Story) -> str:
    """An address of a customer: mostly that of a contact, sometimes shared by two, ours in truth, or nobody's."""
    chosen = story.draw.random()
    if chosen < 0.8:
        return f"{story.draw.choice(_CONTACTS)}@cust.example"
    return story.draw.choice(("kay@freelance.example", "u1@us.example", "info@cust.example", "new@other.example"))


def _owner(story: _Story) -> str:
    return story.draw.choice(("team:t1", *(f"user:{id}" for id in _USERS)))


def _records(story: _Story) -> None:
    draw = story.draw
    for n in range(1, 5):
        story.write(
            "account", f"a{n}", name=f"Account {n}", ownerId=_owner(story), primaryContactId=draw.choice(_CONTACTS)
        )
    for id in _CONTACTS:
        emails = [f"{id}@cust.example", *([_address(story)] if draw.random() < 0.3 else [])]
        story.write("contact", id, name=f"Contact {id}", emails=emails, accountId=f"a{draw.randint(1, 4)}")
    for n in range(1, 4):
        emails = [_address(story), f"lead{n}@lead.example"]
        story.write(
            "lead", f"l{n}", name=f"Lead {n}", emails=emails, ownerId=_owner(story), createdAt=story.moment(100)
        )
    for entity, letter, count in (("opportunity", "o", 5), ("case", "k", 3)):
        for n in range(1, count + 1):
            story.write(
                entity, f"{letter}{n}", name=f"{entity} {n}", ownerId=_owner(story), createdAt=story.moment(120),
                accountId=f"a{draw.randint(1, 4)}", contactId=draw.choice(_CONTACTS), team=story.some(_USERS, 2),
                stakeholders=story.some(_CONTACTS, 2),
            )  # fmt: skip


def _party(story: _Story, ours: bool) -> dict[str, str]:
    if ours:
        id = story.draw.choice(_USERS)
        address = "kay@freelance.example" if id == "u5" else f"{id}@us.example"
        return story.draw.choice(
            ({"address": address}, {"party": f"user:{id}"}, {"address": address, "party": f"user:{id}"})
        )
    id = story.draw.choice(_CONTACTS)
    return story.draw.choice(({"address": _address(story)}, {"address": _address(story)}, {"party": f"contact:{id}"}))


def _regarding(story: _Story) -> list[str]:
    return [story.draw.choice(RECORDS)] if story.draw.random() < 0.4 else []


def _facts(story: _Story, kind: str) -> dict[str, Any]:
    out = story.draw.random() < 0.5
    start = story.moment()
    others = [_party(story, not out if story.draw.random() < 0.8 else out) for _ in range(story.draw.randint(1, 3))]
    initiator = _party(story, out)
    if kind == "email":
        return {
            "from_": initiator, "to": others, "sentAt": start, "status": "sent" if out else "received",
            "conversationId": f"t{story.draw.randint(1, 8)}",
        }  # fmt: skip
    if kind == "appointment":
        end = start[:11] + "23:30:00Z"
        return {
            "organizer": initiator,
            "attendees": others,
            "start": start,
            "end": end,
            "status": story.draw.choice(("open", "completed")),
        }
    if kind == "phonecall":
        status = story.draw.choice(("open", "completed"))
        return {"from_": initiator, "to": others, "start": start, "due": start, "status": status, "durationMinutes": 10}
    return {"owner": f"user:{story.draw.choice(_USERS)}", "due": start, "completedAt": start, "status": "completed"}


def _kind(number: int) -> str:
    return ("email", "email", "appointment", "email", "phonecall", "email", "email", "task")[number % 8]


def _activity(story: _Story, number: int) -> None:
    kind = _kind(number)
    facts = _facts(story, kind)
    if kind == "email" and story.draw.random() < 0.5:
        facts["messageId"] = f"<m{number // 2}@mail.example>"  # so that some are copies of one mail
    story.write(kind, f"x{number}", regarding=_regarding(story), **facts)


def _later(story: _Story, activities: int) -> None:
    story.draw.choice((_touch_activity, _touch_activity, _touch_record, _touch_record, _touch_our_people))(
        story, activities
    )


def _touch_activity(story: _Story, activities: int) -> None:
    number = story.draw.randrange(activities)
    kind, id = _kind(number), f"x{number}"
    facts = _facts(story, kind)
    what = story.draw.choice(("regarding", "people", "time", "message", "delete", "private", "cancel", "same month"))
    if what == "regarding":
        story.write(kind, id, regarding=_regarding(story))
    elif what == "people":
        story.write(
            kind, id, **{k: v for k, v in facts.items() if k in ("from_", "to", "organizer", "attendees", "owner")}
        )
    elif what in ("time", "same month"):
        moment = story.moment()
        story.write(kind, id, **{k: moment for k in facts if k in ("sentAt", "start", "due", "completedAt")})
    elif what == "message" and kind == "email":
        story.write(kind, id, messageId=f"<m{story.draw.randrange(activities // 2)}@mail.example>")
    elif what == "delete":
        story.tell(kind, id, "delete")
    elif what == "private" and story.draw.random() < 0.3:
        story.write(kind, id, private=True)
    else:
        story.write(kind, id, status="cancelled")


def _touch_record(story: _Story, activities: int) -> None:
    draw = story.draw
    entity, _, id = draw.choice(RECORDS).partition(":")
    others = [other for other in RECORDS if other.startswith(f"{entity}:") and other != f"{entity}:{id}"]
    what = draw.choice(("merge", "owner", "account", "people", "close", "create", "team", "name", "delete"))
    if what == "merge":
        story.tell(entity, id, "merge", into=draw.choice(others).partition(":")[2])
    elif what == "owner":
        story.write(entity, id, ownerId=_owner(story))
    elif what == "account" and entity in ("contact", "opportunity", "case"):
        story.write(entity, id, accountId=draw.choice(("a1", "a2", "a3", "a4", None)))
    elif what == "people" and entity in ("lead", "opportunity", "case"):
        operation = draw.choice(("link", "unlink"))
        story.tell(
            entity,
            id,
            operation,
            relationship="stakeholders",
            related=[{"entity": "contact", "id": draw.choice(_CONTACTS)}],
        )
    elif what == "people":
        story.write(
            entity,
            id,
            **({"primaryContactId": draw.choice(_CONTACTS)} if entity == "account" else {"emails": [_address(story)]}),
        )
    elif what == "close" and entity in _STATUS:
        story.write(entity, id, status=draw.choice(("open", *_STATUS[entity])), closedAt=story.moment())
    elif what == "create":
        story.write(entity, id, createdAt=story.moment())
    elif what == "team" and entity in _STATUS:
        operation = draw.choice(("link", "unlink"))
        story.tell(entity, id, operation, relationship="team", related=[{"entity": "user", "id": draw.choice(_USERS)}])
    elif what == "delete" and draw.random() < 0.4:
        story.tell(entity, id, "delete")
    else:
        story.write(entity, id, name=f"{entity} {draw.randint(1, 99)}")


def _touch_our_people(story: _Story, activities: int) -> None:
    draw = story.draw
    what = draw.choice(("address", "name", "team", "delete", "address"))
    if what == "address":
        story.write(
            "user",
            "u5",
            emails=draw.choice((["kay@freelance.example"], [], [f"{draw.choice(_CONTACTS)}@cust.example"])),
        )
    elif what == "name":
        story.write(
            "user", draw.choice(_USERS), name=f"User {draw.randint(1, 99)}", timeZone=draw.choice(("UTC", "Asia/Tokyo"))
        )
    elif what == "team":
        operation = draw.choice(("link", "unlink"))
        story.tell(
            "team", "t1", operation, relationship="members", related=[{"entity": "user", "id": draw.choice(_USERS)}]
        )
    elif draw.random() < 0.3:
        story.tell("user", draw.choice(_USERS), "delete")
