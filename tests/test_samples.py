"""The sample pack: each file is what its name says, to the table, to Pillow, and to readers written here."""

from __future__ import annotations

import io
import itertools
import random
import struct
import wave
from datetime import timedelta

import pytest

from mm7zeep import media, samples

PACK = samples.samples()
PICTURES = sorted(name for name in PACK if name.startswith("saturn."))

TYPES = {
    "saturn.png": "image/png",
    "saturn.gif": "image/gif",
    "saturn.jpg": "image/jpeg",
    "saturn.bmp": "image/bmp",
    "saturn.tiff": "image/tiff",
    "hello.txt": "text/plain",
    "tone.wav": "audio/wav",
    "tone.au": "audio/basic",
    "tone.mid": "audio/midi",
    "tone.amr": "audio/amr",
    "contact.vcf": "text/vcard",
    "event.ics": "text/calendar",
}


def test_the_pack_is_complete_and_the_same_every_time() -> None:
    """Nothing missing, nothing more, nothing random, and fit for the smallest content classes together."""
    assert set(PACK) == set(TYPES)
    assert samples.samples() == PACK
    assert samples.saturn_png() == PACK["saturn.png"]
    assert sum(map(len, PACK.values())) < 300 * 1024


@pytest.mark.parametrize(("name", "content_type"), sorted(TYPES.items()))
def test_the_table_recognises_each(name: str, content_type: str) -> None:
    """The content shows the type, and the name agrees."""
    row = media.by_content(PACK[name][: media.HEAD])
    assert (row.media_type if row else "text/plain") == content_type
    assert media.guess(name, PACK[name]) == content_type
    assert media.agrees(content_type, PACK[name]) is True


@pytest.mark.parametrize("name", PICTURES)
def test_pillow_opens_the_pictures(name: str) -> None:
    """All of them show the same drawing; the JPEG nearly so."""
    image = pytest.importorskip("PIL.Image")
    with image.open(io.BytesIO(PACK["saturn.png"])) as drawn, image.open(io.BytesIO(PACK[name])) as opened:
        opened.load()
        assert opened.size == (samples.WIDTH, samples.HEIGHT)
        assert f"image/{opened.format.lower()}" == TYPES[name]
        expected, found = drawn.convert("RGB").tobytes(), opened.convert("RGB").tobytes()
    differences = [abs(one - other) for one, other in zip(expected, found, strict=True)]
    if name == "saturn.jpg":
        assert max(differences) < 48
        assert sum(differences) / len(differences) < 3
    else:
        assert max(differences) == 0
    assert len(set(zip(expected[::3], expected[1::3], expected[2::3], strict=True))) > 20


def unpacked(data: bytes, bits: int) -> bytes:
    """What a GIF decoder makes of LZW codes (GIF89a appendix F)."""
    stream, at = int.from_bytes(data, "little"), 0
    clear, end = 1 << bits, (1 << bits) + 1
    table: list[bytes] = []
    out, width, last = bytearray(), bits + 1, b""
    while at + width <= 8 * len(data):
        code = stream >> at & (1 << width) - 1
        at += width
        if code == end:
            assert 8 * len(data) - at < 8
            return bytes(out)
        if code == clear:
            table = [bytes([value]) for value in range(clear)] + [b"", b""]
            width, last = bits + 1, b""
            continue
        assert code < len(table) or (code == len(table) and last)
        entry = table[code] if code < len(table) else last + last[:1]
        out += entry
        if last and len(table) < 4096:
            table.append(last + entry[:1])
        if len(table) == 1 << width and width < 12:
            width += 1
        last = entry
    raise AssertionError("no end code")


@pytest.mark.parametrize("size", [1, 2, 33, 500, 3000, 4064, 4065, 4066, 30_000])
@pytest.mark.parametrize("colours", [1, 2, 32])
def test_lzw(size: int, colours: int) -> None:
    """The codes unpack to the same pixels, through every change of width and after the table is full."""
    pixels = bytes(random.Random(size).choices(range(colours), k=size))
    assert unpacked(samples._lzw(pixels, 5), 5) == pixels


def test_lzw_at_every_width() -> None:
    """The end code has the width that the decoder expects, wherever the pixels end."""
    pixels = bytes(random.Random(0).choices(range(4), k=900))
    for size in range(1, len(pixels)):
        assert unpacked(samples._lzw(pixels[:size], 2), 2) == pixels[:size]


def test_the_sounds_last() -> None:
    """Their length is told by their bytes."""
    assert media.length(PACK["tone.wav"]) == timedelta(milliseconds=500)
    assert media.length(PACK["tone.amr"]) == timedelta(seconds=1)


def test_wav_and_au_are_the_same_tone() -> None:
    """The standard library reads the WAV; the mu-law octets of the AU expand to the same samples, nearly."""
    with wave.open(io.BytesIO(PACK["tone.wav"])) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 8000)
        tone = struct.unpack("<4000h", sound.readframes(4000))
    rises = sum(one < 0 <= other for one, other in itertools.pairwise(tone))
    assert 195 <= rises <= 200  # 400 Hz for half a second
    start, size, encoding, rate, channels = struct.unpack(">5I", PACK["tone.au"][4:24])
    assert (start, size, encoding, rate, channels) == (24, 4000, 1, 8000, 1)
    assert len(PACK["tone.au"]) == start + size
    for octet, sample in zip(PACK["tone.au"][start:], tone, strict=True):
        bits = ~octet & 0xFF
        value = ((bits & 15) << 3 | 0x84) << (bits >> 4 & 7)
        expanded = (0x84 - value) if bits & 0x80 else (value - 0x84)
        assert abs(expanded - sample) <= 4 + abs(sample) // 16


def test_midi() -> None:
    """One track of the stated length, in which every note that begins ends, closed by End of Track."""
    data = PACK["tone.mid"]
    assert struct.unpack(">IHHH", data[4:14]) == (6, 0, 1, 96)
    assert data[14:18] == b"MTrk"
    events = data[22:]
    assert struct.unpack(">I", data[18:22]) == (len(events),)
    assert events.endswith(b"\0\xff\x2f\0")
    notes = events[10:-4]  # behind tempo and instrument
    pairs = [notes[at : at + 8] for at in range(0, len(notes), 8)]
    assert [(pair[1], pair[5]) for pair in pairs] == [(0x90, 0x80)] * 4
    assert [pair[2] for pair in pairs] == [pair[6] for pair in pairs]


@pytest.mark.parametrize(
    ("name", "properties"), [("contact.vcf", {"VERSION", "N", "FN"}), ("event.ics", {"UID", "DTSTAMP"})]
)
def test_card_and_event(name: str, properties: set[str]) -> None:
    """Lines end in CRLF and have at most 75 octets (RFC 6350 3.2, RFC 5545 3.1); what begins also ends."""
    lines = PACK[name].decode("ascii").split("\r\n")
    assert lines.pop() == ""
    assert max(map(len, lines)) <= 75
    assert not any("\n" in line or "\r" in line for line in lines)
    opened: list[str] = []
    for line in lines:
        word, _, value = line.partition(":")
        if word == "BEGIN":
            opened.append(value)
        elif word == "END":
            assert opened.pop() == value
    assert opened == []
    assert properties <= {line.partition(":")[0].partition(";")[0] for line in lines}
