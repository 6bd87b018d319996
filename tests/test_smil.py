"""SMIL for MMS: slides from parts, parts from slides, and nothing hostile gets in."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timing import least_seconds

from mm7zeep import smil
from mm7zeep.errors import LocalError, MimeError
from mm7zeep.messages import Part
from mm7zeep.smil import Item, Presentation, Region, Slide
from mm7zeep.smil.write import _arrange, _still, _written

TYPES = {
    "T": "text/plain",
    "P": "image/gif",
    "V": "video/mpeg",
    "A": "audio/mpeg",
    "C": "text/vcard",
    "S": "application/smil",
    "O": "application/octet-stream",
}


def parts(kinds: str) -> list[Part]:
    """One part per letter, its Content-ID the letter and its place."""
    return [
        Part(body=b"x", content_type=TYPES[kind], content_id=f"{kind}{place}") for place, kind in enumerate(kinds, 1)
    ]


def shown(presentation: Presentation) -> str:
    """The slides as text: ``P1+T2 A3``."""
    return " ".join("+".join((item.src or "").removeprefix("cid:") for item in s.items) for s in presentation.slides)


GOLDEN = """\
<?xml version="1.0" encoding="UTF-8"?>
<smil>
<head>
<layout>
<root-layout width="320" height="480"/>
<region id="Image" left="0" top="0" width="320" height="320" fit="meet"/>
<region id="Text" left="0" top="320" width="320" height="160" fit="scroll"/>
</layout>
</head>
<body>
<par dur="5000ms">
<img src="cid:saturn.gif" region="Image"/>
<text src="cid:caption@news.tnn.example" region="Text"/>
</par>
<par dur="7240ms">
<img src="cid:a&amp;b%3C%22%25%3E%3F'%20%C3%A9" region="Image"/>
<audio src="cid:voice"/>
</par>
<par>
<video src="cid:flight" region="Image"/>
</par>
</body>
</smil>
"""


def test_golden() -> None:
    """The whole text of one presentation: escaping, regions, and the three ways to time a slide."""
    voice = b"#!AMR\n" + b"\x7c" * 362  # frames of 20 ms
    content = [
        Part(body=b"", content_type="image/gif", content_id="saturn.gif"),
        Part(body=b"Saturn", content_type="text/plain", content_id="caption@news.tnn.example"),
        Part(body=b"", content_type="image/png", content_id="a&b<\"%>?' é"),
        Part(body=voice, content_type="audio/amr", content_id="voice"),
        Part(body=b"\0\0\1\xba", content_type="video/mpeg", content_id="flight"),
        Part(body=b"BEGIN:VCARD", content_type="text/vcard"),
    ]
    assert smil.generate(content).decode() == GOLDEN


@pytest.mark.parametrize(
    ("kinds", "slides"),
    [
        ("PT", "P1+T2"),
        ("TP", "P2+T1"),
        ("TPTP", "P2+T1 P4+T3"),
        ("PTPT", "P1+T2 P3+T4"),
        ("TPT", "T1 P2+T3"),
        ("TPTPT", "T1 P2+T3 P4+T5"),
        ("PTP", "P1+T2 P3"),
        ("PPT", "P1 P2+T3"),
        ("TPPT", "P2+T1 P3+T4"),
        ("PTTP", "P1+T2 P4+T3"),
        ("TT", "T1 T2"),
        ("TTP", "T1 P3+T2"),
        ("VT", "V1+T2"),
        ("TVPT", "V2+T1 P3+T4"),
        ("PA", "P1+A2"),
        ("AP", "P2+A1"),
        ("PAT", "P1+T3+A2"),
        ("PTA", "P1+T2+A3"),
        ("TA", "T1+A2"),
        ("PAPA", "P1+A2 P3+A4"),
        ("APAP", "P2+A1 P4+A3"),
        ("PAAP", "P1+A2 P4+A3"),
        ("PAA", "P1+A2 A3"),
        ("VA", "V1 A2"),
        ("AV", "A1 V2"),
        ("AA", "A1 A2"),
        ("VAP", "V1 P3+A2"),
        ("CPSOTC", "P2+T5"),
        ("PCT", "P1+T3"),
        ("CO", ""),
        ("", ""),
    ],
)
def test_what_shares_a_slide(kinds: str, slides: str) -> None:
    """Texts and visuals pair up, audio joins what it stands beside, attachments are not mentioned."""
    assert shown(smil.parse(smil.generate(parts(kinds)))) == slides


@pytest.mark.parametrize(
    ("kinds", "regions"),
    [
        ("PT", [("Image", "0", "66"), ("Text", "66", "34")]),
        ("P", [("Image", "0", "100")]),
        ("V", [("Image", "0", "100")]),
        ("T", [("Text", "0", "100")]),
        ("A", []),
    ],
)
def test_layout(kinds: str, regions: list[tuple[str, str, str]]) -> None:
    """There is a region for what is shown, and none for what is not; together they fill the screen."""
    presentation = smil.parse(smil.generate(parts(kinds), width=90, height=100))
    assert (presentation.width, presentation.height) == ("90", "100")
    assert [(region.id, region.top, region.height) for region in presentation.regions] == regions
    assert {region.width for region in presentation.regions} <= {"90"}


@pytest.mark.parametrize(
    ("kind", "body", "milliseconds"),
    [
        ("image/png", b"", 3001),
        ("audio/amr", b"#!AMR\n" + b"\x7c" * 10, 3001),
        ("audio/amr", b"#!AMR\n" + b"\x7c" * 500, 10_000),
        ("audio/amr", b"damaged", None),
        ("audio/midi", b"MThd\0\0\0\x06", None),
    ],
)
def test_a_clip_is_not_cut_off(kind: str, body: bytes, milliseconds: int | None, tmp_path: Path) -> None:
    """A slide lasts as asked (rounded up), or as long as its clip, or, where that is unknown, says nothing."""
    path = tmp_path / "clip"
    path.write_bytes(body)
    expected = None if milliseconds is None else timedelta(milliseconds=milliseconds)
    for stored in (body, path):
        part = Part(body=stored, content_type=kind, content_id="c")
        data = smil.generate([part], duration=timedelta(microseconds=3_000_500))
        assert smil.parse(data).slides[0].duration == expected


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ([Part(body=b"", content_type="image/gif", name="saturn.gif")], {}, "saturn.gif has no Content-ID.*set c"),
        ([Part(body=b"", content_type="text/plain", content_id="")], {}, "text/plain has no Content-ID"),
        ([Part(body=b"", content_type="text/plain", content_id="a")] * 2, {}, "two parts have the Content-ID 'a'"),
        ([], {"width": 0}, "0 x 480 pixels"),
        ([], {"height": -1}, "320 x -1 pixels"),
        ([], {"duration": timedelta(0)}, "at least one millisecond"),
    ],
)  # fmt: skip
def test_what_cannot_be_generated(content: list[Part], options: dict[str, object], says: str) -> None:
    """The error says what to do."""
    with pytest.raises(LocalError, match=says):
        smil.generate(content, **options)  # type: ignore[arg-type]


LABELS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=20
)
KINDS = st.sampled_from(sorted(TYPES.values()))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(KINDS, LABELS), unique_by=lambda pair: pair[1], max_size=12))
def test_round_trip(made: Sequence[tuple[str, str]]) -> None:
    """What can be shown is shown once, in a known region, under its own name; texts and visuals keep their order."""
    content = [Part(body=b"", content_type=kind, content_id=label) for kind, label in made]
    data = smil.generate(content)
    assert smil.generate(content) == data
    presentation = smil.parse(data)
    items = [item for slide in presentation.slides for item in slide.items]
    named = [unquote((item.src or "").removeprefix("cid:")) for item in items]
    visible = {"text/plain": "text", "image/gif": "img", "video/mpeg": "video", "audio/mpeg": "audio"}
    expected = {label: visible[kind] for kind, label in made if kind in visible}
    assert dict(zip(named, (item.tag for item in items), strict=True)) == expected
    assert len(named) == len(expected)
    assert {item.region for item in items} - {None} <= {region.id for region in presentation.regions}
    assert smil.references(data) == tuple(item.src for item in items)
    for tags in ({"img", "video"}, {"text"}):
        order = [label for _, label in made if expected.get(label) in tags]
        assert [name for name, item in zip(named, items, strict=True) if item.tag in tags] == order
    for slide in presentation.slides:
        tags_here = [item.tag for item in slide.items]
        assert len(tags_here) == len(set(tags_here))
        assert not {"img", "video"} <= set(tags_here)


@pytest.mark.parametrize(("count", "remembered"), [(20, 1), (21, 0), (2000, 0)])
def test_few_parts_are_remembered(count: int, remembered: int) -> None:
    """What was made for a message of many parts is made again, and fills no memory; it comes out the same."""
    _still.cache_clear()
    content = parts(("TP" * count)[:count])
    assert smil.generate(content) == smil.generate(content)
    assert _still.cache_info().currsize == remembered
    assert smil.generate(content) == _written(_arrange(content), 320, 480, timedelta(seconds=5))


# --- reading --------------------------------------------------------------------------------------------------------

# What senders write, in our own words: the shapes, not the messages.
REAL = [
    (
        b'<smil><head><layout><root-layout width="240" height="320"/><region id="Text" top="0" left="0"'
        b' height="320" width="240"/></layout></head><body>'
        b'<par dur="5000ms"><text src="note.txt" region="Text"/></par></body></smil>',
        Presentation(
            width="240",
            height="320",
            regions=(Region(id="Text", left="0", top="0", width="240", height="320"),),
            slides=(Slide(duration=timedelta(seconds=5), items=(Item(tag="text", src="note.txt", region="Text"),)),),
        ),
    ),
    (  # the carrier page: image for img, comments, no layout
        b'<?xml version="1.0"?>\n<smil><!-- begins --><head><meta name="author" content="us"/></head>'
        b'<body><par><image src="cid:1.png"/></par></body></smil>',
        Presentation(slides=(Slide(items=(Item(tag="img", src="cid:1.png"),)),)),
    ),
    (  # an authoring tool: DOCTYPE, namespace, per cent, parameters inside the text
        b'<?xml version="1.0" encoding="utf-8"?>\r\n<!DOCTYPE smil PUBLIC "-//W3C//DTD SMIL 2.0//EN"'
        b' "http://www.w3.org/2001/SMIL20/SMIL20.dtd">\r\n'
        b'<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head><layout>'
        b'<root-layout width="100%" height="100%"/>'
        b'<region id="I" top="0%" left="0%" width="100%" height="70%" fit="meet"/></layout></head><body>'
        b'<par dur="00:00:08"><img src="cid:x" region="I" alt="ring"/>'
        b'<text src="cid:y" begin="1s" end="6.5s"><param name="textsize" value="small"/></text></par></body></smil>',
        Presentation(
            width="100%",
            height="100%",
            regions=(Region(id="I", left="0%", top="0%", width="100%", height="70%", fit="meet"),),
            slides=(
                Slide(
                    duration=timedelta(seconds=8),
                    items=(
                        Item(tag="img", src="cid:x", region="I", alt="ring"),
                        Item(
                            tag="text",
                            src="cid:y",
                            begin=timedelta(seconds=1),
                            end=timedelta(seconds=6.5),
                            parameters=(("textsize", "small"),),
                        ),
                    ),
                ),
            ),
        ),
    ),
    (  # a prefix, a vendor's element among ours, nested containers, media outside a par
        b'<s:smil xmlns:s="http://www.w3.org/2000/SMIL20/CR/Language" xmlns:v="urn:v"><s:body><s:seq>'
        b'<s:par dur="indefinite"><v:img src="spy.gif"/><s:par><s:audio src="a.amr"/></s:par><s:img/></s:par></s:seq>'
        b'<s:video src="v.3gp" dur="3"/></s:body></s:smil>',
        Presentation(
            slides=(
                Slide(duration="indefinite", items=(Item(tag="audio", src="a.amr"), Item(tag="img"))),
                Slide(
                    duration=timedelta(seconds=3),
                    items=(Item(tag="video", src="v.3gp", duration=timedelta(seconds=3)),),
                ),
            )
        ),
    ),
    (  # colours in the words of SMIL 1.0 and 2.0, the order of regions, a parameter of another namespace
        b'<smil><head><layout><root-layout background-color="#fff"/><region id="a" backgroundColor="red" z-index="2"/>'
        b'</layout></head><body><text src="t"><param name="foreground-color" value="#00f"/><param/>'
        b'<v:param xmlns:v="urn:v" name="spy" value="1"/></text></body></smil>',
        Presentation(
            background="#fff",
            regions=(Region(id="a", z_index="2", background="red"),),
            slides=(Slide(items=(Item(tag="text", src="t", parameters=(("foreground-color", "#00f"), ("", ""))),)),),
        ),
    ),
    (  # regions by regionName, blank lines in front, no body
        b'\n\n  <?xml version="1.0"?><smil><head><layout><region regionName="r"/></layout></head></smil>',
        Presentation(regions=(Region(id="r"),)),
    ),
]


@pytest.mark.parametrize(("data", "expected"), REAL)
def test_real_shapes(data: bytes, expected: Presentation) -> None:
    """What gateways and handsets write is read as they mean it."""
    assert smil.parse(data) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("5s", 5),
        ("5000ms", 5),
        ("00:00:05", 5),
        ("5", 5),
        (" 5s ", 5),
        ("+2.5s", 2.5),
        ("01:30", 90),
        ("1:02:03.5", 3723.5),
        ("2min", 120),
        ("1.5h", 5400),
        ("0", 0),
        ("100:00:00", 360000),
        ("5 s", 5),
        ("-5s", None),
        ("", None),
        ("soon", None),
        ("5sec", None),
        ("10:99", None),
        ("button.click", None),
        ("999999999999h", None),
        ("\u0665s", None),
        ("1" * 5000, None),
    ],
)
def test_times(written: str, expected: float | None) -> None:
    """Clock values are read; what waits for an event, or is no time, counts as not given."""
    slide = smil.parse(f'<smil><body><par dur="{written}"/></body></smil>'.encode()).slides[0]
    assert slide.duration == (None if expected is None else timedelta(seconds=expected))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<img src="cid:a"/><text src="b.txt"/><img src="cid:a"/>', ("cid:a", "b.txt")),
        ('<img src="CID:a%20b"/><img src=" bare "/>', ("CID:a%20b", "bare")),
        ('<a href="card.vcf"><img src="p"/></a>', ("card.vcf", "p")),
        ('<img src="http://h/x.gif"/><img src="https://h/x"/><img src="//h/x"/><img src="file:///etc/passwd"/>', ()),
        ('<a href="#two"/><a href="tel:+61"/><a href="data:,x"/><img src=""/><img src="  "/><img/>', ()),
        ('<region background-image="url(cid:bg)"/><region backgroundImage="b.gif"/>', ("cid:bg", "b.gif")),
        ("""<region background-image="url( 'c.gif' )"/><region background-image="none"/>""", ("c.gif",)),
        ('<region background-image="url(http://h/x)"/>', ()),
        ('<v:img xmlns:v="urn:v" src="vendor"/><img xmlns:x="urn:x" x:href="linked"/>', ("vendor", "linked")),
        ('<img src="a:b.gif"/><img src="dir/a:b.gif"/>', ("dir/a:b.gif",)),
    ],
)
def test_references(body: str, expected: tuple[str, ...]) -> None:
    """Whatever may be a part is named once, in order, as written; nothing that would have to be fetched."""
    assert smil.references(f"<smil><body>{body}</body></smil>".encode()) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "euc-kr", "gb2312"])
def test_encodings(encoding: str) -> None:
    """The encodings of the field are read, by byte order mark or declaration; an untrue utf-16 counts as UTF-8."""
    name = encoding.removesuffix("-sig")
    data = f'<?xml version="1.0" encoding="{name}"?><smil><img alt="中"/></smil>'.encode(encoding)
    assert smil.parse(data).slides[0].items[0].alt == "中"
    untrue = '<?xml version="1.0" encoding="utf-16"?><smil><img alt="中"/></smil>'.encode()
    assert smil.parse(untrue).slides[0].items[0].alt == "中"


def laughs(depth: int = 9) -> bytes:
    """A billion laughs, or as many as ten to the ``depth``."""
    lines = ['<!ENTITY l0 "lol">', *(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, depth + 1))]
    return f"<!DOCTYPE smil [{''.join(lines)}]><smil><body>&l{depth};</body></smil>".encode()


def hostile(secret: Path) -> dict[str, bytes]:
    """Documents that no reader may trip over."""
    wide = b"<smil>" + b"<a/>" * 5000 + b"</smil>"
    return {
        "laughs": laughs(),
        "laughs in an attribute": laughs().replace(b"<body>&l9;</body>", b'<img src="&l9;"/>'),
        "file": f'<!DOCTYPE smil [<!ENTITY x SYSTEM "{secret.as_uri()}">]><smil><img alt="&x;"/>&x;</smil>'.encode(),
        "parameter entity": b'<!DOCTYPE smil [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p">%p;]><smil/>',
        "subset behind an identifier": b'<!DOCTYPE smil SYSTEM "a" [<!ENTITY x "y">]><smil>&x;</smil>',
        "subset behind quotes": b"""<!DOCTYPE smil PUBLIC '">' "'" [<!ENTITY x "y">]><smil>&x;</smil>""",
        "subset in utf-16": '<!DOCTYPE smil [<!ENTITY x "y">]><smil>&x;</smil>'.encode("utf-16"),
        "subset in utf-7": b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE smil []><smil/>',
        "second doctype": b'<!DOCTYPE smil><!DOCTYPE smil [<!ENTITY x "y">]><smil>&x;</smil>',
        "doctype behind comments": b'<!-- a --><?p i?> <!DOCTYPE smil [<!ENTITY x "y">]><smil>&x;</smil>',
        "doctype without end": b"<!DOCTYPE smil " + b'"x" ' * 60000,
        "quotes without end": b"<!DOCTYPE smil " + b"\"'" * 100000,
        "undeclared entity": b"<!DOCTYPE smil SYSTEM 'http://127.0.0.1:9/x.dtd'><smil>&nbsp;</smil>",
        "nested": b"<smil>" + b"<a>" * 100_000,
        "nested and small": b"<smil>" + b"<a>" * 80_000,
        "nested and closed": b"<smil>" + b"<a>" * 64 + b"</a>" * 64 + b"</smil>",
        "10 MB": b"<smil>" + b" " * 10_000_000 + b"</smil>",
        "one octet too many": b"<smil>" + b" " * (256 * 1024 - 12) + b"</smil>",
        "one element too many": wide,
        "many attributes": b"<smil " + b" ".join(b'a%d=""' % n for n in range(25_000)) + b"><smil/></smil",
        "comments": b"<!---->" * 37_000,
        "codec that is none": b'<?xml version="1.0" encoding="base64"?><smil/>',
        "not its encoding": b'<?xml version="1.0" encoding="gb2312"?><smil>\xff\xff</smil>',
        "not UTF-8": b"<smil>\xff</smil>",
        "unclosed": b"<smil><body><par></body></smil>",
        "unbound": b"<x:smil/>",
        "control": b"<smil>\0</smil>",
        "text": b"Hello",
        "nothing": b"",
        "no SMIL": b"<html><body/></html>",
        "two roots": b"<smil/><smil/>",
    }


@pytest.mark.parametrize("name", sorted(hostile(Path("/x"))))
def test_hostile(name: str, tmp_path: Path) -> None:
    """It is refused as MimeError, with a finding, within a second, and without telling what a file holds."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    data = hostile(secret)[name]
    for read in (smil.parse, smil.references):

        def refuse(read: Callable[..., object] = read) -> None:
            with pytest.raises(MimeError, match="the SMIL presentation") as caught:
                read(data)
            assert [one.id for one in caught.value.findings] == ["sem/smil-well-formed"]
            assert "hunter2" not in str(caught.value)

        assert least_seconds(refuse, enough=0.5, clock=time.perf_counter) < 1


