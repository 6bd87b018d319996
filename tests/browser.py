"""A browser for tests: Chromium by Playwright, what its pages requested and said, and axe-core to judge them.

``visit`` opens a page in a context of its own; ``Visit.offences`` is what no page of ours may do. Playwright runs an
event loop in the test's thread as long as the browser lives, which is one module: its tests call no ``asyncio.run``.
Chromium resolves no name, so that not even a broken page leaves the machine.
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import axe_core
import needed
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
_TIMEOUT = 10_000  # milliseconds that Playwright waits for anything


@dataclass
class Visit:
    """A page, and what it and all that it opened did so far."""

    page: Page
    requests: list[str] = field(default_factory=list)
    """The URL of each request, also of those that were blocked or failed."""
    console: list[str] = field(default_factory=list)
    """Errors and warnings, refusals by Content-Security-Policy among them."""
    errors: list[str] = field(default_factory=list)
    """Exceptions that nothing caught."""
    dialogs: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    """Windows that were opened besides."""

    def until(self, condition: str, *, seconds: float = 10) -> None:
        """Wait until the JavaScript expression is true. Raises Playwright's ``TimeoutError``.

        Goes in as a function: a bare expression would be evaluated again and again, which the policy of a page forbids.
        """
        self.page.wait_for_function(f"() => {condition}", timeout=seconds * 1000)

    def offences(self, host: str = "127.0.0.1") -> list[str]:
        """What no page of ours may do: requests elsewhere, complaints, exceptions, dialogs and windows."""
        return [
            *(f"request: {one}" for one in self.requests if urlsplit(one).hostname != host),
            *(f"console: {one}" for one in self.console),
            *(f"error: {one}" for one in self.errors),
            *(f"dialog: {one}" for one in self.dialogs),
            *(f"window: {one}" for one in self.pages),
        ]


Visitor = Callable[..., Visit]
Axe = Callable[["Page"], list[str]]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of one module; skips where Playwright or Chromium is absent."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra browser")
    program = needed.program("chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visitor]:
    """Opens a URL in a context of its own: ``visit(url, **options)``, with options of Playwright's ``new_context``."""
    contexts = []

    def opened(url: str, **options: Any) -> Visit:
        context = chromium.new_context(service_workers="block", accept_downloads=False, **options)
        contexts.append(context)
        context.set_default_timeout(_TIMEOUT)
        page = context.new_page()
        made = Visit(page)
        context.on("request", lambda request: made.requests.append(request.url))
        context.on("page", lambda other: made.pages.append(other.url))
        context.on("weberror", lambda error: made.errors.append(str(error.error)))
        context.on("console", lambda said: said.type in ("error", "warning") and made.console.append(said.text))
        context.on("dialog", lambda dialog: (made.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("websocket", lambda socket: made.requests.append(socket.url))
        page.goto(url)
        return made

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Axe:
    """Judges a page: ``axe(page)`` is what axe-core finds wrong, a line each. Skips where there is no npm to get it."""

    @functools.cache
    def source() -> str:
        if path := os.environ.get(axe_core.FILE):
            return Path(path).read_text(encoding="utf-8")
        if shutil.which("npm") is None:
            needed.absent(f"needs axe-core: install npm, or name axe.min.js in {axe_core.FILE}")
        return axe_core.fetch(tmp_path_factory.mktemp("axe")).read_text(encoding="utf-8")

    def violations(page: Page) -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(f"() => {{ {source()} }}")
        found = page.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations")
        return [
            f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))}: {node['failureSummary']}"
            for rule in found
            for node in rule["nodes"]
        ]

    return violations
