"""A real browser for the widgets: the Chromium of this machine, one a file, a page a test.

`CHROMIUM_PATH` names another one. Where none is found, tests are skipped with the reason, and fail in CI. A failed test
leaves its picture and what the console said in build/web-failures/.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.doubles.platform import trust_platform
from tests.web.real_app import RealApp, running_app
from tests.web.recorded_app import RecordedApp, running_form

FAILURES = Path(__file__).resolve().parents[2] / "build/web-failures"
RECORD = "7574479f-fabc-582b-9af1-d106b0a5ffb5"
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def _chromium() -> str:
    found = os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, _NAMES)), "")
    if not found:
        missing = (
            f"no browser: install Chromium (Debian: apt-get install chromium), or set CHROMIUM_PATH; tried {_NAMES}"
        )
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ended with its file: while it lives its event loop runs, and other tests of the process could start none."""
    path = _chromium()
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, and only to root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """What the pages of a file's tests share: the cache, so that the scripts are loaded once."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, timezone_id="UTC", locale="en-US")
    yield context
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Let fixtures know whether their test failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture
def page(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page whose errors fail the test: exceptions, and what it breaks of the form's Content-Security-Policy."""
    page = window.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    yield page
    # The browser itself notes every refused request; anything else is a mistake of ours.
    wrong = [one for one in said if one.startswith("error") and "Failed to load resource" not in one]
    if request.node.stash.get(FAILED, False) or wrong:
        FAILURES.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"\W+", "-", request.node.name)
        page.screenshot(path=FAILURES / f"{name}.png", full_page=True)
        (FAILURES / f"{name}.log").write_text("\n".join(said), encoding="utf-8")
    page.close()
    assert not wrong


@pytest.fixture(scope="session")
def form_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedApp]:
    folder = tmp_path_factory.mktemp("form")
    (folder / "sample.json").write_text(json.dumps({"records": {"opportunity": RECORD, "account": RECORD}}))
    with running_form(folder) as running:
        yield running


@pytest.fixture
def form(form_server: RecordedApp) -> RecordedApp:
    form_server.reset()
    return form_server


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealApp]:
    with running_app(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture
def app(app_server: RealApp, storage: object, queues: object, monkeypatch: pytest.MonkeyPatch) -> RealApp:
    """The app of this process behind the form server, with empty tables and queues."""
    trust_platform(monkeypatch)
    app_server.asked.clear()
    return app_server
