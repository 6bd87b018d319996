"""``mm7zeep check``: the report's exact form, exit statuses, places shown, secrets not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import captures
import pytest
from click.testing import CliRunner, Result

from mm7zeep.cli import check, main
from mm7zeep.conformance import verdict
from mm7zeep.conformance.input import capture
from mm7zeep.conformance.report import text_json
from mm7zeep.exchange import Wire

PACKED = captures.wire()
CLEAN = captures.dump(PACKED)
ODD = captures.bent(CLEAN, b"FERRY</VASPID>", b"FERRY</VASPID><Deck>7</Deck>")
BAD = captures.bent(CLEAN, b"</Subject>", b"</Sub>")
SECRET = "cXVpZXQ6d2hpc3Blcg=="


def run(*words: str | Path, stdin: bytes | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["check", *map(str, words)], input=stdin)


def save(folder: Path, **files: bytes) -> list[Path]:
    """Files with these contents."""
    paths = []
    for name, data in files.items():
        paths.append(folder / f"{name}.http")
        paths[-1].write_bytes(data)
    return paths


SECRETS = (
    b'<Deck password="whisper">7</Deck>',
    b'<Deck x="1"><Login pin="whisper"/><Secret><Value>whisper</Value></Secret></Deck>',
    b"<Password>whisper</Password>",
    b"<Deck><![CDATA[https://a.example/?sig=whisper]]></Deck>",
    b'<Deck href="https://quiet:whisper@a.example/"/>',
)


@pytest.mark.parametrize("odd", SECRETS)
@pytest.mark.parametrize("form", [*check.FORMATS, *check.SHARED_FORMATS])
def test_no_report_shows_a_secret(form: str, odd: bytes, tmp_path: Path) -> None:
    """What an attribute, an element or an address holds that is named like a secret is in no report."""
    [path] = save(tmp_path, odd=captures.bent(CLEAN, b"FERRY</VASPID>", b"FERRY</VASPID>" + odd))
    done = run(path, "--format", form)
    assert done.exit_code in (0, 1)
    assert "whisper" not in done.stdout


def test_json_steers_no_terminal(tmp_path: Path) -> None:
    """C1 controls and marks of direction are escaped in the JSON report, and mean the same."""
    odd = captures.bent(CLEAN, b"</Subject>", "a\u009b31m\u202eb</Subject>".encode())
    [path] = save(tmp_path, odd=odd)
    done = run(path, "--format", "json")
    assert "\\u009b31m\\u202eb" in done.stdout
    assert json.loads(done.stdout)["files"][0]["fields"]["subject"].endswith("a\u009b31m\u202eb")


def test_formats_are_those_of_the_report() -> None:
    """The choices of --format are the report's writers."""
    assert tuple(text_json.WRITERS) == check.FORMATS
    assert not set(check.FORMATS) & set(check.SHARED_FORMATS)


def test_json_has_the_published_form(tmp_path: Path) -> None:
    """Keys, their order and the values of the JSON report are those of its contract."""
    [path] = save(tmp_path, odd=ODD)
    done = run(path, "--format", "json")
    [one] = json.loads(done.stdout)["files"]
    assert list(json.loads(done.stdout)) == ["files"]
    assert list(one) == [
        "file", "verdict", "policy", "operation", "transaction_id", "namespace", "mm7_version", "fields", "parts",
        "findings",
    ]  # fmt: skip
    assert list(one["fields"]) == [
        "message_id", "status_code", "status_text", "mm_status", "sender", "subject", "recipients", "linked_id",
        "vaspid", "vasid", "service_code", "priority", "delivery_report", "content_href",
    ]  # fmt: skip
    assert {key: one[key] for key in ("file", "verdict", "policy", "operation", "transaction_id", "mm7_version")} == {
        "file": str(path), "verdict": "accept", "policy": "interop", "operation": "SubmitReq",
        "transaction_id": "ferry-1", "mm7_version": "6.8.0",
    }  # fmt: skip
    assert one["fields"]["recipients"] == {"to": ["+4930123456"], "cc": [], "bcc": []}
    part = captures.TEXT
    assert one["parts"] == [
        {"content_id": part.content_id, "content_type": "text/plain", "size": part.size, "sha256": part.sha256()}
    ]
    [found] = one["findings"]
    assert list(found) == ["id", "level", "topic", "summary", "clause", "where", "action"]
    assert (found["id"], found["topic"]) == ("schema/unknown-element", "unknown-element")
    assert found["where"].endswith("/Deck")


