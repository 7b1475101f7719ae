"""Who an address is: every edge with its stated result, and why."""

from __future__ import annotations

import random

import pytest

from shared import identity, looking_up
from shared.auth import READER, Caller
from shared.errors import InvalidInputError
from shared.known_colleagues import AddressQuery, RecordQuery
from shared.resolutions import Resolution
from shared.settings import settings
from tests.doubles.talk import NOW, mail, organisation, row, told

ASKER = Caller(id="oid", name="", roles=frozenset({READER}), tenant="t")
pytestmark = pytest.mark.usefixtures("storage")


def steps(found: Resolution) -> dict[str, str]:
    return {step.rule: step.result for step in found.steps}


def people(found: Resolution) -> list[str]:
    return [person.id for person in found.people]


@pytest.mark.parametrize("text", ["kim@cust.example", "Kim@CUST.example", " <kim+news@cust.example> "])
def test_spellings_of_one_mailbox_are_one_person(text: str) -> None:
    told(organisation())
    found = identity.resolve(text)
    assert (found.side, people(found), [one.id for one in found.accounts]) == (
        "external",
        ["contact:kim"],
        ["account:cust"],
    )
    assert steps(found)["address_of_record"] == "contact:kim"


def test_an_address_that_nobody_has_is_a_person_by_itself() -> None:
    told(organisation())
    found = identity.resolve("new@eu.other.co.uk")
    assert (people(found), found.company) == (["new@eu.other.co.uk"], "other.co.uk")
    assert {"no_record", "public_suffix"} <= steps(found).keys()


def test_secondary_addresses_belong_to_the_contact() -> None:
    told([*organisation(), row("contact", "kim", emails=["kim@cust.example", "k@home.example"])])
    found = identity.resolve("k@home.example")
    assert (people(found), found.addresses) == (["contact:kim"], ["k@home.example", "kim@cust.example"])


def test_an_address_of_two_contacts_is_both_and_neither_is_dropped() -> None:
    told([*organisation(), row("contact", "kim", emails=["kim@cust.example", "desk@cust.example"])])
    told([row("contact", "lee", emails=["lee@cust.example", "desk@cust.example"])])
    found = identity.resolve("desk@cust.example")
    assert people(found) == ["contact:kim", "contact:lee"]
    assert steps(found)["shared_by"] == "contact:kim, contact:lee"


def test_merged_contacts_are_the_surviving_one_under_every_address() -> None:
    told([*organisation(), {"entity": "contact", "id": "kim", "version": 10**9, "operation": "merge", "into": "lee"}])
    for address in ("kim@cust.example", "lee@cust.example"):
        found = identity.resolve(address)
        assert people(found) == ["contact:lee"]
        assert steps(found)["merged_into"] == "contact:kim -> contact:lee"


def test_a_changed_job_moves_the_person_and_keeps_the_old_address_explained() -> None:
    told([*organisation(), mail(4, "anna", "kim"), row("account", "new", name="New")])
    told([row("contact", "kim", emails=["kim@new.example"], accountId="new")])
    now, before = identity.resolve("kim@new.example"), identity.resolve("kim@cust.example")
    assert (people(now), [one.id for one in now.accounts]) == (["contact:kim"], ["account:new"])
    assert (people(before), steps(before)["no_longer_address_of"]) == (["kim@cust.example"], "contact:kim")


def test_our_own_addresses_are_ours_whoever_else_has_them() -> None:
    told([*organisation(), row("user", "anna", emails=["anna@us.example", "anna@us.onmicrosoft.example"])])
    told([row("contact", "lee", emails=["lee@cust.example", "anna@us.onmicrosoft.example"])])
    found = identity.resolve("anna@us.onmicrosoft.example")
    assert (found.side, people(found), found.addresses) == (
        "internal", ["user:anna"], ["anna@us.example", "anna@us.onmicrosoft.example"],
    )  # fmt: skip
    assert steps(found)["ours_before_contact"] == "contact:lee"


def test_an_internal_domain_is_ours_without_a_user() -> None:
    told(organisation())
    found = identity.resolve("sales@us.example")
    assert (found.side, people(found), found.functional) == ("internal", [], True)
    assert steps(found) == {"internal_domain": "us.example", "functional_address": "sales"}


