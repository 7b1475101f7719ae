"""Who knows whom in a real store: every kind of target has its row, kept by the same updates as the records."""

from __future__ import annotations

import pytest

from shared import acquaintance_rows, acquaintance_updates, closeness, membership, recompute
from shared.acquaintance import Known, raw_at
from shared.keys import keys
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.strength import strength_of
from tests.doubles.talk import NOW, mail, meeting, organisation, row, told

pytestmark = pytest.mark.usefixtures("storage")


def known(target: str, now: int = NOW) -> dict[str, float]:
    """Who knows the target, and how strongly."""
    found, _ = acquaintance_rows.read(target)
    return strengths(found, now) if found else {}


def strengths(found: Known, now: int = NOW) -> dict[str, float]:
    return {line.who: strength_of(raw_at(line, found, now, Parameters())) for line in found.lines}


def person(address: str) -> str:
    return membership.person_anchor(keys().address(address))


def test_a_contact_is_known_by_who_wrote_and_was_written_to() -> None:
    told([*organisation(), mail(10, "anna", "kim"), mail(4, "kim", "anna")])
    assert known("contact:kim") == {"user:anna": 18.6}


def test_the_evidence_counts_mails_both_ways_meetings_and_the_last_contact() -> None:
    told([*organisation(), mail(10, "anna", "kim"), mail(4, "kim", "anna"), meeting(30, "anna", "kim")])
    found, _ = acquaintance_rows.read("contact:kim")
    assert found is not None
    line = found.lines[0]
    assert (line.emails_out, line.emails_in, line.meetings, line.calls, line.two_way) == (1, 1, 1, 0, True)
    assert line.last_at == NOW - 4 * DAY


def test_an_account_is_known_through_all_its_contacts() -> None:
    told([*organisation(), meeting(1 / 48, "anna", "kim", "lee")])
    assert known("contact:kim") == {"user:anna": 15.0}
    assert known("account:cust") == {"user:anna": 27.7}


def test_a_bare_address_has_a_row_of_its_own() -> None:
    told([*organisation(), mail(10, "anna", "new@other.example"), mail(4, "new@other.example", "anna")])
    assert known(person("new@other.example")) == {"user:anna": 18.6}


def test_a_domain_is_known_through_everybody_in_it_and_below_it() -> None:
    told([*organisation(), mail(10, "anna", "new@other.example"), mail(4, "second@eu.other.example", "anna")])
    assert known(acquaintance_rows.domain_anchor("other.example")) == {"user:anna": 18.6}


def test_a_free_mail_domain_is_no_company() -> None:
    touched = told([*organisation(), mail(10, "anna", "someone@gmail.com")])
    assert touched == {person("someone@gmail.com")} | {name for name in touched if ":" in name and "person" not in name}
    assert not any(name.startswith("domain:") and known(name) for name in touched)


def test_an_older_address_of_a_contact_counts_for_the_contact() -> None:
    told([*organisation(), mail(10, "anna", "kim@old.example")])
    assert known(person("kim@old.example")) == {"user:anna": 3.9}
    told([row("contact", "kim", emails=["kim@cust.example", "kim@old.example"])])
    assert known("contact:kim") == {"user:anna": 3.9}
    assert known(person("kim@old.example")) == {}


def test_a_lead_is_known_from_before_it_was_a_lead() -> None:
    told([*organisation(), mail(300, "anna", "jo@lead.example")])
    told([row("lead", "jo", name="Jo", emails=["jo@lead.example"], createdAt="2026-03-14T00:00:00Z")])
    assert list(known("lead:jo")) == ["user:anna"]


def test_a_new_mail_moves_the_strength_by_the_same_update() -> None:
    told([*organisation(), mail(10, "anna", "kim")])
    before = known("contact:kim")["user:anna"]
    assert "contact:kim" in told([mail(1, "kim", "anna")])
    assert known("contact:kim")["user:anna"] > before


def test_strength_fades_between_updates_without_any() -> None:
    told([*organisation(), mail(10, "anna", "kim"), mail(4, "kim", "anna")])
    later = NOW + 40 * DAY
    faded = known("contact:kim", later)
    told([row("contact", "kim", name="Kim K")], later)
    assert faded == known("contact:kim", later) == {"user:anna": 14.0}


def test_the_row_holds_until_its_oldest_mail_leaves_the_window() -> None:
    told([*organisation(), mail(364, "anna", "kim")])
    found, _ = acquaintance_rows.read("contact:kim")
    assert found is not None
    assert found.valid_until == NOW + DAY + 1


def test_a_planned_meeting_ends_the_validity_when_it_begins() -> None:
    told([*organisation(), mail(10, "anna", "kim"), meeting(-2, "anna", "kim", status="open")])
    found, _ = acquaintance_rows.read("contact:kim")
    assert found is not None
    assert found.valid_until == NOW + 2 * DAY


def test_an_expired_row_of_a_bare_address_is_found_by_the_sweep() -> None:
    told([*organisation(), mail(364, "anna", "new@other.example"), mail(364, "anna", "kim")])
    domain = acquaintance_rows.domain_anchor("other.example")
    assert {person("new@other.example"), domain} <= set(acquaintance_rows.expired(NOW + 2 * DAY))
    assert set(acquaintance_rows.expired(NOW)) == set()


def test_who_changes_among_us_is_found_by_key_in_rows_without_record() -> None:
    told([*organisation(), mail(10, "anna", "new@other.example")])
    found = set(acquaintance_rows.naming([keys().address("anna@us.example")]))
    assert found == {person("new@other.example"), acquaintance_rows.domain_anchor("other.example")}


def test_colleagues_at_one_meeting_with_a_customer_are_close() -> None:
    told([*organisation(), meeting(10, "anna", "ben", "kim"), mail(9, "anna", "cleo")])
    anna, ben = closeness.user_key("anna"), closeness.user_key("ben")
    assert closeness.met_with(anna, NOW - 365 * DAY) == {ben}
    assert closeness.met_with(ben, NOW - 365 * DAY) == {anna}
    assert closeness.met_with(anna, NOW - 9 * DAY) == set()


def test_an_address_of_two_contacts_counts_for_both() -> None:
    told([*organisation(), row("contact", "kim", emails=["kim@cust.example", "both@cust.example"])])
    told([row("contact", "lee", emails=["lee@cust.example", "both@cust.example"])])
    told([mail(10, "anna", "both@cust.example")])
    assert known("contact:kim") == known("contact:lee") == {"user:anna": 3.9}
    claimed = acquaintance_updates.claimants(person("both@cust.example"))
    owners = acquaintance_updates.owners(person("both@cust.example"), claimed)
    assert [owner.record for owner in owners] == ["contact:kim", "contact:lee"]


def test_colleagues_are_close_until_their_very_last_meeting_leaves_the_window() -> None:
    """The meeting of 360 days ago is not worth a note, so soon after the other, until the other one leaves the window."""
    told([*organisation(), meeting(364, "anna", "ben", "kim")])
    told([meeting(360, "anna", "ben", "kim")])
    anna, ben = closeness.user_key("anna"), closeness.user_key("ben")
    for days, close in ((0, {ben}), (2, {ben}), (4, {ben}), (6, set())):
        recompute.recompute("contact:kim", NOW + days * DAY)
        assert closeness.met_with(anna, NOW + (days - 365) * DAY) == close