def test_refused_message_in_json(tmp_path: Path) -> None:
    """A document that is not XML has no field but null; its parts are listed all the same."""
    [path] = save(tmp_path, bad=BAD)
    done = run(path, "--format", "json")
    [one] = json.loads(done.stdout)["files"]
    assert (done.exit_code, one["verdict"], one["operation"], one["namespace"]) == (1, "reject", None, None)
    assert one["fields"]["recipients"] == {"to": [], "cc": [], "bcc": []}
    assert {value for key, value in one["fields"].items() if key != "recipients"} == {None}
    assert [part["content_id"] for part in one["parts"]] == [captures.TEXT.content_id]


@pytest.mark.parametrize(
    ("files", "options", "status"),
    [
        ({"a": CLEAN}, [], 0),
        ({"a": CLEAN}, ["--fail-on", "warn"], 0),
        ({"a": CLEAN, "b": ODD}, [], 0),
        ({"a": CLEAN, "b": ODD}, ["--fail-on", "warn"], 4),
        ({"a": ODD}, ["--policy", "strict"], 1),
        ({"a": BAD, "b": ODD}, ["--fail-on", "warn"], 1),
        ({"a": BAD}, ["--policy", "lenient"], 1),
    ],
)
def test_exit_status(tmp_path: Path, files: dict[str, bytes], options: list[str], status: int) -> None:
    """0 clean, 1 refused, 4 warnings where asked for."""
    assert run(*save(tmp_path, **files), *options).exit_code == status


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that is not there ends with 3 and is named; the others are reported all the same."""
    [path] = save(tmp_path, a=CLEAN)
    done = run(path, tmp_path / "b.http")
    assert done.exit_code == 3
    assert "b.http: No such file" in done.stderr
    assert "1 message: 1 accepted" in done.stdout


def test_standard_input() -> None:
    """A dash reads standard input."""
    done = run("-", "--format", "json", stdin=CLEAN)
    assert [one["file"] for one in json.loads(done.stdout)["files"]] == ["-"]


def test_directory(tmp_path: Path) -> None:
    """A directory is searched to the bottom for what looks like a capture; hidden and other files are passed over."""
    (tmp_path / "deep").mkdir()
    save(tmp_path / "deep", a=CLEAN, b=ODD)
    (tmp_path / "notes.md").write_text("# Notes")
    (tmp_path / ".hidden").write_bytes(BAD)
    done = run(tmp_path, "--format", "json")
    names = [Path(one["file"]).name for one in json.loads(done.stdout)["files"]]
    assert (done.exit_code, names) == (0, ["a.http", "b.http"])
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty").exit_code == 3


def test_exchange_of_two(tmp_path: Path) -> None:
    """The second message of a file carries its place."""
    [path] = save(tmp_path, both=CLEAN + captures.dump(captures.SUBMITTED))
    found = json.loads(run(path, "--format", "json").stdout)["files"]
    assert [one["file"] for one in found] == [str(path), f"{path}#2"]
    assert [one["operation"] for one in found] == ["SubmitReq", "SubmitRsp"]
    assert found[1]["fields"]["status_code"] == 1000


def test_text_shows_the_place(tmp_path: Path) -> None:
    """The text report names the message, its parts, each finding with the element or line it speaks of, and the sum."""
    [path] = save(tmp_path, odd=captures.bent(ODD, b"<note@ferry.example>\r\n", b"note@ferry.example\r\n"))
    shown = run(path).stdout
    assert "odd.http  ACCEPT  SubmitReq REL-6-MM7-1-4 6.8.0  transaction ferry-1" in shown
    assert "part   text/plain  12 octets  note@ferry.example" in shown
    assert "| <Deck>7</Deck>" in shown.replace("mm7:", "")
    assert "| Content-ID: note@ferry.example" in shown
    assert "1 message: 1 accepted (1 with warnings), 0 rejected" in shown
    assert "\x1b" not in shown


def test_text_shows_the_line_that_is_not_xml(tmp_path: Path) -> None:
    """The line at which the parser gave up is shown, and the reason of the refusal."""
    [path] = save(tmp_path, bad=BAD)
    shown = run(path).stdout
    assert "REJECT" in shown
    assert "refused: the envelope is not well-formed" in shown
    assert any("</Sub>" in line for line in shown.splitlines() if line.strip().startswith("|"))


@pytest.mark.parametrize(
    "field",
    [
        f"Authorization : Basic {SECRET}",
        f"Authorization:Basic {SECRET}",
        f"Proxy-Authorization : {SECRET}",
        f"Cookie : a={SECRET}",
        f"X-Password : {SECRET}",
        f"username : {SECRET}",
    ],
)
def test_credentials_are_never_shown(tmp_path: Path, field: str) -> None:
    """A field that may hold a credential is shown without its value, in both formats."""
    [path] = save(tmp_path, odd=CLEAN.replace(b"Host:", f"{field}\r\nHost:".encode(), 1))
    for form in ("text", "json"):
        done = run(path, "--format", form)
        assert done.exit_code == 0
        assert SECRET not in done.output
    if " :" in field:
        assert "***" in run(path).stdout


def test_senders_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Control characters of a message are shown, not sent, also where colours are."""
    odd = captures.bent(ODD, b">FERRY<", b">FERRY\xc2\x9b2J<").replace(b"Deck>7", b"Deck>\xe2\x80\xae7")
    [captured] = capture.messages("a\x1b[2J", odd)
    shown = text_json.as_text([text_json.entry(verdict.judge(captured))], text_json.Style(colour=False))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\u202e" in shown


