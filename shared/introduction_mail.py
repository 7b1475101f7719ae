"""The mail that asks for an introduction: the administrator's template, filled and escaped, as HTML, text or mailto link.

Nothing about strength or evidence is ever put in: a template knows only the placeholders below.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated
from urllib.parse import quote

from msgspec import Meta, Struct, json

from shared.errors import InvalidInputError

PLACEHOLDERS = (
    "asker.name", "asker.firstName", "introducer.firstName", "target.name", "target.company", "record.name", "reason",
)  # fmt: skip
LANGUAGES = ("en", "de", "pl", "ro", "ar")
RIGHT_TO_LEFT = frozenset({"ar"})
FALLBACK = "en"
LONGEST_MAILTO = 2_000
_SLOT = re.compile(r"\{([^{}]*)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


class Template(Struct, frozen=True, forbid_unknown_fields=True):
    """Subject and body with placeholders in braces. A line whose placeholders are all empty is left out."""

    subject: Annotated[str, Meta(min_length=1, max_length=200)]
    body: Annotated[str, Meta(min_length=1, max_length=4_000)]


class Mail(Struct, frozen=True):
    """A filled mail: subject and body as plain text. `closing` is the end of the body, which no cut may take: the answer link."""

    to: str
    subject: str
    body: str
    language: str
    closing: str = ""


@cache
def texts(language: str) -> Mapping[str, str]:
    """The supplied texts in a language, English where there are none."""
    found: dict[str, dict[str, str]] = json.decode(files("shared").joinpath("introduction_texts.json").read_bytes())
    return found.get(language, found[FALLBACK])


def spoken(language: str) -> str:
    """The language of the texts for a language tag: `de` for `de-AT`, English for what is not spoken.

    >>> spoken("de-AT"), spoken("fi")
    ('de', 'en')
    """
    base = language.partition("-")[0].lower()
    return base if base in LANGUAGES else FALLBACK


def default_template(language: str) -> Template:
    """The supplied template."""
    return Template(texts(language)["subject"], texts(language)["body"])


def checked(template: Template) -> Template:
    """The template itself. Raises InvalidInputError naming every unknown placeholder and stray brace, by field."""
    wrong = [
        (f"$.{field}", problem)
        for field, text in (("subject", template.subject), ("body", template.body))
        for problem in _problems(text)
    ]
    if _CONTROL.search(template.subject):
        wrong.append(("$.subject", "the subject is one line"))
    if wrong:
        raise InvalidInputError("The template cannot be used.", errors=wrong)
    return template


def _problems(text: str) -> list[str]:
    unknown = [f"unknown placeholder {{{name}}}" for name in _SLOT.findall(text) if name not in PLACEHOLDERS]
    stray = ["a brace that belongs to no placeholder"] if set(_SLOT.sub("", text)) & set("{}") else []
    return [*unknown, *stray]


def filled(template: Template, values: Mapping[str, str], to: str, language: str, link: str = "") -> Mail:
    """The mail of a checked template; a value is one line whatever it holds. `link`: where the introducer answers."""
    plain = {name: _CONTROL.sub(" ", values.get(name, "")).strip() for name in PLACEHOLDERS}
    body = "\n".join(line for text in template.body.split("\n") if (line := _line(text, plain)) is not None)
    body = re.sub(r"\n{3,}", "\n\n", body).strip("\n")
    closing = "\n\n" + texts(language)["answer"].replace("{link}", link) if link else ""
    subject = _line(template.subject, plain) or template.subject
    return Mail(to, subject, body + closing, language, closing)


def _line(text: str, values: Mapping[str, str]) -> str | None:
    names = _SLOT.findall(text)
    if names and not any(values[name] for name in names):
        return None
    # In one pass, so that braces inside a value are text. An empty value takes its brackets along.
    line = _SLOT.sub(lambda slot: values[slot[1]], text)
    return line.replace(" ()", "")


def as_html(mail: Mail) -> str:
    """The body as HTML: every value escaped, right to left where the language is."""
    direction = "rtl" if mail.language in RIGHT_TO_LEFT else "ltr"
    lines = "<br>\n".join(_linked(html.escape(line)) for line in mail.body.split("\n"))
    return f'<div dir="{direction}" lang="{mail.language}">{lines}</div>'


def _linked(line: str) -> str:
    return re.sub(r"(https?://\S+)", r'<a href="\1">\1</a>', line)


def mailto(mail: Mail) -> str:
    """A link that opens the mail in the caller's own program, at most 2,000 characters long; of a longer mail the text is cut, if
    need be the subject, and never the answer link at its end."""
    to, closing = f"mailto:{quote(mail.to, safe='@')}", quote(_lines(mail.closing))
    left = LONGEST_MAILTO - len(to) - len(closing) - len("?subject=&body=")
    subject = _fitting(mail.subject, left)
    text = _fitting(_lines(mail.body.removesuffix(mail.closing)), left - len(subject))
    return f"{to}?subject={subject}&body={text}{closing}"


def _lines(text: str) -> str:
    return text.replace("\n", "\r\n")


def _fitting(text: str, places: int) -> str:
    """The text as part of a link, cut so that it takes at most so many places.

    >>> _fitting("a b", 5), _fitting("a b", 4), _fitting("ab" * 9, 11)
    ('a%20b', '', 'ab%E2%80%A6')
    """
    whole = quote(text)
    while len(whole) > places:
        if not text:
            return ""
        text = text[: -max((len(whole) - places) // 12, 1)]  # a character takes up to 12 places
        whole = quote(text + "…")
    return whole
