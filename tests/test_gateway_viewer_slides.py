"""Slides of the virtual handset: presentations as they come in the field, made ones, nothing hostile in the JSON."""

from __future__ import annotations

import io
import json
import math
import re
import wave
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm7zeep import smil
from mm7zeep.gateway.store import content
from mm7zeep.gateway.viewer import slide_parts, slide_values, slides
from mm7zeep.gateway.viewer.presentation import Item, Presentation, Region, Slide, Unplaced
from mm7zeep.gateway.viewer.slide_values import Length
from mm7zeep.messages import Part

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
GIF = b"GIF89a" + bytes(20)
AMR = b"#!AMR\n" + b"\x7c" * 362  # 7.24 seconds
LAYOUT = (
    '<head><layout><root-layout width="240" height="320"/>'
    '<region id="Image" left="0" top="0" width="240" height="200" fit="meet"/>'
    '<region id="Text" left="0" top="200" width="100%" height="120" fit="scroll"/></layout></head>'
)


def sound(seconds: float) -> bytes:
    """A WAV of silence."""
    octets = io.BytesIO()
    with wave.open(octets, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(1)
        made.setframerate(8000)
        made.writeframes(b"\x80" * round(8000 * seconds))
    return octets.getvalue()


def picture(content_id: str | None = "sun.png", **labels: Any) -> Part:
    """What begins as a picture."""
    return Part(body=PNG, content_type="image/png", content_id=content_id, **labels)


def text(content_id: str | None = "note.txt", body: str = "Hello", **labels: Any) -> Part:
    """A text."""
    return Part(body=body.encode(), content_type="text/plain", content_id=content_id, **labels)


def presentation(document: str, kind: str = "application/smil") -> Part:
    """A part with that document."""
    return Part(body=document.encode(), content_type=kind, content_id="slides")


def shown(*parts: Part) -> Presentation:
    """The slides of a message with these parts."""
    return slides.presentation(parts)


def placed(found: Presentation) -> str:
    """The slides as text: ``0+1 2`` are two slides, of parts 0 and 1, and of 2."""
    return " ".join("+".join(str(item.n) for item in slide.items) or "-" for slide in found.slides)


def test_whole() -> None:
    """Screen, regions, times, kinds and parameters of one presentation."""
    document = (
        '<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head><layout>'
        '<root-layout width="176px" height="208" background-color="White"/>'
        '<region id="Image" left="8" top="5%" width="160" height="60%" fit="meet" z-index="3"/>'
        '<region id="Text" top="140" height="68" fit="scroll" backgroundColor="#FFC"/></layout></head><body>'
        '<par dur="3s"><img src="cid:sun.png" region="Image" alt="The  sun" begin="500ms" end="2.5s"/>'
        '<text src="cid:note.txt" region="text"><param name="foreground-color" value="#0000FF"/>'
        '<param name="background-color" value="rgb(255, 300, 0)"/><param name="textsize" value="LARGE"/>'
        '<param name="hAlign" value="right"/></text></par>'
        '<par dur="indefinite"><audio src="cid:voice" begin="1s" dur="2s"/><ref src="card"/></par></body></smil>'
    )
    voice = Part(body=AMR, content_type="audio/amr", content_id="voice")
    card = Part(body=b"BEGIN:VCARD", content_type="text/x-vcard", content_id="card")
    found = shown(picture(), text(), voice, card, presentation(document), picture("other"))
    assert found == Presentation(
        width=176, height=208, background="#ffffff", source=4,
        regions=(
            Region(
                left=Length(value=8, unit="px"), top=Length(value=5, unit="%"), width=Length(value=160, unit="px"),
                height=Length(value=60, unit="%"), z=3, fit="meet",
            ),
            Region(
                top=Length(value=140, unit="px"), height=Length(value=68, unit="px"), fit="scroll",
                background="#ffffcc",
            ),
        ),
        slides=(
            Slide(
                duration=3.0,
                items=(
                    Item(kind="image", n=0, content_type="image/png", region=0, begin=0.5, end=2.5, alt="The sun"),
                    Item(
                        kind="text", n=1, content_type="text/plain", region=1, color="#0000ff", background="#ffff00",
                        size="large", align="right",
                    ),
                ),
            ),
            Slide(
                duration="indefinite",
                items=(
                    Item(kind="audio", n=2, content_type="audio/amr", begin=1.0, end=3.0, length=7.24),
                    Item(kind="other", n=3, content_type="text/x-vcard"),
                ),
            ),
        ),
        unplaced=(Unplaced(5, "image", "image/png"),),
    )  # fmt: skip
    assert json.loads(found.as_json())["slides"][0]["items"][1]["color"] == "#0000ff"


@pytest.mark.parametrize(
    ("reference", "label"),
    [
        ("cid:sun.png", {"content_id": "sun.png"}),
        ("CID:sun.png", {"content_id": "sun.png"}),
        ("cid: sun.png", {"content_id": "sun.png"}),
        ("cid sun.png", {"content_id": "sun.png"}),
        ("sun.png", {"content_id": "sun.png"}),
        ("cid:&lt;sun.png&gt;", {"content_id": "sun.png"}),
        ("cid:Sun.PNG", {"content_id": "sun.png"}),
        ("cid:the%20sun@news", {"content_id": "the sun@news"}),
        ("cid:the%20sun@news", {"content_id": "the%20sun@news"}),
        (" sun.png ", {"content_location": "sun.png"}),
        ("cid:sun.png", {"content_location": "sun.png"}),
        ("SUN.PNG", {"content_location": "sun.png"}),
        ("http://news.example/sun.png", {"content_location": "http://news.example/sun.png"}),
        ("sun.png", {"name": "sun.png"}),
        ("Sun.png", {"name": "SUN.PNG"}),
        ("./sun.png", {"name": "sun.png"}),
        ("media/sun.png", {"content_location": "sun.png"}),
        ("media\\sun.png", {"name": "sun.png"}),
    ],
)
def test_references(reference: str, label: dict[str, str]) -> None:
    """However senders name a part, by Content-ID, Content-Location or file name, it is found."""
    labels: dict[str, Any] = {"content_id": None, **label}
    document = f'<smil><body><par><img src="{reference}"/></par></body></smil>'
    found = shown(text(), picture(**labels), presentation(document))
    assert placed(found) == "1"
    assert (found.missing, found.made, found.source) == ((), False, 2)
    assert found.unplaced == (Unplaced(0, "text", "text/plain"),)


@pytest.mark.parametrize(
    "reference",
    ["cid:moon.png", "http://127.0.0.1:9/sun.png", "//evil.example/sun.png", "file:///sun.png", "javascript:sun.png",
     "data:image/png,sun.png", "cid:slides"],
)  # fmt: skip
def test_missing(reference: str) -> None:
    """What meets no part is listed, not fetched and not guessed; the presentation does not show itself."""
    document = f'<smil><body><par><img src="{reference}"/><text src="note.txt"/></par></body></smil>'
    found = shown(picture(), text(), presentation(document))
    assert (placed(found), found.missing) == ("1", (reference,))
    assert [one.n for one in found.unplaced] == [0]


REAL = {
    "no layout, image for img": (
        '<?xml version="1.0"?>\n<smil><!-- begins --><head><meta name="author" content="us"/></head>'
        '<body><par><image src="cid:sun.png"/></par><par><text src="cid:note.txt"/></par></body></smil>',
        (320, 480), "0 1", [None, None],
    ),
    "DOCTYPE, namespace, per cent": (
        '<!DOCTYPE smil PUBLIC "-//W3C//DTD SMIL 2.0//EN" "http://127.0.0.1:9/SMIL20.dtd">'
        '<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head><layout>'
        '<root-layout width="100%" height="100%"/><region id="I" top="0%" left="0%" width="100%" height="70%"/>'
        '<region id="T" top="70%" left="0%" width="100%" height="30%"/></layout></head><body>'
        '<par dur="00:00:08"><img src="sun.png" region="I"/><text src="note.txt" region="T"/></par></body></smil>',
        (320, 480), "0+1", [0, 1],
    ),
    "another namespace, a prefix": (
        '<s:smil xmlns:s="http://www.w3.org/2000/SMIL20/CR/Language" xmlns:v="urn:v"><s:body><s:par>'
        '<v:img src="spy.gif"/><s:img src="sun.png"/></s:par></s:body></s:smil>',
        (320, 480), "0", [None],
    ),
    "regionName, nested par, media outside of a par": (
        f'<smil>{LAYOUT.replace("id=", "regionName=")}<body><seq><par><par><img src="sun.png" region="Image"/></par>'
        '</par></seq><text src="note.txt" region="Text" dur="2s"/></body></smil>',
        (240, 320), "0 1", [0, 1],
    ),
    "a region in another case, and one that does not exist": (
        f'<smil>{LAYOUT}<body><par><img src="sun.png" region=" IMAGE"/><text src="note.txt" region="Words"/></par>'
        "</body></smil>",
        (240, 320), "0+1", [0, None],
    ),
    "no root layout: the extent of the regions": (
        '<smil><head><layout><region id="Image" left="10" top="0" width="150" height="100"/>'
        '<region id="Text" top="100" width="160" height="60"/></layout></head><body>'
        '<par><img src="sun.png" region="Image"/><text src="note.txt" region="Text"/></par></body></smil>',
        (160, 160), "0+1", [0, 1],
    ),
    "a region that is not on the screen, and one without height": (
        '<smil><head><layout><root-layout width="128" height="128"/><region id="Image" top="128" width="128"'
        ' height="128"/><region id="Text" width="10" height="0"/></layout></head><body>'
        '<par><img src="sun.png" region="Image"/><text src="note.txt" region="Text"/></par></body></smil>',
        (128, 128), "0+1", [None, 0],
    ),
    "a screen that nobody has": (
        '<smil><head><layout><root-layout width="4000" height="1"/></layout></head><body>'
        '<par><img src="sun.png"/></par></body></smil>',
        (320, 480), "0", [None],
    ),
    "an empty slide, a part twice": (
        '<smil><body><par dur="1s"/><par><img src="sun.png"/></par><par><img src="sun.png"/><img/></par></body></smil>',
        (320, 480), "- 0 0", [None, None],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_forms(name: str) -> None:
    """Screen, slides and regions of what senders write, in our own words: the forms, not the messages."""
    document, screen, slides_, regions = REAL[name]
    found = shown(picture(), text(), presentation(document))
    assert ((found.width, found.height), placed(found), found.made, found.flaw) == (screen, slides_, False, None)
    assert [item.region for slide in found.slides for item in slide.items] == regions


@pytest.mark.parametrize("kind", ["application/smil", "application/smil+xml", "text/plain", "application/octet-stream"])
def test_labels_of_presentations(kind: str) -> None:
    """A presentation counts under any of its names, and where its label says nothing."""
    found = shown(presentation('<smil><body><par><img src="sun.png"/></par></body></smil>', kind), picture())
    assert (placed(found), found.source, found.unplaced) == ("1", 0, ())


@pytest.mark.parametrize(
    ("document", "flaw", "missing"),
    [
        ("<smil><body><par>", "it cannot be read", ()),
        ('<!DOCTYPE smil [<!ENTITY x "y">]><smil>&x;</smil>', "it cannot be read", ()),
        ("<SMIL><BODY><PAR><IMG SRC='sun.png'/></PAR></BODY></SMIL>", "it cannot be read", ()),
        ("<smil><body/></smil>", "it shows none of the parts", ()),
        ('<smil><body><img src="moon.gif"/></body></smil>', "it shows none of the parts", ("moon.gif",)),
    ],
)
def test_presentations_that_show_nothing(document: str, flaw: str, missing: tuple[str, ...]) -> None:
    """The parts are shown all the same, as if there had been none; why is said."""
    found = shown(presentation(document), picture(), text())
    assert (placed(found), found.made, found.source, found.flaw, found.missing) == ("1+2", True, None, flaw, missing)
    assert [one.n for one in found.unplaced] == [0]


def test_the_second_presentation_counts_where_the_first_is_broken() -> None:
    """It is the source, and the broken one is shown nowhere."""
    good = presentation('<smil><body><img src="sun.png"/></body></smil>')
    found = shown(presentation("<smil>"), picture(), good)
    assert (placed(found), found.source, found.flaw) == ("1", 2, None)
    assert found.unplaced == (Unplaced(0, "other", "application/smil"),)


def test_made() -> None:
    """Without a presentation, one slide per picture with its text; what cannot be on a slide is listed."""
    card = Part(body=b"BEGIN:VCARD", content_type="text/vcard")
    parts = (picture(None), text(None, "One"), picture(None), text(None, "Two"), card)
    found = slides.presentation(parts)
    assert (placed(found), found.made, found.source, found.flaw) == ("0+1 2+3", True, None, None)
    assert found.unplaced == (Unplaced(4, "other", "text/vcard"),)
    assert [slide.duration for slide in found.slides] == [5.0, 5.0]
    assert dict(slides.texts(parts, found)) == {1: "One", 3: "Two"}


def test_as_the_gateway_presents_them() -> None:
    """The presentation that the gateway adds is the source; parts keep the numbers that they came with."""
    parts = (picture(None), text(None), Part(body=sound(2), content_type="audio/x-wav"))
    found = slides.presentation(content.presented(parts))
    assert (placed(found), found.source, found.made, found.unplaced) == ("0+1+2", 3, False, ())
    alone = slides.presentation(content.presented(parts[:1]))
    assert (placed(alone), alone.source, alone.made) == ("0", None, True)
    assert slides.presentation(()) == Presentation(made=True)


def test_parts_that_are_one_object() -> None:
    """Equal parts have a number each."""
    same = picture(None)
    assert placed(shown(same, same)) == "0 1"


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (Part(body=PNG, content_type="image/png"), "image"),
        (Part(body=GIF, content_type="application/octet-stream"), "image"),
        (Part(body=GIF, content_type="text/plain"), "image"),
        (Part(body=b"<svg onload='alert(1)'/>", content_type="image/svg+xml"), "other"),
        (Part(body=b"<svg onload='alert(1)'/>", content_type="image/png"), "other"),
        (Part(body=b"<html><script>", content_type="image/jpeg"), "other"),
        (Part(body=b"<html><script>alert(1)</script>", content_type="text/html"), "other"),
        (Part(body=b"<html><script>alert(1)</script>", content_type="text/plain"), "text"),
        (Part(body=b"Hello", content_type="TEXT/Plain; charset=utf-8"), "text"),
        (Part(body=b"Hello", content_type="application/octet-stream"), "text"),
        (Part(body=b"\0\1\2", content_type="application/octet-stream"), "other"),
        (Part(body=b"\0\0\x10\x10", content_type="image/vnd.wap.wbmp"), "image"),
        (Part(body=b"odd", content_type="image/x-odd"), "image"),
        (Part(body=b"odd", content_type="model/x-odd"), "other"),
        (Part(body=AMR, content_type="audio/amr"), "audio"),
        (Part(body=b"\0\0\0\x18ftypisom", content_type="audio/mp4"), "audio"),
        (Part(body=b"\0\0\0\x18ftypisom", content_type="application/octet-stream"), "video"),
        (Part(body=b"\0\0\0\x18ftyp3gp5", content_type="video/3gpp"), "video"),
        (Part(body=b"BEGIN:VCARD", content_type="text/x-vcard"), "other"),
        (Part(body=b"%PDF-1.7", content_type="application/pdf"), "other"),
        (Part(body=b"", content_type="text/plain"), "text"),
    ],
)
def test_kinds(part: Part, kind: str) -> None:
    """Pictures, sound and films go by their octets; nothing that could run as a document is one."""
    assert slide_parts.kind(part) == kind


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Image/PNG; name=x", "image/png"),
        ("image/png<script>", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("x/" + "y" * 64, "application/octet-stream"),
        ("application/vnd.oma.drm.message", "application/vnd.oma.drm.message"),
    ],
)
def test_content_types(label: str, expected: str) -> None:
    """A label has the form of a media type or is none."""
    assert slide_parts.content_type(Part(body=b"", content_type=label)) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("white", "#ffffff"),
        (" #ABCDEF ", "#abcdef"),
        ("#0f8", "#00ff88"),
        ("abcdef", "#abcdef"),
        ("rgb(1,2,999)", "#0102ff"),
        ("red;background:url(//evil.example)", None),
        ("url(javascript:alert(1))", None),
        ("expression(alert(1))", None),
        ("var(--bg)", None),
        ("#12345", None),
        ("#ffffffff", None),
        ("#\uff46\uff46\uff46", None),
        ("transparent", None),
        ("#fff\n}", None),
        ("", None),
        (None, None),
        ("#" + "f" * 100_000, None),
    ],
)
def test_colours(written: str | None, expected: str | None) -> None:
    """Only what is a colour by a closed form is one."""
    assert slide_values.colour(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("10", Length(value=10, unit="px")),
        (" 10PX ", Length(value=10, unit="px")),
        ("12.5%", Length(value=12.5, unit="%")),
        ("0", Length(value=0, unit="px")),
        ("4096", Length(value=4096, unit="px")),
        ("4097", None),
        ("401%", None),
        ("-1", None),
        ("1e9", None),
        ("nan", None),
        ("inf", None),
        ("10em", None),
        ("calc(100% - 1px)", None),
        ("10px;position:fixed", None),
        ("٣", None),
        ("auto", None),
        ("9" * 100_000, None),
        ("", None),
        (None, None),
    ],
)
def test_lengths(written: str | None, expected: Length | None) -> None:
    """Numbers of pixels or per cent within bounds, and nothing else."""
    assert slide_values.length(written) == expected


