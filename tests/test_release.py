"""What a registry would be given: its README, its addresses, its wheel; and that nothing is given too early."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import build_check
import pytest
import release
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parent.parent
README = ROOT.joinpath("README.md").read_text(encoding="utf-8")
SETUP = ROOT.joinpath("setup.cfg").read_text(encoding="utf-8")
# Addresses of a fork that nobody has: the tests open none of them.
HOME = "https://github.com/mm7zeep-fork/mm7zeep"
FILLED = SETUP.replace(
    "project_urls =\n",
    f"project_urls =\n    Source = {HOME}\n    Issues = {HOME}/issues\n    Security = {HOME}/security\n"
    f"    Changelog = {HOME}/blob/main/CHANGELOG.md\n",
)
PLACES = release.Places("https://pages/", "https://files/")


def targets(markdown: str) -> list[str]:
    """Where all links and pictures of a text lead, as a Markdown parser sees them."""

    def walk(tokens: list[Token]) -> list[str]:
        found = []
        for token in tokens:
            found += [str(token.attrs[name]) for name in ("href", "src") if name in token.attrs]
            found += walk(token.children or [])
        return found

    return walk(MarkdownIt().parse(markdown))


def test_every_link_of_the_readme_works_elsewhere() -> None:
    """Rewritten, each link is absolute and names the same file at the tag; nothing else of the text changes."""
    text = release.rewritten(README, ROOT, release.places(HOME, "v9.8.7"))
    before, after = targets(README), targets(text)
    assert len([one for one in before if "://" not in one]) >= 15
    for was, now in zip(before, after, strict=True):
        if "://" in was or was.startswith("#"):
            assert now == was
        else:
            kind = "raw" if was.endswith(".png") else "blob"
            assert now == f"{HOME}/{kind}/v9.8.7/{was}"
            assert ROOT.joinpath(was.partition("#")[0]).is_file()
    for was, now in zip(before, after, strict=True):
        text = text.replace(f"]({now})", f"]({was})", 1)
    assert text == README


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("[a](docs/gateway.md#rates)", "[a](https://pages/docs/gateway.md#rates)"),
        ("[a](<docs/gateway.md>)", "[a](<https://pages/docs/gateway.md>)"),
        ("[a](./LICENSE)", "[a](https://pages/LICENSE)"),
        ("[a]: docs/api.md", "[a]: https://pages/docs/api.md"),
        (
            "[![p](docs/images/inbox.png)](docs/viewer.md 'see')",
            "[![p](https://files/docs/images/inbox.png)](https://pages/docs/viewer.md 'see')",
        ),
        ('<img src="docs/images/inbox.png" width="9">', '<img src="https://files/docs/images/inbox.png" width="9">'),
        ("[a](#send), [b](https://mmsc.example/a), [c](mailto:a@b.example)", None),
        ("`[a](docs/gone.md)` and ``[b](docs/gone.md)``", None),
        ("```text\n[a](docs/gone.md)\n```\n", None),
    ],
)
def test_forms_of_links(written: str, wanted: str | None) -> None:
    """Links of all forms are rewritten; those that lead elsewhere, and code, stay."""
    assert release.rewritten(written, ROOT, PLACES) == (wanted or written)


@pytest.mark.parametrize("target", ["docs/gone.md", "../elsewhere.md"])
def test_a_link_to_nothing_is_refused(target: str) -> None:
    """A link to what is not in the checkout stops a release, and is told with its line."""
    with pytest.raises(release.NotReady, match=rf"line 3 links to {target}"):
        release.rewritten(f"one\n\n[two]({target})", ROOT, PLACES)


def test_addresses_of_a_release() -> None:
    """All four addresses are taken as written; the repository's says how files are named at a tag."""
    assert release.project_urls(FILLED)["Source"] == HOME
    assert set(release.project_urls(FILLED)) == set(release.LABELS)
    for source in (HOME, f"{HOME}/", f"{HOME}.git"):
        assert release.places(source, "v1") == (f"{HOME}/blob/v1/", f"{HOME}/raw/v1/")
    with pytest.raises(release.NotReady, match=r"HOSTS does not say how git\.sr\.ht"):
        release.places("https://git.sr.ht/~a/b", "v1")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("project_urls =", "x ="), "lacks Source, Issues, Security, Changelog"),
        ((f"    Issues = {HOME}/issues\n", ""), "lacks Issues"),
        ((f"Source = {HOME}", "Source = http://github.com/a/b"), "Source = http://github.com/a/b is no address"),
        ((f"Source = {HOME}", "Source = https://mm7zeep.example/a"), "is no address that everybody can open"),
        ((f"Source = {HOME}", "Source = https://localhost/a"), "is no address that everybody can open"),
    ],
)
def test_addresses_that_stop_a_release(change: tuple[str, str], problem: str) -> None:
    """A missing address, one without TLS, and one that nobody can have stop a release."""
    assert change[0] in FILLED
    with pytest.raises(release.NotReady, match=problem):
        release.project_urls(FILLED.replace(*change))


