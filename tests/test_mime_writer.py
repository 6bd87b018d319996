"""The MIME writer: what it composes is read back, by us and by the standard library, and streams by its length."""

from __future__ import annotations

import email
import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from mm7zeep import mime
from mm7zeep.errors import LocalError
from mm7zeep.messages import Part

ENVELOPE = b"<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'/>"
NOTE = Part(
    body=b"Tides for today", content_type="text/plain", parameters=(("charset", "utf-8"),), content_id="note@w.example"
)
PICTURE = Part(body=b"GIF89a\r\n\r\n--\x00\xff", content_type="image/gif", content_id="pic@w.example", name="pic.gif")
SMIL = Part(body=b"<smil/>", content_type="application/smil", content_id="smil@w.example")


def fixed(*names: str) -> Callable[[], str]:
    """A maker of the given boundaries, one after the other."""
    return iter(names or ("B0", "B1")).__next__


def parsed(headers: list[tuple[str, str]], body: mime.Stream) -> mime.Package:
    """What our own reader makes of it."""
    return mime.read(headers, body)


def test_the_envelope_alone() -> None:
    """Without content, the body is the envelope, as text/xml."""
    headers, body = mime.write(ENVELOPE)
    assert headers == [("Content-Type", 'text/xml; charset="utf-8"')]
    assert b"".join(body) == ENVELOPE
    assert len(body) == len(ENVELOPE)


def test_one_part_beside_the_envelope() -> None:
    """One part stands beside the SOAP part; this is the whole of it, octet by octet."""
    headers, body = mime.write(ENVELOPE, [PICTURE], boundary=fixed())
    assert headers == [("Content-Type", 'multipart/related; boundary="B0"; type="text/xml"; start="<mm7-envelope>"')]
    assert b"".join(body) == b"\r\n".join(
        [
            b"--B0",
            b'Content-Type: text/xml; charset="utf-8"',
            b"Content-Transfer-Encoding: 8bit",
            b"Content-ID: <mm7-envelope>",
            b"",
            ENVELOPE,
            b"--B0",
            b"Content-Type: image/gif; name=pic.gif",
            b"Content-Transfer-Encoding: binary",
            b"Content-ID: <pic@w.example>",
            b"Content-Disposition: attachment; filename=pic.gif",
            b"",
            b"GIF89a\r\n\r\n--\x00\xff",
            b"--B0--",
            b"",
        ]
    )


def test_several_parts_with_a_presentation() -> None:
    """With a presentation, the parts stand in a nested multipart/related that it begins."""
    headers, body = mime.write(ENVELOPE, [NOTE, PICTURE], presentation=SMIL, content_id="mms@w.example")
    package = parsed(headers, body)
    (node,) = package.content
    assert (node.content_type, node.content_id) == ("multipart/related", "mms@w.example")
    assert node.parameters[1:] == (("type", "application/smil"), ("start", "<smil@w.example>"))
    assert package.parts == (SMIL, NOTE, PICTURE)
    assert {found.id for found in package.findings} == {"mime/content-id-syntax"}  # "mm7-envelope" has no domain


def test_several_parts_without_a_presentation() -> None:
    """Without a presentation, the nested multipart is mixed; a subtype can be asked for, also around one part."""
    package = parsed(*mime.write(ENVELOPE, [NOTE, PICTURE], content_id="mms@w.example"))
    assert (package.content[0].content_type, package.parts) == ("multipart/mixed", (NOTE, PICTURE))
    package = parsed(*mime.write(ENVELOPE, [NOTE], content_id="mms@w.example", subtype="related"))
    assert (package.content[0].content_type, package.parts) == ("multipart/related", (NOTE,))
    assert package.content[0].parameter("type") == "text/plain"
    package = parsed(*mime.write(ENVELOPE, presentation=SMIL, content_id="mms@w.example"))
    assert (package.content[0].content_type, package.parts) == ("multipart/related", (SMIL,))


def test_the_content_id_of_one_part() -> None:
    """``content_id`` names the single part that the Content href refers to."""
    package = parsed(*mime.write(ENVELOPE, [NOTE], content_id="other@w.example"))
    assert package.parts[0].content_id == "other@w.example"
    assert parsed(*mime.write(ENVELOPE, [Part(body=b"x")])).parts[0].content_id is None


