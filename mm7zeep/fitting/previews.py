"""One picture, scaled to be looked at on a page: upright, in sRGB, without metadata; of an animation the first frame.

Runs in a worker, which is bounded and may be killed. Raises ``Refused`` for what is beyond the limits or cannot be
decoded.
"""

from __future__ import annotations

import io

from PIL import Image

from mm7zeep.fitting.coding import as_jpeg, in_few_colours, on_white, scaled
from mm7zeep.fitting.job import Job, Refused
from mm7zeep.fitting.opening import kind_of, opened, orientation_of, structure
from mm7zeep.fitting.upright import upright

_QUALITIES = (80, 65, 50, 35, 20)
_COLOURS = (128, 48, 16)
_LEVEL = 3  # of a PNG: the higher ones take several times as long for a tenth of the octets


def preview(data: bytes, job: Job) -> tuple[bytes, str, tuple[int, int]]:
    """The octets of the preview, their media type, width and height. Raises ``Refused``.

    It is a JPEG where that is allowed and nothing can be seen through, otherwise a PNG; never larger than the picture.
    """
    image = opened(data, job)
    structure(data, kind_of(image), job)  # what has too many scans or frames is refused here
    picture = upright(image, data, orientation_of(image), job)
    scale = min(1.0, job.box / max(picture.size))
    while True:
        size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        small = scaled(picture, size)
        made = _coded(small, job)
        if made is not None:
            return *made, small.size
        if max(size) < 8:
            raise Refused(f"has no preview of {job.budget} octets")
        scale *= 0.75


def _coded(picture: Image.Image, job: Job) -> tuple[bytes, str] | None:
    """The picture within the budget; None where it does not fit at this size."""
    jpeg, png = ("image/jpeg" in job.allowed), ("image/png" in job.allowed)
    if png and (not jpeg or picture.mode in ("RGBA", "LA")):
        for colours in (0, *_COLOURS):
            data = _as_png(in_few_colours(picture, colours) if colours else picture)
            if len(data) <= job.budget:
                return data, "image/png"
    if jpeg:
        plain = on_white(picture) if picture.mode in ("RGBA", "LA") else picture
        for quality in _QUALITIES:
            data = as_jpeg(plain, quality)
            if len(data) <= job.budget:
                return data, "image/jpeg"
    return None


def _as_png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=_LEVEL)
    return stream.getvalue()
