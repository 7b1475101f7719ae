"""Putting a stored summary into words, in the language that a reader asked for."""

from __future__ import annotations

import functools

from msgspec import json
from msgspec.structs import replace

from shared import decoders, telemetry
from shared.known_colleagues import Evidence
from shared.messages.render import Renderer
from shared.widgets import Summary


@functools.cache
def _renderer() -> Renderer:
    return Renderer()


def evidence_line(evidence: Evidence, language: str) -> str:
    """The evidence as one line, such as "11 emails both ways, 2 meetings, last 3 weeks ago"."""
    parts = [("evidence.emails.twoWay" if evidence.two_way else "evidence.emails", evidence.emails)]
    parts += [("evidence.meetings", evidence.meetings), ("evidence.calls", evidence.calls)]
    unit, n = evidence.last_ago.unit, evidence.last_ago.n
    last = {"days": "evidence.last.today", "weeks": "evidence.last.thisWeek"}.get(unit) if not n else None
    told = [*((id, number) for id, number in parts if number), (last or f"evidence.last.{unit}", n)]
    texts = [_renderer().render(id, {"n": number}, language) for id, number in told]
    return ("، " if texts[0].language == "ar" else ", ").join(text.text for text in texts)


def in_words(summary: bytes, language: str) -> bytes:
    """The summary with the text of each sentence; one without a translation is told in English, and counted."""
    told = decoders.of_json(Summary).decode(summary)
    sentences = []
    for sentence in told.sentences:
        text = _renderer().render(sentence.id, sentence.parameters, language)
        if not language.startswith(text.language):
            telemetry.count("rapport.missing_translations", language=language)
        sentences.append(replace(sentence, text=text.text, language=text.language))
    return json.encode(replace(told, sentences=sentences))
