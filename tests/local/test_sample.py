"""The sample tenant: what the network yields, that it never changes, and that the app's own parser takes all of it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import pytest

from local.sample.changes import sample_changes
from local.sample.mail import END, Mail, choose_sellers, crosses, group, read_mails, weeks_until
from local.sample.tenant import Tenant, build, chosen_records
from local.sample.threads import threads
from shared.changes import parse_batch

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    return build(TODAY)


@pytest.fixture(scope="module")
def changes(tenant: Tenant) -> list[dict[str, Any]]:
    return list(sample_changes(tenant))


def _of(changes: list[dict[str, Any]], entity: str) -> dict[str, dict[str, Any]]:
    return {change["id"]: change["attributes"] for change in changes if change["entity"] == entity}


def _mail(at: int, sender: str, *to: str) -> Mail:
    return Mail(at, sender, to, ())


def test_network_yields_the_documented_mails(tenant: Tenant) -> None:
    assert len(read_mails()) == 19_677
    assert len(tenant.mails) == 15_763
    assert len(tenant.users) == 78


def test_sellers_are_the_smaller_side_of_the_largest_cut() -> None:
    """Two sellers who write to three customers, and once to each other."""
    mails = [_mail(i, seller, buyer) for i, (seller, buyer) in enumerate((s, b) for s in "ab" for b in "xyz")]
    sellers = choose_sellers([*mails, _mail(99, "a", "b")])
    assert sellers == {"a", "b"}
    assert not crosses(_mail(99, "a", "b"), sellers)


def test_no_single_person_could_change_sides_and_let_more_mails_cross(tenant: Tenant) -> None:
    mails = read_mails()
    sellers = frozenset(tenant.users)
    kept = sum(crosses(mail, sellers) for mail in mails)
    for person in sorted({person for mail in mails for person in mail.people})[::15]:
        assert sum(crosses(mail, sellers ^ {person}) for mail in mails) <= kept


def test_groups_join_people_on_the_same_mails_up_to_the_size() -> None:
    mails = [_mail(1, "a", "b"), _mail(2, "a", "b"), _mail(3, "b", "c"), _mail(4, "d", "e")]
    assert group("abcde", mails, 2, 3) == [("a", "b", "c"), ("d", "e")]
    assert group("abcde", mails, 1, 2) == [("a", "b"), ("c",), ("d", "e")]


@pytest.mark.parametrize("days", range(15))
def test_last_mail_lies_one_to_seven_days_back_and_keeps_its_weekday(days: int) -> None:
    today, last = TODAY + timedelta(days), END - 3_600
    moved = datetime.fromtimestamp(last + weeks_until(last, today), UTC)
    assert 1 <= (today - moved.date()).days <= 7
    assert moved.weekday() == datetime.fromtimestamp(last, UTC).weekday()


def test_conversation_goes_on_with_a_reply_in_five_days_and_not_later() -> None:
    day = 86_400
    ask, answer, late = _mail(0, "a", "x"), _mail(5 * day, "x", "a"), _mail(10 * day + 1, "a", "x")
    found = threads([ask, answer, late])
    assert found.conversation == {ask.key: ask.key, answer.key: ask.key, late.key: late.key}
    assert found.answers == {answer.key: ask.key}


def test_there_are_20000_email_activities_and_enough_of_the_rest(changes: list[dict[str, Any]]) -> None:
    count = Counter(change["entity"] for change in changes)
    assert count["email"] == 20_000
    assert count["account"] == 30
    assert count["appointment"] > 300 and count["phonecall"] > 1_000 and count["task"] > 200
    assert len({(change["entity"], change["id"]) for change in changes}) == len(changes)


def test_second_copies_share_message_id_and_people_with_the_first(changes: list[dict[str, Any]]) -> None:
    said: dict[str, set[str]] = {}
    for email in _of(changes, "email").values():
        facts = json.dumps([email[name] for name in ("from", "to", "cc", "sentAt", "conversationId")])
        said.setdefault(email["messageId"], set()).add(facts)
    assert len(said) == 15_763
    assert all(len(facts) == 1 for facts in said.values())


def test_every_email_has_both_sides(changes: list[dict[str, Any]]) -> None:
    for email in _of(changes, "email").values():
        ours = [p["address"].endswith("@us.example") for p in (email["from"], *email["to"], *email["cc"])]
        assert any(ours) and not all(ours)


def test_deals_are_won_lost_and_open(changes: list[dict[str, Any]]) -> None:
    opportunities = _of(changes, "opportunity").values()
    count = Counter(deal["status"] for deal in opportunities)
    assert count["won"] >= 60 and count["lost"] >= 60 and count["open"] >= 20
    assert all((deal["closedAt"] is None) == (deal["status"] == "open") for deal in opportunities)
    assert all(deal["closedAt"] is None or deal["closedAt"] > deal["createdAt"] for deal in opportunities)


def test_every_reference_leads_to_a_row(changes: list[dict[str, Any]]) -> None:
    ids = {f"{change['entity']}:{change['id']}" for change in changes}
    single = {"accountId": "account", "contactId": "contact", "primaryContactId": "contact", "managerId": "user"}
    several = {"team": "user", "members": "user", "stakeholders": "contact"}
    for change in changes:
        attributes = change["attributes"]
        named = [f"{kind}:{attributes[name]}" for name, kind in single.items() if attributes.get(name)]
        named += [f"{kind}:{key}" for name, kind in several.items() for key in attributes.get(name, ())]
        named += attributes.get("regarding", [])
        named += [attributes[name] for name in ("ownerId", "owner") if name in attributes]
        assert ids.issuperset(named)


def test_records_come_first_and_activities_of_one_company_together_oldest_first(changes: list[dict[str, Any]]) -> None:
    kinds = [change["entity"] in ("email", "appointment", "phonecall", "task") for change in changes]
    assert kinds == sorted(kinds)
    emails = list(_of(changes, "email").values())
    people = [[email["from"], *email["to"], *email["cc"]] for email in emails]
    addresses = [next(p["address"] for p in named if not p["address"].endswith("@us.example")) for named in people]
    companies = [address.partition("@")[2].removeprefix("mail.") for address in addresses]
    assert len(list(groupby(companies))) == len(set(companies))
    sent_at = [
        [email["sentAt"] for _, email in part]
        for _, part in groupby(zip(companies, emails, strict=True), key=itemgetter(0))
    ]
    assert all(times == sorted(times) for times in sent_at)


def test_addresses_belong_to_one_person_each(changes: list[dict[str, Any]]) -> None:
    people = [*_of(changes, "user").values(), *_of(changes, "contact").values()]
    people += [lead for lead in _of(changes, "lead").values() if lead["status"] != "qualified"]
    owners = Counter(address for person in people for address in person["emails"])
    assert set(owners.values()) == {1}
    assert any(len(person["emails"]) == 2 for person in people)


def test_only_meetings_calls_and_tasks_lie_ahead(changes: list[dict[str, Any]]) -> None:
    now = f"{TODAY.isoformat()}T00:00:00Z"
    assert all(email["sentAt"] < now for email in _of(changes, "email").values())
    ahead = [row for row in _of(changes, "appointment").values() if row["start"] >= now]
    ahead += [row for row in _of(changes, "phonecall").values() if row.get("due", "") >= now]
    assert len(ahead) >= 10
    assert {row["status"] for row in ahead} == {"open"}


def test_the_same_day_gives_the_same_changes(changes: list[dict[str, Any]]) -> None:
    assert list(sample_changes(build(TODAY))) == changes


def test_another_day_gives_the_same_ids_at_a_higher_version(changes: list[dict[str, Any]]) -> None:
    later = list(sample_changes(build(TODAY + timedelta(11))))
    assert {(c["entity"], c["id"]) for c in later} == {(c["entity"], c["id"]) for c in changes}
    assert later[0]["version"] > changes[0]["version"]


def test_chosen_records_are_open_and_belong_together(tenant: Tenant, changes: list[dict[str, Any]]) -> None:
    chosen = chosen_records(tenant)
    deal = _of(changes, "opportunity")[chosen["opportunity"]]
    assert deal["status"] == "open"
    assert (deal["accountId"], deal["contactId"]) == (chosen["account"], chosen["contact"])
    assert _of(changes, "lead")[chosen["lead"]]["status"] == "open"
    assert _of(changes, "case")[chosen["case"]]["status"] == "open"


def test_the_app_parses_the_whole_sample(changes: list[dict[str, Any]]) -> None:
    parsed = parse_batch(json.dumps({"changes": changes}).encode())
    assert [(c.entity, c.id, c.version) for c in parsed] == [(c["entity"], c["id"], c["version"]) for c in changes]
