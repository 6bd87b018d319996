"""Broken delimiters and cut bodies: every part is read to the last octet, or the message is refused.

Random packages are written whole, then one delimiter is mistyped, or the body is cut.
"""

from __future__ import annotations

import base64
import binascii
import random
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
from gateway_room import Room, basic, rooms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mm7zeep import exchange, mime
from mm7zeep.conformance import verdict
from mm7zeep.conformance.input import capture
from mm7zeep.errors import MimeError
from mm7zeep.exchange import Wire
from mm7zeep.messages import SubmitReq
from mm7zeep.receiver import Receiver

MM7 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
    f'<TransactionID xmlns="{MM7}" e:mustUnderstand="1">t1</TransactionID></e:Header><e:Body><SubmitReq xmlns="{MM7}">'
    "<MM7Version>6.8.0</MM7Version><SenderIdentification><VASPID>TNN</VASPID><VASID>News</VASID></SenderIdentification><Recipients><To>"
    '<Number>+49170000001</Number></To></Recipients><Content href="cid:content@w.example"/></SubmitReq></e:Body>'
    "</e:Envelope>"
).encode()


def png(data: bytes) -> bytes:
    """A PNG of one chunk, as a reader of chunks sees it."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


class Leaf(NamedTuple):
    """One part with content."""

    content: bytes
    type: str
    encoding: str | None


class Tree(NamedTuple):
    """One multipart."""

    boundary: str
    subtype: str
    children: list[Leaf | Tree]
    preamble: bytes = b""
    epilogue: bytes = b""


PER_PACKAGE = 12
"""Ways to break one package that are tried; hypothesis makes many packages."""

TEXT_LINES = [
    b"Tides for today", b"-- ", b"-----", b"| --- | --- |", b"--option", b"-", b"", b" indented", b"Note: high", b"=",
    b"- Content-Type is a header", b"Content of the day", b"--", b"----------------", b"A--B", b"x-y-",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(TEXT_LINES), max_size=6).map(b"\r\n".join)
BINARY = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.sampled_from([b"\n", b"\r\n", b"\n--", b"\r", b"-", b"--\r\n", b"\x00", b"\xff", b"\n-", b"Content", b":"]),
        max_size=20,
    ).map(b"".join),
)
LEAF = st.one_of(
    st.builds(Leaf, TEXT, st.just("text/plain; charset=utf-8"), st.sampled_from([None, "7bit", "quoted-printable"])),
    st.builds(Leaf, BINARY, st.just("application/octet-stream"), st.sampled_from([None, "binary", "base64"])),
    st.builds(Leaf, BINARY.map(png), st.just("image/png"), st.sampled_from(["binary", "base64"])),
    st.builds(Leaf, st.just(b"<smil><body/></smil>"), st.just("application/smil"), st.sampled_from([None, "8bit"])),
    st.builds(Leaf, st.just(b""), st.sampled_from(["text/plain", "image/gif"]), st.none()),
)
BOUNDARY = st.one_of(
    st.text("abcXYZ019'()+_,-./:=? ", min_size=1, max_size=40).filter(lambda text: not text.endswith(" ")),
    st.sampled_from(
        ["b", "m1", "r1", "--", "-", "-----", "outer-0", "inner-0", "boundary", "simple", "--soap-border", "x-", "-x--"]
    ),
    st.integers(1, 10**9).map(lambda n: f"----=_Part_{n % 97}_{n}.{1397492135426 + n}"),
    st.integers(1, 10**6).map(lambda n: f"NextPart_000_0028_01C19839.{n}"),
)
SURROUNDINGS = st.sampled_from([b"", b"", b"This is a multi-part message in MIME.", b"-- \r\nby a buoy", b"\r\n"])


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """A package: the envelope, and the content that it names, which is a part or a multipart up to three deep."""
    boundary = draw(BOUNDARY)
    used = [boundary]

    def fresh() -> str:
        made = draw(
            st.one_of(
                BOUNDARY,
                st.sampled_from(used).map(lambda name: name + "1"),
                st.sampled_from(used).map(lambda name: "a" + name),
                st.sampled_from(used).map(lambda name: name[:-1] or "q"),
            )
        )
        while made.rstrip("- ") in [name.rstrip("- ") for name in used] or made.endswith(" ") or not made.strip("-"):
            made = f"i{len(used)}{made.strip()}"
        used.append(made)
        return made

    def multipart(depth: int) -> Tree:
        name = fresh()
        children: list[Leaf | Tree] = []
        for _ in range(draw(st.integers(1, 3))):
            children.append(multipart(depth - 1) if depth and draw(st.integers(0, 3)) == 0 else draw(LEAF))
        subtype = draw(st.sampled_from(["mixed", "related", "alternative"]))
        return Tree(name, subtype, children, draw(SURROUNDINGS), draw(SURROUNDINGS))

    content = multipart(2) if draw(st.booleans()) else draw(LEAF)
    return Tree(boundary, "related", [Leaf(ENVELOPE, "text/xml; charset=utf-8", None), content], draw(SURROUNDINGS))


def names(tree: Tree) -> list[str]:
    """All boundaries."""
    return [tree.boundary, *(name for child in tree.children if isinstance(child, Tree) for name in names(child))]


def leaves(tree: Tree) -> list[Leaf]:
    """All leaves in order."""
    return [one for child in tree.children for one in (leaves(child) if isinstance(child, Tree) else [child])]


def encoded(leaf: Leaf, eol: bytes) -> bytes:
    """The content as it is sent."""
    if leaf.encoding == "base64":
        return base64.encodebytes(leaf.content).replace(b"\n", eol)
    if leaf.encoding == "quoted-printable":
        text = leaf.content.replace(b"\r", b"")
        return binascii.b2a_qp(text, quotetabs=True, istext=False).replace(b"=\n", b"=" + eol)
    return leaf.content


def content(leaf: Leaf) -> bytes:
    """What a reader must give."""
    return leaf.content.replace(b"\r", b"") if leaf.encoding == "quoted-printable" else leaf.content


class Written(NamedTuple):
    """A package on the wire: its octets, where its delimiters are, their line ends left out, and those of them with an
    epilogue behind.
    """

    body: bytes
    delimiters: list[tuple[int, int]]
    epilogues: frozenset[int]


def write(tree: Tree, eol: bytes) -> Written:
    """The whole package."""
    pieces: list[bytes] = []
    places: list[int] = []
    epilogues: list[int] = []

    def delimiter(tree: Tree, dashes: bytes) -> None:
        places.append(len(pieces))
        pieces.append(b"--" + tree.boundary.encode() + dashes)

    def node(one: Leaf | Tree, id: str) -> None:
        lines = [f"Content-ID: <{id}@w.example>".encode()]
        if isinstance(one, Leaf):
            lines.insert(0, b"Content-Type: " + one.type.encode())
            if one.encoding:
                lines.append(b"Content-Transfer-Encoding: " + one.encoding.encode())
        else:
            lines.insert(0, f'Content-Type: multipart/{one.subtype}; boundary="{one.boundary}"'.encode())
        pieces.append(eol.join(lines) + eol + eol)
        pieces.append(encoded(one, eol)) if isinstance(one, Leaf) else inside(one, "p")

    def inside(tree: Tree, label: str) -> None:
        pieces.append(tree.preamble + eol if tree.preamble else b"")
        for number, child in enumerate(tree.children):
            if number:
                pieces.append(eol)
            delimiter(tree, b"")
            pieces.append(eol)
            node(child, ["root", "content"][number] if label == "top" else f"{label}{number}{len(pieces)}")
        pieces.append(eol)
        epilogues.extend([len(places)] if tree.epilogue else [])
        delimiter(tree, b"--")
        pieces.append(eol + tree.epilogue if tree.epilogue else b"")

    inside(tree, "top")
    pieces.append(eol)
    starts = [sum(map(len, pieces[:at])) for at in places]
    delimiters = [(at, at + len(pieces[n])) for at, n in zip(starts, places, strict=True)]
    return Written(b"".join(pieces), delimiters, frozenset(starts[number] for number in epilogues))


def sound(tree: Tree, written: Written) -> bool:
    """Whether no content happens to hold a delimiter, or what resembles one."""
    lines = {written.body[start:end] for start, end in written.delimiters}
    cores = [name.strip("- ").lower().encode() for name in names(tree)]
    for leaf in [*leaves(tree)[1:]]:
        octets = b"\n" + encoded(leaf, b"\r\n").lower()
        if octets.endswith(b"\r"):
            return False  # which with a bare LF behind it is a line end
        if any(b"\n" + line.lower() in octets or b"\r" + line.lower() in octets for line in lines):
            return False
        if any(len(core) > 2 and core in octets for core in cores):
            return False
    return b"\n" not in b"".join(lines)


def head(tree: Tree) -> tuple[tuple[str, str], ...]:
    """The Content-Type of the whole."""
    return (
        ("Host", "mm.example"),
        ("Content-Type", f'multipart/related; boundary="{tree.boundary}"; type="text/xml"; start="<root@w.example>"'),
    )


def read(tree: Tree, body: bytes, step: int = 0) -> list[bytes] | None:
    """The parts, where the message is accepted; None where it is refused."""
    chunks = [body[at : at + step] for at in range(0, len(body), step)] if step else [body]
    try:
        package = mime.read(head(tree), chunks)
    except MimeError:
        return None
    found = [part.read() for part in package.parts]
    if found == [content(leaf) for leaf in leaves(tree)[1:]]:
        return found  # whatever else is found: nothing was lost
    judged = exchange.examine(Wire(body=body, headers=head(tree), method="POST"), package=package)
    return found if judged.accepted else None


def mistyped(line: bytes, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """One typing error after another."""
    at = rng.randrange(len(line))
    letter = bytes([rng.choice(b"abzXQ0189-_= .:")])
    yield "letter missing", line[:at] + line[at + 1 :]
    yield "letter inserted", line[:at] + letter + line[at:]
    yield "letter replaced", line[:at] + letter + line[at + 1 :]
    yield "letter twice", line[:at] + line[at : at + 1] + line[at:]
    yield "dash missing before", line[1:]
    yield "dash more before", b"-" + line
    yield "no dashes before", line[2:]
    yield "dash missing behind", line[:-1] if line.endswith(b"--") else line + b"-"
    yield "dash more behind", line + b"-"
    yield "blank before", b" " + line
    yield "blank behind", line + b" "
    yield "other case", line.swapcase()
    at = rng.randrange(len(line) - 1)
    yield "letters transposed", line[:at] + line[at + 1 : at + 2] + line[at : at + 1] + line[at + 2 :]


def broken(written: Written, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """The body with one delimiter broken: each delimiter in each way.

    But for what is a sound package of other content: an epilogue whose delimiter is not there at all, a line break or a
    dash that belongs to the content before.
    """
    body = written.body
    for start, end in written.delimiters:
        for what, line in mistyped(body[start:end], rng):
            yield f"{what} at {start}", body[:start] + line + body[end:]
        behind = end + len(body[end : end + 2]) - len(body[end : end + 2].lstrip(b"\r\n"))
        before = start - (len(body[:start]) - len(body[:start].removesuffix(b"\n").removesuffix(b"\r")))
        if start not in written.epilogues:
            yield f"line missing at {start}", body[:start] + body[behind:]
        if before < start and not body[:before].endswith((b"\n", b"\n-")):
            yield f"line break missing before {start}", body[:before] + body[start:]
        if behind > end:
            yield f"line break missing behind {start}", body[:end] + body[behind:]


@given(tree=trees(), eol=st.sampled_from([b"\r\n", b"\r\n", b"\n"]), step=st.integers(1, 300))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whole_packages_are_read(tree: Tree, eol: bytes, step: int) -> None:
    """A package in which nothing is broken is accepted, each part to the last octet, whatever its boundaries are."""
    written = write(tree, eol)
    if not sound(tree, written):
        return
    package = mime.read(head(tree), [written.body[at : at + step] for at in range(0, len(written.body), step)])
    assert [part.read() for part in package.parts] == [content(leaf) for leaf in leaves(tree)[1:]]
    assert package.ending == "closed"
    assert [one.id for one in package.findings if one.action == "refused"] == []
    judged = exchange.examine(Wire(body=written.body, headers=head(tree), method="POST"))
    assert judged.accepted, judged.error


@given(tree=trees(), eol=st.sampled_from([b"\r\n", b"\r\n", b"\n"]), seed=st.integers(0, 10**6))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_broken_delimiters(tree: Tree, eol: bytes, seed: int) -> None:
    """Whichever delimiter is mistyped, missing or run together with a line: all parts exact, or refused."""
    written = write(tree, eol)
    if not sound(tree, written):
        return
    wanted = [content(leaf) for leaf in leaves(tree)[1:]]
    rng = random.Random(seed)
    ways = list(broken(written, rng))
    for what, body in rng.sample(ways, min(len(ways), PER_PACKAGE)):
        found = read(tree, body)
        assert found is None or found == wanted, what


@given(tree=trees(), eol=st.sampled_from([b"\r\n", b"\n"]), seed=st.integers(0, 10**6))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_cut_bodies(tree: Tree, eol: bytes, seed: int) -> None:
    """Wherever the body ends too early: all parts exact, or refused; ``PER_PACKAGE`` of the places are tried."""
    written = write(tree, eol)
    if not sound(tree, written):
        return
    wanted = [content(leaf) for leaf in leaves(tree)[1:]]
    rng = random.Random(seed)
    cuts = [rng.randrange(len(written.body)) for _ in range(20)]
    for start, end in written.delimiters:
        cuts += [start - 2, start - 1, *range(start, end + 3)]
    for cut in sorted(rng.sample(cuts, PER_PACKAGE)):
        found = read(tree, written.body[: max(0, cut)])
        assert found is None or found == wanted, cut


@pytest.mark.parametrize("boundary", ["outer-0", "inner-part-0", "x--y-z", "a-b", "_000_-part"])
def test_every_cut_with_dashes_in_the_boundary(boundary: str) -> None:
    """A delimiter that is cut off at a dash of its own is not the last delimiter."""
    inner = Tree("i20", "mixed", [Leaf(b"", "text/plain", None)])
    named = Tree(boundary, "mixed", [Leaf(b"", "text/plain", None), inner])
    tree = Tree("0", "related", [Leaf(ENVELOPE, "text/xml; charset=utf-8", None), named])
    body = write(tree, b"\r\n").body
    for cut in range(body.index(b"</e:Envelope>"), len(body)):
        found = read(tree, body[:cut])
        assert found is None or found == [b"", b""], cut


@pytest.mark.once
@pytest.mark.parametrize("step", [0, 1, 7])
@pytest.mark.parametrize(
    ("outer", "inner"), [("-", "----=_Part_1"), ("abcdef", "abcdef--x"), ("abcdef", "abcdef-x"), ("abcdef", "abcdefg")]
)
def test_every_cut_where_an_inner_boundary_begins_as_the_outer(outer: str, inner: str, step: int) -> None:
    """An inner delimiter that is cut off where it looks like one of the outer multipart ends nothing."""
    leaves_ = [Leaf(text, "text/plain", None) for text in (b"first", b"second")]
    for depth in (1, 2):
        named = Tree(inner, "mixed", list(leaves_))
        between = named if depth == 1 else Tree("i20", "mixed", [named])
        tree = Tree(outer, "related", [Leaf(ENVELOPE, "text/xml; charset=utf-8", None), between])
        body = write(tree, b"\r\n").body
        for cut in range(body.index(b"</e:Envelope>"), len(body)):
            found = read(tree, body[:cut], step)
            assert found is None or found == [b"first", b"second"], (depth, cut)


@pytest.mark.parametrize(
    "line",
    [
        b"--=_Part_12345.6789",
        b"----=_Part_12345.678",
        b"text ------=_Part_12345.6789",
        b"------=_Part_12345.6789  -- --",
        b"Content-Type: image/jpeg\r\nContent-ID: <b>",
    ],
)
def test_suspicion_depends_on_no_chunk(line: bytes) -> None:
    """What a broken delimiter leaves behind is found alike wherever a chunk ends."""
    boundary = b"----=_Part_12345.6789"
    head = [("Content-Type", f'multipart/related; boundary="{boundary.decode()}"')]
    envelope = b"Content-Type: text/xml\r\n\r\n" + ENVELOPE
    before = b"--%s\r\n%s\r\n--%s\r\nContent-Type: text/plain\r\n\r\n" % (boundary, envelope, boundary)
    before += b"some words\r\n" * 1500 + line
    body = before + b"\r\n\r\n" + b"more words\r\n" * 200 + b"--%s--\r\n" % boundary

    def outcome(cut: int) -> object:
        package = mime.read(head, [body[:cut], body[cut:]], mime.Limits(spool=1000))
        return package.findings, [part.read() for part in package.parts]

    whole = outcome(len(body))
    assert any(one.action == "refused" for one in whole[0])  # type: ignore[index]
    for cut in range(len(before) - 100, len(before) + 2000):
        assert outcome(cut) == whole, cut - len(before)


@pytest.mark.parametrize("cut", [0, 1, 900])
def test_last_delimiter_that_is_mistyped_before_a_slow_one(cut: int) -> None:
    """A delimiter that comes in pieces, with however many blanks, does not hide what stands right before it."""
    body = b"--outer\r\n\r\n%s\r\n--outer\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n" % ENVELOPE
    body += b"--inner\r\n\r\n" + b"words\r\n" * 4000 + b"--innr--\r\n--outer--"
    head = [("Content-Type", 'multipart/related; boundary="outer"')]
    limits = mime.Limits(spool=1000)
    pieces = [body + b" " * cut, b" " * (900 - cut) + b"\r\n"]
    found, whole = mime.read(head, pieces, limits), mime.read(head, b"".join(pieces), limits)
    assert found.findings == whole.findings
    assert [part.read() for part in found.parts] == [part.read() for part in whole.parts]


# --- single cases, at every door --------------------------------------------------------------------------------------

OUTER, INNER = "OUTER_55_8871", "INNERPART_000_0028"
FIRST, SECOND = b"High water 06:12\r\nLow water 12:20", b"Second text"
TWO = Tree(
    OUTER,
    "related",
    [
        Leaf(ENVELOPE, "text/xml; charset=utf-8", None),
        Tree(INNER, "mixed", [Leaf(FIRST, "text/plain", None), Leaf(SECOND, "text/plain", None)]),
    ],
)
ONE = Tree(OUTER, "related", [Leaf(ENVELOPE, "text/xml; charset=utf-8", None), Leaf(FIRST, "text/plain", None)])
PICTURE = Tree(OUTER, "related", [Leaf(ENVELOPE, "text/xml", None), Leaf(png(b"tide"), "image/png", "binary")])
ENCODED = Tree(OUTER, "related", [Leaf(ENVELOPE, "text/xml", None), Leaf(FIRST + b"!", "text/plain", "base64")])
SHORT = Tree("b", "related", [Leaf(ENVELOPE, "text/xml", None), Leaf(FIRST, "text/plain", None)])
DASHED = Tree(OUTER, "related", [Leaf(ENVELOPE, "text/xml", None), TWO.children[1]._replace(boundary="inner-part-0")])


class Broken(NamedTuple):
    """One way in which a package came broken: what stands in the place of ``old`` at its ``which`` occurrence."""

    name: str
    tree: Tree
    old: str
    new: str
    which: int
    accepted: bool
    cut: bool = False  # the body ends there
    ids: tuple[str, ...] = ()


LOST = ("mime/boundary-near-miss",)
OPEN = ("http/truncated", "mime/boundary-closed")
BROKEN = [
    # an opening delimiter: nothing is swallowed in silence
    Broken("inner, a letter off", TWO, f"--{INNER}", f"--l{INNER[1:]}", 1, False, ids=LOST),
    Broken("inner, first, a letter off", TWO, f"--{INNER}", f"--l{INNER[1:]}", 0, True, ids=LOST),
    Broken("inner, a dash too few", TWO, f"--{INNER}", f"-{INNER}", 1, False, ids=LOST),
    Broken("inner, first, a dash too few", TWO, f"--{INNER}", f"-{INNER}", 0, False, ids=LOST),
    Broken("inner, no dashes", TWO, f"--{INNER}", INNER, 1, False, ids=LOST),
    Broken("inner, two dashes too many", TWO, f"--{INNER}", f"----{INNER}", 1, False, ids=LOST),
    Broken("inner, in small letters", TWO, f"--{INNER}", f"--{INNER.lower()}", 1, False, ids=LOST),
    Broken("inner, missing", TWO, f"--{INNER}\r\n", "", 1, False, ids=("mime/delimiter-missing",)),
    Broken("inner, first, missing", TWO, f"--{INNER}\r\n", "", 0, False, ids=("mime/delimiter-missing",)),
    Broken("inner, something else", TWO, f"--{INNER}", "--0UT", 1, False, ids=("mime/delimiter-missing",)),
    Broken("inner, first, something else", TWO, f"--{INNER}", "--0UT", 0, False, ids=("mime/boundary-used",)),
    Broken("inner, no line break before", TWO, f"\r\n--{INNER}", f"--{INNER}", 1, False, ids=LOST),
    Broken("inner, no line break behind", TWO, f"--{INNER}\r\n", f"--{INNER}", 1, False, ids=LOST),
    Broken("outer, a letter off", TWO, f"--{OUTER}", "--0UTER_55_8871", 1, False),
    Broken("outer, missing", TWO, f"--{OUTER}\r\n", "", 1, False),
    Broken("outer, first, a letter off", TWO, f"--{OUTER}", "--0UTER_55_8871", 0, True, ids=LOST),
    Broken("short boundary, a letter off", SHORT, "--b", "--d", 1, False, ids=("mime/delimiter-missing",)),
    # a last delimiter, with nothing behind it
    *(
        Broken(f"{name}, {what}", tree, f"--{boundary}--", line.format(boundary), 0, True, ids=LOST)
        for name, tree, boundary in (("outer", ONE, OUTER), ("inner", TWO, INNER), ("outer of two", TWO, OUTER))
        for what, line in (
            ("one dash", "--{}-"),
            ("three dashes", "--{}---"),
            ("a blank", "--{} --"),
            ("a blank between", "--{}- -"),
            ("a dash before missing", "-{}--"),
            ("a dash more before", "---{}--"),
            ("a letter more", "--{}x--"),
            ("a letter behind", "--{}--x"),
        )
    ),
    Broken("outer, another letter", ONE, f"--{OUTER}--", "--OUTER_55_887l--", 0, True, ids=LOST),
    Broken("outer, letters transposed", ONE, f"--{OUTER}--", "--OUTRE_55_8871--", 0, True, ids=LOST),
    Broken("inner, another letter", TWO, f"--{INNER}--", "--1NNERPART_000_0028--", 0, True, ids=LOST),
    Broken("short boundary, one dash", SHORT, "--b--", "--b-", 0, True, ids=LOST),
    Broken("short boundary, three dashes", SHORT, "--b--", "--b---", 0, True, ids=LOST),
    Broken("one dash, text behind it", ONE, f"--{OUTER}--", f"--{OUTER}-\r\nsent by a buoy", 0, False, ids=LOST),
    Broken("inner, one dash, text behind it", TWO, f"--{INNER}--", f"--{INNER}-\r\nby buoy", 0, False, ids=LOST),
    Broken("inner, an opening one in its place", TWO, f"--{INNER}--", f"--{INNER}\r\n", 0, True, ids=OPEN[1:]),
    Broken("inner, missing", TWO, f"--{INNER}--\r\n", "", 0, True, ids=OPEN[1:]),
    # a body that ends too early
    Broken("in a text", ONE, "water 12:20", "", 0, False, cut=True, ids=OPEN),
    Broken("between lines of a text", ONE, "Low water", "", 0, False, cut=True, ids=OPEN),
    Broken("behind a text", ONE, f"\r\n--{OUTER}--", "", 0, False, cut=True, ids=OPEN),
    Broken("in the last delimiter", ONE, "8871--", "", 0, False, cut=True, ids=OPEN),
    Broken("in an inner text", TWO, "text\r\n", "", 0, False, cut=True, ids=OPEN),
    Broken("between inner parts", TWO, f"--{INNER}", "", 1, False, cut=True, ids=OPEN),
    Broken("in an inner delimiter", TWO, "PART_000_0028\r\n", "", 1, False, cut=True, ids=OPEN),
    Broken("at a dash of an inner delimiter", DASHED, "part-0\r\n", "part-", 1, False, cut=True, ids=LOST),
    Broken("behind an inner delimiter", TWO, f"--{INNER}\r\n", f"--{INNER}\r\n", 1, False, cut=True, ids=OPEN),
    Broken("in an inner header", TWO, "plain", "", 1, False, cut=True, ids=OPEN),
    Broken("behind an inner header", TWO, SECOND.decode(), "", 0, False, cut=True, ids=OPEN),
    Broken("before the inner last delimiter", TWO, f"--{INNER}--", "", 0, False, cut=True, ids=OPEN),
    Broken("behind the inner multipart", TWO, f"--{OUTER}--", "", 0, True, cut=True, ids=OPEN[1:]),
    Broken("behind a picture", PICTURE, f"--{OUTER}--", "", 0, True, cut=True, ids=OPEN[1:]),
    Broken("in a picture", PICTURE, "END", "", 0, False, cut=True, ids=OPEN),
    Broken("behind base64", ENCODED, f"--{OUTER}--", "", 0, True, cut=True, ids=OPEN[1:]),
    Broken("before the content", ONE, f"--{OUTER}", "", 1, False, cut=True, ids=OPEN),
]  # fmt: skip


def made(case: Broken) -> bytes:
    """The body of a case."""
    body = write(case.tree, b"\r\n").body
    at = -1
    for _ in range(case.which + 1):
        at = body.index(case.old.encode(), at + 1)
    return body[:at] + case.new.encode() + (b"" if case.cut else body[at + len(case.old) :])


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """One gateway for all cases."""
    with rooms(tmp_path_factory.mktemp("gateway")) as make:
        yield make()


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name.replace(" ", "-"))
def test_at_every_door(case: Broken, room: Room) -> None:
    """``unpack``, ``check``, the receiver and the gateway agree: refused with 2004 or 2007, or each part to the last
    octet, with a finding that says what was wrong.
    """
    body = made(case)
    assert body != write(case.tree, b"\r\n").body
    body = body.replace(b">t1<", f">{case.name}<".encode())
    wire = Wire(body=body, headers=(*head(case.tree), ("SOAPAction", '""')), method="POST", target="/mm7")
    judged = exchange.examine(wire)
    assert judged.accepted == case.accepted, judged.error
    assert set(case.ids) <= {one.id for one in judged.findings}
    assert all(one.level == "MUST" and one.topic == "boundary-syntax" for one in judged.findings if one.id in LOST)
    dump = "".join(f"{name}: {value}\r\n" for name, value in wire.headers).encode()
    [captured] = capture.messages("x", b"POST /mm7 HTTP/1.1\r\n" + dump + b"\r\n" + body)
    assert verdict.judge(captured).accepted == case.accepted
    for step in (1, 7, 400):
        chunks = [body[at : at + step] for at in range(0, len(body), step)]
        assert mime.read(wire.headers, chunks) == judged.package
    taken: list[SubmitReq] = []
    receiver = Receiver()

    @receiver.on_submit
    def keep(message: SubmitReq) -> None:
        taken.append(message)

    answers = [
        receiver.answer(wire),
        room.gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn")))),
    ]
    codes = [int(re.findall(rb"StatusCode>(\d+)<", answer.read())[0]) for answer in answers]
    if case.accepted:
        assert codes == [1000, 1000]
        assert [part.read() for part in taken[0].parts] == [content(leaf) for leaf in leaves(case.tree)[1:]]
    else:
        assert set(codes) <= {2004, 2007}
        assert taken == []


def test_lenient_reads_what_came() -> None:
    """The lenient policy refuses nothing of it, and says the same."""
    for case in BROKEN:
        judged = exchange.examine(Wire(body=made(case), headers=head(case.tree), method="POST"), policy="lenient")
        assert judged.accepted or judged.tree is None, case.name
        assert set(case.ids) <= {one.id for one in judged.findings}, case.name


@pytest.mark.parametrize(
    "text",
    [
        b"-- \r\nBuoy 7",
        b"| a | b |\r\n|---|---|\r\n-----\r\n--\r\n",
        b"The boundary is OUTER_55_8871, as --OUTER_55_8871 and --OUTER_55_8871-- show.",
        b"Content-Type: what it is\r\n\r\nand so on",
        b"- Content-Type: text/plain\r\n\r\nis missing",
        b"From: buoy@w.example\r\nContent-Type: text/plain\r\n\r\na mail",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nan answer",
        b"--- a/tide\r\n+++ b/tide\r\n-- low\r\n" * 200,
        b"-" * 5000,
        b"\n--",
        b"--OUTER",
    ],
)
@pytest.mark.parametrize("preamble", ["", "MIME-Version: 1.0\r\n{}\r\n", "This is a multi-part message.\r\n"])
def test_text_like_delimiters_is_kept(text: bytes, preamble: str) -> None:
    """Signatures, tables, quoted headers, differences of files and a talk about the boundary are content like any."""
    tree = ONE._replace(children=[ONE.children[0], Leaf(text, "text/plain", None)])
    lead = preamble.format(f"Content-Type: {head(tree)[1][1]}\r\n")
    judged = exchange.examine(Wire(body=lead.encode() + write(tree, b"\r\n").body, headers=head(tree), method="POST"))
    assert judged.accepted, judged.error
    assert judged.package is not None
    assert [part.read() for part in judged.package.parts] == [text]
    assert not set(LOST) & {one.id for one in judged.findings}


DOCUMENT = b"Set the field\r\nContent-Type: text/plain\r\n\r\nand send it"


def judged_content(header: str, content: bytes, *, step: int | None = None) -> exchange.Judgement:
    """A package whose content is one part."""
    body = (
        f"--{OUTER}\r\nContent-Type: text/xml; charset=utf-8\r\n\r\n".encode() + ENVELOPE
        + f"\r\n--{OUTER}\r\n{header}\r\n\r\n".encode() + content + f"\r\n--{OUTER}--\r\n".encode()
    )  # fmt: skip
    step = step or len(body)
    package = mime.read(head(ONE), [body[at : at + step] for at in range(0, len(body), step)])
    return exchange.examine(Wire(body=body, headers=head(ONE), method="POST"), package=package)


@pytest.mark.parametrize(
    ("header", "content", "accepted"),
    [
        ("Content-Type: text/plain\r\nContent-ID: <content@w.example>", DOCUMENT, True),
        ("Content-Type: text/plain\r\nContent-ID: <content@w.example>", DOCUMENT.replace(b"text/p", b"image/p"), False),
        (
            "Content-Type: text/plain\r\nContent-ID: <content@w.example>",
            DOCUMENT.replace(b"plain", b"plain; name=a.txt"),
            False,
        ),
        ("Content-Type: image/x-tide\r\nContent-ID: <content@w.example>", DOCUMENT, False),
    ],
    ids=["a text", "a picture in it", "a named text in it", "in a picture"],
)
def test_a_text_about_a_content_type(header: str, content: bytes, accepted: bool) -> None:
    """A lone Content-Type in a named text is kept and noted; where it cannot be text, a delimiter is missing."""
    judged = judged_content(header, content)
    assert judged.accepted == accepted
    noted = [one.action for one in judged.findings if one.id == "mime/delimiter-missing"]
    assert noted == (["noted"] if accepted else ["refused"])
    assert judged.package is not None
    assert [part.read() for part in judged.package.parts] == [content]


@pytest.mark.parametrize("step", [None, 1, 7])
@pytest.mark.parametrize(
    ("behind", "accepted"),
    [(b"", True), (b"\r\n\r\nContent-Type: image/gif\r\nContent-ID: <lost@w.example>\r\n\r\nGIF89a", False)],
    ids=["whole", "with a part behind it"],
)
def test_protected_content_is_a_multipart_of_its_own(behind: bytes, accepted: bool, step: int | None) -> None:
    """Forward lock (OMA DRM 1.0) has part headers between its own delimiters; behind the last one they are lost."""
    content = (
        b"--lock\r\nContent-Type: image/gif\r\nContent-Transfer-Encoding: binary\r\n\r\nGIF89a\r\n--lock--" + behind
    )
    header = "Content-Type: application/vnd.oma.drm.message; boundary=lock\r\nContent-ID: <content@w.example>"
    judged = judged_content(header, content, step=step)
    assert judged.accepted == accepted
    assert judged.package is not None
    assert [part.read() for part in judged.package.parts] == [content]


@pytest.mark.parametrize(
    ("line", "accepted"),
    [(b"", True), ("\r\n--b\N{EM DASH}".encode(), False), (b"\r\n--b\x97", False)],
    ids=["missing", "em dash", "em dash of Windows-1252"],
)
def test_picture_before_a_last_delimiter_that_is_none(line: bytes, accepted: bool) -> None:
    """A picture of an unclosed multipart never ends with what was meant for the delimiter, nor with its line end."""
    picture = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0IEND\xaeB`\x82"
    content = b"--b\r\nContent-Type: image/png\r\nContent-ID: <p@w.example>\r\n\r\n" + picture + line + b"\r\n"
    judged = judged_content("Content-Type: multipart/mixed; boundary=b\r\nContent-ID: <content@w.example>", content)
    assert judged.accepted == accepted
    assert judged.package is not None
    if accepted:
        assert [part.read() for part in judged.package.parts] == [picture]
        assert "mime/boundary-closed" in {one.id for one in judged.findings}


@pytest.mark.parametrize(
    ("length", "lines", "accepted"),
    [(0, b"\r\n", True), (0, b"\n", True), (-9, b"\r\n", True), (9000, b"\r\n", False), (None, b"\r\n", False)],
    ids=["equal", "equal before a dump", "less", "more", "none"],
)
@pytest.mark.parametrize("tree", [ONE, ENCODED], ids=["text", "base64"])
def test_announced_octets_that_all_came(tree: Tree, length: int | None, lines: bytes, accepted: bool) -> None:
    """Where as many octets came as were announced, only the delimiter is missing that a text ends before."""
    body = write(tree, b"\r\n").body
    body = body[: body.index(f"--{OUTER}--".encode())]
    headers = head(tree) + ((("Content-Length", str(len(body) + length)),) if length is not None else ())
    judged = exchange.examine(Wire(body=body.replace(b"\r\n", lines), headers=headers, method="POST"))
    assert judged.accepted == (accepted or tree is ENCODED)
    assert "mime/boundary-closed" in {one.id for one in judged.findings}
    assert judged.package is not None
    if accepted:
        wanted = FIRST.replace(b"\r\n", lines) if tree is ONE else FIRST + b"!"
        assert [part.read() for part in judged.package.parts] == [wanted]
    cut = replace_length(head(tree), body[:-5])
    assert exchange.examine(Wire(body=body[:-5], headers=cut, method="POST")).error is not None


def replace_length(headers: tuple[tuple[str, str], ...], body: bytes) -> tuple[tuple[str, str], ...]:
    """The head with the length of ``body``."""
    return (*headers, ("Content-Length", str(len(body))))
