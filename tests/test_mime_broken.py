"""Broken delimiters and cut bodies: every part is read to the last octet, or the message is refused.

Random packages are written whole, then one delimiter is mistyped, or the body is cut.
"""

from __future__ import annotations

import base64
import binascii
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mm7zeep import exchange, mime
from mm7zeep.errors import MimeError
from mm7zeep.exchange import Wire

MM7 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
    f'<TransactionID xmlns="{MM7}" e:mustUnderstand="1">t1</TransactionID></e:Header><e:Body><SubmitReq xmlns="{MM7}">'
    "<MM7Version>6.8.0</MM7Version><SenderIdentification><VASPID>tides</VASPID></SenderIdentification><Recipients><To>"
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


TEXT_LINES = [
    b"Tides for today", b"-- ", b"-----", b"| --- | --- |", b"--option", b"-", b"", b" indented", b"Note: high water", b"=",
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
        ["b", "m1", "r1", "--", "-", "-----", "outer-0", "inner-0", "boundary", "simple", "--soap-border", "x-", "--x--"]
    ),
    st.integers(1, 10**9).map(lambda n: f"----=_Part_{n % 97}_{n}.{1397492135426 + n}"),
    st.integers(1, 10**6).map(lambda n: f"NextPart_000_0028_01C19839.{n}"),
)
SURROUNDINGS = st.sampled_from([b"", b"", b"This is a multi-part message in MIME format.", b"-- \r\nsent by a buoy", b"\r\n"])


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
        return Tree(
            name, draw(st.sampled_from(["mixed", "related", "alternative"])), children, draw(SURROUNDINGS), draw(SURROUNDINGS)
        )

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
        return binascii.b2a_qp(leaf.content.replace(b"\r", b""), quotetabs=True, istext=False).replace(b"=\n", b"=" + eol)
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
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_broken_delimiters(tree: Tree, eol: bytes, seed: int) -> None:
    """Whichever delimiter is mistyped, missing or run together with a line: all parts exact, or refused."""
    written = write(tree, eol)
    if not sound(tree, written):
        return
    wanted = [content(leaf) for leaf in leaves(tree)[1:]]
    for what, body in broken(written, random.Random(seed)):
        found = read(tree, body)
        assert found is None or found == wanted, what


@given(tree=trees(), eol=st.sampled_from([b"\r\n", b"\n"]), seed=st.integers(0, 10**6))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_cut_bodies(tree: Tree, eol: bytes, seed: int) -> None:
    """Wherever the body ends too early: all parts exact, or refused."""
    written = write(tree, eol)
    if not sound(tree, written):
        return
    wanted = [content(leaf) for leaf in leaves(tree)[1:]]
    rng = random.Random(seed)
    cuts = {rng.randrange(len(written.body)) for _ in range(40)}
    for start, end in written.delimiters:
        cuts |= {start - 2, start - 1, *range(start, end + 3)}
    for cut in sorted(cuts):
        found = read(tree, written.body[: max(0, cut)])
        assert found is None or found == wanted, cut
