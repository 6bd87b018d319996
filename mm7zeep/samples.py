"""The media sample pack: small, valid files made in memory, the same octets every time.

Every picture is one drawing of a ringed planet, every sound one tone. Writes no file. HEIC, MP3 and the
video formats are missing, since valid ones take a codec.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence

WIDTH, HEIGHT = 160, 120
"""The size of the picture, in pixels."""

Colour = tuple[int, int, int]


def samples() -> dict[str, bytes]:
    """Every sample, by file name. Takes some tenths of a second, most of them for the JPEG."""
    pixels = _saturn()
    pictures: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
        ("saturn.png", _png), ("saturn.gif", _gif), ("saturn.jpg", _jpeg), ("saturn.bmp", _bmp), ("saturn.tiff", _tiff),
    )  # fmt: skip
    pack = {name: draw(pixels) for name, draw in pictures}
    pack |= {"hello.txt": _HELLO, "tone.wav": _wav(), "tone.au": _au(), "tone.mid": _midi(), "tone.amr": _amr()}
    return pack | {"contact.vcf": _CONTACT, "event.ics": _EVENT}


def saturn_png() -> bytes:
    """The picture alone, as PNG, for callers that need no more than one."""
    return _png(_saturn())


# --- the drawing: one octet a pixel, an index into the palette --------------------------------------------------------

_SKY, _STAR, _PLANET, _RING = 0, 1, 2, 18  # where each begins in the palette
_PALETTE: tuple[Colour, ...] = (
    (8, 8, 24),
    (250, 250, 220),
    *((62 + 12 * shade, 50 + 10 * shade, 36 + 7 * shade) for shade in range(16)),
    *((70 + 12 * shade, 62 + 11 * shade, 54 + 9 * shade) for shade in range(14)),
)  # 32 colours


def _saturn() -> bytes:
    """The pixels, row by row. Whole numbers only, so that no processor rounds otherwise."""
    pixels = bytearray(WIDTH * HEIGHT)
    seed = 1977
    for _ in range(70):
        seed = (seed * 1103515245 + 12345) % 2**31
        pixels[(seed >> 8) % len(pixels)] = _STAR
    for y in range(HEIGHT):
        for x in range(WIDTH):
            # From the planet's centre, turned by a slope of 1 in 4, in units of 1/4 pixel.
            along, across = 4 * (x - 80) + (y - 60), 4 * (y - 60) - (x - 80)
            ring = _ring(along, across)
            planet = _planet(along, across)
            # The near half of the ring hides the planet, the planet hides the far half.
            shown = ring if ring is not None and (across > 0 or planet is None) else planet
            if shown is not None:
                pixels[y * WIDTH + x] = shown
    return bytes(pixels)


def _planet(along: int, across: int) -> int | None:
    radius = 128
    square = along * along + across * across
    if square > radius * radius:
        return None
    band = (0, 1, 0, -1, 0, 2)[(across + radius) // 20 % 6]
    light = 13 - square * 8 // (radius * radius) - (along + radius) * 4 // (2 * radius)
    return _PLANET + max(0, min(15, light + band))


def _ring(along: int, across: int) -> int | None:
    distance = math.isqrt(along * along + 12 * across * across)
    if not 170 <= distance <= 290 or 242 <= distance <= 252:  # the gap is Cassini's
        return None
    return _RING + (4 + (distance * 7 // 13) % 6 if distance < 242 else 2 + (distance * 5 // 11) % 3)


# --- pictures ---------------------------------------------------------------------------------------------------------


def _flat(palette: Sequence[Colour]) -> bytes:
    return bytes(value for colour in palette for value in colour)


def _png(pixels: bytes) -> bytes:
    """An indexed PNG of 8 bits (PNG 11.2)."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + pixels[at : at + WIDTH] for at in range(0, len(pixels), WIDTH))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"PLTE", _flat(_PALETTE)) + chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + content + chunk(b"IEND", b"")


def _gif(pixels: bytes) -> bytes:
    """A GIF89a of 32 colours (GIF89a 18-22)."""
    screen = struct.pack("<HHBBB", WIDTH, HEIGHT, 0x80 | 0x40 | 4, 0, 0)
    image = b"," + struct.pack("<HHHHB", 0, 0, WIDTH, HEIGHT, 0)
    data = _lzw(pixels, 5)
    blocks = b"".join(bytes([len(data[at : at + 255])]) + data[at : at + 255] for at in range(0, len(data), 255))
    return b"GIF89a" + screen + _flat(_PALETTE) + image + b"\x05" + blocks + b"\0;"