@pytest.mark.parametrize(
    ("attributes", "times"),
    [
        ("", (0.0, None)),
        ('begin="2s"', (2.0, None)),
        ('begin="1s" dur="2s"', (1.0, 3.0)),
        ('begin="1s" end="1500ms" dur="2s"', (1.0, 1.5)),
        ('begin="2s" end="1s"', (2.0, None)),
        ('dur="0"', (0.0, None)),
        ('begin="indefinite" dur="indefinite"', (0.0, None)),
        ('begin="button.click"', (0.0, None)),
        ('begin="99999h" dur="99999h"', (86400.0, 86400.0)),
    ],
)
def test_times_of_items(attributes: str, times: tuple[float, float | None]) -> None:
    """An item ends by its dur or end, whichever is first."""
    found = shown(picture(), presentation(f'<smil><body><par><img src="sun.png" {attributes}/></par></body></smil>'))
    assert [(item.begin, item.end) for item in found.slides[0].items] == [times]


@pytest.mark.parametrize(
    ("written", "duration"),
    [("5000ms", 5.0), ("indefinite", "indefinite"), ("soon", None), ("0", None), ("1ms", 0.5), ("9999h", 86400.0)],
)
def test_duration_of_slides(written: str, duration: object) -> None:
    """Slides are played as long as they say, but never so briefly that the screen flashes."""
    document = f'<smil><body><par dur="{written}"><img src="sun.png"/></par></body></smil>'
    assert shown(picture(), presentation(document)).slides[0].duration == duration


