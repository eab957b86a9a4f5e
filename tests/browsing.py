"""Visits in a real Chromium: by somebody who is logged in, with what the page asked of the network kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.serving import COOKIE, Served

CHROMIUM = "/usr/bin/chromium-headless-shell"
KEYS: dict[str, str] = {}  # the cookie with which an address is visited
QUIET_MS = 350  # without any change of the document, before a page counts as drawn
# Charts come in files of their own and are drawn later than all else: a page without its charts is not still.
STILL = """quiet => {
    const now = performance.now();
    if (!window.buluoWatched) {
        window.buluoWatched = {at: now};
        new MutationObserver(() => { window.buluoWatched.at = performance.now(); })
            .observe(document.documentElement, {subtree: true, childList: true, attributes: true, characterData: true});
    }
    const drawn = [...document.querySelectorAll('[data-testid="stPlotlyChart"]')].every(one => one.querySelector('.main-svg'));
    const running = !document.querySelector('[data-testid="stApp"][data-test-script-state="notRunning"]');
    return drawn && !running && now - window.buluoWatched.at >= quiet;
}"""
# One profile an address: a page whose scripts the browser has already costs half of what it costs a new one.
_PROFILES: dict[str, BrowserContext] = {}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield found
        _PROFILES.clear()
        found.close()


@pytest.fixture(scope="session")
def address(served: Served) -> str:
    """Where it is; whoever visits is county staff for the whole county."""
    KEYS[served.address] = served.log_in("county_staff")
    return served.address


def profile(browser: Browser, address: str) -> BrowserContext:
    """The profile in which an address is visited: between visits it keeps the files that the server lets a browser keep."""
    if address not in _PROFILES:
        _PROFILES[address] = browser.new_context(locale="zh-CN")
    context = _PROFILES[address]
    context.clear_cookies()
    context.add_cookies([{"name": COOKIE, "value": KEYS[address], "url": address}])
    return context


class Visit:
    """One page opened in a window of its own; what it asked of the network is kept."""

    def __init__(self, browser: Browser, address: str, path: str, width: int = 1440, height: int = 900) -> None:
        self.page: Page = profile(browser, address).new_page()
        self.page.set_viewport_size({"width": width, "height": height})
        self.foreign: list[str] = []
        self.page.on("request", lambda request: self._note(request.url, address))
        try:
            self.page.goto(address + path)
            self.settle()
        except BaseException:
            self.page.close()  # nobody else will: there is no visit
            raise

    def _note(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:", address.replace("http", "ws"))):
            self.foreign.append(url)

    def settle(self) -> None:
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000)
        self.page.wait_for_selector(".bl-title, .bl-tiles, .bl-empty", timeout=60_000)
        self.page.wait_for_function(STILL, arg=QUIET_MS, timeout=60_000)

    def text(self) -> str:
        """What a person reads: without the names of icons, which a font turns into pictures."""
        self.page.evaluate(
            "document.querySelectorAll('[data-testid=stIconMaterial]').forEach(icon => icon.style.display = 'none')"
        )
        return self.page.locator('[data-testid="stMain"]').inner_text()

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.page.evaluate("localStorage.clear()")
        finally:
            self.page.close()


def check(visit: Visit) -> None:
    assert visit.foreign == []
    assert visit.page.locator('[data-testid="stException"], .bl-failure').count() == 0
    wide = visit.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "the page scrolls sideways"