def _lzw(pixels: bytes, bits: int) -> bytes:
    """The variable-length codes of GIF (GIF89a appendix F), packed from the lowest bit up."""
    clear, end = 1 << bits, (1 << bits) + 1
    table: dict[bytes, int] = {}
    codes: list[tuple[int, int]] = []  # value and width
    width, following, prefix = bits + 1, end + 1, b""
    for value in pixels:
        if not table:
            codes.append((clear, width))
            table = {bytes([single]): single for single in range(clear)}
            width, following = bits + 1, end + 1
        longer = prefix + bytes([value])
        if longer in table:
            prefix = longer
            continue
        codes.append((table[prefix], width))
        table[longer], prefix = following, longer[-1:]
        width += following == 1 << width
        following += 1
        if following == 4096:  # the decoder's table is full: begin again
            codes.append((table[prefix], width))
            prefix, table = b"", {}
    if prefix:
        codes.append((table[prefix], width))
        width += following == 1 << width and width < 12
    codes.append((end, width))
    return _packed(codes)


def _packed(codes: Sequence[tuple[int, int]]) -> bytes:
    out, held, count = bytearray(), 0, 0
    for value, width in codes:
        held |= value << count
        count += width
        while count >= 8:
            out.append(held & 255)
            held, count = held >> 8, count - 8
    if count:
        out.append(held)
    return bytes(out)


def _bmp(pixels: bytes) -> bytes:
    """An indexed BMP of 8 bits, its rows from the bottom up."""
    table = b"".join(bytes((blue, green, red, 0)) for red, green, blue in _PALETTE)
    start = 14 + 40 + len(table)
    info = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 8, 0, len(pixels), 2835, 2835, len(_PALETTE), 0)
    rows = b"".join(pixels[at : at + WIDTH] for at in range(len(pixels) - WIDTH, -1, -WIDTH))
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + info + table + rows


def _tiff(pixels: bytes) -> bytes:
    """A TIFF of one uncompressed RGB strip, which every baseline reader takes (TIFF 6.0, section 6)."""
    strip = b"".join(bytes(_PALETTE[pixel]) for pixel in pixels)
    short, long, rational = 3, 4, 5
    after = 8 + 2 + 12 * 12 + 4  # where the values that do not fit an entry begin: three shorts, two fractions
    entries = (
        (256, short, 1, WIDTH), (257, short, 1, HEIGHT), (258, short, 3, after), (259, short, 1, 1), (262, short, 1, 2),
        (273, long, 1, after + 22), (277, short, 1, 3), (278, short, 1, HEIGHT), (279, long, 1, len(strip)),
        (282, rational, 1, after + 6), (283, rational, 1, after + 14), (296, short, 1, 2),
    )  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    values = struct.pack("<HHHIIII", 8, 8, 8, 72, 1, 72, 1)
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 0) + values + strip


# --- JPEG: baseline, three components of equal sampling, one quantisation table, one pair of Huffman tables -----------

