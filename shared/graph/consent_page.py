"""The page to which Microsoft's consent page sends an administrator back: it hands the answer to whoever opened it.

It is public, since a browser that comes back carries no token of ours, and it decides nothing: the window from which consent was
asked for sends the answer to `POST consent/returned` under the administrator's own sign-in. Without such a window the page shows
what has to be sent. The state in the answer is of no use to anybody else.
"""

from __future__ import annotations

import base64
import hashlib
import json

from shared.settings import settings

_SCRIPT = """
"use strict";
const given = new URLSearchParams(location.search);
const answer = {};
for (const name of ["state", "tenant", "admin_consent", "error"]) answer[name] = given.get(name) ?? "";
history.replaceState(null, "", location.pathname);
const say = (text) => { document.querySelector("p").textContent = text; };
if (!answer.state && answer.admin_consent && !answer.error)
  say("Consent was given. Rapport looks for it every hour; an administrator of Rapport can have it looked for at once.");
else if (!answer.state) say("Nothing came back from the consent page. Please begin anew from the settings.");
else if (window.opener) {
  for (const origin of [location.origin, ...ORIGINS]) window.opener.postMessage({ rapportConsent: answer }, origin);
  say("The answer was handed to the window that asked for consent. This one can be closed.");
} else {
  say("Send this to POST /api/consent/returned, signed in as the administrator who asked for consent:");
  document.querySelector("pre").textContent = JSON.stringify(answer, null, 2);
}
"""
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Rapport</title>
<style>body{font:1.1rem system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem}pre{overflow:auto}</style>
<p>This page needs JavaScript.</p><pre></pre><script>SCRIPT</script></html>"""


def _script() -> str:
    # Origins are letters, digits and signs that no script could be broken with; settings() refuses others.
    return _SCRIPT.replace("ORIGINS", json.dumps(settings().origins))


def page() -> str:
    """The page; the answer stands in its address, and only its script reads it.

    It hands the answer to a page of the app's own or of an allowed origin, and to no other that may have opened it.
    """
    return _PAGE.replace("SCRIPT", _script())


def policy() -> str:
    """Its content security policy: this one script, named by its digest, and no request to anywhere."""
    digest = base64.b64encode(hashlib.sha256(_script().encode()).digest()).decode()
    return f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; frame-ancestors 'none'"