def test_much_is_cut() -> None:
    """Slides, items, regions and missing references have a bound each; that something was cut is said."""
    thrice = '<img src="sun.png"/>' * 3
    many = "".join(f'<par><img src="x{n}"/>{thrice}</par>' for n in range(201))
    regions = "".join(f'<region id="r{n}"/>' for n in range(51))
    found = shown(picture(), presentation(f"<smil><head>{regions}</head><body>{many}</body></smil>"))
    assert (len(found.slides), len(found.regions), len(found.missing), found.cut) == (200, 50, 50, True)
    assert sum(len(slide.items) for slide in found.slides) == 400
    few = shown(picture(), presentation(f"<smil><head>{regions}</head><body><img src='sun.png'/></body></smil>"))
    assert few.cut
    made = slides.presentation([picture(None)] * 450)
    assert (len(made.slides), made.cut) == (200, True)
    assert len(made.as_json()) < 100_000


def test_texts_are_bounded() -> None:
    """One text by itself, and all of them on all slides, so that one part on 400 slides does not fill a page."""
    long = text(body="a" * 30_000)
    once = shown(long, presentation('<smil><body><text src="note.txt"/></body></smil>'))
    [cut] = slides.texts((long,), once).values()
    assert (len(cut), cut[-1]) == (20_000, "…")
    often = shown(long, presentation("<smil><body>" + '<text src="note.txt"/>' * 200 + "</body></smil>"))
    assert len(slides.texts((long,), often)[0]) * 200 <= 200_000
    assert slides.texts((text(body="a\r\nb\rc"),), once) == {0: "a\nb\nc"}


