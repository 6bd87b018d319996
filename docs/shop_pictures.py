"""Pictures, a sound and an invoice of a shop that does not exist, drawn for docs/make_screenshots.py.

``PICTURES`` has a function for each picture; ``jpeg`` makes one of it. All are drawn four times as large as they are
saved, so that their edges are smooth. Nothing here is taken from anywhere.
"""

from __future__ import annotations

import io
import math
import random
import struct
import wave
from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw, ImageFilter, ImageFont

_LARGER = 2
Colour = str | tuple[int, int, int]


class _Sheet:
    """A picture being drawn, in units of its final pixels."""

    def __init__(self, above: tuple[int, int, int], below: tuple[int, int, int], size: tuple[int, int]) -> None:
        column = Image.new("RGB", (1, 256))
        for y in range(256):
            column.putpixel((0, y), tuple(round(a + (b - a) * y / 255) for a, b in zip(above, below, strict=True)))
        self.width, self.height = size
        self.image = column.resize((size[0] * _LARGER, size[1] * _LARGER))
        self.draw = ImageDraw.Draw(self.image)

    def box(self, x: float, y: float, width: float, height: float, fill: Colour, radius: float = 0) -> None:
        corners = [one * _LARGER for one in (x, y, x + width, y + height)]
        self.draw.rounded_rectangle(corners, radius * _LARGER, fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour, squash: float = 1) -> None:
        tall = radius * squash
        self.draw.ellipse([one * _LARGER for one in (x - radius, y - tall, x + radius, y + tall)], fill)

    def shape(self, points: list[tuple[float, float]], fill: Colour) -> None:
        self.draw.polygon([(x * _LARGER, y * _LARGER) for x, y in points], fill)

    def line(self, points: list[tuple[float, float]], fill: Colour, width: float) -> None:
        self.draw.line([(x * _LARGER, y * _LARGER) for x, y in points], fill, round(width * _LARGER), joint="curve")

    def arc(self, x: float, y: float, radius: float, begin: float, end: float, fill: Colour, width: float) -> None:
        corners = [one * _LARGER for one in (x - radius, y - radius, x + radius, y + radius)]
        self.draw.arc(corners, begin, end, fill, round(width * _LARGER))

    def words(self, x: float, y: float, text: str, fill: Colour, size: float) -> None:
        font = ImageFont.load_default(size * _LARGER)
        self.draw.text((x * _LARGER, y * _LARGER), text, fill, font, anchor="mm")

    def leaf(self, x: float, y: float, length: float, angle: float, fill: Colour) -> None:
        """A leaf from ``x``, ``y`` on, in degrees from straight up."""
        turn, points = math.radians(angle), []
        for side in (1, -1):
            steps = range(13) if side == 1 else range(12, -1, -1)
            for n in steps:
                along, across = length * n / 12, side * length * 0.17 * math.sin(math.pi * n / 12)
                points.append(
                    (
                        x + along * math.sin(turn) + across * math.cos(turn),
                        y - along * math.cos(turn) + across * math.sin(turn),
                    )
                )
        self.shape(points, fill)

    def finished(self) -> Image.Image:
        return self.image.resize((self.width, self.height), Image.Resampling.LANCZOS)


