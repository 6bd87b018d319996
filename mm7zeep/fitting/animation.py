"""An animation made smaller: fewer colours, fewer pixels, then fewer frames; never faster or slower than it was.

Runs in a worker. None where not even two frames fit.
"""

from __future__ import annotations

import io
import math

from PIL import Image, ImageFile

from mm7zeep.fitting.job import Job

_SMALLEST = 0.3  # of a side: below it, frames are dropped instead
_TRIES = 8


def made_to_fit(image: Image.Image, count: int, job: Job) -> bytes | None:
    """A GIF of the frames of ``image`` within the budget of ``job``, which is told what was lost."""
    frames, lengths = _frames(image, count, job)
    if len(frames) < 2:
        return None
    loop = int(image.info.get("loop", 1)) if "loop" in image.info else None
    size, keep, colours, scale = frames[0].size, 1, 256, 1.0
    most = job.budget * 8 / 0.2  # pixels of all frames at a fifth of a bit
    scale = min(1.0, max(_SMALLEST, math.sqrt(most / (size[0] * size[1] * len(frames)))))
    made = b""
    told = ""
    seen = size
    for _ in range(_TRIES):
        kept = frames[::keep]
        if len(kept) < 2:
            break
        data = _coded(kept, _joined(lengths, keep), scale, colours, loop)
        ratio = job.budget / len(data)
        if ratio >= 1:
            small = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
            shown = f"{size[0]}x{size[1]} to {small[0]}x{small[1]}, " if small != size else ""
            made, seen, told = data, small, f"{shown}{colours} colours, {len(kept)} of {count} frames"
            if ratio < 1.25 or scale == 1.0:
                break
            scale = min(1.0, scale * math.sqrt(ratio) * 0.95)
        elif made:
            break
        elif colours == 256 and ratio > 0.5:
            colours = 64
        elif scale > _SMALLEST:
            colours = min(colours, 128)
            scale = max(_SMALLEST, scale * min(0.9, math.sqrt(ratio) * 0.98))
        else:
            keep = max(keep + 1, math.ceil(keep / ratio))
    if made:
        job.pixels = seen
        job.note("fit/animation", told)
    return made or None


def _frames(image: Image.Image, count: int, job: Job) -> tuple[list[Image.Image], list[int]]:
    """The frames as they are seen, and how many milliseconds each is; as many as can be decoded."""
    frames: list[Image.Image] = []
    lengths: list[int] = []
    try:
        for n in range(count):
            image.seek(n)
            frames.append(image.convert("RGBA" if _see_through(image) else "RGB"))
            length = image.info.get("duration", 100)
            lengths.append(int(length) if isinstance(length, int | float) else 100)
    except (OSError, EOFError, ValueError, SyntaxError, LookupError):
        job.note("fit/truncated", f"{len(frames)} of {count} frames")
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    if any(one.mode == "RGBA" for one in frames):
        frames = [one.convert("RGBA") for one in frames]
    return frames, lengths


def _see_through(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def _joined(lengths: list[int], keep: int) -> list[int]:
    return [max(20, sum(lengths[at : at + keep])) for at in range(0, len(lengths), keep)]


def _coded(frames: list[Image.Image], lengths: list[int], scale: float, colours: int, loop: int | None) -> bytes:
    size = (max(1, round(frames[0].width * scale)), max(1, round(frames[0].height * scale)))
    small = []
    for one in frames:
        scaled = one if size == one.size else one.resize(size, Image.Resampling.LANCZOS)
        method = Image.Quantize.FASTOCTREE if scaled.mode == "RGBA" else Image.Quantize.MEDIANCUT
        small.append(scaled.quantize(colours, method=method, dither=Image.Dither.NONE))
    stream = io.BytesIO()
    extra = {} if loop is None else {"loop": loop}
    disposal = 2 if frames[0].mode == "RGBA" else 1
    rest = small[1:]
    small[0].save(stream, "GIF", save_all=True, append_images=rest, duration=lengths, disposal=disposal, **extra)
    return stream.getvalue()