def test_strangers_texts_are_lines() -> None:
    """What is for people is one line, printable and short."""
    alt, reference = "a\n\u202eb" + "c" * 500, "no\u0085&#9;where" + "/" * 500
    document = f'<smil><body><img src="sun.png" alt="{alt}"/><img src="{reference}"/></body></smil>'
    found = shown(picture(), presentation(document))
    [item] = [one for slide in found.slides for one in slide.items]
    assert (item.alt[:4], len(item.alt), item.alt[-1]) == ("a bc", 300, "…")
    assert (found.missing[0][:9], len(found.missing[0])) == ("no where/", 200)


# --- nothing hostile --------------------------------------------------------------------------------------------------

HOSTILE = st.one_of(
    st.sampled_from([
        "", "0", "-1", "1e309", "NaN", "100%", "240", "99999999999", "red", "#fff", "url(http://127.0.0.1:9/)",
        "expression(alert(1))", "javascript:alert(1)", "\"><script>alert(1)</script>", "';}*{background:url(//x)}",
        "5s", "indefinite", "Image", "text", "meet", "large", "</style>", "var(--x)", "calc(1px)", "10px !important",
    ]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30),
)  # fmt: skip
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["left", "top", "width", "height", "fit", "z-index", "background-color", "backgroundColor", "id",
                     "regionName", "region", "src", "alt", "begin", "end", "dur", "style", "class", "onload"]),
    HOSTILE, max_size=12,
)  # fmt: skip
PARAMS = st.lists(
    st.tuples(st.sampled_from(["foreground-color", "background-color", "textsize", "hAlign", "__proto__"]), HOSTILE),
    max_size=4,
)