@pytest.mark.parametrize("size", [0, 1, 2, 3, 56, 57, 58, 113, 114, 115, 171, 5000, 200_000])
def test_base64(size: int) -> None:
    """In base64, lines have 76 characters, and the announced length is right for every size."""
    part = Part(body=bytes(i * 7 % 256 for i in range(size)), content_id="p@w.example")
    headers, body = mime.write(ENVELOPE, [part], encoding="base64", boundary=fixed())
    octets = b"".join(body)
    assert len(octets) == len(body)
    assert parsed(headers, body).parts == (part,)
    encoded = octets.split(b"\r\n\r\n")[2].removesuffix(b"\r\n--B0--\r\n") if size else b""
    assert all(len(line) == 76 for line in encoded.split(b"\r\n")[:-1])
    assert len(encoded.split(b"\r\n")[-1]) <= 76


def test_boundaries_are_random() -> None:
    """Two bodies never share a boundary, nor do the levels of one."""
    heads = {mime.write(ENVELOPE, [NOTE])[0][0][1] for _ in range(20)}
    assert len(heads) == 20
    assert len({mime.new_boundary() for _ in range(20)}) == 20
    assert all(len(mime.new_boundary()) <= 70 for _ in range(20))


@pytest.mark.parametrize(
    ("label", "written"),
    [
        ("a.gif", "name=a.gif"),
        ("a b.gif", 'name="a b.gif"'),
        ('a"\\b', 'name="a\\"\\\\b"'),
        ("fläche.gif", "name*=utf-8''fl%C3%A4che.gif"),
        ("图 '1'*.gif", "name*=utf-8''%E5%9B%BE%20%271%27%2A.gif"),
    ],
)
def test_names(label: str, written: str) -> None:
    """Names are tokens, quoted or by RFC 2231, and are read back the same, also by the standard library."""
    part = Part(body=b"x", content_type="image/gif", name=label)
    headers, body = mime.write(ENVELOPE, [part])
    octets = b"".join(body)
    assert f"Content-Type: image/gif; {written}\r\n".encode() in octets
    assert parsed(headers, body).parts == (part,)
    other = email.message_from_bytes(f"Content-Type: {headers[0][1]}\r\n\r\n".encode() + octets)
    assert list(other.walk())[2].get_filename() == label


def test_other_fields_go_out_as_they_are() -> None:
    """Vendor fields and a Content-Disposition of one's own are kept; fields that are labels are not repeated."""
    fields = (("X-Usage", "once é"), ("Content-Disposition", "inline; filename=x.gif"))
    part = Part(body=b"x", content_type="image/gif", name="x.gif", headers=(*fields, ("Content-ID", "<no@w>")))
    headers, body = mime.write(ENVELOPE, [part])
    assert b"<no@w>" not in b"".join(body)
    assert parsed(headers, body).parts[0].headers == fields


def test_a_location_becomes_a_uri() -> None:
    """What has no place in a URI is percent-encoded in Content-Location."""
    body = b"".join(mime.write(ENVELOPE, [Part(body=b"x", content_location="high tide é.gif")])[1])
    assert b"Content-Location: high%20tide%20%C3%A9.gif\r\n" in body


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\0b", "a b", "<a>", "", "ä", "a\tb"])
def test_content_ids_that_do_not_fit(bad: str) -> None:
    """A Content-ID that would break its brackets or its header is refused."""
    for options in ({"root_content_id": bad}, {"content_id": bad}):
        with pytest.raises((LocalError, ValueError)):
            mime.write(ENVELOPE, [NOTE], **options)
    with pytest.raises(LocalError):
        mime.write(ENVELOPE, [NOTE, PICTURE], content_id=bad)


