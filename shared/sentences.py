"""Putting a stored summary into words, in the language that a reader asked for."""

from __future__ import annotations

import functools

from msgspec import json
from msgspec.structs import replace

from shared import telemetry
from shared.messages.render import Renderer
from shared.widgets import Summary


@functools.cache
def _renderer() -> Renderer:
    return Renderer()


def in_words(summary: bytes, language: str) -> bytes:
    """The summary with the text of each sentence; one without a translation is told in English, and counted."""
    told = json.decode(summary, type=Summary)
    sentences = []
    for sentence in told.sentences:
        text = _renderer().render(sentence.id, sentence.parameters, language)
        if not language.startswith(text.language):
            telemetry.count("rapport.missing_translations", language=language)
        sentences.append(replace(sentence, text=text.text, language=text.language))
    return json.encode(replace(told, sentences=sentences))
