"""One picture, from its octets to those that fit: opened, turned, freed of metadata, scaled, coded.

Runs in a worker, which is bounded and may be killed. Raises ``Refused`` for what is beyond the limits, cannot be
decoded, or fits at no size.
"""

from __future__ import annotations

from mm7zeep.fitting import animation
from mm7zeep.fitting.coding import coded
from mm7zeep.fitting.job import Job
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
from mm7zeep.fitting.upright import upright


def made_to_fit(data: bytes, job: Job) -> tuple[bytes, str]:
    """The octets of the picture that fits, and their media type. Raises ``Refused``."""
    image = opened(data, job)
    kind = kind_of(image)
    stripped = structure(data, kind, job)
    frames = frames_of(image, stripped, job)
    if frames > 1 and kind == "image/tiff":
        job.note("fit/animation", f"the first of {frames} pages")
        frames = 1
    orientation = orientation_of(image)
    foreign = foreign_colours(image)
    if stripped is not None and kind in job.allowed and orientation == 1 and not foreign:
        if len(stripped.data) <= job.budget and is_whole(data, job):
            if stripped.removed:
                job.note("fit/metadata", ", ".join(stripped.removed))
                return stripped.data, kind
            return data, kind
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
    full = image.size if orientation < 5 else (image.height, image.width)
    picture = upright(image, data, orientation, job)
    made, made_kind = coded(picture, full, kind, job)
    if made_kind != kind:
        job.note("fit/converted", f"{kind} to {made_kind}")
    return made, made_kind