def element(tag: str, attributes: dict[str, str], inside: str = "") -> str:
    """An element, well-formed whatever its attributes say."""
    pairs = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f"<{tag}{pairs}>{inside}</{tag}>"


COLOUR = re.compile(r"#[0-9a-f]{6}")
KINDS = {"image", "text", "audio", "video", "other"}
KEYS = {
    "whole": {"width", "height", "background", "regions", "slides", "missing", "unplaced", "source", "made", "flaw",
              "cut"},
    "region": {"left", "top", "width", "height", "z", "fit", "background"},
    "item": {"kind", "n", "content_type", "region", "begin", "end", "length", "alt", "color", "background", "size",
             "align"},
}  # fmt: skip


def number(value: object, least: float, most: float) -> bool:
    """Whether it is a finite number within these bounds."""
    return type(value) in (int, float) and math.isfinite(value) and least <= value <= most


def check(told: dict[str, Any], count: int) -> None:
    """Every value of the JSON is of an allowed form."""
    assert set(told) == KEYS["whole"]
    assert number(told["width"], 1, 4096)
    assert number(told["height"], 1, 4096)
    assert type(told["made"]) is type(told["cut"]) is bool
    assert told["flaw"] in (None, "it cannot be read", "it shows none of the parts")
    assert told["source"] is None or number(told["source"], 0, count - 1)
    for region in told["regions"]:
        assert set(region) == KEYS["region"]
        for name in ("left", "top", "width", "height"):
            length = region[name]
            assert length is None or (length["unit"] in ("px", "%") and number(length["value"], 0, 4096))
        assert number(region["z"], 0, 1000)
        assert region["fit"] in (None, "fill", "hidden", "meet", "scroll", "slice")
    for slide in told["slides"]:
        assert set(slide) == {"duration", "items"}
        assert slide["duration"] in (None, "indefinite") or number(slide["duration"], 0.5, 86400)
        for item in slide["items"]:
            assert set(item) == KEYS["item"]
            assert item["kind"] in KINDS
            assert number(item["n"], 0, count - 1)
            assert item["region"] is None or number(item["region"], 0, len(told["regions"]) - 1)
            assert number(item["begin"], 0, 86400)
            assert item["end"] is None or number(item["end"], 0, 86400)
            assert item["size"] in (None, "small", "normal", "large")
            assert item["align"] in (None, "left", "center", "right")
    items = [item for slide in told["slides"] for item in slide["items"]]
    for one in [told, *told["regions"], *items]:
        for name in ("background", "color"):
            assert one.get(name) is None or COLOUR.fullmatch(one[name])
    for line in [*told["missing"], *(item["alt"] for item in items)]:
        assert len(line) <= 300
        assert line.isprintable()
    for one in told["unplaced"]:
        assert one["kind"] in KINDS
        assert number(one["n"], 0, count - 1)


