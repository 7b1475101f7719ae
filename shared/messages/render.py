"""Message ids and parameters to text: plural forms, numbers and percent signs as the language wants them (CLDR, by Babel).

A catalogue file has `sentences` (by id; where a sentence names what it compares with, by `other`) and `units`. A slot
`{n:meetings}` is parameter `n` counted in the unit `meetings`, in the plural form that fits the number as it is shown. Units
are in the grammatical case in which all sentences of that language use them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from msgspec import Struct

from shared import decoders

if TYPE_CHECKING:
    from babel import Locale

FALLBACK = "en"
LANGUAGES = ("en", "de", "pl", "ro", "ar")
_SLOT = re.compile(r"\{(\w+):(\w+)\}")

Number = int | float
Parameters = Mapping[str, int | float | str]


class Catalogue(Struct, frozen=True, forbid_unknown_fields=True):
    """One language's words."""

    units: dict[str, dict[str, str]]
    sentences: dict[str, str | dict[str, str]]

    def sentence(self, id: str, other: str) -> str | None:
        """The pattern of a message, or None where the language has none."""
        found = self.sentences.get(id)
        return found.get(other) if isinstance(found, dict) else found


class UnknownMessageError(LookupError):
    """A message id that even English does not have: a mistake of ours, not of the caller."""


@dataclass(frozen=True)
class Text:
    """A rendered sentence and the language it is really in."""

    text: str
    language: str


@dataclass
class Renderer:
    """Renders messages and counts those that had to fall back to English, by (language, message id)."""

    fallbacks: Counter[tuple[str, str]] = field(default_factory=Counter)

    def render(self, id: str, parameters: Parameters, language: str) -> Text:
        """The text of a message. `language` may name a region (`de-AT`). Raises UnknownMessageError for an unknown id."""
        spoken = _base(language)
        text = _rendered(id, parameters, spoken) if spoken in LANGUAGES else None
        if text is not None:
            return Text(text, spoken)
        self.fallbacks[language, id] += 1
        text = _rendered(id, parameters, FALLBACK)
        if text is None:
            raise UnknownMessageError(f"no message {id!r} for {parameters.get('other', 'any')!r}")
        return Text(text, FALLBACK)


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Catalogue:
    """The catalogue of one of LANGUAGES, read once."""
    text = files(__package__).joinpath(f"{language}.json").read_text(encoding="utf-8")
    return decoders.convert(json.loads(text), Catalogue)


def plural_form(number: Number, language: str) -> str:
    """The CLDR plural category of a number as it is shown: zero, one, two, few, many or other."""
    return _locale(language).plural_form(_as_shown(number))


def _rendered(id: str, parameters: Parameters, language: str) -> str | None:
    words = catalogue(language)
    pattern = words.sentence(id, str(parameters.get("other", "")))
    if pattern is None:
        return None
    return _SLOT.sub(lambda slot: _counted(words.units[slot[2]], _number(parameters[slot[1]]), language), pattern)


def _counted(forms: Mapping[str, str], number: Number, language: str) -> str:
    """A number with its unit, such as "3 meetings"; `{n}` in the form is the number and `{p}` the number as a percentage."""
    from babel.numbers import format_decimal, format_percent

    form = forms.get(plural_form(number, language), forms["other"])
    locale, digits = _locale(language), "default"
    shown = format_decimal(_as_shown(number), "#,##0.#", locale, numbering_system=digits)
    percent = format_percent(Decimal(str(number)) / 100, locale=locale, numbering_system=digits)
    return form.replace("{n}", shown).replace("{p}", percent)


def _as_shown(number: Number) -> Number | Decimal:
    return int(number) if float(number).is_integer() else Decimal(str(number))


def _number(value: int | float | str) -> Number:
    if isinstance(value, str):
        raise TypeError(f"a counted parameter must be a number, not {value!r}")
    return value


def _base(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


@lru_cache(maxsize=len(LANGUAGES))
def _locale(language: str) -> Locale:
    from babel import Locale

    return Locale.parse(language)