@pytest.mark.parametrize(
    "call",
    [
        lambda: mime.write(ENVELOPE, [NOTE, NOTE], content_id="m@w"),
        lambda: mime.write(ENVELOPE, [NOTE], root_content_id="note@w.example"),
        lambda: mime.write(ENVELOPE, [NOTE, PICTURE]),
        lambda: mime.write(ENVELOPE, [NOTE], presentation=Part(body=b""), content_id="m@w"),
        lambda: mime.write(ENVELOPE, [NOTE, PICTURE], content_id="m@w", subtype="mixed; x=y"),
        lambda: mime.write(ENVELOPE, [NOTE], encoding="x-uuencode"),  # type: ignore[arg-type]
        lambda: mime.write(ENVELOPE, [NOTE], boundary=fixed("")),
        lambda: mime.write(ENVELOPE, [NOTE], boundary=fixed("x" * 71)),
        lambda: mime.write(ENVELOPE, [NOTE], boundary=fixed("x ")),
        lambda: mime.write(ENVELOPE, [NOTE], boundary=fixed('x"')),
        lambda: mime.write(ENVELOPE, [NOTE], boundary=fixed("x\r\n")),
        lambda: mime.write(ENVELOPE, [NOTE, PICTURE], content_id="m@w", boundary=itertools.repeat("same").__next__),
        lambda: mime.write(ENVELOPE, root_charset="utf-8\r\nX: y"),
        lambda: mime.write(ENVELOPE, [Part(body=b"", content_type="gif")]),
        lambda: mime.write(ENVELOPE, [Part(body=b"", content_type='image/gif; x="')]),
        lambda: mime.write(ENVELOPE, [Part(body=b"", parameters=(("a b", "c"),))]),
        lambda: mime.write(ENVELOPE, [Part(body=b"", headers=(("X Y", "c"),))]),
        lambda: mime.write(ENVELOPE, [Part(body=b"", headers=(("", "c"),))]),
        lambda: mime.write(ENVELOPE, [Part(body=b"", headers=(("X", "c" * 1000),))]),
    ],
)  # fmt: skip
def test_refused(call: Callable[[], object]) -> None:
    """What MIME forbids is refused before anything is written."""
    with pytest.raises(LocalError):
        call()


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\r\nX-Injected: 1"])
def test_no_line_break_in_any_label(bad: str) -> None:
    """No label can break out of its header line: the Part refuses it, and so does the writer."""
    for labels in (
        {"name": f"a{bad}b"},
        {"headers": (("X", f"a{bad}b"),)},
        {"content_location": f"a{bad}b"},
        {"parameters": (("charset", f"a{bad}b"),)},
        {"content_type": f"a/b{bad}"},
    ):
        with pytest.raises(ValueError, match=r"control character|does not fit|not type"):
            mime.write(ENVELOPE, [Part(body=b"", **labels)])  # type: ignore[arg-type]


# --- the stream -------------------------------------------------------------------------------------------------------


