"""What is no capture at all is said so in one line; what may be one, however broken, is judged."""

from __future__ import annotations

import codecs
import gzip
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

import captures
import envelopes
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mm7zeep import samples
from mm7zeep.cli import main
from mm7zeep.conformance.input import foreign

CLEAN = captures.dump(captures.wire())
HEAD, _, BODY = CLEAN.partition(b"\r\n\r\n")
FIELDS = HEAD.partition(b"\r\n")[2]
ENVELOPE = BODY[BODY.index(b"<") : BODY.index(b"Envelope>") + 9]

FOREIGN: dict[str, tuple[bytes, str]] = {
    "png": (samples.saturn_png(), "PNG image"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\x01" * 99, "JPG image"),
    "gif": (b"GIF89a" + b"\0" * 20, "GIF image"),
    "png around an envelope": (samples.saturn_png() + CLEAN, "PNG image"),
    "amr": (b"#!AMR\n" + b"\x04" * 40, "AMR sound"),
    "mp4": (b"\0\0\0\x18ftypisom" + b"\0" * 40, "MP4 film"),
    "pdf": (b"%PDF-1.7\n1 0 obj", "PDF file"),
    "elf": (b"\x7fELF\x02\x01\x01" + b"\0" * 60, "ELF program"),
    "database": (b"SQLite format 3\0" + b"\0" * 60, "SQLite database"),
    "key": (b"-----BEGIN CERTIFICATE-----\nMIIB\n", "PEM file"),
    "hostname": (b"kiosk-7\n", "plain text"),
    "passwd": (b"root:x:0:0:root:/root:/bin/sh\nhttp:x:33:33::/srv:/bin/false\n", "plain text"),
    "settings": (b"try:\n  this: that\n", "plain text"),
    "letter": ("Sehr geehrte Grüße,\r\n\r\nbis bald\r\n".encode("latin-1"), "plain text"),
    "utf-16 text": ("kiosk".encode("utf-16"), "plain text"),
    "script": (b"#!/bin/sh\ncurl --data-binary @x http://mmsc.example/mm7\n", "script"),
    "python": (Path(captures.__file__).read_bytes(), "Python source"),
    "python with envelopes": (Path(envelopes.__file__).read_bytes(), "Python source"),
    "python from an import": (b"from a import b\nX = '<Envelope>'\n", "Python source"),
    "json": (b'{"status": "ok"}', "JSON, and no HAR file"),
    "noise": (bytes(range(128, 256)) + bytes(range(128)) * 20, "binary data"),
    "empty": (b"", "empty file"),
    "blank": (b" \r\n\r\n\t", "only white space"),
    "zeros": (b"\0" * 5000, "only white space"),
}

CAPTURED: dict[str, bytes] = {
    "dump": CLEAN,
    "answer": captures.dump(captures.SUBMITTED),
    "package with its header": FIELDS + b"\r\n\r\n" + BODY,
    "package": BODY,
    "envelope": ENVELOPE,
    "line feeds": CLEAN.replace(b"\r\n", b"\n"),
    "blank lines first": b"\r\n \r\n" + CLEAN,
    "byte order mark": codecs.BOM_UTF8 + ENVELOPE,
    "byte order mark before a dump": codecs.BOM_UTF8 + CLEAN,
    "white space before the envelope": b"  \n" + ENVELOPE,
    "not XML": b"<Envelope",
    "one character": b"<",
    "HTML": b"<!doctype html><title>502</title>",
    "a head alone": HEAD,
    "a start line alone": b"POST /mm7 HTTP/1.1",
    "a start line in small letters": b"post /mm7 http/1.1\r\nhost: a\r\n",
    "a status line alone": b"HTTP/1.1 200 OK",
    "a damaged status line": b"TTP/1.1 200 OK\r\nContent-Type: text/xml\r\n",
    "one field": b"Content-Type: text/xml",
    "fields without a known one first": b"X-Carrier: 7\r\n" + FIELDS + b"\r\n\r\n" + BODY,
    "half a field": b"ent-Type: text/xml\r\nHost: mmsc.example\r\n",
    "a delimiter": b"--cut-here",
    "a preamble": b"This is a multi-part message in MIME format.\r\n" + BODY,
    "the end of one": BODY[BODY.rindex(b"\r\n--") :],
    "behind marks": b"* Connected to mmsc.example\n> " + HEAD.replace(b"\r\n", b"\n> "),
    "the middle of one": CLEAN[200:],
    **{
        f"{name} in {codec}": text.decode().encode(codec)
        for name, text in (("envelope", b'<?xml version="1.0"?>' + ENVELOPE), ("dump", CLEAN))
        for codec in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
    },
    **{
        f"envelope in {codec} with a broken character": ('<?xml version="1.0"?>'.encode(codec) + b"\xdc" * 8)
        for codec in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
    },
    "EBCDIC": ('<?xml version="1.0"?><a/>').encode("cp037"),
}


@pytest.mark.parametrize(("data", "what"), FOREIGN.values(), ids=FOREIGN)
def test_foreign(data: bytes, what: str) -> None:
    """What cannot be a capture is called what it is."""
    assert foreign.described(data) == what


@pytest.mark.parametrize("data", CAPTURED.values(), ids=CAPTURED)
def test_captured(data: bytes) -> None:
    """What begins as a message does, or has one inside, is never called foreign."""
    assert foreign.described(data) is None


@given(st.integers(min_value=6, max_value=len(CLEAN)), st.sampled_from(["dump", "package", "envelope", "answer"]))
def test_cut_captures(length: int, name: str) -> None:
    """A capture that was cut anywhere behind its first word is still one."""
    assert foreign.described(CAPTURED[name][:length]) is None


@given(st.binary(max_size=300))
def test_anything(data: bytes) -> None:
    """Any octets are called something in a few printable words, or may be a capture."""
    what = foreign.described(data)
    assert what is None or re.fullmatch(r"[\w ,]{3,30}", what)


def run(*words: str | Path, stdin: bytes | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["check", *map(str, words)], input=stdin)


@pytest.mark.parametrize("name", FOREIGN)
def test_command_says_so_in_one_line(name: str, tmp_path: Path) -> None:
    """One line on standard error names file and kind, nothing is judged, and the exit status is 3: could not run."""
    path = tmp_path / "x.bin"
    path.write_bytes(FOREIGN[name][0])
    done = run(path)
    line = f"mm7zeep check: {path}: {FOREIGN[name][1]}, no MM7 capture; check reads "
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert done.stderr.startswith(line)
    assert run("-", stdin=FOREIGN[name][0]).stderr.startswith(f"mm7zeep check: -: {FOREIGN[name][1]}, no MM7 capture")


@pytest.mark.parametrize("form", ["json", "junit", "sarif", "html"])
@pytest.mark.parametrize("others", [0, 1])
def test_reports_stay_well_formed(form: str, others: int, tmp_path: Path) -> None:
    """A report holds the messages that were judged, and can be read where there are none."""
    (tmp_path / "x.png").write_bytes(samples.saturn_png())
    (tmp_path / "y.http").write_bytes(CLEAN)
    done = run(tmp_path / "x.png", *[tmp_path / "y.http"] * others, "--format", form)
    assert (done.exit_code, done.stderr.count("PNG image")) == (3, 1)
    assert "x.png" not in done.stdout
    if form == "json":
        assert len(json.loads(done.stdout)["files"]) == others
    elif form == "sarif":
        assert len(json.loads(done.stdout)["runs"]) == 1
    elif form == "junit":
        assert etree.fromstring(done.stdout.encode()).get("tests") == str(others)
    else:
        assert done.stdout.startswith("<!doctype html>")
        assert done.stdout.endswith("</html>\n")


def test_the_others_are_judged(tmp_path: Path) -> None:
    """A file that is no capture does not keep the others from their verdicts."""
    (tmp_path / "x.png").write_bytes(samples.saturn_png())
    (tmp_path / "y.http").write_bytes(CLEAN)
    (tmp_path / "z.http").write_bytes(captures.bent(CLEAN, b"</Subject>", b"</Sub>"))
    done = run(tmp_path / "x.png", tmp_path / "y.http", tmp_path / "z.http")
    assert (done.exit_code, "1 accepted" in done.stdout, "1 rejected" in done.stdout) == (3, True, True)
    broken = run(tmp_path / "z.http")
    assert (broken.exit_code, broken.stderr) == (1, "")


def test_directory_of_such(tmp_path: Path) -> None:
    """A directory without any capture says so in one line; beside one, the others are passed over."""
    (tmp_path / "x.png").write_bytes(samples.saturn_png())
    (tmp_path / "notes.txt").write_text("kiosk")
    done = run(tmp_path)
    line = f"mm7zeep check: {tmp_path}: no captured message in this directory; none of its 2 files is one\n"
    assert (done.exit_code, done.stdout, done.stderr) == (3, "", line)
    (tmp_path / "y.http").write_bytes(CLEAN)
    done = run(tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")


def test_archives(tmp_path: Path) -> None:
    """Archives are named; a compressed capture is to be unpacked first."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("y.http", CLEAN)
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.add(tmp_path / "x.zip", "x.zip")
    (tmp_path / "x.gz").write_bytes(gzip.compress(CLEAN))
    done = run(tmp_path / "x.zip", tmp_path / "x.tar", tmp_path / "x.gz")
    assert done.exit_code == 3
    zipped, tarred, gzipped = done.stderr.splitlines()
    assert "x.zip: ZIP file, no MM7 capture" in zipped
    assert "x.tar: tar archive, no MM7 capture" in tarred
    assert "gunzip" in gzipped or "unpack" in gzipped


def test_programs_of_this_machine() -> None:
    """The interpreter and the sources of the standard library are no captures."""
    assert foreign.described(Path(sys.executable).read_bytes()) is not None
    sources = sorted(Path(json.__file__).parent.parent.glob("[a-h]*.py"))
    assert len(sources) > 30
    assert [path.name for path in sources if foreign.described(path.read_bytes()) is None] == []
