"""How long a clip plays, as its own headers tell: AMR, WAV and the MP4 family.

Works on plain bytes, and decodes no sound and no picture. For other formats, and for what is damaged, the answer
is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType

# RFC 4867 5.3: octets that follow the header of a frame, by frame type; a frame lasts 20 ms.
_AMR_FRAMES: Mapping[bytes, tuple[int | None, ...]] = MappingProxyType({
    b"#!AMR\n": (12, 13, 15, 17, 19, 20, 26, 31, 5, None, None, None, None, None, None, 0),
    b"#!AMR-WB\n": (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, None, None, None, None, 0, 0),
})  # fmt: skip


def length(data: bytes) -> timedelta | None:
    """How long a clip plays: AMR, WAV and the MP4 family tell it; None for all others and for what is damaged."""
    for magic, sizes in _AMR_FRAMES.items():
        if data.startswith(magic):
            return _amr_length(data, len(magic), sizes)
    try:
        if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
            chunks = {name: (start, size) for name, start, size in _chunks(data)}
            rate = int.from_bytes(data[chunks[b"fmt "][0] + 8 :][:4], "little")
            start, size = chunks[b"data"]  # recorders that stream leave the size at its maximum
            return timedelta(seconds=min(size, len(data) - start) / rate)
        if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
            moov = next(body for name, body in _boxes(data) if name == b"moov")
            mvhd = next(body for name, body in _boxes(moov) if name == b"mvhd")
            return _movie_length(mvhd)
    except (KeyError, StopIteration, ZeroDivisionError, OverflowError):
        return None
    return None


def _amr_length(data: bytes, at: int, sizes: tuple[int | None, ...]) -> timedelta | None:
    frames = 0
    while at < len(data):
        size = sizes[data[at] >> 3 & 15]
        if size is None:
            return None
        at, frames = at + 1 + size, frames + 1
    return timedelta(milliseconds=20 * frames)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], at + 8, size
        at += 8 + size + size % 2


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    # ISO 14496-12 4.2: size 1 means a 64-bit size follows the type, size 0 the rest of the file.
    at = 0
    while at + 8 <= len(data):
        size, start = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        end = at + size if size else len(data)
        if end < at + start:
            return
        yield data[at + 4 : at + 8], data[at + start : end]
        at = end


def _movie_length(mvhd: bytes) -> timedelta | None:
    # ISO 14496-12 8.2.2: version 1 has 64-bit times.
    at, width = (20, 8) if mvhd[:1] == b"\x01" else (12, 4)
    scale, ticks = int.from_bytes(mvhd[at : at + 4], "big"), mvhd[at + 4 : at + 4 + width]
    if len(ticks) < width or ticks == b"\xff" * width:
        return None
    return timedelta(seconds=int.from_bytes(ticks, "big") / scale)
