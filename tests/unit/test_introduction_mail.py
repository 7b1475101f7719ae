"""Templates of introductions: what may be in them, and what comes out."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInputError
from shared.introduction_mail import (
    LANGUAGES,
    LONGEST_MAILTO,
    PLACEHOLDERS,
    Mail,
    Template,
    as_html,
    checked,
    default_template,
    filled,
    mailto,
    texts,
)

VALUES = {name: f"[{name}]" for name in PLACEHOLDERS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_supplied_templates_pass_their_own_check_and_leave_no_brace(language: str) -> None:
    mail = filled(checked(default_template(language)), VALUES, "ben@us.example", language, "https://app.example/x")
    assert not set(mail.subject + mail.body) & set("{}")
    assert "https://app.example/x" in mail.body


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language: str) -> None:
    assert set(texts(language)) == set(texts("en"))


@pytest.mark.parametrize(
    "text", ["{asker.nmae}", "{strength}", "{}", "{asker.name", "asker.name}", "{{asker.name}}", "{ reason }"]
)
def test_an_unknown_placeholder_is_refused_where_it_stands(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        checked(Template("Hello", f"Dear {text}"))
    assert {path for path, _ in refused.value.errors} == {"$.body"}


def test_a_subject_of_two_lines_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        checked(Template("Hello\r\nBcc: someone@cust.example", "x"))


def test_a_line_whose_values_are_all_empty_is_left_out() -> None:
    template = Template("Hi", "Hello {introducer.firstName}\n\n{reason}\n\nThanks {asker.name}")
    assert (
        filled(template, {"introducer.firstName": "Ben", "asker.name": "Anna"}, "", "en").body
        == "Hello Ben\n\nThanks Anna"
    )


def test_an_empty_company_takes_its_brackets_along() -> None:
    template = Template("Hi", "you know {target.name} ({target.company}).")
    assert filled(template, {"target.name": "Kim"}, "", "en").body == "you know Kim."


def test_a_value_is_text_and_one_line_whatever_it_holds() -> None:
    mail = filled(Template("{reason}", "{reason}"), {"reason": "{asker.name}\r\nBcc: x <script>"}, "", "en")
    assert mail.subject == mail.body == "{asker.name} Bcc: x <script>"
    assert "&lt;script&gt;" in as_html(mail)


def test_html_runs_from_right_to_left_in_arabic() -> None:
    assert as_html(Mail("", "", "x", "ar")).startswith('<div dir="rtl" lang="ar">')
    assert as_html(Mail("", "", "x", "de")).startswith('<div dir="ltr" lang="de">')


@given(st.text(max_size=3000))
def test_a_mailto_link_is_at_most_2000_characters_and_cuts_at_the_end(body: str) -> None:
    link = mailto(Mail("ben@us.example", "Hello", body, "en"))
    head, _, text = link.partition("&body=")
    assert len(link) <= LONGEST_MAILTO
    shown, whole = unquote(text), body.replace("\n", "\r\n")
    assert shown == whole or (shown.endswith("…") and whole.startswith(shown[:-1]))
    assert head == "mailto:ben@us.example?subject=Hello"


@pytest.mark.parametrize("language", LANGUAGES)
@given(text=st.text(max_size=3000), reason=st.text(max_size=500), subject=st.text(min_size=1, max_size=200))
def test_a_mailto_link_keeps_the_answer_link_whatever_is_cut(
    language: str, text: str, reason: str, subject: str
) -> None:
    link = "https://rapport-a-long-name.azurewebsites.net/api/introductions/answer?token=" + "x" * 300
    subject, text = (re.sub(r"[{}]", "", each) or "x" for each in (subject, text))
    mail = filled(Template(subject, f"{text}\n{{reason}}"), {"reason": reason}, "ben@us.example", language, link)
    shown = mailto(mail)
    assert len(shown) <= LONGEST_MAILTO
    assert unquote(shown).endswith(mail.closing.replace("\n", "\r\n"))
    assert link in mail.closing and mail.body.endswith(mail.closing)
