"""The page behind the link in a mail: who asks for whom, and two buttons. No script, no sign-in, nothing but that."""

from __future__ import annotations

import html
from urllib.parse import parse_qs

from shared import stamps
from shared.directory import directory
from shared.introduction_mail import RIGHT_TO_LEFT, texts
from shared.introduction_requests import Request
from shared.introductions import answer, ticket

_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Rapport</title><style>body{{font:1.1rem system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1rem;margin-block:.3rem;display:block}}</style>
<p>{text}</p>{form}</html>"""
_FORM = """<form method="post" action="answer"><input type="hidden" name="token" value="{token}">
<button name="answer" value="accepted">{accept}</button><button name="answer" value="declined">{decline}</button></form>"""


def question(token: str, now: int) -> tuple[int, str]:
    """Status and page for a link: the question, or that the link works no more (410)."""
    found = ticket(token, now)
    if found is None:
        return _gone()
    words = texts(found[0].language)
    form = _FORM.format(
        token=html.escape(token), accept=html.escape(words["accept"]), decline=html.escape(words["decline"])
    )
    return 200, _written(found[0], _asked(found[0]), form)


def answered(body: bytes, now: int) -> tuple[int, str]:
    """Status and page for a pressed button: thanks, or that the link works no more (410)."""
    fields = parse_qs(body.decode("utf-8", "replace"))
    token, state = (fields.get(name, [""])[0] for name in ("token", "answer"))
    request = answer(token, state, now) if state in ("accepted", "declined") else None
    return (200, _written(request, texts(request.language)[state])) if request else _gone()


def _asked(request: Request) -> str:
    ours = directory(stamps.read().people)
    text = texts(request.language)["question"]
    return text.replace("{asker}", ours.name(request.asker)).replace("{target}", request.target_name)


def _written(request: Request, text: str, form: str = "") -> str:
    direction = "rtl" if request.language in RIGHT_TO_LEFT else "ltr"
    return _PAGE.format(language=request.language, direction=direction, text=html.escape(text), form=form)


def _gone() -> tuple[int, str]:
    return 410, _PAGE.format(language="en", direction="ltr", text=html.escape(texts("en")["gone"]), form="")
