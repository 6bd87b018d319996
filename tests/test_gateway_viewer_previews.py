"""Previews: every kind of picture, upright and small; bombs cost their own refusal, once, and the gateway nothing."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("PIL")
pytest.importorskip("pillow_heif")
pytest.importorskip("starlette")
import pillow_heif
from drawn import BLUE, RED, TURNS, animated, drawing, exif, huge_png, long_gif, octets, photo, see_through, slow_jpeg
from drawn import turned as stored
from PIL import Image, PngImagePlugin

from mm7zeep.errors import LocalError
from mm7zeep.fitting import pool as pools
from mm7zeep.fitting.pool import Picture, Pool
from mm7zeep.gateway.viewer.previews import LIMITS, PREVIEW, THUMBNAIL, Box, NoPreview, Preview, PreviewBusy, Previews

PHOTO = photo(640, 480)
JPEG = octets(PHOTO, "JPEG")


def heif(image: Image.Image) -> bytes:
    """The picture as phones of one maker store it."""
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, quality=80)
    return stream.getvalue()


@pytest.fixture(scope="module")
def previews() -> Iterator[Previews]:
    """Previews of one process for all tests that do not harm it."""
    made = Previews()
    yield made
    made.close()


def opened(preview: Preview) -> Image.Image:
    """The picture in a preview, which is what the preview says."""
    image = Image.open(io.BytesIO(preview.octets))
    assert image.size == (preview.width, preview.height)
    assert {"PNG": "image/png", "JPEG": "image/jpeg"}[str(image.format)] == preview.media_type
    return image


def looks(image: Image.Image, x: float, y: float, colour: Sequence[int]) -> bool:
    """Whether the pixel there is about of that colour."""
    found = image.convert("RGB").getpixel((int(x * (image.width - 1)), int(y * (image.height - 1))))
    assert isinstance(found, tuple)
    return all(abs(one - other) < 60 for one, other in zip(found, colour, strict=True))


# --- every kind of picture --------------------------------------------------------------------------------------------

KINDS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: JPEG,
    "JPEG in grey": lambda: octets(PHOTO.convert("L"), "JPEG"),
    "JPEG for printers": lambda: octets(PHOTO.convert("CMYK"), "JPEG"),
    "progressive JPEG": lambda: octets(PHOTO, "JPEG", progressive=True),
    "PNG": lambda: octets(PHOTO, "PNG"),
    "PNG with a palette": lambda: octets(PHOTO.quantize(64), "PNG"),
    "GIF": lambda: octets(PHOTO, "GIF"),
    "animated GIF": lambda: animated(320, 240, 5),
    "animated WebP": lambda: octets(PHOTO, "WEBP", save_all=True, append_images=[PHOTO.rotate(180)]),
    "BMP": lambda: octets(PHOTO, "BMP"),
    "TIFF": lambda: octets(PHOTO, "TIFF"),
    "TIFF of two pages": lambda: octets(PHOTO, "TIFF", save_all=True, append_images=[PHOTO.rotate(180)]),
    "compressed TIFF": lambda: octets(PHOTO, "TIFF", compression="tiff_lzw"),
    "WebP": lambda: octets(PHOTO, "WEBP"),
    "HEIC": lambda: heif(PHOTO),
    "AVIF": lambda: octets(PHOTO, "AVIF"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(previews: Previews, kind: str) -> None:
    """Each is shown, its first frame or page, in both sizes; never larger than it is."""
    data = KINDS[kind]()
    small, large = previews.preview(data, THUMBNAIL), previews.preview(data, PREVIEW)
    assert (small.width, small.height, small.media_type) == (96, 72, "image/jpeg")
    assert len(small.octets) <= 1_950
    assert large.media_type == "image/png"
    assert (large.width, large.height) == ((320, 240) if kind == "animated GIF" else (640, 480))
    if kind != "JPEG in grey":
        for one in (small, large):
            assert looks(opened(one), 0.06, 0.06, RED)
            assert looks(opened(one), 0.94, 0.94, BLUE)


@pytest.mark.parametrize("orientation", TURNS)
def test_orientation(previews: Previews, orientation: int) -> None:
    """However the camera was held, the picture is upright."""
    data = stored(PHOTO, orientation)
    for box in (THUMBNAIL, PREVIEW):
        made = previews.preview(data, box)
        assert made.width > made.height
        assert looks(opened(made), 0.06, 0.06, RED)
        assert looks(opened(made), 0.94, 0.94, BLUE)


@pytest.mark.parametrize(
    ("size", "box", "expected"),
    [
        ((4000, 3000), THUMBNAIL, (96, 72)), ((3000, 4000), PREVIEW, (960, 1280)), ((50, 40), THUMBNAIL, (50, 40)),
        ((1, 1), THUMBNAIL, (1, 1)), ((5000, 2), THUMBNAIL, (96, 1)), ((1281, 1281), PREVIEW, (1280, 1280)),
    ],
)  # fmt: skip
def test_size(previews: Previews, size: tuple[int, int], box: Box, expected: tuple[int, int]) -> None:
    """The longer side is that of the box, or as long as it was."""
    made = previews.preview(octets(Image.new("RGB", size, RED), "JPEG"), box)
    assert opened(made).size == expected


def test_what_can_be_seen_through(previews: Previews) -> None:
    """It stays so where that fits; a photo in a thumbnail is set on white."""
    large = opened(previews.preview(octets(see_through(600, 600), "PNG"), PREVIEW))
    assert large.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert opened(previews.preview(octets(see_through(600, 600), "PNG"), THUMBNAIL)).getpixel((0, 0)) == (255, 255, 255)
    drawn = Image.new("RGBA", (300, 300))
    drawn.paste(RED, (100, 100, 200, 200))
    small = opened(previews.preview(octets(drawn, "PNG"), THUMBNAIL)).convert("RGBA")
    assert (small.getpixel((0, 0)), small.getpixel((48, 48))) == ((0, 0, 0, 0), (*RED, 255))


def test_sixteen_bits(previews: Previews) -> None:
    """Scans of 16 bits are shown in eight."""
    deep = Image.new("I;16", (200, 100), 40_000)
    made = opened(previews.preview(octets(deep, "TIFF"), PREVIEW))
    assert (made.mode, made.getpixel((5, 5))) == ("L", 155)


def test_no_metadata(previews: Previews) -> None:
    """Where a photo was taken, and by what, is not in its preview."""
    data = octets(PHOTO, "JPEG", exif=exif(), comment=b"secret", icc_profile=b"no profile")
    assert b"Maker of cameras" in data
    for box in (THUMBNAIL, PREVIEW):
        made = previews.preview(data, box).octets
        assert b"Maker" not in made
        assert b"secret" not in made
        assert b"no profile" not in made
        assert b"Exif" not in made
        assert b"eXIf" not in made


def test_fifty_thumbnails(previews: Previews) -> None:
    """Photos and the worst that there is, noise: fifty of them are less than 100 kB."""
    noise = octets(Image.effect_noise((800, 600), 200).convert("RGB"), "PNG")
    sizes = [len(previews.preview(noise, THUMBNAIL).octets)]
    sizes += [len(previews.preview(octets(photo(400, 300, n), "JPEG"), THUMBNAIL).octets) for n in range(10)]
    sizes += [len(previews.preview(octets(drawing(300, 400), "PNG"), THUMBNAIL).octets)]
    assert max(sizes) * 50 < 100_000


def test_cut_off(previews: Previews) -> None:
    """What is there of a picture is shown."""
    assert looks(opened(previews.preview(JPEG[: len(JPEG) // 2], THUMBNAIL)), 0.06, 0.06, RED)


# --- bombs ------------------------------------------------------------------------------------------------------------


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text_bomb(kind: bytes = b"zTXt") -> bytes:
    """A PNG of one pixel with 1 GB of text, or of a colour profile, in a megabyte."""
    pressed = zlib.compressobj(9)
    packed = b"".join(pressed.compress(bytes(2**24)) for _ in range(64)) + pressed.flush()
    small = octets(Image.new("RGB", (1, 1)), "PNG")
    return small[:33] + chunk(kind, b"x\0\0" + packed) + small[33:]


def many_texts() -> bytes:
    """A PNG with 2,000 texts, each of which is not too long."""
    info = PngImagePlugin.PngInfo()
    for n in range(2_000):
        info.add_text(f"t{n}", "x" * 1_000_000, zip=True)
    return octets(Image.new("RGB", (8, 8)), "PNG", pnginfo=info)


def silly_heic() -> bytes:
    """A HEIC whose properties say that it has 60,000 pixels a side."""
    data = heif(photo(64, 64))
    at = data.index(b"ispe")
    return data[: at + 8] + struct.pack(">II", 60_000, 60_000) + data[at + 16 :]


def silly_tiff() -> bytes:
    """A TIFF whose directory says that it has 2^31 pixels a side."""
    data = bytearray(octets(Image.new("L", (8, 8)), "TIFF"))
    at = struct.unpack("<I", data[4:8])[0]
    for n in range(struct.unpack("<H", data[at : at + 2])[0]):
        entry = at + 2 + 12 * n
        if struct.unpack("<H", data[entry : entry + 2])[0] in (256, 257):
            data[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, 2**31 - 1)
    return bytes(data)


def wide_gif() -> bytes:
    """A GIF of 65,535 pixels a side, in a few octets."""
    data = bytearray(octets(Image.new("P", (8, 8)), "GIF"))
    data[6:10] = struct.pack("<HH", 65_535, 65_535)
    return bytes(data)


def looping_tiff() -> bytes:
    """A TIFF whose directory is followed by itself."""
    data = octets(Image.new("L", (8, 8)), "TIFF")
    at = struct.unpack("<I", data[4:8])[0]
    end = at + 2 + 12 * struct.unpack("<H", data[at : at + 2])[0]
    return data[:end] + struct.pack("<I", at) + data[end + 4 :]


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "PNG of 50,000 pixels a side": (lambda: huge_png(50_000), "has 50000 x 50000 pixels, more than 50,000,000 in all"),
    "GIF of 65,535 pixels a side": (wide_gif, "has 65535 x 65535 pixels"),
    "GIF of 100,000 frames": (lambda: long_gif(100_000), "has more than 600 frames"),
    "JPEG of 2,000 scans": (slow_jpeg, "is a JPEG of more than 40 scans"),
    "text of a gigabyte": (text_bomb, "cannot be decoded"),
    "colour profile of a gigabyte": (lambda: text_bomb(b"iCCP"), "cannot be decoded"),
    "2,000 texts of a megabyte": (many_texts, "cannot be decoded"),
    "TIFF of 2^31 pixels a side": (silly_tiff, "pixels, more than|cannot be decoded"),
    "HEIC of 60,000 pixels a side": (silly_heic, "pixels, more than|cannot be decoded"),
    "half of a TIFF's head": (lambda: octets(PHOTO, "TIFF")[:9], "cannot be decoded|no picture"),
    "head of a PNG": (lambda: octets(PHOTO, "PNG")[:20], "cannot be decoded|no picture"),
    "head of a HEIC": (lambda: heif(PHOTO)[:100], "cannot be decoded|no picture"),
    "GIF that is JavaScript": (lambda: b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)//", "cannot be decoded|no picture"),
    "page that begins as a GIF": (lambda: b"GIF89a<script>alert(1)</script>", "pixels|cannot be decoded|no picture"),
    "PostScript named a bitmap": (lambda: b"BM\0\0\0\0\0\0\0\0%!PS-Adobe-3.0", "cannot be decoded|no picture"),
    "too many octets": (lambda: JPEG + bytes(LIMITS.octets), "octets, more than 20,971,520"),
}
BORNE: dict[str, Callable[[], bytes]] = {
    "TIFF that is cut off": lambda: octets(PHOTO, "TIFF")[:300_000],
    "TIFF that follows itself": looping_tiff,
    "picture that is an archive, too": lambda: JPEG + b"PK\x03\x04" + bytes(10**6),
}


def worker_memory(pool: Pool) -> int:
    """The most memory that the process of a pool has had, in octets; Linux alone."""
    status = Path(f"/proc/{pool._idle[0].pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@contextmanager
def bounded(seconds: float, memory: int) -> Iterator[Previews]:
    """Previews for a hostile picture, which leaves the process for the next one, and takes no more than this."""
    pool = Pool(1, LIMITS)
    previews = Previews(pool)
    try:
        previews.preview(JPEG, THUMBNAIL)
        process = pool._idle[0].pid
        started = time.monotonic()
        yield previews
        assert time.monotonic() - started < seconds
        assert previews.preview(octets(photo(160, 120), "JPEG"), THUMBNAIL).width == 96
        assert pool._idle[0].pid == process
        if sys.platform == "linux":
            assert worker_memory(pool) < memory
    finally:
        previews.close()


@pytest.mark.once
@pytest.mark.parametrize("name", REFUSED)
def test_bombs(name: str) -> None:
    """Each is refused within two seconds and 200 MB, with a reason; then the same process makes the next preview."""
    make, reason = REFUSED[name]
    data = make()
    with bounded(2, 200 * 2**20) as previews, pytest.raises(NoPreview, match=rf"^no preview: the part .*({reason})"):
        previews.preview(data, THUMBNAIL)


@pytest.mark.parametrize("name", BORNE)
def test_odd_files(name: str) -> None:
    """What is odd and does no harm is shown, at the same cost."""
    data = BORNE[name]()
    with bounded(2, 200 * 2**20) as previews:
        assert opened(previews.preview(data, THUMBNAIL)).size == ((8, 8) if "itself" in name else (96, 72))


@pytest.mark.once
def test_bombs_leave_the_gateway_alone() -> None:
    """The process that asks decodes nothing: it holds the octets of a bomb, and no more."""
    code = """
