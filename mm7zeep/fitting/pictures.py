"""One picture, from its octets to those that fit: opened, turned, freed of metadata, scaled, coded.

Runs in a worker, which is bounded and may be killed. Raises ``Refused`` for what is beyond the limits, cannot be
decoded, or fits at no size.
"""

from __future__ import annotations

from PIL import Image

from mm7zeep.fitting import animation
from mm7zeep.fitting.coding import coded
from mm7zeep.fitting.job import Job
from mm7zeep.fitting.lossless import Stripped
from mm7zeep.fitting.opening import (
    foreign_colours,
    frames_of,
    has_metadata,
    is_whole,
    kind_of,
    opened,
    orientation_of,
    structure,
)
from mm7zeep.fitting.repacked import repacked
from mm7zeep.fitting.upright import upright


def made_to_fit(data: bytes, job: Job) -> tuple[bytes, str]:
    """The octets of the picture that fits, and their media type. Raises ``Refused``."""
    image = opened(data, job)
    orientation = orientation_of(image)
    full = image.size if orientation < 5 else (image.height, image.width)
    made, kind = _made(image, data, orientation, full, job)
    if job.steps:
        now = job.pixels or full
        job.note("fit/size", "x".join(map(str, full)) + ("" if now == full else f" to {now[0]}x{now[1]}"))
    return made, kind


def _made(image: Image.Image, data: bytes, orientation: int, full: tuple[int, int], job: Job) -> tuple[bytes, str]:
    kind = kind_of(image)
    stripped = structure(data, kind, job)
    frames = frames_of(image, stripped, job)
    if frames > 1 and kind == "image/tiff":
        job.note("fit/animation", f"the first of {frames} pages")
        frames = 1
    foreign = foreign_colours(image)
    if stripped is not None and kind in job.allowed and orientation == 1 and not foreign:
        kept = _kept(data, stripped, kind, frames, job)
        if kept is not None:
            return kept, kind
        image = opened(data, job)
    if frames > 1:
        if "image/gif" in job.allowed:
            made = animation.made_to_fit(image, frames, job)
            if made is not None:
                if kind != "image/gif":
                    job.note("fit/converted", f"{kind} to image/gif")
                return made, "image/gif"
            image = opened(data, job)
        job.note("fit/animation", f"the first of {frames} frames")
    if orientation != 1:
        job.note("fit/turned", f"EXIF orientation {orientation}")
    if has_metadata(image, stripped):
        job.note("fit/metadata", ", ".join(stripped.removed) if stripped is not None and stripped.removed else "")
    picture = upright(image, data, orientation, job)
    made, made_kind = coded(picture, full, kind, job)
    if made_kind != kind:
        job.note("fit/converted", f"{kind} to {made_kind}")
    return made, made_kind


def _kept(data: bytes, stripped: Stripped, kind: str, frames: int, job: Job) -> bytes | None:
    """The file with its own picture, without metadata; packed anew where it is too large. None where it cannot stay."""
    if len(stripped.data) <= job.budget:
        if not is_whole(data, job):
            return None
        made: bytes | None = stripped.data if stripped.removed else data
    elif frames > 1 or not is_whole(data, job):
        return None
    else:
        made = repacked(opened(stripped.data, job), stripped.data, kind, job)
    if made is not None and stripped.removed:
        job.note("fit/metadata", ", ".join(stripped.removed))
    return made
