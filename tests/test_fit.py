"""``fit``: what is left alone, what is turned, freed, scaled and coded, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PIL")
pytest.importorskip("pillow_heif")
import pillow_heif
from drawn import BLUE, RED, animated, drawing, exif, octets, photo, see_through, turned
from PIL import Image, ImageChops, ImageCms, ImageFilter

import mm7zeep
from mm7zeep import exchange, profiles, smil
from mm7zeep.errors import LocalError
from mm7zeep.fitting.fit import Fitted, Pool, fit, message_size
from mm7zeep.messages import Part, SubmitReq

PHOTO = photo(1200, 900)
JPEG = octets(PHOTO, "JPEG", quality=92)
SMALL = octets(PHOTO.resize((160, 120)), "JPEG")


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """One for all tests here: a process takes a moment to start."""
    with Pool(1) as made:
        yield made


def jpeg(body: bytes, name: str | None = "photo.jpg") -> Part:
    """A part that says that it is a JPEG."""
    return Part(body=body, content_type="image/jpeg", name=name)


def one(pool: Pool, body: bytes, limit: int = 100_000, kind: str = "image/jpeg", name: str = "photo.jpg") -> Fitted:
    """The picture fitted, within the limit as the wire has it."""
    part = Part(body=body, content_type=kind, name=name)
    done = fit([part], limit=limit, pool=pool)
    wire = exchange.pack(SubmitReq(to="+1", vaspid="v", vasid="s"), done.parts)
    assert len(wire.read()) <= done.size <= limit
    return done


def seen(done: Fitted) -> Image.Image:
    """The first part as a picture, decoded."""
    image = Image.open(io.BytesIO(done.parts[0].read()))
    image.load()
    return image


def ids(done: Fitted) -> set[str]:
    """The findings."""
    return {found.id for found in done.findings}


def near(image: Image.Image, at: tuple[float, float], colour: tuple[int, int, int]) -> bool:
    """Whether the picture has about that colour at a place, given in parts of its sides."""
    pixel = image.convert("RGB").getpixel((int(image.width * at[0]), int(image.height * at[1])))
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=True))


def upright(image: Image.Image) -> bool:
    """Whether red is in the upper left and blue in the lower right."""
    return near(image, (0.08, 0.08), RED) and near(image, (0.92, 0.92), BLUE)


def test_public() -> None:
    """It is offered at the front door."""
    assert mm7zeep.fit is fit
    assert mm7zeep.Fitted is Fitted


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (SMALL, "image/jpeg"),
        (octets(drawing(300, 200), "PNG"), "image/png"),
        (octets(drawing(300, 200).quantize(16), "PNG"), "image/png"),
        (animated(40, 30, 4), "image/gif"),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "text/vcard"),
        ("Grüße".encode(), "text/plain"),
        (b"#!AMR\n" + bytes(500), "audio/amr"),
        (b"%PDF-1.4", "application/pdf"),
    ],
)
def test_what_fits_is_not_touched(pool: Pool, body: bytes, kind: str) -> None:
    """Octets and labels are what they were, and nothing is noted."""
    part = Part(body=body, content_type=kind, name="a.x", content_id="a@b")
    done = fit([part], limit=60_000, pool=pool)
    assert (done.parts, done.findings, dict(done.changes)) == ((part,), (), {})


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("limit", [20_000, 900_000])
def test_upright_and_nowhere(pool: Pool, orientation: int, limit: int) -> None:
    """All eight orientations end upright, whether they are scaled or not, and no place is in them."""
    done = one(pool, turned(PHOTO, orientation), limit)
    image = seen(done)
    assert upright(image)
    assert image.width > image.height
    assert not image.getexif()
    assert b"Maker of cameras" not in done.parts[0].read()
    assert "fit/metadata" in ids(done)
    assert ("fit/turned" in ids(done)) == (orientation > 1)


def test_metadata_goes_without_a_new_coding(pool: Pool) -> None:
    """Where only metadata is wrong, no pixel changes: what is left of the file is its own octets."""
    body = octets(PHOTO.resize((160, 120)), "JPEG", exif=exif(), comment=b"a secret place")
    done = one(pool, body)
    assert ids(done) == {"fit/metadata", "fit/size"}
    left = done.parts[0].read()
    assert [found.detail for found in done.findings] == [
        "EXIF, comment",
        f"{len(body):,} to {len(left):,} octets, 160x120 pixels; the message may have 100,000 octets",
    ]
    assert b"secret" not in left
    assert left[-500:] == body[-500:]
    assert Image.open(io.BytesIO(left)).tobytes() == Image.open(io.BytesIO(body)).tobytes()


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_texts_of_other_pictures_go(pool: Pool, form: str) -> None:
    """PNG texts and EXIF, GIF comments: gone, and every pixel is what it was."""
    drawn = drawing(200, 100).quantize(16)
    extra = {"exif": exif()} if form == "PNG" else {"comment": b"a secret place"}
    body = octets(drawn, form, **extra)
    done = one(pool, body, kind=f"image/{form.lower()}")
    assert ids(done) == {"fit/metadata", "fit/size"}
    assert b"secret" not in done.parts[0].read()
    assert b"Maker" not in done.parts[0].read()
    assert seen(done).convert("RGB").tobytes() == drawn.convert("RGB").tobytes()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "see-through P", "1"])
def test_png_is_packed_anew_before_it_loses_anything(pool: Pool, mode: str) -> None:
    """One that was hardly compressed fits with every pixel that it had, and what a viewer needs beside them."""
    picture = PHOTO.resize((400, 300)).filter(ImageFilter.GaussianBlur(8))
    extra: dict[str, Any] = {}
    if mode.endswith("P"):
        picture = picture.quantize(64)
        extra = {"transparency": 3} if mode != "P" else {}
    else:
        picture = picture.convert(mode)
    body = octets(picture, "PNG", compress_level=0, dpi=(72, 72), **extra)
    body = body[:33] + chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"tEXt", b"a\0secret place") + body[33:]
    done = one(pool, body, limit=len(body), kind="image/png", name="a.png")
    made = done.parts[0].read()
    assert ids(done) == {"fit/repacked", "fit/metadata", "fit/size"}
    assert seen(done).mode == Image.open(io.BytesIO(body)).mode
    assert seen(done).convert("RGBA").tobytes() == Image.open(io.BytesIO(body)).convert("RGBA").tobytes()
    assert chunk(b"gAMA", struct.pack(">I", 45455)) in made
    assert b"pHYs" in made
    assert b"secret" not in made
    assert done.findings[-1].detail.startswith(f"{len(body):,} to {len(made):,} octets, 400x300 pixels; ")


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_greys_keep_their_transparency(pool: Pool, depth: int) -> None:
    """A grey picture of few bits is not packed anew in more of them: what stands beside it would not hold."""
    rows = b"".join(b"\0" + bytes((n * 37) % 256 for n in range(400 * depth // 8)) for _ in range(300))
    head = struct.pack(">IIBBBBB", 400, 300, depth, 0, 0, 0, 0)
    see_through = chunk(b"tRNS", struct.pack(">H", 2**depth - 1))
    body = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + see_through
    body += chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")
    done = one(pool, body, limit=len(body), kind="image/png", name="a.png")
    made = done.parts[0].read()
    if "fit/repacked" in ids(done):
        assert made[24] == depth
        assert see_through in made


def test_sixteen_bits_are_not_packed_anew(pool: Pool) -> None:
    """What is not read whole is coded, and said to be."""
    deep = Image.linear_gradient("L").convert("I;16").resize((400, 300))
    body = octets(deep, "PNG", compress_level=0)
    done = one(pool, body, limit=len(body), kind="image/png", name="a.png")
    assert "fit/repacked" not in ids(done)
    assert {"fit/coded", "fit/colours"} <= ids(done)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_jpeg_a_little_too_large_keeps_its_tables(pool: Pool, mode: str) -> None:
    """It loses far less than by other tables, and is no more progressive than it was."""
    picture = Image.merge("RGB", [Image.effect_noise((640, 480), 40)] * 3).filter(ImageFilter.GaussianBlur(1))
    body = octets(picture.convert(mode), "JPEG", quality=85)
    done = one(pool, body, limit=message_size([jpeg(body)]) - 300)
    first = done.findings[0]
    assert (first.id, first.detail) == ("fit/coded", "JPEG, by the tables that it had")
    made, given = seen(done), Image.open(io.BytesIO(body))
    assert getattr(made, "quantization") == getattr(given, "quantization")  # noqa: B009  of JPEG alone
    assert "progressive" not in made.info
    difference = ImageChops.difference(given.convert("L"), made.convert("L")).histogram()
    assert sum(difference[8:]) == 0


def test_noise_is_no_fault(pool: Pool) -> None:
    """Noise, for which Pillow has too little room where it optimizes, is coded all the same."""
    noise = Image.merge("RGB", [Image.effect_noise((700, 500), 120) for _ in range(3)])
    done = one(pool, octets(noise, "BMP"), limit=700_000, kind="image/bmp", name="a.bmp")
    assert "fit/coded" in ids(done)


def test_sizes_are_told(pool: Pool) -> None:
    """What was too large says how large it was, and is, in octets and pixels, and what the message may have."""
    done = one(pool, turned(PHOTO, 6), 20_000)
    [found] = [one for one in done.findings if one.id == "fit/size"]
    before, after = len(turned(PHOTO, 6)), len(done.parts[0].read())
    small = "x".join(map(str, seen(done).size))
    assert found.detail == (
        f"{before:,} to {after:,} octets, {PHOTO.width}x{PHOTO.height} to {small} pixels; "
        "the message may have 20,000 octets"
    )


@pytest.mark.parametrize("limit", [8_000, 30_000, 100_000, 300_000])
def test_large_photo(pool: Pool, limit: int) -> None:
    """It fits, uses most of what it may, and keeps its proportions."""
    done = one(pool, JPEG, limit)
    assert done.size > 0.75 * limit or seen(done).size == PHOTO.size
    assert "fit/coded" in ids(done)
    image = seen(done)
    assert abs(image.width / image.height - 4 / 3) < 0.02
    assert upright(image)


pillow_heif.register_heif_opener()
HEIC = io.BytesIO()
pillow_heif.from_pillow(photo(480, 360)).save(HEIC, quality=90)


@pytest.mark.parametrize(
    ("body", "kind", "to"),
    [
        (HEIC.getvalue(), "image/heic", "image/jpeg"),
        (octets(PHOTO, "TIFF"), "image/tiff", "image/jpeg"),
        (octets(PHOTO, "BMP"), "image/bmp", "image/jpeg"),
        (octets(PHOTO, "WEBP"), "image/webp", "image/jpeg"),
        (octets(see_through(600, 450), "WEBP"), "image/webp", "image/png"),
        (octets(see_through(600, 450), "TIFF"), "image/tiff", "image/png"),
        (octets(see_through(600, 450), "PNG"), "image/png", "image/png"),
        (octets(PHOTO, "PNG"), "image/png", "image/jpeg"),
        (octets(drawing(900, 600), "BMP"), "image/bmp", "image/png"),
    ],
)
def test_converted(pool: Pool, body: bytes, kind: str, to: str) -> None:
    """What handsets do not know becomes what they know: JPEG, or PNG where it can be seen through."""
    done = one(pool, body, 60_000, kind, "photo.png" if kind == "image/png" else "photo.heic")
    part = done.parts[0]
    assert part.content_type == to
    assert ("fit/converted" in ids(done)) == (kind != to)
    assert part.name == ("photo.jpg" if to == "image/jpeg" else "photo.png")
    assert Image.open(io.BytesIO(part.read())).get_format_mimetype() == to
    if "A" in Image.open(io.BytesIO(body)).mode:
        alpha = seen(done).convert("RGBA").getchannel("A")
        assert alpha.getpixel((0, 0)) <= 5
        assert alpha.getpixel((alpha.width // 2, alpha.height // 2)) >= 250


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits(pool: Pool, form: str) -> None:
    """A picture of 16 bits keeps its greys."""
    grey = PHOTO.convert("L")
    deep = Image.frombytes("I;16", grey.size, b"".join(bytes((0, value)) for value in grey.tobytes()))
    done = one(pool, octets(deep, form), 60_000, f"image/{form.lower()}")
    image = seen(done)
    before, after = (sum(one.convert("L").resize((1, 1)).tobytes()) for one in (grey, image))
    assert abs(before - after) < 4
    assert "fit/colours" in ids(done)


def test_colours(pool: Pool) -> None:
    """CMYK becomes RGB, and a profile that is not sRGB is applied, though it would fit as it is."""
    done = one(pool, octets(PHOTO.resize((160, 120)).convert("CMYK"), "JPEG"))
    assert (seen(done).mode, "fit/colours" in ids(done), upright(seen(done))) == ("RGB", True, True)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    small = PHOTO.resize((160, 120))
    assert one(pool, octets(small, "JPEG", icc_profile=srgb.tobytes())).findings == ()
    assert "fit/coded" in ids(one(pool, octets(small, "JPEG", icc_profile=lab.tobytes())))


def test_animation(pool: Pool) -> None:
    """It plays as long as before, with fewer pixels; with fewer frames where there is no room; it is refused last."""
    body = animated(160, 120, 8)
    done = one(pool, body, 60_000, "image/gif")
    image = Image.open(io.BytesIO(done.parts[0].read()))
    assert getattr(image, "n_frames", 1) == 8
    done = one(pool, body, 9_000, "image/gif")
    image = Image.open(io.BytesIO(done.parts[0].read()))
    count = getattr(image, "n_frames", 1)
    assert 2 <= count < 8
    lengths = []
    for n in range(count):
        image.seek(n)
        lengths.append(image.info["duration"])
    assert sum(lengths) == 640
    assert "fit/animation" in ids(done)


def test_cut_off(pool: Pool) -> None:
    """What is there of a picture goes, and is said."""
    done = one(pool, JPEG[: len(JPEG) // 2], 60_000)
    assert "fit/truncated" in ids(done)
    assert near(seen(done), (0.08, 0.08), RED)


def test_room_is_shared(pool: Pool) -> None:
    """What one leaves of its share, the others have; the order stays; base64 is counted."""
    form = replace(profiles.GENERIC_6_8_0, encoding="base64")
    parts = [
        jpeg(JPEG, "a.jpg"),
        jpeg(SMALL, "b.jpg"),
        jpeg(JPEG, "c.jpg"),
        Part(body=b"hi", content_type="text/plain"),
    ]
    done = fit(parts, limit=120_000, profile=form, pool=pool)
    wire = exchange.pack(SubmitReq(to="+1"), done.parts, profile=form)
    assert 0.85 * 120_000 < len(wire.read()) <= done.size <= 120_000
    assert [one.name for one in done.parts[:3]] == ["a.jpg", "b.jpg", "c.jpg"]
    assert done.parts[1] == parts[1]
    assert sorted(done.changes) == [0, 2]
    assert abs(done.parts[0].size - done.parts[2].size) < 8_000


def test_media(pool: Pool) -> None:
    """What the carrier does not take is made what it takes, or refused by name."""
    done = fit([Part(body=octets(see_through(200, 150), "PNG"), content_type="image/png")], limit=60_000,
               media=("image/jpg",), pool=pool)  # fmt: skip
    assert done.parts[0].content_type == "image/jpeg"
    assert near(seen(done), (0.01, 0.01), (255, 255, 255))
    with pytest.raises(LocalError, match=r"a\.amr is audio/amr, which the carrier does not take; it takes image/jpeg"):
        fit([Part(body=b"#!AMR\n", content_type="audio/amr", name="a.amr")], limit=60_000, media=("image/jpeg",))


def test_video_is_refused(pool: Pool) -> None:
    """Size, limit and remedy are said; nothing else is done."""
    clip = Part(body=b"\0\0\0\x18ftypisom" + bytes(400_000), content_type="video/mp4", name="clip.mp4")
    with pytest.raises(LocalError, match=r"clip\.mp4 has 400,012 octets.* limit is 300,000.*shorter.*ffmpeg") as caught:
        fit([jpeg(JPEG), clip], limit=300_000, pool=pool)
    assert [(found.id, found.action) for found in caught.value.findings] == [("fit/refused", "refused")]


FFMPEG = """#!/bin/sh
for last; do :; done
printf '#!AMR\\n' > "$last"
"""


def test_ffmpeg(pool: Pool, tmp_path: Path) -> None:
    """A command that is named makes it smaller; one that fails, or makes no less, refuses it."""
    command = tmp_path / "ffmpeg"
    command.write_text(FFMPEG)
    command.chmod(0o755)
    sound = Part(body=b"#!AMR\n" + (b"\x3c" + bytes(31)) * 2_000, content_type="audio/amr", name="a.amr")
    done = fit([sound], limit=40_000, ffmpeg=str(command))
    assert done.parts[0].read() == b"#!AMR\n"
    assert [(found.id, found.detail) for found in done.findings] == [
        ("fit/coded", "by ffmpeg"),
        ("fit/size", "64,006 to 6 octets; the message may have 40,000 octets"),
    ]
    with pytest.raises(LocalError, match=r"a\.amr has 64,006 octets, and .*does not start"):
        fit([sound], limit=40_000, ffmpeg=str(tmp_path / "nowhere"))
    command.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(LocalError, match="ended with 3"):
        fit([sound], limit=40_000, ffmpeg=str(command))


# what ffmpeg does, as far as it is asked to: 10 s of sound, in so many percent of the rate that was asked for
CODER = """#!/bin/sh
echo "$@" >> "$0.calls"
for last; do case "$before" in -b:v|-b:a) rate="$last";; esac; before="$last"; done
if [ "$last" = - ]; then echo out_time_us=5000000; echo out_time_us=10000000; exit 0; fi
head -c "$((rate * 10 / 8 * %s / 100))" /dev/zero > "$last"
"""


def calls(command: Path) -> list[list[str]]:
    """With which words the command was run."""
    return [line.split() for line in command.with_name("ffmpeg.calls").read_text().splitlines()]


def test_ffmpeg_that_overshoots_is_asked_for_less(tmp_path: Path) -> None:
    """A coder that makes more than it was asked for is asked again for less; it is told what it reads, and no more."""
    command = tmp_path / "ffmpeg"
    command.write_text(CODER % 120)
    command.chmod(0o755)
    sound = Part(body=b"ID3\x03" + bytes(100_000), content_type="audio/mpeg", name="a.mp3")
    done = fit([sound], limit=16_000, overhead=1_000, ffmpeg=str(command))
    assert (done.parts[0].content_type, done.parts[0].name) == ("audio/amr", "a.amr")
    assert done.size <= 16_000
    length, *coded = calls(command)
    assert length[length.index("-i") - 1] == "mp3"
    assert length[-3:] == ["-f", "null", "-"]
    rates = [int(words[words.index("-b:a") + 1]) for words in coded]
    assert rates == sorted(rates, reverse=True)
    assert 2 <= len(rates) <= 3
    assert all(words[words.index("-protocol_whitelist") + 1] == "file,pipe" for words in (length, *coded))
    assert "by ffmpeg" in str(done.findings[0])
    assert str(tmp_path) not in str(done.findings[0])


def test_ffmpeg_that_never_keeps_to_it(tmp_path: Path) -> None:
    """After a few tries it is refused, with what was made and what there is room for."""
    command = tmp_path / "ffmpeg"
    command.write_text(CODER % 100 + 'head -c 90000 /dev/zero > "$last"\n')
    command.chmod(0o755)
    sound = Part(body=b"ID3\x03" + bytes(100_000), content_type="audio/mpeg", name="a.mp3")
    with pytest.raises(LocalError, match=r"a\.mp3 has 100,004 octets, and ffmpeg made 90,000 octets of it, more than"):
        fit([sound], limit=20_000, overhead=1_000, ffmpeg=str(command))
    assert len(calls(command)) <= 4
    with pytest.raises(LocalError, match=r"10 s of it do not fit into [\d,]+ octets"):
        fit([sound], limit=5_000, overhead=1_000, ffmpeg=str(command))


def test_ffmpeg_is_not_given_what_it_would_have_to_guess(tmp_path: Path) -> None:
    """A type that names no container is not handed on: what reads it might be made to read other files."""
    command = tmp_path / "ffmpeg"
    command.write_text(CODER % 100)
    command.chmod(0o755)
    odd = Part(body=b"#EXTM3U\nfile:///etc/hostname\n" + bytes(100_000), content_type="video/x-odd", name="a.odd")
    with pytest.raises(LocalError, match=r"a\.odd has 100,029 octets"):
        fit([odd], limit=20_000, ffmpeg=str(command))
    assert not command.with_name("ffmpeg.calls").exists()


GIVEN = """<smil><body>
<par><img src="holiday%20photo.heic"/><text src='cid:t@x'/></par>
<par><img src="same.heic" alt="same.heic"/><img src="cid:same.heic"/></par>
</body></smil>"""


def test_given_presentation(pool: Pool) -> None:
    """It names the parts by their new names; Content-IDs, and what else it says, stay."""
    parts = [
        Part(body=GIVEN.encode(), content_type="application/smil", content_id="s@x"),
        Part(body=HEIC.getvalue(), content_type="image/heic", content_id="p@x", content_location="holiday photo.heic",
             name="holiday photo.heic"),
        Part(body=HEIC.getvalue(), content_type="image/heic", content_id="same.heic", name="same.heic"),
        Part(body=b"hi", content_type="text/plain", content_id="t@x"),
    ]  # fmt: skip
    done = fit(parts, limit=90_000, pool=pool)
    assert [one.content_id for one in done.parts] == [one.content_id for one in parts]
    assert (done.parts[1].content_location, done.parts[1].name) == ("holiday photo.jpg", "holiday photo.jpg")
    text = done.parts[0].read().decode()
    assert text == GIVEN.replace("holiday%20photo.heic", "holiday photo.jpg")
    assert [found.detail for found in done.changes[0]] == ["holiday photo.heic to holiday photo.jpg"]


def test_generated_presentation(pool: Pool) -> None:
    """It is made of the parts as they are after fitting."""
    parts = [Part(body=HEIC.getvalue(), content_type="image/heic"), Part(body=b"hi", content_type="text/plain")]
    done = fit(parts, limit=60_000, pool=pool)
    received = exchange.unpack(exchange.pack(SubmitReq(to="+1"), done.parts))
    shown = smil.references(received.parts[0].read())
    assert [one.content_type for one in received.parts] == ["application/smil", "image/jpeg", "text/plain"]
    assert shown == tuple(smil.cid_url(str(one.content_id)) for one in received.parts[1:])


def test_no_two_parts_get_one_name(pool: Pool) -> None:
    """A name that is taken gets a number."""
    done = fit([jpeg(SMALL, "a.jpg"), Part(body=HEIC.getvalue(), content_type="image/heic", name="a.heic")],
               limit=90_000, pool=pool)  # fmt: skip
    assert [one.name for one in done.parts] == ["a.jpg", "a-2.jpg"]


def test_files_and_sizes(pool: Pool, tmp_path: Path) -> None:
    """A part that is a file is read, and stays one where it fits; the size is that of the wire, bar the envelope."""
    path = tmp_path / "a.jpg"
    path.write_bytes(SMALL)
    part = Part(body=path, content_type="image/jpeg", name="a.jpg")
    done = fit([part], limit=60_000, pool=pool)
    assert done.parts == (part,)
    assert message_size([part], overhead=0) < done.size == message_size([part]) < 60_000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"limit": 0}, "limit is a number of octets, not 0"),
        ({"limit": True}, "limit is a number"),
        ({"limit": 1000, "media": "image/jpeg"}, "media is a sequence"),
        ({"limit": 1000}, "the limit is 1,000"),
    ],
)
def test_wrong_use(pool: Pool, options: dict[str, object], said: str) -> None:
    """What cannot be meant is refused; so is a limit that the envelope alone passes."""
    with pytest.raises(LocalError, match=said):
        fit([jpeg(JPEG)], pool=pool, **options)  # type: ignore[arg-type]
    with pytest.raises(LocalError, match="parts are mm7zeep"):
        fit(["text"], limit=1000)  # type: ignore[list-item]