def test_changelog_of_a_release() -> None:
    """What is released has a section of its own, with its date."""
    release.check_changelog("## [Unreleased]\n\n## [1.2.0] - 2026-11-28\n", "1.2.0")
    for text in ("## [Unreleased]\n", "## [1.2.0]\n", "## [1x2.0] - 2026-11-28\n"):
        with pytest.raises(release.NotReady, match="has no section"):
            release.check_changelog(text, "1.2.0")


def test_no_release_without_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as setup.cfg names no addresses, the step that builds a release ends with what is missing."""
    tmp_path.joinpath("setup.cfg").write_text(FILLED.replace(f"Source = {HOME}", "Source ="))
    monkeypatch.setattr(build_check, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match=r"no release: setup\.cfg: project_urls lacks Source;"):
        build_check.release()
    assert not tmp_path.joinpath("dist").exists()


def _git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.once
def test_what_a_registry_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a checkout with addresses, date and tag comes a wheel that names them, and holds the package alone."""
    if not ROOT.joinpath(".git").exists():
        pytest.skip("an unpacked sdist has no commits to release")
    here = tmp_path / "checkout"
    subprocess.run(["git", "-c", f"safe.directory={ROOT / '.git'}", "clone", "-q", ROOT, here], check=True)
    number = release.version(SETUP)
    here.joinpath("setup.cfg").write_text(FILLED, encoding="utf-8")
    monkeypatch.setattr(build_check, "ROOT", here)
    with pytest.raises(release.NotReady, match="has no section"):
        build_check.release_copy(tmp_path / "copy")
    with here.joinpath("CHANGELOG.md").open("a", encoding="utf-8") as changelog:
        changelog.write(f"\n## [{number}] - 2026-11-28\n")
    with pytest.raises(release.NotReady, match=r"not committed: .*setup\.cfg"):
        build_check.release_copy(tmp_path / "copy")
    _git(here, "commit", "-qam", "Release")
    with pytest.raises(release.NotReady, match=f"no tag v{number}"):
        build_check.release_copy(tmp_path / "copy")
    _git(here, "tag", f"v{number}")
    copy = build_check.release_copy(tmp_path / "copy")
    subprocess.run(
        [sys.executable, "-m", "pip", "-q", "wheel", "--no-deps", "--wheel-dir", tmp_path / "out", copy], check=True
    )
    [wheel] = tmp_path.joinpath("out").iterdir()
    metadata = build_check.metadata_of(wheel)
    release.check_metadata(metadata, release.project_urls(FILLED))
    assert f"]({HOME}/blob/v{number}/docs/gateway.md)" in metadata
    with pytest.raises(release.NotReady, match="names the project URLs"):
        release.check_metadata(metadata, {"Source": HOME})
    with pytest.raises(release.NotReady, match=r"still links to docs/a\.md"):
        release.check_metadata("Metadata-Version: 2.1\n\n[a](docs/a.md)\n", {})
    names = build_check.held(wheel)
    assert {Path(name).suffix for name in names} == {
        ".py", ".typed", ".xsd", ".wsdl", ".css", ".js", ".svg", ".html", ".json",
    }  # fmt: skip
    assert {name.split("/")[0] for name in names} == {"mm7zeep"}
    assert [name for name in names if "tests" in name.split("/") or name.split("/")[-1].startswith("test_")] == []
    build_check.compare(wheel.name, found=names, wanted=build_check.shipped())


def test_shown_output_is_what_comes_out() -> None:
    """What docs/contributing.md shows of a release without addresses is what is said."""
    page = ROOT.joinpath("docs", "contributing.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"(?m)^no release: (.*)$", page)
    with pytest.raises(release.NotReady) as caught:
        release.project_urls("[metadata]\nproject_urls =\n")
    assert str(caught.value) == shown