def test_colour_only_when_asked() -> None:
    """With colour the report holds the same words."""
    entries = [text_json.entry(verdict.judge(one)) for one in capture.messages("x", ODD)]
    plain, coloured = (text_json.as_text(entries, text_json.Style(colour=flag)) for flag in (False, True))
    assert "\x1b[" in coloured
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_empty_answer() -> None:
    """An HTTP error without a body is refused for what it is."""
    data = captures.dump(Wire(status=401, headers=(("WWW-Authenticate", "Basic"),), body=b""))
    [captured] = capture.messages("x", data)
    judged = verdict.judge(captured)
    assert (judged.word, {one.topic for one in judged.findings} - {None}) == ("reject", {"http-status", "empty-body"})


def test_missing_files_of_a_large_report_keep_no_parts() -> None:
    """An entry holds words, not the message: nothing of a part but its label and digest."""
    big = replace(captures.TEXT, body=b"x" * 300_000)
    [captured] = capture.messages("x", captures.dump(replace(captures.SUBMIT, parts=(big,))))
    entry = text_json.entry(verdict.judge(captured))
    assert entry.parts[0]["size"] == 300_000
    assert len(repr(entry)) < 10_000


def unclosed(*, missing: int, lines: bytes = b"\r\n") -> capture.Captured:
    """A capture without the last delimiter, of a body announced ``missing`` octets longer than what is left of it."""
    head, _, body = CLEAN.partition(b"\r\n\r\n")
    left = body[: body.rstrip().rindex(b"\r\n--")] + b"\r\n"
    head = re.sub(rb"(?i)(content-length: )[0-9]+", rb"\g<1>%d" % (len(left) + missing), head)
    [found] = capture.messages("x", head + b"\r\n\r\n" + left.replace(b"\r\n", lines))
    return found


