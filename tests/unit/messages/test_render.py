"""Catalogues are complete, plural forms follow CLDR (vectors 13-3 to 13-5), and what is missing is counted."""

from __future__ import annotations

import re
import string
import subprocess
import sys

import pytest

from shared.kpi.summary import CUSTOMER, SIMILAR
from shared.messages.render import LANGUAGES, Renderer, UnknownMessageError, catalogue, plural_form

ENGLISH = catalogue("en")
SLOT = re.compile(r"\{(\w+):(\w+)\}")
CATEGORIES = {
    "en": {"one", "other"},
    "de": {"one", "other"},
    "pl": {"one", "few", "many", "other"},
    "ro": {"one", "few", "other"},
    "ar": {"zero", "one", "two", "few", "many", "other"},
}


@pytest.mark.parametrize(
    ("language", "numbers", "forms"),
    [
        ("pl", [1, 3, 5, 22], ["one", "few", "many", "few"]),
        ("ro", [1, 2, 20, 101], ["one", "few", "other", "few"]),
        ("ar", [0, 1, 2, 3, 11, 100], ["zero", "one", "two", "few", "many", "other"]),
        ("pl", [1.5], ["other"]),
        ("en", [1.0, 1.5], ["one", "other"]),
    ],
    ids=["13-3", "13-4", "13-5", "a fraction", "a whole number is shown without decimals"],
)
def test_plural_forms(language, numbers, forms):
    assert [plural_form(number, language) for number in numbers] == forms


def patterns(language: str) -> dict[tuple[str, str], str]:
    found = {}
    for id, sentence in catalogue(language).sentences.items():
        for other, pattern in ({"": sentence} if isinstance(sentence, str) else sentence).items():
            found[id, other] = pattern
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_there_with_the_same_slots(language):
    english, found = patterns("en"), patterns(language)
    assert found.keys() == english.keys()
    for key, pattern in found.items():
        assert sorted(SLOT.findall(pattern)) == sorted(SLOT.findall(english[key])), key
        assert not set("{}") & set(SLOT.sub("", pattern)), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_unit_has_every_plural_form(language):
    units = catalogue(language).units
    assert units.keys() == ENGLISH.units.keys()
    for name, forms in units.items():
        if name != "percent":  # a percent sign has no plural
            assert forms.keys() == CATEGORIES[language], name
        for form in forms.values():
            assert {field for _, field, _, _ in string.Formatter().parse(form) if field} <= {"n", "p"}


def test_every_message_is_worded_for_whatever_it_compares_with():
    subjects = ("meetings", "hours", "openRate", "responseHours", "responseRate")
    expected = {(f"summary.{s}.{word}", SIMILAR) for s in subjects for word in ("more", "fewer", "equal")}
    expected |= {(id, CUSTOMER) for id, _ in expected if "openRate" not in id}  # the customer's opens are not known
    expected |= {(f"summary.{alarm}", "") for alarm in ("probablyLost", "cooling", "waiting", "singleThread")}
    expected |= {
        (f"banner.{name}", "") for name in ("consentPending", "consentAutoOff", "consentWithdrawn", "consentSuspect")
    }
    expected |= {(f"mailbox.{reason}", "") for reason in ("denied", "missing", "busy")}
    evidence = ("emails.twoWay", "emails", "meetings", "calls")
    last = ("days", "weeks", "months", "today", "thisWeek")
    expected |= {(f"evidence.{name}", "") for name in (*evidence, *(f"last.{unit}" for unit in last))}
    assert patterns("en").keys() == expected


@pytest.mark.parametrize(
    ("language", "n", "text"),
    [
        ("en", 3, "Your team initiated 3 meetings more than the customer."),
        ("de", 1, "Ihr Team hat 1 Besprechung mehr angesetzt als der Kunde."),
        ("pl", 22, "Zespół zainicjował o 22 spotkania więcej niż klient."),
        ("ro", 20, "Echipa a inițiat cu 20 de întâlniri mai mult decât clientul."),
        ("ar", 2, "بادر فريقك إلى اجتماعات أكثر من العميل بفارق اجتماعين."),
        ("de-AT", 1234, "Ihr Team hat 1.234 Besprechungen mehr angesetzt als der Kunde."),
    ],
)
def test_sentences(language, n, text):
    assert Renderer().render("summary.meetings.more", {"n": n, "other": CUSTOMER}, language).text == text


@pytest.mark.parametrize(
    ("language", "day", "text"),
    [
        ("en", 14, "Consent pending: day 14 of 14, 1 day left."),
        ("de", 7, "Zustimmung steht aus: Tag 7 von 14, noch 8 Tage."),
        ("pl", 13, "Oczekiwanie na zgodę: dzień 13 z 14, pozostały 2 dni."),
        ("ro", 12, "Consimțământ în așteptare: ziua 12 din 14, au mai rămas 3 zile."),
    ],
)
def test_the_banner_counts_days_in_words(language, day, text):
    found = Renderer().render("banner.consentPending", {"day": day, "left": 15 - day}, language).text
    assert found.startswith(text)


def test_numbers_and_percent_signs_follow_the_locale():
    render = Renderer().render
    assert "1,5 Stunden" in render("summary.responseHours.more", {"n": 1.5, "other": CUSTOMER}, "de").text
    assert "73\u00a0%" in render("summary.singleThread", {"n": 73}, "de").text
    assert "73%" in render("summary.singleThread", {"n": 73}, "en").text


def test_a_language_without_catalogue_falls_back_to_english_and_is_counted():
    renderer = Renderer()
    found = renderer.render("summary.cooling", {"n": 30}, "fr-CH")
    assert (found.language, found.text.startswith("No contact for 30 days")) == ("en", True)
    renderer.render("summary.cooling", {"n": 30}, "de")
    assert renderer.fallbacks == {("fr-CH", "summary.cooling"): 1}


def test_an_unknown_message_is_our_mistake():
    with pytest.raises(UnknownMessageError, match=r"no message 'summary\.weather'"):
        Renderer().render("summary.weather", {}, "en")


def test_importing_the_renderer_imports_no_babel():
    code = "import shared.messages.render, sys; sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
