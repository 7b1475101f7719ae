"""Which mail domains stand for a company."""

from __future__ import annotations

import doctest

import pytest

from shared import domains
from shared.domains import company_of, is_shared, registrable
from shared.errors import SettingError
from shared.settings import Settings

NO_BRANDS: dict[str, str] = {}
NONE: frozenset[str] = frozenset()


def test_the_examples_hold() -> None:
    result = doctest.testmod(domains)
    assert (result.failed, result.attempted) == (0, 4)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("cust.co.uk", "cust.co.uk"),
        ("mail.cust.co.uk", "cust.co.uk"),
        ("a.b.cust.com.br", "cust.com.br"),
        ("co.uk", ""),
        ("com", ""),
        ("shop.github.io", "shop.github.io"),  # each name under a private suffix is somebody else's
        ("xn--bcher-kva.de", "xn--bcher-kva.de"),
    ],
)
def test_public_suffixes_end_a_company(domain: str, expected: str) -> None:
    assert registrable(domain) == expected


@pytest.mark.parametrize(
    "domain", ["gmail.com", "outlook.com", "hotmail.co.uk", "yahoo.co.jp", "gmx.at", "web.de", "mail.ru", "qq.com"]
)
def test_free_mail_is_nobodys_company(domain: str) -> None:
    assert is_shared(domain)
    assert company_of(domain, NO_BRANDS, NONE) == ""


@pytest.mark.parametrize("domain", ["me.example", "mail.example", "web.example", "online.com", "orange.com", "sky.de"])
def test_a_company_with_a_common_name_is_a_company(domain: str) -> None:
    assert company_of(domain, NO_BRANDS, NONE) == domain


def test_a_partner_domain_and_all_below_it_are_nobodys_company() -> None:
    assert company_of("eu.partner.example", NO_BRANDS, frozenset({"partner.example"})) == ""


def test_one_part_of_a_domain_can_be_shared_by_itself() -> None:
    shared = frozenset({"guests.cust.example"})
    assert company_of("guests.cust.example", NO_BRANDS, shared) == ""
    assert company_of("eu.cust.example", NO_BRANDS, shared) == "cust.example"


def test_brands_belong_to_their_company() -> None:
    brands = Settings.load({"BRAND_DOMAINS": "Toys.example = acme.example, tools.example=acme.example"}).brands
    assert [company_of(domain, brands, NONE) for domain in ("shop.toys.example", "tools.example", "acme.example")] == [
        "acme.example"
    ] * 3


def test_brands_in_another_form_are_refused() -> None:
    with pytest.raises(SettingError, match="BRAND_DOMAINS"):
        _ = Settings.load({"BRAND_DOMAINS": "toys.example"}).brands