def test_cut_body() -> None:
    """No last delimiter and octets missing: cut, and refused, but by lenient; either of the two alone is accepted."""
    cut = verdict.judge(unclosed(missing=2000))
    assert (cut.word, [one.id for one in cut.findings if one.action == "refused"]) == ("reject", ["http/truncated"])
    assert "http/truncated" in cut.reason
    assert verdict.judge(unclosed(missing=2000), policy="lenient").word == "accept"
    for whole in (unclosed(missing=0), unclosed(missing=0, lines=b"\n"), unclosed(missing=-300)):
        found = verdict.judge(whole)
        assert (found.word, "http/truncated" in {one.id for one in found.findings}) == ("accept", False)
        assert "mime/boundary-closed" in {one.id for one in found.findings}
    longer = re.sub(rb"(?i)(content-length: )[0-9]+", rb"\g<1>99999", CLEAN)
    assert verdict.judge(capture.messages("x", longer)[0]).word == "accept"


# --- which findings are listed ----------------------------------------------------------------------------------------


def listed(done: Result) -> list[list[str]]:
    """The ids of the findings of each message."""
    return [[found["id"] for found in one["findings"]] for one in json.loads(done.stdout)["files"]]


def test_level_chooses_findings(tmp_path: Path) -> None:
    """Findings of the level and graver ones are listed, by every format; what is not listed is no warning."""
    [path] = save(tmp_path, odd=ODD)
    whole = run(path, "--format", "json")
    levels = {one["id"]: one["level"] for one in json.loads(whole.stdout)["files"][0]["findings"]}
    assert set(levels.values()) >= {"MUST"}, levels
    for level, kept in (("INFO", {"MUST", "SHOULD", "INFO"}), ("should", {"MUST", "SHOULD"}), ("MUST", {"MUST"})):
        done = run(path, "--format", "json", "--level", level)
        assert listed(done) == [[id for id, own in levels.items() if own in kept]]
    grave = [id for id, own in levels.items() if own == "MUST"]
    ignored = [word for id in grave for word in ("--ignore", id)]
    assert run(path, "--fail-on", "warn", "--level", "MUST").exit_code == 4
    assert run(path, "--fail-on", "warn", "--level", "MUST", *ignored).exit_code == 0
    for form in check.SHARED_FORMATS:
        met = f'"ruleId": "{grave[0]}"' if form == "sarif" else grave[0]  # sarif lists every rule, too
        assert met in run(path, "--format", form).stdout
        assert met not in run(path, "--format", form, *ignored).stdout


def test_ignored_findings(tmp_path: Path) -> None:
    """An id, or the beginning of several; what nobody knows is wrong usage, with what may have been meant."""
    [path] = save(tmp_path, odd=ODD)
    [ids] = listed(run(path, "--format", "json"))
    assert len(ids) > 0
    assert listed(run(path, "--format", "json", "--ignore", ids[0])) == [[one for one in ids if one != ids[0]]]
    room = ids[0].partition("/")[0] + "/"
    assert listed(run(path, "--format", "json", "--ignore", room)) == [[one for one in ids if not one.startswith(room)]]
    for wrong in ("schema/ordre", "schema", "/", ""):
        done = run(path, "--ignore", wrong)
        assert (done.exit_code, f"no finding is called {wrong!r}" in done.stderr) == (2, True)
    assert "did you mean schema/order" in run(path, "--ignore", "schema/ordre").stderr


def test_rejection_is_not_ignored(tmp_path: Path) -> None:
    """A message that cannot be read stays rejected, and says for what, whatever is left out of account."""
    [path] = save(tmp_path, bad=BAD)
    done = run(path, "--ignore", "xml/", "--level", "MUST", "--format", "json")
    [one] = json.loads(done.stdout)["files"]
    assert (done.exit_code, one["verdict"]) == (1, "reject")
    assert "xml/well-formed" in [found["id"] for found in one["findings"]]


