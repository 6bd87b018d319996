"""What a release needs besides a good build: addresses that people can open, and a README that a registry can show.

A registry shows the README far from its repository, where ``docs/gateway.md`` leads nowhere; so a release is built from
a copy of the checkout in which every relative link has become that of the file at the release's tag. README.md itself
stays as it is. Addresses come from ``project_urls`` of setup.cfg; nothing here invents one. Run by
``build_check.py release``.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

LABELS = ("Source", "Issues", "Security", "Changelog")
"""What ``project_urls`` has to name: where the sources stand, and where to report a fault, a hole, and see changes."""

# How the hosts name a file at a tag, as a page and as its octets; {0} is the repository, {1} the tag.
HOSTS = {
    "github.com": ("{0}/blob/{1}/", "{0}/raw/{1}/"),
    "gitlab.com": ("{0}/-/blob/{1}/", "{0}/-/raw/{1}/"),
    "codeberg.org": ("{0}/src/tag/{1}/", "{0}/raw/tag/{1}/"),
}
_RESERVED = re.compile(r"(^|\.)(example|invalid|test|localhost|example\.(com|net|org))$")  # RFC 2606

_CODE = re.compile(r"(?ms)^(?P<fence>```+|~~~+).*?^(?P=fence)[ \t]*$|(?P<tick>`+)[^\n]*?(?P=tick)")
_LINK = re.compile(
    r"(?P<before>\]\(<?|^\[[^\]\n]+\]:[ \t]+<?|\b(?:href|src|srcset)=\")(?P<target>[^\s)>\"]+)", re.MULTILINE
)
_ELSEWHERE = re.compile(r"#|/|[A-Za-z][A-Za-z0-9+.-]*:")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")


class NotReady(ValueError):
    """A release that cannot be made yet; says what is missing, and where."""


class Places(NamedTuple):
    """What the path of a file is appended to: where people read it, and where its octets are."""

    page: str
    file: str


def project_urls(setup_cfg: str) -> dict[str, str]:
    """The ``project_urls`` of a setup.cfg, by label. Raises ``NotReady`` unless they can be shown to people."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(setup_cfg)
    lines = [line for line in parser["metadata"].get("project_urls", "").splitlines() if line.strip()]
    urls = {label.strip(): url.strip() for label, _, url in (line.partition("=") for line in lines)}
    if missing := [label for label in LABELS if not urls.get(label)]:
        raise NotReady(f"setup.cfg: project_urls lacks {', '.join(missing)}; write LABEL = https://... for each")
    for label, url in urls.items():
        host = urlsplit(url).hostname or ""
        if urlsplit(url).scheme != "https" or "." not in host or _RESERVED.search(host):
            raise NotReady(f"setup.cfg: project_urls: {label} = {url} is no address that everybody can open by https")
    return urls


def version(setup_cfg: str) -> str:
    """The version that a setup.cfg declares."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(setup_cfg)
    return parser["metadata"]["version"]


def check_changelog(text: str, number: str) -> None:
    """Raise ``NotReady`` unless the changelog has a section for the version."""
    if not re.search(rf"(?m)^## \[{re.escape(number)}\] - \d{{4}}-\d\d-\d\d$", text):
        raise NotReady(f'CHANGELOG.md: has no section "## [{number}] - YEAR-MONTH-DAY"; date what is unreleased')


def places(source: str, tag: str) -> Places:
    """Where the files of the repository ``source`` are read at ``tag``. Raises ``NotReady`` for an unknown host."""
    host = urlsplit(source).hostname or ""
    if host not in HOSTS:
        raise NotReady(f"tests/release.py: HOSTS does not say how {host} names a file at a tag; add a row")
    base = source.rstrip("/").removesuffix(".git")
    return Places(*(form.format(base, tag) for form in HOSTS[host]))


def relative_links(markdown: str) -> Iterator[re.Match[str]]:
    """The links and pictures of a Markdown text that name a file beside it; code is left out."""
    code = [found.span() for found in _CODE.finditer(markdown)]
    for found in _LINK.finditer(markdown):
        if not _ELSEWHERE.match(found["target"]) and not any(a <= found.start() < b for a, b in code):
            yield found


def rewritten(markdown: str, folder: Path, to: Places) -> str:
    """``markdown``, which stands in ``folder``, with every relative link made absolute.

    Raises ``NotReady`` for a link to what is not in ``folder``.
    """
    found, end = [], 0
    for link in relative_links(markdown):
        path, mark, fragment = link["target"].partition("#")
        inside = PurePosixPath(path)
        if ".." in inside.parts or not folder.joinpath(path).exists():
            line = markdown.count("\n", 0, link.start()) + 1
            raise NotReady(f"README.md: line {line} links to {path}, which is not here")
        base = to.file if inside.suffix.lower() in _PICTURES else to.page
        found += [markdown[end : link.start("target")], f"{base}{inside}{mark}{fragment}"]
        end = link.end()
    return "".join(found) + markdown[end:]


def check_metadata(metadata: str, urls: dict[str, str]) -> None:
    """Raise ``NotReady`` unless a wheel's METADATA names ``urls`` and describes itself without a relative link."""
    fields = message_from_string(metadata)
    named = dict(one.split(", ", 1) for one in fields.get_all("Project-URL", []))
    if named != urls:
        raise NotReady(f"METADATA: names the project URLs {named}, setup.cfg {urls}")
    description = fields.get_payload()
    if not isinstance(description, str) or not description.strip():
        raise NotReady("METADATA: has no description")
    if left := [link["target"] for link in relative_links(description)]:
        raise NotReady(f"METADATA: the description still links to {', '.join(left)}")
