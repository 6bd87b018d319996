"""``mm7zeep check --tree``: every node with its place, its sizes, its labels and the hash of its content."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import captures
import envelopes
import pytest
from click.testing import CliRunner, Result

from mm7zeep.cli import main
from mm7zeep.conformance import verdict
from mm7zeep.conformance.input import capture
from mm7zeep.conformance.report.tree import as_text, rows

GIF = b"GIF89a" + bytes(range(200))
LEAF = "Content-Type: image/gif; name=map.gif\r\nContent-ID: <map@kiosk>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
NESTED = (
    "Content-Type: multipart/mixed; boundary=in\r\nContent-ID: <note@kiosk.example>\r\n\r\n"
    f"--in\r\n{envelopes.part('<a@kiosk>')}\r\n--in\r\n{LEAF}{b64encode(GIF).decode()}\r\n--in--"
)
WIRE = envelopes.wire(envelopes.sent("SubmitReq", more=envelopes.content()), NESTED)
DUMP = captures.dump(WIRE)


def run(data: bytes, *words: str) -> Result:
    """Run the command on standard input."""
    return CliRunner().invoke(main, ["check", "-", "--tree", *words], input=data)


def walk(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The node and all below it."""
    return [row, *(below for child in row["children"] for below in walk(child))]


def test_json_tree() -> None:
    """The tree has every node; octets cut out of the body at its places are what was sent, and hash as it says."""
    [one] = json.loads(run(DUMP, "--format", "json").stdout)["files"]
    body = WIRE.read()
    nodes = walk(one["tree"])
    assert [(node["content_type"], node["content_id"], node["root"]) for node in nodes] == [
        ("multipart/related", None, False),
        ("text/xml", "soap@kiosk.example", True),
        ("multipart/mixed", "note@kiosk.example", False),
        ("text/plain", "a@kiosk", False),
        ("image/gif", "map@kiosk", False),
    ]
    for node in nodes:
        sent = body[node["body_offset"] : node["body_offset"] + node["encoded"]]
        header = body[node["offset"] : node["body_offset"]]
        if node["content_id"]:
            assert f"<{node['content_id']}>".encode() in header
        if node["children"]:
            assert (node["decoded"], node["sha256"]) == (None, None)
            continue
        content = b64decode(sent) if node["encoding"] == "base64" else sent
        assert (node["decoded"], node["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert nodes[-1]["sha256"] == hashlib.sha256(GIF).hexdigest()
    assert (nodes[-1]["parameters"], nodes[-1]["name"]) == ({"name": "map.gif"}, "map.gif")


def test_the_contract_stands_without_the_option() -> None:
    """Without --tree there is no such key; with it, nothing else changes and it comes last."""
    plain = json.loads(CliRunner().invoke(main, ["check", "-", "--format", "json"], input=DUMP).stdout)["files"][0]
    treed = json.loads(run(DUMP, "--format", "json").stdout)["files"][0]
    assert list(treed) == [*plain, "tree"]
    assert {key: treed[key] for key in plain} == plain


def test_text_tree() -> None:
    """People see the same, drawn, and then the report."""
    shown = run(DUMP).stdout
    tree, _, report = shown.partition("\n\n")
    lines = tree.splitlines()
    assert lines[0] == "-"
    assert lines[1].startswith("└── multipart/related")
    assert any(line.endswith("text/xml  SOAP part  id soap@kiosk.example") for line in lines)
    assert any("image/gif  id map@kiosk  name map.gif" in line for line in lines)
    assert any(line.endswith(f"sha256 {hashlib.sha256(GIF).hexdigest()}") for line in lines)
    assert any(line.endswith("octets as sent, 206 decoded, base64") for line in lines)
    assert "1 message: 1 accepted" in report


def test_what_cannot_be_taken_apart() -> None:
    """Without a package there is no tree, which is said; JSON has null."""
    body = b"--b\r\nX: " + b"y" * 20_000
    data = b"POST /mm7 HTTP/1.1\r\nContent-Type: multipart/related; boundary=b\r\n\r\n" + body
    done = run(data, "--format", "json")
    assert json.loads(done.stdout)["files"][0]["tree"] is None
    assert "the MIME package could not be taken apart" in run(data).stdout


def test_terminals_are_safe() -> None:
    """Labels that steer a terminal are shown, not sent to it; colours are the view's own."""
    label = "Content-Location: \x9b31m\u202e\r\n"
    wire = envelopes.wire(envelopes.sent("SubmitReq", more=envelopes.content()), envelopes.part(more=label))
    [found] = capture.messages("a\x1b[2J", captures.dump(wire))
    row = rows(verdict.judge(found))
    plain = as_text([(found.name, row)])
    assert all(one.isprintable() or one == "\n" for one in plain)
    assert "\\u202e" in plain
    assert "\x1b[" in as_text([(found.name, row)], colour=True)
    assert "\x1b[2J" not in as_text([(found.name, row)], colour=True)


@pytest.mark.parametrize("form", ["text", "json"])
def test_bare_envelope(form: str, tmp_path: Path) -> None:
    """An envelope alone is a tree of one node."""
    path = tmp_path / "bare.xml"
    path.write_text(envelopes.sent("SubmitReq"))
    done = CliRunner().invoke(main, ["check", str(path), "--tree", "--format", form])
    assert done.exit_code == 0
    size = path.stat().st_size
    if form == "json":
        tree = json.loads(done.stdout)["files"][0]["tree"]
        assert (tree["root"], tree["encoded"], tree["decoded"], tree["children"]) == (True, size, size, [])
    else:
        assert f"{size} octets as sent, {size} decoded, no encoding named" in done.stdout
