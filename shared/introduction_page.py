"""The page behind the link in a mail: who asks for whom and since when, and three buttons. No script, no sign-in, nothing but
that."""

from __future__ import annotations

import html
import re
import time
from urllib.parse import parse_qs

from shared import introduction_links, stamps
from shared.directory import directory
from shared.introduction_mail import RIGHT_TO_LEFT, texts
from shared.introduction_requests import Request
from shared.introductions import DO_NOT_ASK, answer

_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Rapport</title><style>body{{font:1.1rem system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1rem;margin-block:.3rem;display:block}}</style>
<p>{text}</p>{form}</html>"""
_FORM = """<form method="post" action="answer"><input type="hidden" name="token" value="{token}">
<button name="answer" value="accepted">{accept}</button><button name="answer" value="declined">{decline}</button>
<button name="answer" value="doNotAsk">{doNotAsk}</button></form>"""

_THANKS = {"accepted": "accepted", "declined": "declined", DO_NOT_ASK: "notAskedAgain"}


def question(token: str, now: int) -> tuple[int, str]:
    """Status and page for a link: the question, or that the link works no more (410)."""
    request = introduction_links.behind(token, now)
    if request is None:
        return _gone()
    words = {name: html.escape(texts(request.language)[name]) for name in ("accept", "decline", DO_NOT_ASK)}
    return 200, _written(request, _asked(request), _FORM.format(token=html.escape(token), **words))


def answered(body: bytes, now: int) -> tuple[int, str]:
    """Status and page for a pressed button: thanks, or that the link works no more (410)."""
    fields = parse_qs(body.decode("utf-8", "replace"))
    token, said = (fields.get(name, [""])[0] for name in ("token", "answer"))
    request = answer(token, said, now) if said in _THANKS else None
    return (200, _written(request, texts(request.language)[_THANKS[said]])) if request else _gone()


def _asked(request: Request) -> str:
    ours = directory(stamps.read().people)
    day = time.strftime("%Y-%m-%d", time.gmtime(request.requested_at or request.created_at))
    values = {"{asker}": ours.name(request.asker), "{target}": request.target_name, "{day}": day}
    return re.sub(r"\{\w+\}", lambda slot: values[slot[0]], texts(request.language)["question"])


def _written(request: Request, text: str, form: str = "") -> str:
    direction = "rtl" if request.language in RIGHT_TO_LEFT else "ltr"
    return _PAGE.format(language=request.language, direction=direction, text=html.escape(text), form=form)


def _gone() -> tuple[int, str]:
    return 410, _PAGE.format(language="en", direction="ltr", text=html.escape(texts("en")["gone"]), form="")
