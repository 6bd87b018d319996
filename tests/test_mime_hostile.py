"""The MIME reader under attack: linear time, bounded memory, and never an error that is not ours."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import pytest
from timing import least_seconds

from mm7zeep import mime
from mm7zeep.errors import LimitError, MimeError, RemoteError

pytestmark = pytest.mark.once

HEAD = 'multipart/related; boundary="b"; type="text/xml"; start="<r@w>"'
ROOT = b"--b\r\nContent-Type: text/xml\r\nContent-ID: <r@w>\r\n\r\n<Envelope/>\r\n"
MB = 1_000_000
WIDE = mime.Limits(body=100 * MB, root=100 * MB)


def part(content: bytes, encoding: str = "binary", content_type: str = "text/plain") -> bytes:
    """A package with one content part."""
    head = f"--b\r\nContent-Type: {content_type}\r\nContent-ID: <p@w>\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return ROOT + head.encode() + content + b"\r\n--b--\r\n"


def fill(pattern: bytes, size: int) -> bytes:
    """The pattern, repeated to about ``size`` octets."""
    return pattern * (size // len(pattern))


class Attack(NamedTuple):
    """What is sent, made to a size, and what must come of it: the size of the content part, or an error."""

    name: str
    make: Callable[[int], bytes]
    outcome: Callable[[int], int] | type[RemoteError]
    head: str = HEAD


def same(size: int) -> int:
    """The content comes out as long as it went in."""
    return size


LONG = "OUTER_55_8871"


def long(content: bytes) -> bytes:
    """A package with one content part, its boundary long enough that near copies of it are looked for."""
    return part(content).replace(b"--b", b"--" + LONG.encode())


ATTACKS = [
    Attack("CRs", lambda n: fill(b"\r", n), MimeError),
    Attack("CRs in a part", lambda n: part(fill(b"\r", n)), same),
    Attack("LFs in a part", lambda n: part(fill(b"\n", n)), same),
    Attack("CRLFs in 7bit", lambda n: part(fill(b"\r\n", n), "7bit"), same),
    Attack("almost delimiters", lambda n: part(fill(b"\r\n--b-almost", n)), lambda n: n // 12 * 12),
    Attack("delimiter and text", lambda n: part(fill(b"\r\n--b--\tx", n)), lambda n: n // 9 * 9),
    Attack("delimiter and endless padding", lambda n: part(b"\r\n--b" + fill(b" ", n) + b"x"), lambda n: n + 6),
    Attack("delimiters with long padding", lambda n: part(fill(b"\n--b" + b"\t" * 996, n) + b"x"), LimitError),
    Attack("padding beyond reason", lambda n: part(fill(b"\n--b" + b" " * 1996, n)), lambda n: n // 2000 * 2000),
    Attack("dashes", lambda n: part(fill(b"-", n)), same),
    Attack("lines of two dashes", lambda n: part(fill(b"\n--", n)), lambda n: n // 3 * 3),
    Attack(
        "boundary of dashes",
        lambda n: part(fill(b"\n---", n)).replace(b"--b", b"--" + b"-" * 70),
        lambda n: n // 4 * 4,
        HEAD.replace('"b"', '"' + "-" * 70 + '"'),
    ),
    *(
        Attack(name, lambda n, line=line: long(fill(line, n)), lambda n, line=line: n // len(line) * len(line), head)  # type: ignore[misc]
        for head in (HEAD.replace('"b"', f'"{LONG}"'),)
        for name, line in (
            ("near copies of a delimiter", b"\n--OUTER_55_887x"),
            ("half a delimiter", b"\n--OUTER_5xxxxxxxxx"),
            ("half a delimiter behind", b"\n--xxxxxxxxx55_8871"),
            ("boundaries in text", b"ab OUTER_55_8871 cd"),
            ("boundaries in lines of text", b"ab OUTER_55_8871 cd\n"),
            ("fields that are no part header", b"\r\nContent-Type: x"),
            ("fields behind dashes", b"\r\n--xxxxxxxxxxxxxx content-type: x"),
            ("lines that end in a dash", b"\nxxxxxxxxxxxxxxxxxxxxxx\x00-"),
            ("lines that begin with a dash", b"\n-\x00"),
        )
    ),
    Attack(
        "no closing delimiter", lambda n: part(fill(b"abc\r\n", n)).removesuffix(b"\r\n--b--\r\n"), lambda n: n // 5 * 5
    ),
    Attack("preamble", lambda n: fill(b"read me\r\n", n) + part(b"x"), lambda n: 1),
    Attack("epilogue", lambda n: part(b"x") + fill(b"read me\r\n", n), lambda n: 1),
    Attack("base64", lambda n: part(fill(b"QUJD" * 19 + b"\r\n", n), "base64"), lambda n: n // 78 * 57),
    Attack(
        "base64 with foreign characters", lambda n: part(fill(b"Q!U*J\x00D\xff", n), "base64"), lambda n: n // 8 * 3
    ),
    Attack("base64 of padding", lambda n: part(fill(b"=", n), "base64"), lambda n: 0),
    Attack("base64 after padding", lambda n: part(b"QQ==" + fill(b"Q=", n), "base64"), lambda n: 1),
    Attack("base64 of nothing", lambda n: part(fill(b"!", n), "base64"), lambda n: 0),
    Attack(
        "quoted-printable", lambda n: part(fill(b"=41" * 25 + b"=\r\n", n), "quoted-printable"), lambda n: n // 78 * 25
    ),
    Attack("stray signs", lambda n: part(fill(b"=", n - 1) + b".", "quoted-printable"), same),
    Attack("stray signs and text", lambda n: part(fill(b"=x", n), "quoted-printable"), same),
    Attack("soft breaks", lambda n: part(fill(b"=\n", n), "quoted-printable"), lambda n: 0),
    Attack("blanks in quoted-printable", lambda n: part(fill(b" ", n) + b".", "quoted-printable"), lambda n: n + 1),
    Attack("blanks at line ends", lambda n: part(fill(b"   \t\n", n) + b".", "quoted-printable"), lambda n: n // 5 + 1),
    Attack("runs of blanks", lambda n: part(fill(b" " * 999 + b"x", n), "quoted-printable"), same),
    Attack("long line in 7bit", lambda n: part(fill(b"a", n), "7bit"), same),
    Attack("lines of 998 in 7bit", lambda n: part(fill(b"a" * 998 + b"\r\n", n), "7bit"), same),
    Attack("10^5 fields", lambda n: b"--b\r\n" + fill(b"X: y\r\n", n) + b"\r\n", LimitError),
    Attack("one long field", lambda n: b"--b\r\nX: " + fill(b"y", n), LimitError),
    Attack("one folded field", lambda n: b"--b\r\nX:\r\n" + fill(b" y\r\n", n), LimitError),
    Attack("fields continued in column 0", lambda n: b"--b\r\nX: y;\r\n" + fill(b"z=1;\r\n", n), LimitError),
    Attack("encoded words", lambda n: b'--b\r\nContent-Type: a/b; name="' + fill(b"=?utf-8?Q?a?= ", n), LimitError),
    Attack("no empty line", lambda n: ROOT + b"--b\r\n" + fill(b"y", n) + b"\r\n--b--", same),
    Attack("empty parts", lambda n: fill(b"--b\r\n\r\n", n), LimitError),
    Attack("parts without a header", lambda n: fill(b"--b\r\n", n), LimitError),
    Attack(
        "nesting",
        lambda n: (
            b"--b\r\n"
            + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(n // 60))
        ),
        LimitError,
    ),
]


def run(attack: Attack, body: bytes, step: int = 65536) -> mime.Package | RemoteError:
    """Read in chunks; the outcome is a package or our own error."""
    try:
        return mime.read(
            [("Content-Type", attack.head)], (body[at : at + step] for at in range(0, len(body), step)), WIDE
        )
    except RemoteError as error:
        return error


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_time_and_outcome(attack: Attack) -> None:
    """10 MB of it take half a second on an idle machine (twice that is allowed here) and come to a known end."""
    body = attack.make(10 * MB)
    outcomes = []
    assert least_seconds(lambda: outcomes.append(run(attack, body)), enough=0.5) < 1.0
    outcome = outcomes[-1]
    if isinstance(attack.outcome, type):
        assert isinstance(outcome, attack.outcome)
    else:
        assert isinstance(outcome, mime.Package)
        assert [one.size for one in outcome.parts] == [attack.outcome(10 * MB)]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_memory(attack: Attack) -> None:
    """On top of the body, the reader never needs half as much again; mostly it is far less than the body."""
    body = attack.make(2 * MB)
    tracemalloc.start()
    try:
        run(attack, body, len(body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * len(body)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_small_chunks_make_no_difference(attack: Attack) -> None:
    """In odd chunks, the outcome is the same."""
    body = attack.make(50_000)
    whole, pieces = run(attack, body, len(body)), run(attack, body, 997)
    if isinstance(whole, mime.Package):
        assert isinstance(pieces, mime.Package)
        assert pieces.findings == whole.findings
        assert [one.read() for one in pieces.parts] == [one.read() for one in whole.parts]
    else:
        assert (type(pieces), str(pieces)) == (type(whole), str(whole))


@pytest.mark.parametrize("encoding", ["binary", "base64", "quoted-printable", "7bit"])
def test_one_octet_at_a_time(encoding: str) -> None:
    """64 KiB in chunks of one octet take less than a second."""
    body = part(fill(b"QUJD" * 8 + b"\r\n--b\t\r", 65536), encoding)

    def read() -> None:
        reader = mime.Reader([("Content-Type", HEAD)])
        for at in range(len(body)):
            reader.feed(body[at : at + 1])
        reader.finish()

    assert least_seconds(read, enough=0.5) < 1.0


@pytest.mark.parametrize(
    ("limits", "body"),
    [
        (mime.Limits(parts=2), ROOT + b"--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--"),
        (mime.Limits(body=100), part(b"x" * 100)),
        (mime.Limits(root=5), part(b"x")),
        (mime.Limits(header_fields=1), part(b"x")),
        (mime.Limits(header_bytes=20), part(b"x")),
        (mime.Limits(depth=0), part(b"x", content_type="multipart/mixed; boundary=c")),
        (mime.Limits(boundary=3), part(b"x", content_type="multipart/mixed; boundary=cccc")),
    ],
    ids=["parts", "body", "root", "fields", "header", "depth", "boundary"],
)
def test_every_limit(limits: mime.Limits, body: bytes) -> None:
    """Each limit is enforced, and the finding says so; the same package passes without it."""
    with pytest.raises(LimitError) as caught:
        mime.read([("Content-Type", HEAD)], body, limits)
    assert caught.value.findings[-1].id == "mime/limit"
    assert caught.value.findings[-1].action == "refused"
    assert mime.read([("Content-Type", HEAD)], body).root == b"<Envelope/>"


def test_limits_are_known_early() -> None:
    """An announced length, an endless envelope, a boundary beyond the limit: refused before all has arrived."""
    with pytest.raises(LimitError):
        mime.Reader([("Content-Type", HEAD)], content_length=10**10).feed(b"")
    reader = mime.Reader([("Content-Type", "text/xml")], mime.Limits(root=MB))
    reader.feed(b"<" * MB)
    with pytest.raises(LimitError):
        reader.feed(b"<" * 100_000)
    with pytest.raises(LimitError):
        reader.finish()
    for huge in ("x" * MB, '"' + "x " * MB, "x" * 300):
        with pytest.raises(LimitError):
            mime.Reader([("Content-Type", f"multipart/related; boundary={huge}")]).feed(b"")
    with pytest.raises(ValueError, match="depth"):
        mime.Limits(depth=101)
    with pytest.raises(ValueError, match="parts"):
        mime.Limits(parts=-1)


@pytest.mark.parametrize(
    "tail",
    [
        ";",
        "; ",
        ";a=",
        ';"',
        ';a="',
        ";=",
        ";a*0*=%",
        ";n*={}''%41",
        '\\"',
        " y",
        "=",
        ";a=b c=",
        "\t\r\n",
        "=?utf-8?B?",
        "/",
        ",",
        "(",
        "(x) ",
        " (x); name=y",
        "a=b (x) ",
        '\\" ',
        "\\(",
    ],
)
def test_fields_are_parsed_in_linear_time(tail: str) -> None:
    """A field of 100,000 characters takes less than half a second, however it is made."""
    for text in (fill(tail.encode(), 100_000).decode(), 'a/b; c="' + fill(tail.encode(), 100_000).decode()):

        def parse(text: str = text) -> None:
            mime.parse_content_type(text)
            mime.parse_disposition(text)

        assert least_seconds(parse) < 0.5


def test_encoded_words_are_bounded() -> None:
    """Names are decoded up to the length of a name; beyond that, encoded words stay as they are."""
    for count in (10, 50_000):
        name = "=?utf-8?Q?a?= " * count
        body = part(b"x", content_type=f'image/gif; name="{name}"')
        read = partial(mime.read, [("Content-Type", HEAD)], body, mime.Limits(header_bytes=MB))
        assert read().parts[0].name == ("a" * 10 if count == 10 else name.strip())
        assert least_seconds(read) < 0.5


def test_linear_where_limits_are_raised() -> None:
    """With high limits, twice the parts take twice the time, not four times."""
    limits = mime.Limits(parts=10**6, body=100 * MB)

    def seconds(count: int) -> float:
        body = ROOT + b"--b\r\nContent-Type: a/b\r\n\r\n\r\n" * count
        read = partial(mime.read, [("Content-Type", HEAD)], body, limits)
        assert len(read().parts) == count
        return least_seconds(read)

    assert seconds(8000) < 3.5 * seconds(4000)


# --- large parts ------------------------------------------------------------------------------------------------------


def arriving(size: int, encoding: str) -> Iterator[bytes]:
    """A package with one large part, in chunks that never exist together."""
    yield part(b"", encoding).removesuffix(b"\r\n--b--\r\n")
    line = b"QUJD" * 19 + b"\r\n" if encoding == "base64" else bytes(range(256)) * 4
    chunk = fill(line, 60_000)
    for _ in range(size // len(chunk)):
        yield chunk
    yield b"\r\n--b--\r\n"


@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_a_large_part_does_not_fill_memory(encoding: str) -> None:
    """20 MB of one part are read, opened and written again within 4 MB of memory."""
    tracemalloc.start()
    try:
        package = mime.read([("Content-Type", HEAD)], arriving(20 * MB, encoding), WIDE)
        (large,) = package.parts
        assert large.size > 14 * MB
        assert len(large.sha256()) == 64
        headers, body = mime.write(b"<Envelope/>", [large], encoding="base64")
        again = mime.read(headers, body, WIDE)
        assert again.parts[0].sha256() == large.sha256()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MB
