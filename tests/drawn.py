"""Pictures that the tests of fitting make: photo-like, drawn, odd, hostile. Nothing binary is kept in the checkout."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw

RED, BLUE = (220, 30, 30), (30, 30, 220)


def photo(width: int, height: int, seed: int = 1) -> Image.Image:
    """Clouds of several sizes and some noise, red in the upper left corner, blue in the lower right."""
    chance = random.Random(seed)
    made = Image.new("RGB", (width, height), (128, 128, 128))
    for cells, weight in ((4, 0.6), (24, 0.35), (120, 0.2)):
        octets = bytes(chance.randrange(256) for _ in range(cells * cells * 3))
        layer = Image.frombytes("RGB", (cells, cells), octets).resize((width, height), Image.Resampling.BICUBIC)
        made = Image.blend(made, layer, weight)
    noise = Image.effect_noise((width, height), 40).convert("RGB")
    made = Image.blend(made, noise, 0.12)
    draw = ImageDraw.Draw(made)
    draw.rectangle((0, 0, width // 4, height // 4), fill=RED)
    draw.rectangle((width - width // 4, height - height // 4, width, height), fill=BLUE)
    return made


def drawing(width: int, height: int) -> Image.Image:
    """Lines and areas in few colours."""
    made = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(made)
    for n in range(60):
        draw.line((n * width // 60, 0, width - n * width // 90, height), fill=(4 * n, 0, 240 - 4 * n), width=2)
    draw.rectangle((0, 0, width // 4, height // 4), fill=RED)
    return made


def octets(image: Image.Image, form: str, **options: Any) -> bytes:
    """The file of an image."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def exif(orientation: int = 1, *, place: bool = True) -> Image.Exif:
    """EXIF data with a maker, and a place."""
    made = Image.Exif()
    made[0x0112], made[0x010F] = orientation, "Maker of cameras"
    if place:
        made.get_ifd(0x8825)[1] = "N"
        made.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return made


TURNS = {
    1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
"""How a camera held so stores what it sees: the inverse of what its orientation asks for."""


def turned(image: Image.Image, orientation: int, quality: int = 92) -> bytes:
    """A JPEG that looks like ``image`` once its orientation is obeyed."""
    method = TURNS[orientation]
    stored = image if method is None else image.transpose(method)
    return octets(stored, "JPEG", quality=quality, exif=exif(orientation))


def see_through(width: int, height: int) -> Image.Image:
    """A photo in a circle, nothing around it."""
    made = photo(width, height).convert("RGBA")
    alpha = Image.new("L", made.size, 0)
    ImageDraw.Draw(alpha).ellipse((width // 10, height // 10, width - width // 10, height - height // 10), fill=255)
    made.putalpha(alpha)
    return made


def animated(width: int, height: int, count: int) -> bytes:
    """A GIF of so many different frames of 80 ms."""
    frames = [photo(width, height, seed) for seed in range(count)]
    return octets(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)


# --- bombs ------------------------------------------------------------------------------------------------------------


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png(side: int = 65535) -> bytes:
    """A PNG of so many pixels a side, in a few kilobytes."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + _chunk(b"IEND", b"")
    )


def long_gif(count: int = 10_000) -> bytes:
    """A GIF of so many frames of 8 x 8 pixels."""
    one = octets(Image.new("P", (8, 8)), "GIF")
    at = one.index(b",\0\0")
    return one[:at] + one[at:-1] * count + b";"


def thick_tiff(count: int = 1_000) -> bytes:
    """A TIFF of so many pages."""
    pages = [Image.new("L", (8, 8), n % 256) for n in range(count)]
    return octets(pages[0], "TIFF", save_all=True, append_images=pages[1:])


def slow_jpeg(scans: int = 2_000, side: int = 3000) -> bytes:
    """A progressive JPEG of one colour with a scan that comes again and again: a minute of decoding."""
    data = octets(Image.new("RGB", (side, side), RED), "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    before = data.rindex(b"\xff\xda", 0, at)
    return data[:-2] + data[before:at] * scans + b"\xff\xd9"