def test_functional_and_automatic_addresses_are_told_apart() -> None:
    assert steps(identity.resolve("info@cust.example"))["functional_address"] == "info"
    assert steps(identity.resolve("no-reply@cust.example"))["automatic_sender"] == "no-reply"


@pytest.mark.parametrize(
    ("address", "rule"),
    [("someone@gmail.com", "free_mail"), ("someone@partner.example", "shared_domain"), ("someone@co.uk", "no_company")],
)
def test_a_shared_domain_gives_a_person_and_no_company(
    address: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARED_DOMAINS", "partner.example")
    settings.cache_clear()
    found = identity.resolve(address)
    assert (people(found), found.company, rule in steps(found)) == ([address], "", True)


def test_brands_of_one_company_are_one_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAND_DOMAINS", "toys.example=acme.example")
    settings.cache_clear()
    found = identity.resolve("jo@toys.example")
    assert (found.company, steps(found)["brand_of"]) == ("acme.example", "acme.example")


def test_nonsense_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        identity.resolve("no address")


def knowing(record: str) -> dict[str, int]:
    """Who of ours knows a record, by the number of their mails."""
    found = looking_up.record(record, RecordQuery(), ASKER, NOW)
    return {each.person.id: each.evidence.emails for each in found.colleagues}


def test_aliases_proxy_addresses_and_the_onmicrosoft_twin_of_a_user_are_one_colleague() -> None:
    addresses = ["anna@us.example", "a.smith@us.example", "anna@old.us.example", "anna@us.onmicrosoft.example"]
    told([*organisation(), row("user", "anna", name="Anna", emails=addresses)])
    told([mail(days, address, "kim") for days, address in enumerate([*addresses, "ANNA+x@us.example"], 1)])
    assert knowing("contact:kim") == {"user:anna": 5}
    assert {tuple(people(identity.resolve(address))) for address in addresses} == {("user:anna",)}


def test_all_addresses_of_a_contact_are_one_person() -> None:
    told([*organisation(), row("contact", "kim", emails=["kim@cust.example", "k@home.example"])])
    told([mail(3, "anna", "kim"), mail(4, "k@home.example", "anna"), mail(5, "anna", "K+news@HOME.example", "kim")])
    assert knowing("contact:kim") == {"user:anna": 3}


def test_one_person_in_two_contacts_counts_for_both_and_once_for_the_company() -> None:
    told([*organisation(), row("contact", "lee", emails=["lee@cust.example", "kim@cust.example"])])
    told([mail(4, "anna", "kim")])
    assert [knowing(record) for record in ("contact:kim", "contact:lee", "account:cust")] == [{"user:anna": 1}] * 3
    answer = looking_up.address(AddressQuery(address="kim@cust.example"), ASKER, NOW)
    assert [each.id for each in answer.records] == ["contact:kim", "contact:lee"]


def test_after_a_job_change_the_old_mail_is_found_under_the_old_address_and_the_new_under_the_new() -> None:
    told([*organisation(), mail(4, "anna", "kim"), row("account", "new", name="New")])
    told([row("contact", "kim", emails=["kim@new.example"], accountId="new"), mail(1, "ben", "kim@new.example")])
    assert knowing("account:new")["user:ben"] == 1
    assert "user:ben" not in knowing("account:cust")
    old = looking_up.address(AddressQuery(address="kim@cust.example"), ASKER, NOW)
    assert [each.person.id for each in old.colleagues] == ["user:anna"]


def test_a_kept_old_address_keeps_the_history_with_the_contact() -> None:
    told([*organisation(), mail(4, "anna", "kim"), row("account", "new", name="New")])
    told([row("contact", "kim", emails=["kim@new.example", "kim@cust.example"], accountId="new")])
    assert knowing("contact:kim") == {"user:anna": 1}


def test_an_international_domain_is_the_same_in_both_spellings() -> None:
    told([*organisation(), mail(4, "anna", "jo@b\u00fccher.example")])
    found = identity.resolve("Jo@B\u00dcCHER.example")
    assert (found.address, found.company) == ("jo@xn--bcher-kva.example", "xn--bcher-kva.example")
    answer = looking_up.address(AddressQuery(address="jo@xn--bcher-kva.example"), ASKER, NOW)
    assert [each.person.id for each in answer.colleagues] == ["user:anna"]


def test_a_shared_mailbox_of_a_customer_is_nobody_to_be_introduced_to_and_still_its_company() -> None:
    told([*organisation(), mail(4, "anna", "info@cust.example")])
    found = identity.resolve("info@cust.example")
    assert (found.functional, found.company) == (True, "cust.example")
    domain = looking_up.address(AddressQuery(domain="cust.example"), ASKER, NOW)
    assert [each.person.id for each in domain.colleagues] == ["user:anna"]


def test_partner_domains_give_a_person_and_no_company_to_ask_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARED_DOMAINS", "partner.example")
    settings.cache_clear()
    told([*organisation(), mail(4, "anna", "pat@partner.example")])
    person = looking_up.address(AddressQuery(address="pat@partner.example"), ASKER, NOW)
    company = looking_up.address(AddressQuery(domain="partner.example"), ASKER, NOW)
    assert ([each.person.id for each in person.colleagues], company.reason) == (["user:anna"], "shared_domain")


def test_brands_are_answered_as_one_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAND_DOMAINS", "toys.example=acme.example")
    settings.cache_clear()
    told([*organisation(), mail(4, "anna", "jo@toys.example"), mail(4, "ben", "max@acme.example")])
    answer = looking_up.address(AddressQuery(domain="toys.example"), ASKER, NOW)
    assert (answer.target, sorted(each.person.id for each in answer.colleagues)) == (
        "acme.example",
        ["user:anna", "user:ben"],
    )


def _known(*addresses: str) -> list[tuple[list[str], list[str]]]:
    """Of each address the people behind it, and who of ours knows them."""
    answers = [looking_up.address(AddressQuery(address=address), ASKER, NOW) for address in addresses]
    return [
        (people(identity.resolve(address)), sorted(each.person.id for each in answer.colleagues))
        for address, answer in zip(addresses, answers, strict=True)
    ]


BOTH = ("kim@cust.example", "lee@cust.example")


def test_splitting_what_was_merged_restores_both() -> None:
    told([*organisation(), mail(4, "anna", "kim"), mail(4, "ben", "lee")])
    before = _known(*BOTH)
    assert before == [(["contact:kim"], ["user:anna"]), (["contact:lee"], ["user:ben"])]
    told([{"entity": "contact", "id": "kim", "version": 10**9, "operation": "merge", "into": "lee"}])
    assert _known(*BOTH) == [(["contact:lee"], ["user:anna", "user:ben"])] * 2
    told([mail(3, "cleo", "kim")])
    told([{"entity": "contact", "id": "kim", "version": 10**9 + 1, "operation": "split"}])
    assert _known(*BOTH) == [(["contact:kim"], ["user:anna", "user:cleo"]), (["contact:lee"], ["user:ben"])]


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_arrivals_gives_the_same_people(seed: int) -> None:
    story = [
        *organisation(),
        row("contact", "kim", emails=["kim@cust.example", "k@home.example"]),
        {"entity": "contact", "id": "lee", "version": 10**9, "operation": "merge", "into": "kim"},
        {"entity": "contact", "id": "lee", "version": 10**9 + 1, "operation": "split"},
        {"entity": "contact", "id": "max", "version": 10**9, "operation": "merge", "into": "lee"},
        mail(4, "anna", "kim"), mail(5, "ben", "k@home.example"), mail(6, "cleo", "max"), mail(7, "anna", "lee"),
    ]  # fmt: skip
    random.Random(seed).shuffle(story)
    for piece in range(0, len(story), 5):
        told(story[piece : piece + 5])
    assert _known("kim@cust.example", "k@home.example", "max@cust.example", "lee@cust.example") == [
        (["contact:kim"], ["user:anna", "user:ben"]),
        (["contact:kim"], ["user:anna", "user:ben"]),
        (["contact:lee"], ["user:anna", "user:cleo"]),
        (["contact:lee"], ["user:anna", "user:cleo"]),
    ]