@pytest.mark.once
@settings(max_examples=300, deadline=None)
@given(
    st.lists(ATTRIBUTES, max_size=3),
    st.lists(st.tuples(ATTRIBUTES, st.lists(st.tuples(ATTRIBUTES, PARAMS), max_size=3)), max_size=3),
)
def test_nothing_hostile_gets_into_the_json(
    layout: list[dict[str, str]],
    pars: list[tuple[dict[str, str], list[tuple[dict[str, str], list[tuple[str, str]]]]]],
) -> None:
    """Whatever the attributes say, the JSON has numbers, words of closed lists, colours and short lines."""
    head = "".join(element("region" if n else "root-layout", one) for n, one in enumerate(layout))
    body = ""
    for around, inside in pars:
        items = ""
        for n, (attributes, params) in enumerate(inside):
            given_ = "".join(element("param", {"name": name, "value": value}) for name, value in params)
            items += element("text" if n else "img", {"src": "note.txt", **attributes}, given_)
        body += element("par", around, items)
    parts = (text(), picture(), presentation(f"<smil><head>{head}</head><body>{body}</body></smil>"))
    assert smil.parse(parts[2].read())  # the document itself is fine
    check(json.loads(slides.presentation(parts).as_json()), len(parts))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.binary(max_size=80), st.sampled_from(["text/plain", "image/png", "application/smil", "x"])),
        max_size=5,
    )
)
def test_any_parts(drawn: Sequence[tuple[bytes, str]]) -> None:
    """Whatever the parts, there is a presentation of an allowed form, and its texts."""
    parts = [Part(body=body, content_type=kind) for body, kind in drawn]
    found = slides.presentation(parts)
    check(json.loads(found.as_json()), len(parts))
    assert set(slides.texts(parts, found)) <= set(range(len(parts)))


def test_json_steers_nothing() -> None:
    """Bidirectional marks and the like stay out of lines; the JSON is one line of text."""
    found = replace(shown(picture(), text()), missing=("\u2028</script>",))
    assert "\u2028" not in found.as_json()
    assert json.loads(found.as_json())["missing"] == ["\u2028</script>"]


def test_parts_with_one_content_id_are_sent_on_apart() -> None:
    """The first keeps the name that the references mean; the others lose it, and nothing else of them changes."""
    parts = [Part(body=name, content_type="text/plain", content_id=id) for name, id in
             ((b"a", "x@y"), (b"b", "x@y"), (b"c", None), (b"d", None), (b"e", "z"))]  # fmt: skip
    found = content.sendable(parts)
    assert [one.content_id for one in found] == ["x@y", None, None, None, "z"]
    assert [one.read() for one in found] == [b"a", b"b", b"c", b"d", b"e"]