class Counting:
    """A blob that counts how often it is opened, and can change its size."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.opened = 0
        self.announced = len(data)

    @property
    def size(self) -> int:
        return self.announced

    def open(self) -> BinaryIO:
        self.opened += 1
        return io.BytesIO(self.data)


@pytest.fixture
def big(tmp_path: Path) -> list[Part]:
    """Parts in memory, in a file and in a blob, larger than a chunk."""
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(range(256)) * 1000)
    return [
        Part(body=path, content_id="1@w"),
        Part(body=b"\x01" * 70_001, content_id="2@w"),
        Part(body=b"", content_id="3@w"),
        Part(body=Counting(b"xyz" * 50_000), content_id="4@w"),
    ]


@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_reading_and_seeking(big: list[Part], encoding: mime.writer.Encoding) -> None:
    """The stream is a file of known length: any position can be sought, any size read, and iterating starts over."""
    headers, body = mime.write(ENVELOPE, big, content_id="m@w", encoding=encoding)
    whole = b"".join(body)
    assert len(whole) == len(body)
    assert whole == b"".join(body) == body.read()
    assert body.read(5) == b""
    assert all(0 < len(chunk) <= 65536 for chunk in body)
    for at in (0, 1, 77, 100, 500, 70_000, 256_000, 300_001, len(body) - 3, len(body)):
        assert body.seek(at) == at == body.tell()
        assert body.read(1000) == whole[at : at + 1000]
        assert body.tell() == min(at + 1000, len(body))
        assert body.read(3) == whole[at + 1000 : at + 1003]
    assert body.seek(0, io.SEEK_END) == len(body)
    assert body.seek(-4, io.SEEK_END) == len(body) - 4
    assert body.seek(2, io.SEEK_CUR) == len(body) - 2
    assert body.read() == b"\r\n"
    with pytest.raises(ValueError, match="seek"):
        body.seek(-1)
    package = parsed(headers, body)
    assert [part.sha256() for part in package.parts] == [part.sha256() for part in big]


def test_nothing_is_read_beforehand() -> None:
    """Composing asks a part for its size only."""
    blob = Counting(b"x" * 1000)
    _, body = mime.write(ENVELOPE, [Part(body=blob)])
    assert len(body) > 1000
    assert blob.opened == 0
    assert b"".join(body)
    assert blob.opened == 1


@pytest.mark.parametrize("encoding", ["binary", "base64"])
@pytest.mark.parametrize("data", [b"x" * 999, b"x" * 1001, b""])
def test_a_part_that_changes(data: bytes, encoding: mime.writer.Encoding) -> None:
    """A part that has another size than announced breaks the sending off, rather than the body."""
    blob = Counting(b"x" * 1000)
    _, body = mime.write(ENVELOPE, [Part(body=blob)], encoding=encoding)
    blob.data = data
    with pytest.raises(LocalError, match="while it was sent"):
        b"".join(body)


def test_requests_streams_it() -> None:
    """The requests library takes it as a stream with a Content-Length, and can rewind it."""
    headers, body = mime.write(ENVELOPE, [PICTURE])
    prepared = requests.Request("POST", "http://mm.example/", data=body, headers=dict(headers)).prepare()
    assert prepared.headers["Content-Length"] == str(len(body))
    assert "Transfer-Encoding" not in prepared.headers
    assert prepared.body is body
    assert body.read(10) == b"".join(body)[:10]
    requests.utils.rewind_body(prepared)
    assert body.tell() == 0


# --- there and back ---------------------------------------------------------------------------------------------------

LABEL = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool)
)
TOKEN = st.text("abcXYZ09-_.", min_size=1, max_size=8)
PART = st.builds(
    Part,
    body=st.one_of(st.binary(max_size=200), st.sampled_from([b"\r\n", b"\r", b"--", b"a\r\n--=_m\r\n", b"="])),
    content_type=st.sampled_from(["text/plain", "image/jpeg", "application/smil", "application/vnd.x-y+z"]),
    parameters=st.dictionaries(st.sampled_from(["charset", "x-a", "filename"]), LABEL).map(lambda d: tuple(d.items())),
    content_location=st.one_of(st.none(), TOKEN),
    name=st.one_of(st.none(), LABEL.filter(lambda text: "=?" not in text)),
    headers=st.lists(st.tuples(TOKEN.map("X-{}".format), LABEL), max_size=2).map(tuple),
)  # fmt: skip


@given(
    st.lists(PART, min_size=1, max_size=4), st.booleans(), st.sampled_from(["binary", "base64"]), st.integers(1, 5000)
)
@settings(max_examples=200, deadline=None)
def test_there_and_back(parts: list[Part], related: bool, encoding: mime.writer.Encoding, step: int) -> None:
    """What is written is read back equal, and the standard library sees the same octets, types and ids."""
    parts = [
        Part(**{name: getattr(part, name) for name in part.__slots__} | {"content_id": f"{index}.%+@w.example"})
        for index, part in enumerate(parts)
    ]
    parts = [
        part if part.name or all(key != "filename" for key, _ in part.parameters) else
        Part(body=part.body, content_type=part.content_type, content_id=part.content_id)
        for part in parts
    ]  # fmt: skip
    presentation = SMIL if related else None
    headers, body = mime.write(
        ENVELOPE, parts, presentation=presentation, content_id="mms@w.example", root_content_id="e@w.example",
        subtype=None if related else "mixed", encoding=encoding,
    )  # fmt: skip
    octets = body.read()
    package = mime.read(headers, (octets[at : at + step] for at in range(0, len(octets), step)))
    expected = ([SMIL] if related else []) + parts
    assert list(package.parts) == expected
    told = {"mime/empty-part", "mime/text-bare-cr", "mime/charset-alias", "mime/content-location-unique"}
    assert {found.id for found in package.findings} <= told
    other = email.message_from_bytes(f"Content-Type: {headers[0][1]}\r\n\r\n".encode() + octets)
    found = [one for one in other.walk() if not one.is_multipart()][1:]
    assert [one.get_payload(decode=True) for one in found] == [part.read() for part in expected]
    assert [one.get_content_type() for one in found] == [part.content_type for part in expected]
    assert [one["Content-ID"] for one in found] == [f"<{part.content_id}>" for part in expected]
