"""The quality report on a small tenant: its mails are the ones that were told, and too few is said to be too few."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from shared import ingest, quality_report, stamps
from shared.changes import parse_batch
from shared.deal_quality import Measured, deal_quality, summary
from shared.directory import directory
from shared.errors import NotFoundError
from shared.stored_mails import stored_mails

START = datetime(2025, 1, 6, 9, tzinfo=UTC)
NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())


def upsert(entity: str, id: str, **attributes: object) -> dict[str, object]:
    return {"entity": entity, "id": id, "version": 1, "operation": "upsert", "attributes": attributes}


def mail(number: int, sender: str, recipients: list[str], day: float) -> dict[str, object]:
    sent_at = (START + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ")
    facts = {"from": {"address": sender}, "to": [{"address": one} for one in recipients], "sentAt": sent_at}
    return upsert("email", f"e{number}", **facts, status="sent")


def take_in(*changes: dict[str, object]) -> None:
    ingest.take_in(parse_batch(json.dumps({"changes": changes}).encode()))


@pytest.fixture(autouse=True)
def people(storage: object, queues: object) -> None:
    take_in(upsert("user", "u1", email1="anna@us.example", email2="a.ahlers@us.example"))


def test_mails_are_those_between_a_colleague_and_somebody_outside() -> None:
    take_in(
        mail(1, "anna@us.example", ["kim@cust.example", "ben@us.example"], 0),
        mail(2, "kim@cust.example", ["a.ahlers@us.example", "lee@cust.example", "ben@us.example"], 1),
        mail(3, "ben@us.example", ["lee@cust.example"], 2),
        mail(4, "kim@cust.example", ["lee@cust.example"], 3),
    )
    found = stored_mails(directory(stamps.read().people))
    at = [int((START + timedelta(days=day)).timestamp()) for day in (0, 1, 1, 2)]
    assert (found.people, found.sampled, found.mails.at.tolist()) == (2, False, at)
    assert found.mails.from_them.tolist() == [False, True, True, False]
    assert len(np.unique(found.mails.pair)) == 3  # anna and kim under both addresses, ben and kim, ben and lee
    assert stored_mails(directory(stamps.read().people), most=1).sampled


def test_a_report_of_little_says_so_and_one_of_enough_compares() -> None:
    with pytest.raises(NotFoundError):
        quality_report.latest()
    report = quality_report.refresh(NOW)
    assert quality_report.latest() == report
    assert (report.tie_alive.scores, report.tie_alive.reason) == ([], "no mail between two different people")
    assert [(one.days_before, one.reason, one.auc) for one in report.deals] == [
        (30, "tooFew", None),
        (90, "tooFew", None),
    ]

    draw = np.random.default_rng(2)
    mails = []
    for customer in range(24):
        silent_from = 400 if customer % 2 else 120 + 10 * customer  # half of them stop writing some day
        for day in np.arange(customer % 5, silent_from, 6.0 + customer % 4):
            there, back = ("anna@us.example", f"c{customer}@cust.example")[:: 1 if draw.random() < 0.5 else -1]
            mails.append(mail(len(mails), there, [back], float(day)))
    take_in(*mails)
    found = quality_report.refresh(NOW + 60).tie_alive
    by_name = {one.score: one.auc for one in found.scores}
    assert (found.reason, found.mails, found.people) == ("", len(mails), 24)
    assert by_name["rapport"] > 0.9
    baselines = ("decay", "decay60", "active_days", "recency", "recency_and_number", "silence_by_gap")
    assert found.better_baselines == [name for name in baselines if by_name[name] > by_name["rapport"]]


def test_closed_deals_are_measured_before_they_closed() -> None:
    changes = []
    for number, (status, days) in enumerate((("won", range(0, 150, 4)), ("lost", range(0, 60, 4)))):
        address, contact = f"k{number}@cust.example", f"c{number}"
        changes.append(upsert("contact", contact, email1=address))
        changes.append(
            upsert(
                "opportunity", f"o{number}", status=status, createdAt="2025-01-06T00:00:00Z", contactId=contact,
                closedAt="2025-06-10T00:00:00Z", ownerId="user:u1",
            )
        )  # fmt: skip
        for day in days:
            changes.append(mail(1000 * number + 2 * day, "anna@us.example", [address], day))
            changes.append(mail(1000 * number + 2 * day + 1, address, ["anna@us.example"], day + 1))
    take_in(*changes)
    close, far = deal_quality(NOW, stamps.read(), until=float("inf"))
    assert (close.won, close.lost, close.insufficient, close.sampled, close.reason) == (1, 1, 0, False, "tooFew")
    assert (far.days_before, far.won, far.lost) == (90, 1, 1)
    none = deal_quality(NOW, stamps.read(), until=0.0)[0]
    assert (none.won, none.lost, none.sampled) == (0, 0, True)


def test_areas_are_of_the_same_deals_and_a_better_rule_is_named() -> None:
    draw = np.random.default_rng(4)
    measured = []
    for number in range(200):
        won = number % 2 == 0
        score = 60 + 10 * won + draw.normal(0, 15)
        measured.append(Measured(won, float(score), decayed=float(draw.random()), silence_days=1.0 if won else 2.0))
    found = summary(30, measured, insufficient=7, sampled=True)
    assert (found.won, found.lost, found.insufficient, found.sampled, found.reason) == (100, 100, 7, True, "")
    assert found.auc is not None
    assert found.low is not None
    assert found.high is not None
    assert 0.5 < found.low < found.auc < found.high < 1
    assert (found.auc_recency, found.better_baselines) == (1.0, ["recency"])
    assert summary(30, measured[:58], 0, False).reason == "tooFew"
    assert summary(30, measured[:60], 0, False).reason == ""