import resource, sys
from mm7zeep.gateway.viewer.previews import NoPreview, Previews, THUMBNAIL
data, previews = sys.stdin.buffer.read(), Previews()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    previews.preview(data, THUMBNAIL)
except NoPreview as error:
    print(error, "PIL" in sys.modules, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
previews.close()
"""
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], input=text_bomb(), capture_output=True, check=True, timeout=60
    ).stdout.decode()
    words, loaded, grown = done.rsplit(" ", 2)
    assert "cannot be decoded" in words
    assert loaded == "False"
    assert int(grown) < 20


NO_PICTURES = {
    "nothing": b"",
    "text": b"hello",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "PDF": b"%PDF-1.7\n",
    "sound": b"#!AMR\n",
    "film": b"\0\0\0\x18ftypisom" + bytes(20),
    "wireless bitmap": b"\0\0\x08\x08" + bytes(8),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_no_picture(name: str) -> None:
    """What no raster image begins with costs no process."""
    pool = Pool(1, LIMITS)
    previews = Previews(pool)
    with pytest.raises(NoPreview, match=r"^no preview: the part is no picture that can be decoded$"):
        previews.preview(NO_PICTURES[name], THUMBNAIL)
    assert pool._idle == []
    previews.close()
    assert issubclass(NoPreview, LocalError)


def test_processor_time_is_bounded() -> None:
    """A picture that takes too long ends its process, and not the next preview."""
    slow = slow_jpeg(25, 7000)  # nearly as many scans and pixels as are allowed
    with Pool(1, replace(LIMITS, seconds=0.05)) as pool:
        previews = Previews(pool)
        with pytest.raises(NoPreview, match=r"takes more than 0\.05 s to decode"):
            previews.preview(slow, PREVIEW)
        assert previews.preview(JPEG, THUMBNAIL).width == 96


GOOD = {"kind": "image/jpeg", "steps": [], "octets": len(JPEG), "memory": 1, "size": [96, 72]}


@pytest.mark.parametrize(
    "size", [None, [], [96], [96, 72, 1], [0, 72], [97, 72], [96, 10**9], [-1, 1], ["96", 72], [True, 1], 96]
)
def test_a_worker_that_lies_of_the_size(size: object) -> None:
    """A preview has a size, within its box."""

    def said(header: dict[str, object]) -> io.BytesIO:
        head = pools.json.dumps(header).encode()
        return io.BytesIO(struct.pack(">I", len(head)) + head + JPEG)

    assert pools._answer(said(GOOD), 10**6, ("image/jpeg",), 96).size == (96, 72)
    with pytest.raises(ValueError, match=r"no size|no count|larger than was asked for"):
        pools._answer(said({**GOOD, "size": size}), 10**6, ("image/jpeg",), 96)


# --- kept, shared, bounded --------------------------------------------------------------------------------------------


class Counted(Pool):
    """A pool that counts what it is asked for, and makes nothing of it before it is let go on."""

    def __init__(self) -> None:
        super().__init__(1, LIMITS)
        self.asked: list[int] = []
        self.at_work = self.most = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self.lock = threading.Lock()

    def preview(self, data: bytes, box: int, budget: int, allowed: Sequence[str]) -> Picture:
        with self.lock:
            self.asked.append(box)
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        assert self.go_on.wait(30)
        with self.lock:
            self.at_work -= 1
        if b"refuse" in data:
            raise pools.Unfit("is refused")
        if b"no process" in data:
            raise BlockingIOError("no process")
        return Picture(bytes(1000), allowed[0], (), 0, (box, box))


def numbered(n: int, more: bytes = b"") -> bytes:
    """What begins as a picture."""
    return b"GIF89a%d" % n + more


def test_each_is_made_once() -> None:
    """The same octets in the same box are decoded once, in another box once more."""
    pool = Counted()
    previews = Previews(pool)
    assert previews.preview(numbered(1), THUMBNAIL) is previews.preview(numbered(1), THUMBNAIL)
    previews.preview(numbered(1), PREVIEW)
    previews.preview(numbered(2), THUMBNAIL)
    assert pool.asked == [96, 1280, 96]
    previews.close()


def together(work: Callable[[int], object], count: int) -> list[threading.Thread]:
    """Threads at work, each with its number."""
    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(count)]
    for one in threads:
        one.start()
    return threads


def test_made_once_for_all_who_ask_together() -> None:
    """Ten who ask for one picture while it is made get what is made; only one is made at a time."""
    pool = Counted()
    previews = Previews(pool)
    pool.go_on.clear()
    got: list[Preview] = []
    same = together(lambda n: got.append(previews.preview(numbered(0), THUMBNAIL)), 10)
    other = together(lambda n: got.append(previews.preview(numbered(n + 1), THUMBNAIL)), 3)
    while previews._waiting < 13:
        time.sleep(0.005)
    pool.go_on.set()
    for one in (*same, *other):
        one.join(30)
    assert len(got) == 13
    assert len({id(one) for one in got}) == 4
    assert (len(pool.asked), pool.most) == (4, 1)
    previews.close()


def test_few_wait() -> None:
    """Sixteen wait; the next is told at once that it is busy, which is not remembered of the picture."""
    pool = Counted()
    previews = Previews(pool)
    previews.preview(numbered(100), THUMBNAIL)
    pool.go_on.clear()
    threads = together(lambda n: previews.preview(numbered(n), THUMBNAIL), 16)
    while previews._waiting < 16:
        time.sleep(0.005)
    for n in (0, 99):
        with pytest.raises(PreviewBusy, match="try again"):
            previews.preview(numbered(n), THUMBNAIL)
    previews.preview(numbered(100), THUMBNAIL)  # what is there needs nobody
    pool.go_on.set()
    for one in threads:
        one.join(30)
    previews.preview(numbered(99), THUMBNAIL)
    assert previews._waiting == 0
    previews.close()


def test_failures_are_remembered_for_a_while() -> None:
    """A bomb costs once in five minutes."""
    now = [0.0]
    pool = Counted()
    previews = Previews(pool, clock=lambda: now[0])
    for moment, count in ((0, 1), (1, 1), (299, 1), (300, 2), (599, 2), (601, 3)):
        now[0] = moment
        with pytest.raises(NoPreview, match=r"^no preview: the part is refused$"):
            previews.preview(numbered(1, b"refuse"), THUMBNAIL)
        assert len(pool.asked) == count
    previews.close()


def test_want_of_a_process_is_not_the_picture_s_fault() -> None:
    """Where no process can be started, the next one who asks has it tried again."""
    pool = Counted()
    previews = Previews(pool)
    for _ in range(2):
        with pytest.raises(PreviewBusy):
            previews.preview(numbered(1, b"no process"), THUMBNAIL)
    assert len(pool.asked) == 2
    assert previews._making == {}
    previews.close()


def test_memory_is_bounded() -> None:
    """The latest used are kept, in so many octets; failures count, too."""
    pool = Counted()
    previews = Previews(pool, memory=10_000)
    for n in range(20):
        previews.preview(numbered(0), THUMBNAIL)  # used again and again, so it stays
        previews.preview(numbered(n), THUMBNAIL)
    assert previews._size <= 10_000
    assert len(previews._made) == 7
    assert len(pool.asked) == 20
    for n in range(1000):
        with pytest.raises(NoPreview):
            previews.preview(numbered(n, b"refuse"), THUMBNAIL)
    assert previews._size <= 10_000
    assert previews._size == sum(one.size for one in previews._made.values())
    previews.close()


def test_larger_than_there_is_room() -> None:
    """One that cannot be kept is made for who asks."""
    pool = Counted()
    previews = Previews(pool, memory=100)
    assert len(previews.preview(numbered(1), THUMBNAIL).octets) == 1000
    assert previews._size == 0
    previews.close()


def test_closing_ends_the_process() -> None:
    """None is left."""
    pool = Pool(1, LIMITS)
    previews = Previews(pool)
    previews.preview(JPEG, THUMBNAIL)
    process = pool._idle[0]
    previews.close()
    assert process.poll() is not None