def test_refusal_says_how_much_more_there_is(tmp_path: Path) -> None:
    """The first reason stands in words; what else must be mended before the message passes is counted and named."""
    bare = re.sub(rb"<Recipients>.*</Recipients>", b"", CLEAN, flags=re.DOTALL)
    bare = re.sub(rb"<(?:\w+:)?TransactionID.*?</(?:\w+:)?TransactionID>", b"", bare, flags=re.DOTALL)
    [path] = save(tmp_path, bare=bare)
    done = run(path)
    [line] = [one for one in done.stdout.splitlines() if one.startswith("  refused: ")]
    assert "no TransactionID" in line
    assert line.endswith("; 1 more finding refuses it: schema/missing-element")
    one = re.sub(rb"<Recipients>.*</Recipients>", b"", CLEAN, flags=re.DOTALL)
    [path] = save(tmp_path, one=one)
    assert "more finding" not in run(path).stdout


def test_content_that_is_missing_is_one_reason(tmp_path: Path) -> None:
    """Two findings of one deviation are not told as a reason and one more."""
    body = CLEAN.partition(b"\r\n\r\n")[2]
    envelope = body[body.index(b"<?xml") : body.index(b"Envelope>\r\n") + len(b"Envelope>")]
    [path] = save(tmp_path, alone=captures.dump(Wire(headers=(("Content-Type", "text/xml"),), body=envelope)))
    done = run(path)
    assert "did not arrive" in done.stdout
    assert "more finding" not in done.stdout


def test_strict_refusal_lists_what_it_is_for(tmp_path: Path) -> None:
    """Under strict, too, what the message was rejected for is listed whatever is ignored, and named in one line."""
    [path] = save(tmp_path, odd=ODD)
    done = run(path, "--policy", "strict", "--ignore", "schema/unknown-element", "--format", "json")
    [one] = json.loads(done.stdout)["files"]
    assert (one["verdict"], [found["id"] for found in one["findings"]]) == ("reject", ["schema/unknown-element"])
    assert "more finding" not in run(path, "--policy", "strict").stdout


def test_summary(tmp_path: Path) -> None:
    """Findings are counted, the gravest first; of messages only the rejected ones are named, with the reason."""
    save(tmp_path, clean=CLEAN, odd=ODD, other=ODD, bad=BAD)
    done, as_json = run(tmp_path, "--summary"), run(tmp_path, "--summary", "--format", "json")
    said = json.loads(as_json.stdout)
    assert done.exit_code == as_json.exit_code == 1
    assert (said["messages"], said["accepted"], said["warned"]) == (4, 3, 2)
    assert [one["file"] for one in said["rejected"]] == [str(tmp_path / "bad.http")]
    whole = json.loads(run(tmp_path, "--format", "json").stdout)["files"]
    met = [found["id"] for one in whole for found in one["findings"]]
    assert {one["id"]: one["times"] for one in said["findings"]} == {id: met.count(id) for id in met}
    order = [check._LEVELS.index(one["level"]) for one in said["findings"]]
    assert order == sorted(order)
    first, empty, *lines = done.stdout.splitlines()
    assert first.startswith(f"{tmp_path / 'bad.http'}  REJECT  ")
    assert (empty, lines[-1]) == ("", "4 messages: 3 accepted (2 with warnings), 1 rejected")
    assert [line.split()[:3] for line in lines[:-2]] == [
        [str(one["times"]), one["level"], one["id"]] for one in said["findings"]
    ]
    assert "odd.http" not in done.stdout


def test_summary_of_what_is_clean(tmp_path: Path) -> None:
    """Without findings it is the sum alone; it goes with no other form."""
    [path] = save(tmp_path, clean=CLEAN)
    assert run(path, "--summary").stdout == "1 message: 1 accepted (0 with warnings), 0 rejected\n"
    for words in (["--tree"], ["--format", "html"]):
        assert run(path, "--summary", *words).exit_code == 2
