"""A picture file that is a little too large, packed anew before anything of its picture is given up.

A PNG with the same pixels, filtered and compressed again; a JPEG by the tables that it had, which costs it far less
than others would: no library here copies its coefficients. Knows nothing of metadata: what it is given has none.
"""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

from mm7zeep.fitting.coding import as_png, png_octets
from mm7zeep.fitting.job import Job

_MOST_PIXELS = 2_500_000  # of a PNG that is tried: nothing else here takes so long
_WORTH = 1.25  # times the budget: beyond it the same tables do not bring a JPEG there
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BEFORE_PALETTE = (b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT")  # PNG 5.6
_BEFORE_DATA = (b"bKGD", b"pHYs")
_PALETTE = 3  # the kind of colours, PNG 11.2.2: bKGD is a place in it, which may be another one then


def repacked(image: Image.Image, data: bytes, kind: str, job: Job) -> bytes | None:
    """The file within the budget of ``job``, which is told how; None where that is not to be had.

    ``data`` is the whole file of ``image``, which is upright, in one frame, and without metadata.
    """
    if kind == "image/jpeg" and image.format == "JPEG":
        return _jpeg(image, len(data), job)
    if kind == "image/png" and image.width * image.height <= _MOST_PIXELS:
        return _png(image, data, job)
    return None


def _jpeg(image: Image.Image, octets: int, job: Job) -> bytes | None:
    if octets > job.budget * _WORTH or image.mode not in ("RGB", "L"):
        return None
    stream = io.BytesIO()
    progressive = bool(image.info.get("progressive"))  # only where it was: old handsets know none
    sampling = {} if image.mode == "L" else {"subsampling": "keep"}
    try:
        image.save(stream, "JPEG", quality="keep", optimize=True, progressive=progressive, **sampling)
    except OSError:  # noise has more octets than Pillow has room for where it optimizes
        return None
    made = stream.getvalue()
    if len(made) > job.budget:
        return None
    job.note("fit/coded", "JPEG, by the tables that it had")
    return made


def _png(image: Image.Image, data: bytes, job: Job) -> bytes | None:
    old = _chunks(data)
    if old[b"IHDR"][8] > 8 or png_octets(image) > job.budget * 1.05:  # sixteen bits are not read whole
        return None
    new = _chunks(as_png(image))
    in_palette = old[b"IHDR"][9] == _PALETTE
    # In another kind or depth of colours what stands beside the picture would not hold, nor what is transparent.
    if new[b"IHDR"][9] != old[b"IHDR"][9] or (new[b"IHDR"][8] != old[b"IHDR"][8] and not in_palette):
        return None
    # tRNS of few greys, too: Pillow writes what it has read, in eight bits
    kept = _BEFORE_PALETTE + ((b"pHYs",) if in_palette else (*_BEFORE_DATA, b"tRNS"))
    beside = {name: old[name] for name in kept if name in old}
    made = _written({**new, **beside})
    if len(made) > job.budget or not _is_same(image, made):
        return None
    job.note("fit/repacked", "PNG, no pixel changed")
    return made


def _is_same(image: Image.Image, made: bytes) -> bool:
    again = Image.open(io.BytesIO(made), formats=["PNG"])
    return image.size == again.size and image.convert("RGBA").tobytes() == again.convert("RGBA").tobytes()


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG whose structure was followed before (``lossless.png``); its data as one."""
    found: dict[bytes, bytes] = {}
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        found[kind] = found[kind] + body if kind == b"IDAT" and kind in found else body
        at += 12 + length
    return found


def _written(chunks: dict[bytes, bytes]) -> bytes:
    order = (b"IHDR", *_BEFORE_PALETTE, b"PLTE", b"tRNS", *_BEFORE_DATA, b"IDAT", b"IEND")
    return _SIGNATURE + b"".join(_chunk(kind, chunks[kind]) for kind in order if kind in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