def _photo(image: Image.Image, seed: int) -> Image.Image:
    """A drawing with a little of what cameras of phones add."""
    chance = random.Random(seed)  # noqa: S311
    noise = Image.new("L", (image.width // 2, image.height // 2))
    noise.putdata([128 + chance.randint(-22, 22) for _ in range(noise.width * noise.height)])
    grain = Image.merge("RGB", [noise.resize(image.size, Image.Resampling.BICUBIC)] * 3)
    soft = Image.blend(image.filter(ImageFilter.GaussianBlur(0.8)), grain, 0.07)
    shade = Image.new("L", image.size, 0)
    ImageDraw.Draw(shade).ellipse(
        (-image.width * 0.2, -image.height * 0.2, image.width * 1.2, image.height * 1.2), fill=255
    )
    shade = shade.filter(ImageFilter.GaussianBlur(image.width / 7))
    dark = soft.point(lambda value: int(value * 0.74))
    return Image.composite(soft, dark, shade)


def linen() -> Image.Image:
    """Folded linen on a shelf, with a badge."""
    sheet = _Sheet((246, 226, 203), (238, 207, 176), (640, 600))
    sheet.disc(500, 130, 78, "#f7c873")
    sheet.box(0, 470, 640, 22, "#9b6a43")
    sheet.box(0, 492, 640, 108, "#e5c29d")
    stacks = (
        (52, ("#7d9b84", "#a9c0a6", "#d9e2cf", "#7d9b84")),
        (238, ("#c96f4a", "#e39b73", "#f2d2b6", "#c96f4a", "#e8b08e")),
    )
    for x, colours in stacks:
        for n, colour in enumerate(colours):
            sheet.box(x + (n % 2) * 6, 470 - 50 * (n + 1), 160, 46, colour, 20)
            sheet.line([(x + 20, 470 - 50 * n - 27), (x + 136, 470 - 50 * n - 27)], "#ffffff", 2)
    for angle in (-52, -30, -9, 12, 34, 56):
        sheet.leaf(520, 390, 165 - abs(angle), angle, "#3f6f56" if angle % 4 else "#5b8c6f")
    sheet.shape([(470, 380), (570, 380), (556, 470), (484, 470)], "#f7f1e7")
    sheet.box(462, 368, 116, 22, "#fffaf2", 8)
    sheet.disc(132, 130, 86, "#b6452c")
    sheet.words(132, 112, "20%", "#ffffff", 56)
    sheet.words(132, 164, "off linen", "#ffffff", 27)
    return sheet.finished()


def bedroom() -> Image.Image:
    """A bed beneath a window."""
    sheet = _Sheet((222, 231, 222), (205, 219, 207), (640, 600))
    sheet.box(214, 44, 212, 190, "#fdfbf6", 6)
    sheet.box(226, 56, 188, 166, "#bfe0ee", 3)
    sheet.disc(356, 110, 26, "#fff3c4")
    sheet.shape([(226, 222), (226, 180), (290, 146), (344, 188), (414, 160), (414, 222)], "#8fb59a")
    sheet.box(315, 56, 8, 166, "#fdfbf6")
    sheet.box(0, 500, 640, 100, "#d0aa82")
    sheet.box(96, 250, 448, 190, "#a9764d", 26)
    sheet.box(110, 380, 420, 150, "#f7f1e7", 18)
    sheet.box(138, 318, 168, 92, "#fffdf9", 34)
    sheet.box(334, 318, 168, 92, "#fffdf9", 34)
    sheet.box(180, 352, 120, 74, "#7d9b84", 26)
    sheet.box(104, 424, 432, 120, "#7d9b84", 22)
    sheet.box(104, 424, 432, 30, "#a9c0a6", 14)
    for x in range(150, 530, 62):
        sheet.line([(x, 462), (x - 10, 538)], "#6c8a74", 3)
    sheet.box(116, 536, 18, 34, "#8a5c39")
    sheet.box(506, 536, 18, 34, "#8a5c39")
    return sheet.finished()


def shopfront() -> Image.Image:
    """The shop from the street, with its name."""
    sheet = _Sheet((143, 199, 232), (226, 241, 248), (640, 600))
    sheet.box(70, 120, 500, 400, "#f4e6d2")
    sheet.box(70, 120, 500, 74, "#24473b")
    sheet.words(320, 157, "Wattle & Finch", "#f7d774", 42)
    for n in range(10):
        sheet.shape(
            [(70 + 50 * n, 194), (120 + 50 * n, 194), (112 + 50 * n, 254), (62 + 50 * n, 254)],
            "#f7d774" if n % 2 else "#fffaf0",
        )
    sheet.box(104, 276, 262, 190, "#bfe0ee", 4)
    sheet.box(400, 276, 130, 244, "#2f5d4d", 4)
    sheet.box(418, 294, 94, 130, "#cfe8f1", 3)
    sheet.disc(420, 446, 7, "#f7d774")
    for n, colour in enumerate(("#c96f4a", "#e39b73", "#7d9b84")):
        sheet.box(124, 434 - 34 * n, 96, 30, colour, 13)
    sheet.box(254, 394, 70, 72, "#fffaf0", 12)
    for angle in (-40, -14, 14, 40):
        sheet.leaf(289, 398, 76, angle, "#3f6f56")
    sheet.box(0, 520, 640, 80, "#b9b4ab")
    sheet.box(0, 520, 640, 8, "#8f8a80")
    sheet.disc(36, 480, 46, "#6b9a63")
    sheet.disc(606, 474, 52, "#6b9a63")
    return sheet.finished()


def gumboots() -> Image.Image:
    """A pair of gumboots in the rain."""
    sheet = _Sheet((120, 163, 190), (191, 216, 226), (640, 480))
    chance = random.Random(4)  # noqa: S311
    for _ in range(60):
        x, y = chance.randint(0, 640), chance.randint(0, 360)
        sheet.line([(x, y), (x - 6, y + 24)], "#dcecf3", 2)
    sheet.disc(320, 420, 300, "#86a9bb", 0.16)
    for x, colour, dark in ((140, "#c2402d", "#96291c"), (330, "#d9543f", "#a8331f")):
        sheet.box(x, 120, 104, 250, colour, 18)
        sheet.box(x, 300, 200, 92, colour, 44)
        sheet.box(x - 6, 372, 212, 30, dark, 12)
        sheet.box(x - 4, 116, 112, 28, "#f3d9cf", 10)
        sheet.box(x + 16, 160, 14, 150, "#ef8f7f", 7)
    return sheet.finished()


def parcel_map() -> Image.Image:
    """Streets, a route, and where the parcel is."""
    sheet = _Sheet((233, 238, 226), (226, 233, 218), (640, 480))
    sheet.shape([(0, 330), (150, 300), (300, 350), (460, 310), (640, 360), (640, 480), (0, 480)], "#a9d3e8")
    sheet.box(410, 60, 150, 110, "#bfdcb0", 12)
    for points in (
        [(0, 90), (640, 130)],
        [(0, 220), (640, 250)],
        [(110, 0), (90, 320)],
        [(300, 0), (310, 340)],
        [(520, 0), (500, 320)],
    ):
        sheet.line(points, "#ffffff", 20)
    route = [(99, 160), (97, 224), (306, 234), (304, 110), (512, 122)]
    sheet.line(route, "#2563c9", 9)
    sheet.disc(99, 160, 13, "#2563c9")
    sheet.disc(99, 160, 6, "#ffffff")
    sheet.shape([(482, 84), (542, 84), (512, 136)], "#c2402d")
    sheet.disc(512, 72, 33, "#c2402d")
    sheet.disc(512, 72, 13, "#ffffff")
    sheet.box(178, 206, 74, 46, "#24473b", 8)
    sheet.box(230, 214, 36, 38, "#2f6a56", 8)
    sheet.disc(198, 254, 10, "#222222")
    sheet.disc(246, 254, 10, "#222222")
    return sheet.finished()


def voucher() -> Image.Image:
    """A ticket to collect an order with."""
    sheet = _Sheet((36, 71, 59), (27, 54, 45), (640, 480))
    sheet.box(70, 60, 500, 360, "#fffaf0", 24)
    sheet.disc(70, 240, 24, "#20403a")
    sheet.disc(570, 240, 24, "#20403a")
    sheet.words(320, 116, "Ready to collect", "#24473b", 44)
    sheet.words(320, 178, "Order 20431, Newtown", "#596273", 27)
    for x in range(110, 532, 16):
        sheet.box(x, 238, 8, 3, "#c8c2b4")
    chance, x = random.Random(11), 140.0  # noqa: S311
    while x < 494:
        wide = chance.choice((3, 5, 8))
        sheet.box(x, 268, wide, 104, "#1b1f27")
        x += wide + chance.choice((4, 6, 9))
    return sheet.finished()


def wall() -> Image.Image:
    """A customer's photograph: a sofa before a sage green wall."""
    sheet = _Sheet((158, 180, 156), (141, 164, 141), (640, 480))
    sheet.box(0, 372, 640, 108, "#b98d62")
    sheet.box(0, 366, 640, 10, "#efe9dd")
    sheet.box(244, 52, 150, 112, "#f7f1e7", 3)
    sheet.box(256, 64, 126, 88, "#d9a066")
    sheet.disc(330, 104, 24, "#f4d58d")
    sheet.shape([(256, 152), (256, 128), (310, 104), (382, 136), (382, 152)], "#6e8b74")
    sheet.box(120, 212, 400, 130, "#8a6148", 34)
    sheet.box(104, 252, 84, 132, "#7a543d", 30)
    sheet.box(452, 252, 84, 132, "#7a543d", 30)
    sheet.box(170, 288, 300, 86, "#94694e", 22)
    sheet.box(196, 232, 90, 78, "#f2e3cd", 20)
    sheet.box(134, 378, 16, 34, "#4b3222")
    sheet.box(490, 378, 16, 34, "#4b3222")
    sheet.line([(580, 400), (580, 150)], "#39413c", 6)
    sheet.shape([(546, 160), (614, 160), (598, 96), (562, 96)], "#f4e3bd")
    return _photo(sheet.finished(), 7)


def mug() -> Image.Image:
    """A customer's photograph: a mug with a piece broken off."""
    sheet = _Sheet((229, 214, 196), (205, 182, 156), (640, 480))
    sheet.box(0, 330, 640, 150, "#8c6a4b")
    for y in (356, 400, 446):
        sheet.line([(0, y), (640, y + 8)], "#7c5c40", 3)
    sheet.disc(320, 408, 190, "#6d5039", 0.16)
    sheet.arc(452, 262, 66, 268, 100, "#2f6f86", 26)
    sheet.box(190, 140, 260, 270, "#3a86a0", 34)
    sheet.box(190, 132, 260, 66, "#3a86a0", 20)
    sheet.disc(320, 148, 130, "#2b6478", 0.2)
    sheet.disc(320, 156, 112, "#4b2f1f", 0.17)
    sheet.box(222, 200, 22, 170, "#63a9bf", 11)
    sheet.shape([(352, 126), (372, 176), (388, 162), (404, 198), (424, 170), (446, 148), (446, 118)], "#f3ece2")
    sheet.line([(404, 198), (394, 238), (408, 270), (398, 300)], "#1d4a5a", 4)
    sheet.shape([(502, 420), (540, 396), (566, 424), (530, 440)], "#3a86a0")
    return _photo(sheet.finished(), 3)


def sunset() -> Image.Image:
    """A customer's photograph: the sea in the evening."""
    sheet = _Sheet((246, 141, 89), (253, 214, 138), (640, 480))
    sheet.disc(420, 250, 72, "#fff1bd")
    sheet.box(0, 258, 640, 120, "#33658a")
    for n, (x, wide) in enumerate(((330, 180), (360, 120), (342, 150), (384, 76), (366, 110))):
        sheet.box(x, 268 + 20 * n, wide, 6, "#ffd98a", 3)
    sheet.shape([(0, 258), (0, 190), (84, 176), (150, 220), (240, 258)], "#27455c")
    sheet.shape([(0, 390), (220, 346), (640, 372), (640, 480), (0, 480)], "#d8b077")
    sheet.shape([(210, 420), (226, 270), (240, 256), (254, 270), (270, 420)], "#f7f1e7")
    sheet.line([(240, 262), (240, 418)], "#c2402d", 5)
    return _photo(sheet.finished(), 9)


PICTURES: Mapping[str, Callable[[], Image.Image]] = {
    one.__name__: one for one in (linen, bedroom, shopfront, gumboots, parcel_map, voucher, wall, mug, sunset)
}


def jpeg(name: str) -> bytes:
    """A picture by its name, as JPEG."""
    out = io.BytesIO()
    PICTURES[name]().save(out, "JPEG", quality=84)
    return out.getvalue()


def chime() -> bytes:
    """Three notes, as WAV."""
    rate, samples = 11_025, []
    for n in range(int(rate * 1.8)):
        value = 0.0
        for begin, pitch in ((0.0, 523.25), (0.25, 659.25), (0.5, 783.99)):
            since = n / rate - begin
            value += math.sin(2 * math.pi * pitch * since) * math.exp(-3.2 * since) if since > 0 else 0.0
        samples.append(round(value * 8_000))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue()


def invoice() -> bytes:
    """A PDF of one page."""
    sheet = _Sheet((255, 255, 255), (255, 255, 255), (595, 842))
    sheet.words(300, 90, "Invoice 20417", "#24473b", 40)
    for n, (thing, price) in enumerate((("Linen sheets, sage", "189.00"), ("Delivery", "0.00"), ("In all", "189.00"))):
        sheet.words(200, 200 + 40 * n, thing, "#1b1f27", 20)
        sheet.words(460, 200 + 40 * n, price, "#1b1f27", 20)
    out = io.BytesIO()
    sheet.finished().save(out, "PDF")
    return out.getvalue()
