import pytest

from shared.kpi.parameters import Parameters
from shared.noise import LIST_ID, SENDER, SIGN_NAMES, SIGNS, is_automatic, is_bulk, is_functional, kept_headers
from shared.organisation import parameters_of
from shared.organisation_settings import NOISE_RULES, OrganisationSettings


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"auto-submitted": "auto-generated; owner=x"},
        {"Return-Path": "<>"},
        {"Return-Path": ""},
        {"Content-Class": "urn:content-classes:calendarmessage"},
        {"Content-Type": 'text/calendar; charset="utf-8"; method=REPLY'},
    ],
)
def test_these_headers_mark_automatic_mail(headers: dict[str, str]) -> None:
    assert is_automatic(kept_headers(headers), "kim@cust.example")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Auto-Submitted": "no"},
        {"X-Auto-Response-Suppress": "All"},
        {"Return-Path": "<kim@cust.example>"},
        {"Content-Type": "text/calendar; method=REQUEST"},
        {"Content-Type": "multipart/alternative"},
    ],
)
def test_these_headers_do_not(headers: dict[str, str]) -> None:
    assert not is_automatic(kept_headers(headers), "kim@cust.example")


@pytest.mark.parametrize(
    "local_part",
    [
        "no-reply",
        "noreply",
        "donotreply",
        "mailer-daemon",
        "postmaster",
        "bounce",
        "bounces",
        "notification",
        "notifications",
    ],
)
def test_automatic_senders_are_known_by_their_local_part(local_part: str) -> None:
    assert is_automatic({}, f"{local_part}@cust.example")
    assert is_functional(f"{local_part}@cust.example")


def test_a_person_is_no_automatic_sender_and_no_function() -> None:
    assert not is_automatic({}, "kim@cust.example")
    assert not is_automatic({}, "noreply.smith@cust.example")
    assert not is_automatic({}, "")
    assert not is_functional("kim@cust.example")
    assert is_functional("info@cust.example")


@pytest.mark.parametrize(
    ("headers", "bulk"),
    [
        ({"List-Id": "<news.cust.example>"}, True),
        ({"List-Unsubscribe": "<mailto:out@cust.example>"}, True),
        ({"Precedence": "Bulk"}, True),
        ({"Precedence": "list"}, True),
        ({"Precedence": "junk"}, True),
        ({"Precedence": "normal"}, False),
        ({}, False),
    ],
)
def test_bulk_mail_is_known_by_its_headers(headers: dict[str, str], bulk: bool) -> None:
    assert bulk == is_bulk(kept_headers(headers))


def test_headers_that_no_rule_reads_are_dropped() -> None:
    assert kept_headers({"LIST-ID": "x", "Subject": "secret", "Received": "from a by b"}) == {"list-id": "x"}


def test_rules_of_the_organisation_become_signs() -> None:
    every = parameters_of(OrganisationSettings()).noise_rules
    assert every == Parameters().noise_rules == SIGNS
    fewer = parameters_of(OrganisationSettings(noise_rules=("sender", "listId"))).noise_rules
    assert fewer == SENDER | LIST_ID
    assert set(SIGN_NAMES.values()) == set(NOISE_RULES)
