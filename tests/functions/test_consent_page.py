"""The page that consent comes back to: public, without any power, and closed to scripts that are not its own."""

from __future__ import annotations

import base64
import hashlib
import re

import azure.functions as func

from functions.consent import get_consent_done


def test_the_page_runs_its_own_script_only_and_repeats_nothing_of_its_address() -> None:
    hostile = {"state": "<script>alert(1)</script>", "tenant": "t", "admin_consent": "True", "error": "<b>"}
    request = func.HttpRequest("GET", "https://app.example/api/consent/done", params=hostile, body=b"")
    answer = get_consent_done._function.get_user_function()(request)
    text = answer.get_body().decode()
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "alert(1)" not in text and "<b>" not in text
    policy = answer.headers["Content-Security-Policy"]
    (script,) = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ") and f"script-src 'sha256-{digest}'" in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
