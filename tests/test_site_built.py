"""The documentation site as ``tox -e docs`` builds it in MM7ZEEP_TEST_SITE: links, twins, nothing from elsewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import release
from made_docs import DOCS

pytestmark = pytest.mark.site

LOADED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}
"""By element, the attribute that names what a browser fetches with the page."""


class Page(HTMLParser):
    """What one page links to, loads, and has anchors for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.anchors.add(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        fetched = LOADED.get(tag)
        if fetched in values and values.get("rel") not in ("index", "search", "next", "prev", "canonical"):
            self.loaded.append(values[fetched])


@pytest.fixture(scope="module")
def site() -> Path:
    """The folder of the built site."""
    folder = os.environ.get("MM7ZEEP_TEST_SITE")
    if not folder:
        pytest.fail("MM7ZEEP_TEST_SITE does not name a built site: run tox -e docs")
    return Path(folder)


@pytest.fixture(scope="module")
def built(site: Path) -> dict[Path, Page]:
    """Every page by its path."""
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def names() -> Iterator[str]:
    """The pages of the sources."""
    return (path.relative_to(DOCS).with_suffix("").as_posix() for path in sorted(DOCS.rglob("*.md")))


def test_links_lead_somewhere(site: Path, built: dict[Path, Page]) -> None:
    """Every link inside the site names a file that is there, and an anchor that is on it."""
    seen, broken = 0, []
    for path, page in built.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            seen += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            target = target / "index.html" if target.is_dir() else target
            anchors = built[site / target.relative_to(site.resolve())].anchors if target.suffix == ".html" else set()
            gone = not target.is_file()
            if gone or (parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in anchors):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []
    assert seen > 20 * len(built)


def test_nothing_comes_from_elsewhere(site: Path, built: dict[Path, Page]) -> None:
    """No page, style sheet or script of the site has a browser fetch anything from another host."""
    assert [
        (str(path), address)
        for path, page in built.items()
        for address in page.loaded
        if urlsplit(address).scheme not in ("", "data") or urlsplit(address).netloc
    ] == []
    sheets = sorted(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        text = re.sub(r"(?s)/\*.*?\*/", "", sheet.read_text(encoding="utf-8"))
        assert re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//[^)'\"]*", text) == [], sheet


def test_each_page_has_its_twin(site: Path) -> None:
    """Beside each page stands its Markdown, and ``llms.txt`` lists every one but the front page."""
    listed = re.findall(r"(?m)^- \[[^]]+\]\(([^)]+)\.md\)", site.joinpath("llms.txt").read_text(encoding="utf-8"))
    assert sorted([*listed, "index"]) == sorted(names())
    for name in names():
        assert site.joinpath(f"{name}.html").is_file()
        text = site.joinpath(f"{name}.md").read_text(encoding="utf-8")
        assert text.startswith("# "), name
        assert "{toctree}" not in text


def test_links_of_twins_lead_somewhere(site: Path) -> None:
    """What a twin links to is there, too: other twins, and the files that pages offer."""
    seen, broken = 0, []
    for name in [*names(), "llms.txt"]:
        path = site / (name if name.endswith(".txt") else f"{name}.md")
        for link in release.relative_links(path.read_text(encoding="utf-8")):
            target = link["target"].partition("#")[0]
            seen += 1
            broken += [] if (path.parent / target).is_file() or not target else [f"{name}: {target}"]
    assert broken == []
    assert seen > 100


def test_twin_of_the_api_has_its_text(site: Path) -> None:
    """Where docstrings fill a page, its twin has them."""
    errors = site.joinpath("reference", "api", "errors.md").read_text(encoding="utf-8")
    assert "exception mm7zeep.TransportError" in errors
    assert "{eval-rst}" not in errors
