"""Inputs from the field against their right answers: every row of the README beside them.

The inputs are not part of the project; without them beside the checkout these tests are skipped. Fixtures of the same
kinds that are ours stand with the tests of each subject.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import mm7zeep
from mm7zeep.cli import main
from mm7zeep.conformance.input import capture
from mm7zeep.errors import RemoteError
from mm7zeep.exchange import Wire

FIELD = Path(__file__).parents[2] / "shared" / "field"
FILES = sorted(FIELD.glob("*.http"))
GREETING = "Grüße \N{WAVING HAND SIGN} こんにちは"

pytestmark = pytest.mark.skipif(not FILES, reason="the inputs are not here")

Report = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is right about the files that ``name`` matches.

    ``verdict`` is None where either is right. ``found`` holds for each alternative of a finding that must be there its
    ids or topics, separated by ``|``; ``absent`` what must not be there. ``parts`` are (type, octets) of the leaves,
    ``status`` is what ``unpack`` refuses with.
    """

    name: str
    verdict: str | None = "accept"
    strict: str | None = None
    found: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    parts: tuple[tuple[str, int], ...] | None = None
    text: str | None = None
    status: int | None = None
    also: Callable[[Report], bool] = lambda _: True


PNG = (("image/png", 70),)
DISPOSITION = "mime/disposition-syntax"
CUT = "boundary-syntax|boundary-unclosed|boundary-missing|truncated"

ROWS = (
    Row(
        name="C01-*",
        parts=(("text/plain", 11), ("image/png", 70), ("application/smil", 207)),
        found=("mime/related-type", "mime/related-start-resolves", DISPOSITION),
        absent=("smil-missing",),
    ),
    Row(
        name="C02-*",
        parts=(("text/plain", 11), ("image/png", 70), ("application/smil", 207)),
        found=("content-id-brackets", "sem/smil-references"),
    ),
    Row(
        name="C04-*",
        strict="reject",
        found=("soap/envelope-namespace", "ns/alias|ns/blank|ns/uri|namespace-alias|ns/unlisted"),
        also=lambda one: one["transaction_id"] is not None and one["fields"]["recipients"]["to"] != [],
    ),
    Row(name="C04[cij]-*", strict="reject", found=("namespace-alias|soap-namespace-alias",)),
    Row(name="C04d-*", strict="reject", found=("soap-namespace-alias",)),
    Row(name="C04e-*", strict="reject", found=("namespace-alias",)),
    Row(name="C04[fghk]-*", absent=("not-well-formed", "namespace-alias", "soap-namespace-alias")),
    Row(name="C05-*", verdict=None, found=("content-type-root", "schema/content-href|schema/attribute|content-missing"),
        also=lambda one: one["transaction_id"] == "AAF" and one["fields"]["sender"] is not None),
    Row(name="C07-*", verdict="reject", found=("soap/operation-known",),
        also=lambda one: one["transaction_id"] == "20999"
        and [part["size"] for part in one["parts"]][:2] == [8, 20]
        and not any(part["size"] for part in one["parts"][2:])),
    Row(name="C12-*", found=("schema/address-name",),
        also=lambda one: one["fields"]["recipients"]["to"] == ["61491570156"]),
    Row(name="C12c-*", found=("schema/empty-types|unknown-element",), parts=(("text/plain", 5),)),
    Row(name="C14-*", parts=PNG, found=("content-type-root",), absent=("cid-unresolved",)),
    Row(name="C16-*", absent=("sem/content-href-resolves",)),
    Row(name="C16c-*", absent=("sem/content-href-resolves",)),
    Row(name="C19*", parts=PNG, found=("boundary-syntax",)),
    Row(name="C21-*", absent=("boundary-unclosed",)),
    Row(name="C23-*", text=GREETING,
        found=("mime/text-charset",)),
    Row(name="C24[abgl]-*", text=GREETING, absent=("mime/text-charset-decodes",)),
    Row(name="C24m-*", text=GREETING),
    Row(name="C24e-*", text='彩信测试,你好'),
    Row(name="C24h-*", text="Preis 5 €, “zitat”"),
    Row(name="C24i-*", text=GREETING, found=("MUST mime/text-charset-decodes",)),
    Row(name="C24n-*", text="", found=("mime/empty-part",)),
    Row(name="C25a-*", found=("mime/filename-encoding",)),
    Row(name="C25[ce]-*", absent=("sem/smil-references",)),
    Row(name="C25f-*", found=("mime/filename-encoding",)),
    Row(name="C25h-*"),
    Row(name="C27-*", absent=("sem/smil-unused-part", "sem/smil-references", "media-type-odd"),
        also=lambda one: "text/x-vcard" in [part["content_type"] for part in one["parts"]]),
    Row(name="C28b-*", also=lambda one: len(one["parts"]) == 3),
    Row(name="C28c-*", found=("sem/smil-well-formed",), also=lambda one: len(one["parts"]) == 2),
    Row(name="C28e-*", absent=("media-type-odd",)),
    Row(name="C28g-*"),
    Row(name="C28h-*"),
    Row(name="C28i-*"),
    Row(name="C28k-*", absent=("sem/smil-references",)),
    Row(name="C37-*", found=("mime/empty-part",), also=lambda one: [part["size"] for part in one["parts"]] == [0, 0]),
    Row(name="C32[abd]-*", absent=("schema/date",)),
    Row(name="C32[efgijkl]-*", found=("schema/date|schema/date-range",)),
    Row(name="N05-*-nopart*", verdict="reject", strict="reject", status=2004,
        found=("content-missing|cid-unresolved",)),
    Row(name="N05-deliver-none*"),
    Row(name="N05-*-nohref-part*", verdict=None, found=("content-missing|schema/attribute",)),
    Row(name="N05-submit-src*", verdict=None, found=("content-missing|schema/attribute",)),
    Row(name="N05-submit-upper*", found=("schema/attribute",)),
    Row(name="N01-*", parts=PNG, found=(DISPOSITION,)),
    # both opening delimiters are mistyped alike: they delimit all the same, and no octet is lost
    Row(name="M-k2-inner-4dashes-both*", found=("MUST boundary-syntax|MUST boundary-missing",),
        parts=(("text/plain", 11), ("text/plain", 11))),
    Row(name="M-k2-*", verdict="reject", found=(CUT,)),
    Row(name="M-k7-*", found=("MUST boundary-syntax",), parts=(("text/plain", 11),)),
    Row(name="M-k3-*", verdict="reject", found=(CUT,)),
    Row(name="M-k1-whole-*", verdict="reject", found=("not-well-formed",), absent=("truncated",)),
    Row(name="M-k1-cut-*", verdict="reject", found=("not-well-formed", "truncated")),
    Row(name="M-k4-*", also=lambda one: one["fields"]["sender"] == "+61400000001"),
    Row(name="M-k6-*", verdict=None, found=("soap-namespace-alias",)),
    Row(name="M-k8-*", verdict="reject", found=("http-status|error-in-body", "no-envelope")),
    Row(name="M-k9-*", also=lambda one: [part["size"] for part in one["parts"]] == [65, 11], absent=("smil-missing",)),
)  # fmt: skip


