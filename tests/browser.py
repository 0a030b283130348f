"""A real Chromium for tests of pages, shut off from everything but this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, Route, expect, sync_playwright

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
]  # root in a container has no sandbox and little /dev/shm
DESKTOP = {"width": 1280, "height": 900}
PATIENCE = 20_000  # ms; the first answer of a page may load torch, on a machine that is busy
PHONE = {"width": 390, "height": 844}


def chromium() -> str | None:
    """The browser to start: $ZOO_CHROMIUM, else the system's; None leaves it to Playwright's own."""
    return os.environ.get("ZOO_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Skips the test where there is no browser, except in CI: there it fails."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        if not (chromium() or Path(playwright.chromium.executable_path).exists()):
            _absent("no Chromium here: install one, set ZOO_CHROMIUM, or run `playwright install chromium`")
        browser = _start(playwright)
        yield browser
        browser.close()


def _start(playwright: Playwright) -> Browser:
    try:
        return playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
    except Error as why:
        pytest.fail(f"Chromium does not start: {why}")


def _absent(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def offline(browser: Browser, **options: object) -> BrowserContext:
    """A fresh context whose requests beyond this machine are cut off. `options` as for `new_context`."""
    context = browser.new_context(**options)
    context.route("**/*", _loopback_only)
    context.set_default_timeout(PATIENCE)
    return context


def findings(page: Page, *, without: str | None = None) -> list[tuple[str, list[str]]]:
    """What axe finds serious or critical on a page: (its rule, where). `without`: a selector of what is not ours."""
    context = {"exclude": [[without]]} if without else None
    found = Axe().run(page, context=context).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    return [(one["id"], [" ".join(node["target"]) for node in one["nodes"]]) for one in grave]


def _loopback_only(route: Route) -> None:
    inside = urlsplit(route.request.url).hostname in LOOPBACK
    route.continue_() if inside else route.abort()