def test_a_second_doctype_never_reaches_the_parser() -> None:
    """Dropping the first must not let the second through."""
    with pytest.raises(MimeError, match="two DOCTYPEs"):
        smil.parse(b'<!DOCTYPE smil> <!-- --> <!DOCTYPE smil [<!ENTITY x "y">]><smil>&x;</smil>')


def test_an_external_subset_is_not_read(tmp_path: Path) -> None:
    """The entity that the DTD file declares stays unknown, so that its use is an error; the DOCTYPE alone is none."""
    dtd = tmp_path / "smil.dtd"
    dtd.write_text('<!ENTITY x "hunter2"><!ATTLIST smil id CDATA "hunter2">')
    head = f'<!DOCTYPE smil SYSTEM "{dtd.as_uri()}">'
    with pytest.raises(MimeError, match="not well-formed"):
        smil.parse(f"{head}<smil>&x;</smil>".encode())
    assert smil.parse(f"{head}<smil/>".encode()) == Presentation()


def test_unbound_prefix() -> None:
    """A prefix without a namespace is refused, also where libxml2 lets it pass beside a relative namespace name."""
    with pytest.raises(MimeError, match="not well-formed"):
        smil.parse(b'<smil><body><x:par/><y xmlns="1"/></body></smil>')


@pytest.mark.parametrize(
    "data",
    [
        b"<smil>" + b"<a>" * 63 + b"</a>" * 63 + b"</smil>",
        b"<smil>" + b"<a/>" * 4999 + b"</smil>",
        b"<smil>" + b" " * (256 * 1024 - 13) + b"</smil>",
        b"<!DOCTYPE smil><smil/>",
        b"<!DOCTYPE smil SYSTEM 'a[b]>c'><smil/>",
        b'<?xml version="1.0"?><!-- <!DOCTYPE x [ --><smil><![CDATA[<!DOCTYPE x [<!ENTITY]]></smil>',
    ],
)
def test_just_within_the_limits(data: bytes) -> None:
    """The limits are met, not fallen short of, and only a real internal subset counts as one."""
    assert smil.parse(data) == Presentation()


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text("<>/!?[]smilpardoctype \"'=&;", max_size=80).map(str.encode)))
def test_any_bytes(data: bytes) -> None:
    """Whatever the bytes, there is a presentation or a MimeError."""
    try:
        outcome: Presentation | MimeError = smil.parse(data)
    except MimeError as error:
        outcome = error
    assert isinstance(outcome, Presentation) or outcome.status == 2007