@pytest.fixture(scope="module")
def reports() -> dict[str, dict[str, Report]]:
    """Ours on each file, by policy."""
    done = {}
    for policy in ("interop", "strict"):
        ran = CliRunner().invoke(main, ["check", "--format", "json", "--policy", policy, str(FIELD)])
        assert ran.exit_code == 1, ran.output
        done[policy] = {Path(one["file"]).name: one for one in json.loads(ran.stdout)["files"]}
    return done


def wire(path: Path) -> Wire:
    """The HTTP message of a file."""
    [captured] = capture.messages(path.name, path.read_bytes())
    return captured.wire


def said(report: Report) -> set[str]:
    """The ids and topics of a report, bare and behind their level."""
    names = {(one["level"], name) for one in report["findings"] for name in (one["id"], one["topic"]) if name}
    return {name for _, name in names} | {f"{level} {name}" for level, name in names}


def test_every_file_has_a_row() -> None:
    """No input lacks its right answer."""
    assert [path.name for path in FILES if not any(fnmatch(path.name, row.name) for row in ROWS)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_right_answer(path: Path, reports: dict[str, dict[str, Report]]) -> None:
    """Verdict, findings, parts and text are as the README says."""
    row = next(row for row in ROWS if fnmatch(path.name, row.name))
    report = reports["interop"][path.name]
    seen = said(report)
    assert row.verdict in (None, report["verdict"]), report["findings"]
    assert row.strict in (None, reports["strict"][path.name]["verdict"])
    assert [each for each in row.found if not seen & set(each.split("|"))] == [], seen
    assert [each for each in row.absent if each in seen] == []
    if row.parts is not None:
        assert [(one["content_type"], one["size"]) for one in report["parts"]] == list(row.parts)
    assert row.also(report), report
    if row.text is not None:
        [part] = mm7zeep.unpack(wire(path)).parts
        assert part.text() == row.text
    if report["verdict"] == "reject":
        with pytest.raises(RemoteError) as refused:
            mm7zeep.unpack(wire(path))
        assert row.status in (None, refused.value.status)