_COSINES = tuple(tuple(round(4096 * math.cos((2 * x + 1) * u * math.pi / 16)) for x in range(8)) for u in range(8))
_QUANTA = tuple(4 + 2 * (row + column) for row in range(8) for column in range(8))
_ZIGZAG = tuple(
    sorted(range(64), key=lambda at: (at // 8 + at % 8, at // 8 if (at // 8 + at % 8) % 2 else at % 8)),
)
# ITU-T T.81 C: any prefix code will do. Ours have one length each, 4 bits for DC and 8 for AC: a code is an index.
_DC_SYMBOLS = tuple(range(12))
_AC_SYMBOLS = (0x00, 0xF0, *(run << 4 | size for run in range(16) for size in range(1, 11)))


def _jpeg(pixels: bytes) -> bytes:
    """A baseline JFIF file (ITU-T T.81)."""

    def segment(marker: int, data: bytes) -> bytes:
        return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data

    def table(number: int, length: int, symbols: Sequence[int]) -> bytes:
        counts = bytes(len(symbols) if bits == length else 0 for bits in range(1, 17))
        return bytes([number]) + counts + bytes(symbols)

    components = b"".join(bytes((number, 0x11, 0)) for number in (1, 2, 3))
    head = segment(0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\0\0") + segment(0xDB, b"\0" + bytes(_QUANTA[at] for at in _ZIGZAG))
    head += segment(0xC0, struct.pack(">BHHB", 8, HEIGHT, WIDTH, 3) + components)
    head += segment(0xC4, table(0x00, 4, _DC_SYMBOLS) + table(0x10, 8, _AC_SYMBOLS))
    head += segment(0xDA, b"\3\1\0\2\0\3\0\0\x3f\0")
    bits = "".join(_scan(pixels))
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    return b"\xff\xd8" + head + scan + b"\xff\xd9"


def _scan(pixels: bytes) -> Iterator[str]:
    """The entropy-coded blocks, as binary digits."""
    # JFIF: Y, Cb and Cr of each palette colour, less 128, in thousandths rounded.
    colours = [
        (
            (299 * red + 587 * green + 114 * blue + 500) // 1000 - 128,
            (-169 * red - 331 * green + 500 * blue + 500) // 1000,
            (500 * red - 419 * green - 81 * blue + 500) // 1000,
        )
        for red, green, blue in _PALETTE
    ]
    before = [0, 0, 0]
    for top in range(0, HEIGHT, 8):
        for left in range(0, WIDTH, 8):
            rows = [pixels[(top + y) * WIDTH + left :][:8] for y in range(8)]
            for component in range(3):
                block = _transformed([[colours[pixel][component] for pixel in row] for row in rows])
                yield from _block(block, block[0] - before[component])
                before[component] = block[0]


def _transformed(block: list[list[int]]) -> list[int]:
    """The quantised cosine transform of 8 x 8 values, in zigzag order (ITU-T T.81 A.3.3)."""
    across = [
        [sum(value * cosine for value, cosine in zip(row, wave, strict=True)) for wave in _COSINES] for row in block
    ]
    columns = list(zip(*across, strict=True))
    out = []
    for at in _ZIGZAG:
        v, u = divmod(at, 8)
        total = sum(value * cosine for value, cosine in zip(columns[u], _COSINES[v], strict=True))
        scale = 4096 * 4096 * 4 * _QUANTA[at]  # and 1/sqrt(2) for each zero index
        if not u and not v:
            scale *= 2
        elif not u or not v:
            total, scale = total * 70711, scale * 100000
        out.append((2 * total + scale) // (2 * scale))
    return out


def _block(values: Sequence[int], difference: int) -> Iterator[str]:
    """One block: the DC difference, then each AC value behind its run of zeros (ITU-T T.81 F.1.2)."""
    size = difference.bit_length()
    yield f"{size:04b}" + _magnitude(difference, size)
    run = 0
    last = max((at for at in range(1, 64) if values[at]), default=0)
    for value in values[1 : last + 1]:
        if not value:
            run += 1
            continue
        for _ in range(run // 16):
            yield f"{_AC_SYMBOLS.index(0xF0):08b}"
        size = value.bit_length()
        yield f"{_AC_SYMBOLS.index(run % 16 << 4 | size):08b}" + _magnitude(value, size)
        run = 0
    if last < 63:
        yield f"{_AC_SYMBOLS.index(0x00):08b}"


def _magnitude(value: int, size: int) -> str:
    return f"{value if value > 0 else value + (1 << size) - 1:0{size}b}" if size else ""


# --- sounds -----------------------------------------------------------------------------------------------------------

_RATE = 8000  # samples a second
_WAVE = tuple(round(12000 * math.sin(2 * math.pi * step / 20)) for step in range(20))  # 400 Hz at 8,000 a second


def _tone() -> list[int]:
    """Half a second of 400 Hz, as 16-bit samples that fade out."""
    count = _RATE // 2
    return [_WAVE[at % 20] * (count - at) // count for at in range(count)]


def _wav() -> bytes:
    """16-bit PCM."""
    data = struct.pack(f"<{_RATE // 2}h", *_tone())
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, _RATE, 2 * _RATE, 2, 16)
    body = b"WAVE" + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _au() -> bytes:
    """Mu-law, one octet a sample: what audio/basic means by its encoding (RFC 2046 4.3)."""
    data = bytes(_mu_law(sample) for sample in _tone())
    return struct.pack(">4sIIIII", b".snd", 24, len(data), 1, _RATE, 1) + data


def _mu_law(sample: int) -> int:
    # ITU-T G.711: sign, the place of the highest bit above a bias of 132, and the four bits below it, all inverted.
    sign, biased = (0x80, 132 - sample) if sample < 0 else (0, 132 + sample)
    exponent = biased.bit_length() - 8
    return ~(sign | exponent << 4 | biased >> exponent + 3 & 15) & 0xFF


def _midi() -> bytes:
    """A rising chord on a celesta, format 0, 96 ticks a beat."""
    notes = (69, 73, 76, 81)
    events = b"\0\xff\x51\x03\x07\xa1\x20" + b"\0\xc0\x08"  # 120 beats a minute
    events += b"".join(bytes((0, 0x90, note, 90, 48, 0x80, note, 64)) for note in notes) + b"\0\xff\x2f\0"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + b"MTrk" + struct.pack(">I", len(events)) + events


def _amr() -> bytes:
    """One second of silence: 50 frames of type NO_DATA, good quality (RFC 4867 5.3)."""
    return b"#!AMR\n" + b"\x7c" * 50


# --- texts ------------------------------------------------------------------------------------------------------------

_HELLO = b"Science news, new Saturn pictures...\r\n"

# The number is one that the Australian regulator keeps for fiction.
_CONTACT = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:Huygens;Christiaan;;;\r\nFN:Christiaan Huygens\r\nORG:Titan Observers\r\n"
    b"TEL;TYPE=CELL:+61491570156\r\nEMAIL:christiaan@titan.example\r\nEND:VCARD\r\n"
)
_EVENT = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//mm7zeep//sample pack//EN\r\nBEGIN:VEVENT\r\n"
    b"UID:opposition-2032@titan.example\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20321224T110000Z\r\n"
    b"DTEND:20321224T130000Z\r\nSUMMARY:Look at Saturn\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
