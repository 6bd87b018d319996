"""What a picture file says besides its picture, and the file without it: no pixel is decoded, none is changed.

Knows JPEG, PNG and GIF. Raises ``ValueError`` where the structure cannot be followed.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length
_KEPT_CHUNKS = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs", b"iCCP",
     b"acTL", b"fcTL", b"fdAT")
)  # fmt: skip


class Stripped(NamedTuple):
    """A file without its metadata, and what was left out by name; ``scans`` of a JPEG, ``frames`` of a GIF."""

    data: bytes
    removed: tuple[str, ...]
    scans: int = 1
    frames: int = 1


def jpeg(data: bytes, most_scans: int) -> Stripped:
    """A JPEG without EXIF, XMP, IPTC, MPF, comments, and what stands behind its end.

    JFIF, the colour profile and Adobe's transform stay: the picture is not the same without them. Ends early, with more
    than ``most_scans``, where it has that many. Raises ``ValueError``.
    """
    if not data.startswith(b"\xff\xd8"):
        raise ValueError("no JPEG")
    kept, removed, at, scans = [b"\xff\xd8"], [], 2, 0
    while True:
        if data[at : at + 1] != b"\xff":
            raise ValueError("a marker is missing")
        while data[at + 1 : at + 2] == b"\xff":  # fill octets
            at += 1
        if at + 2 > len(data):
            raise ValueError("cut off")
        marker = data[at + 1]
        if marker == 0xD9:
            kept.append(b"\xff\xd9")
            if len(data) > at + 2:
                removed.append("data behind the end")
            return Stripped(b"".join(kept), tuple(dict.fromkeys(removed)), scans)
        if marker in _STANDALONE:
            kept.append(data[at : at + 2])
            at += 2
            continue
        if at + 4 > len(data):
            raise ValueError("cut off")
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        name = _segment(marker, data[at + 4 : at + 40])
        if name is None:
            kept.append(data[at:end])
        else:
            removed.append(name)
        at = end
        if marker == 0xDA:
            scans += 1
            if scans > most_scans:
                return Stripped(b"", (), scans)
            at = _end_of_scan(data, at)
            kept.append(data[end:at])


def _segment(marker: int, start: bytes) -> str | None:
    """What a segment is called that is metadata, or None."""
    if marker == 0xFE:
        return "comment"
    if not 0xE0 <= marker <= 0xEF:
        return None
    if (marker, start[:5]) in ((0xE0, b"JFIF\0"), (0xEE, b"Adobe")) or start.startswith(b"ICC_PROFILE\0"):
        return None
    known = ((b"Exif\0", "EXIF"), (b"http://ns.adobe.com/x", "XMP"), (b"Photoshop", "IPTC"), (b"MPF\0", "MPF"))
    return next((name for mark, name in known if start.startswith(mark)), f"APP{marker - 0xE0}")


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the marker behind entropy-coded data stands."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise ValueError("cut off")
        if data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
            at += 2
        elif data[at + 1] == 0xFF:
            at += 1
        else:
            return at


def png(data: bytes) -> Stripped:
    """A PNG without texts, EXIF, time and private chunks. Raises ``ValueError``."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError("no PNG")
    kept, removed, at, frames = [data[:8]], [], 8, 1
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        end = at + 12 + length
        if end > len(data):
            break
        if kind == b"acTL" and length >= 4:
            frames = int.from_bytes(data[at + 8 : at + 12], "big")
        if kind in _KEPT_CHUNKS:
            kept.append(data[at:end])
        else:
            removed.append(_chunk(kind))
        at = end
        if kind == b"IEND":
            if at < len(data):
                removed.append("data behind the end")
            return Stripped(b"".join(kept), tuple(dict.fromkeys(removed)), frames=frames)
    raise ValueError("cut off")


def _chunk(kind: bytes) -> str:
    return {b"eXIf": "EXIF", b"tIME": "time"}.get(kind) or (
        "text" if kind[1:] in (b"EXt", b"TXt") else kind.decode("latin-1")
    )


def gif(data: bytes, most_frames: int) -> Stripped:
    """A GIF without comments, plain texts, XMP and other application data but the loop.

    Ends early, with more than ``most_frames``, where it has that many. Raises ``ValueError``.
    """
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:
        raise ValueError("no GIF")
    at = 13 + _table(data[10])
    kept, removed, frames = [data[:at]], [], 0
    while True:
        kind = data[at : at + 1]
        if kind == b";":
            kept.append(b";")
            if len(data) > at + 1:
                removed.append("data behind the end")
            return Stripped(b"".join(kept), tuple(dict.fromkeys(removed)), frames=frames)
        if kind == b"," and at + 10 <= len(data):
            frames += 1
            if frames > most_frames:
                return Stripped(b"", (), frames=frames)
            end = _sub_blocks(data, at + 10 + _table(data[at + 9]) + 1)
            kept.append(data[at:end])
        elif kind == b"!" and at + 2 < len(data):
            end = _sub_blocks(data, at + 2)
            name = _extension(data[at + 1], data[at + 3 : at + 14])
            if name is None:
                kept.append(data[at:end])
            else:
                removed.append(name)
        else:
            raise ValueError("cut off" if not kind else "no block")
        at = end


def _table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(data: bytes, at: int) -> int:
    while True:
        if at >= len(data):
            raise ValueError("cut off")
        size = data[at]
        at += 1 + size
        if not size:
            return at


def _extension(label: int, application: bytes) -> str | None:
    if label == 0xF9 or (label == 0xFF and application in (b"NETSCAPE2.0", b"ANIMEXTS1.0")):
        return None
    if label == 0xFF:
        return "XMP" if application.startswith(b"XMP Data") else "application data"
    return "comment" if label == 0xFE else "text"
