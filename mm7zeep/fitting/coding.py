"""A decoded picture as JPEG or PNG: the scale and quality that leave most of it within so many octets.

Knows nothing of files or metadata. Raises ``Refused`` where no size that could be seen fits.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

from PIL import Image, ImageChops

from mm7zeep.fitting.job import Job, Refused
from mm7zeep.fitting.similarity import ssim

_CROP, _CROPS = 128, 3  # a sample of a large picture: so many pixels, so many of them in each direction
_LOW, _HIGH = 5, 95  # qualities of a JPEG that are tried
_FINE = 90  # quality from which colours are kept of each pixel, where there is room for that
_FIRST, _STEP = 0.8, 1.28  # bits a pixel of a picture that is scaled well, and how far the next scale is
_SMALLEST = 16  # pixels of the longer side, below which nothing is shown any more
_HEAD = 620  # octets of a JPEG that do not depend on its size


@dataclass(frozen=True, slots=True)
class _Made:
    """A picture coded: its octets, how alike it is to the whole, its size in pixels."""

    data: bytes
    alike: float
    size: tuple[int, int]
    how: str


def coded(picture: Image.Image, full: tuple[int, int], kind: str, job: Job) -> tuple[bytes, str]:
    """The best JPEG or PNG of ``picture`` within the budget, and its media type. Raises ``Refused`` where none fits.

    ``full`` is its size and ``kind`` its type before anything was done to it.
    """
    see_through = picture.mode in ("RGBA", "LA")
    made: _Made | None = None
    if "image/png" in job.allowed and (see_through or _is_drawn(picture)):
        made = _png(picture, job.budget, try_hard=see_through)
        if made is not None and (see_through or made.alike > 0.9999):
            return _told(made, full, "image/png", job)
    if "image/jpeg" not in job.allowed:
        if made is None and "image/png" in job.allowed:
            made = _png(picture, job.budget, try_hard=True)
        if made is None:
            raise _unfit(job)
        return _told(made, full, "image/png", job)
    if see_through:
        job.note("fit/colours", "set on white")
        picture = on_white(picture)
    other = _jpeg(picture, job.budget)
    if other is None and made is None:
        raise _unfit(job)
    if made is not None and (other is None or made.alike > other.alike):
        return _told(made, full, "image/png", job)
    if other is None:
        raise _unfit(job)
    return _told(other, full, "image/jpeg", job)


def _unfit(job: Job) -> Refused:
    return Refused(f"does not fit into {max(0, job.budget):,} octets at any size that could be seen")


def _told(made: _Made, full: tuple[int, int], kind: str, job: Job) -> tuple[bytes, str]:
    job.pixels = made.size
    if made.size != full:
        job.note("fit/scaled", f"{full[0]}x{full[1]} to {made.size[0]}x{made.size[1]}")
    job.note("fit/coded", made.how)
    return made.data, kind


def on_white(picture: Image.Image) -> Image.Image:
    """The picture with white where it can be seen through."""
    picture = picture.convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture).convert("RGB")


def scaled(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture in ``size`` pixels."""
    if picture.size == size:
        return picture
    if picture.mode in ("RGBA", "LA"):  # colour that cannot be seen must not bleed into what can
        premultiplied = picture.convert("RGBA").convert("RGBa")
        return premultiplied.resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _size(picture: Image.Image, scale: float) -> tuple[int, int]:
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def as_jpeg(picture: Image.Image, quality: int, *, fine: bool = False) -> bytes:
    """The file; ``fine``: with the colours of every pixel, not of four together."""
    sampling = {} if picture.mode == "L" else {"subsampling": 0 if fine else 2}
    for optimize in (True, False):
        stream = io.BytesIO()
        try:
            picture.save(stream, "JPEG", quality=quality, optimize=optimize, **sampling)
        except OSError:  # noise has more octets than Pillow has room for where it optimizes
            if not optimize:
                raise
        else:
            break
    return stream.getvalue()


def _best_quality(picture: Image.Image, budget: float, guess: int | None = None, tries: int = 7) -> tuple[int, bytes]:
    """The highest quality within ``budget`` octets and its file; quality 0 where none is."""
    fits, too_large = (_LOW - 1, 0), (_HIGH + 1, 0)  # the best that fits and the least that does not, with their octets
    best = (0, b"")
    quality = guess if guess is not None else (_LOW + _HIGH) // 2
    for _ in range(tries):
        data = as_jpeg(picture, quality)
        size = max(1, len(data) - _HEAD)
        if len(data) <= budget:
            fits, best = (quality, size), (quality, data)
            if len(data) > budget * 0.97:
                break
        else:
            too_large = (quality, size)
        if too_large[0] - fits[0] <= 1:
            break
        wanted = max(1.0, budget * 0.985 - _HEAD)
        if fits[1] and too_large[1]:  # its size grows about as a power of it between two that are known
            way = math.log(wanted / fits[1]) / math.log(too_large[1] / fits[1]) if too_large[1] > fits[1] else 0.5
            near = fits[0] + (too_large[0] - fits[0]) * min(0.9, max(0.1, way))
        else:  # a JPEG grows with the quality about as 1 / (104 - quality): that is nearer than the middle
            near = 104 - (104 - quality) * (size / wanted) ** 1.25
        quality = min(too_large[0] - 1, max(fits[0] + 1, round(near)))
    return best


def _sample(picture: Image.Image) -> Image.Image:
    """Crops from all over a large picture, side by side; the whole of a small one."""
    side = _CROP * _CROPS
    if picture.width * picture.height <= 2 * side * side or min(picture.size) < side:
        return picture
    made = Image.new(picture.mode, (side, side))
    for row in range(_CROPS):
        for column in range(_CROPS):
            left = (picture.width - _CROP) * column // (_CROPS - 1) // 8 * 8
            top = (picture.height - _CROP) * row // (_CROPS - 1) // 8 * 8
            made.paste(picture.crop((left, top, left + _CROP, top + _CROP)), (column * _CROP, row * _CROP))
    return made


def _jpeg(picture: Image.Image, budget: int) -> _Made | None:
    """The scale and quality that leave most of ``picture``: tried on a sample, then coded; None where none fits."""
    sample = _sample(picture)
    share = sample.width * sample.height / (picture.width * picture.height)
    tried: dict[int, tuple[float, int]] = {}

    def near(step: int) -> int | None:
        """A quality to begin with: what the next scale that was tried has, and some more or less."""
        known = [(abs(other - step), other, quality) for other, (_, quality) in tried.items() if quality]
        if not known:
            return None
        _, other, quality = min(known)
        return min(_HIGH, max(_LOW, 104 - round((104 - quality) * 0.7 ** (step - other))))

    def alike(step: int) -> float:
        """How alike a sample is at this scale, at the quality that its share of the budget allows."""
        if step not in tried:
            scale = _STEP**-step
            small = scaled(sample, _size(sample, scale))
            quality, data = _best_quality(small, (budget - _HEAD) * share + _HEAD, guess=near(step), tries=5)
            likeness = 0.0
            if quality:
                back = Image.open(io.BytesIO(data)).resize(sample.size, Image.Resampling.BICUBIC)
                likeness = ssim(sample, back)
            tried[step] = (likeness, quality)
        return tried[step][0]

    pixels = budget * 8 / _FIRST
    step = max(0, round(math.log(picture.width * picture.height / max(1.0, pixels)) / 2 / math.log(_STEP)))
    last = math.ceil(math.log(max(picture.size) / _SMALLEST) / math.log(_STEP)) if max(picture.size) > _SMALLEST else 0
    step = min(step, last)
    while step < last and not alike(step):
        step += 1
    alike(step)
    while step > 0 and alike(step - 1) > alike(step):
        step -= 1
    while step < last and alike(step + 1) > alike(step):
        step += 1
    likeness, guess = tried[step]
    for half in range(2 * step, 2 * last + 1):  # a sample may promise more than the whole keeps: then half a step less
        small = scaled(picture, _size(picture, _STEP ** (-half / 2)))
        quality, data = _best_quality(small, budget, guess=guess or None)
        if quality >= _FINE and len(fine := as_jpeg(small, quality, fine=True)) <= budget:
            data = fine
        if quality:
            return _Made(data, likeness, small.size, f"JPEG, quality {quality}")
    return None


# --- PNG --------------------------------------------------------------------------------------------------------------


def as_png(picture: Image.Image) -> bytes:
    """The file, as small as it gets in the time there is."""
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=picture.width * picture.height < 1_000_000)
    return stream.getvalue()


def png_octets(picture: Image.Image) -> float:
    """About how many octets the file will have, by a sample of it."""
    sample = _sample(picture)
    return len(as_png(sample)) * (picture.width * picture.height) / (sample.width * sample.height)


def in_few_colours(picture: Image.Image, count: int = 256) -> Image.Image:
    """The picture with a palette; exact where it has no more colours than that."""
    if picture.mode == "L":
        return picture
    colours = picture.convert("RGBA") if picture.mode == "LA" else picture
    # octree is the one that knows transparency, and the fast one
    few = colours.mode == "RGB" and picture.width * picture.height < 1_000_000
    method = Image.Quantize.MEDIANCUT if few else Image.Quantize.FASTOCTREE
    return colours.quantize(count, method=method, dither=Image.Dither.NONE)


def _is_drawn(picture: Image.Image) -> bool:
    """Whether a picture has few enough colours to be a drawing, for which a PNG is the better form."""
    sample = _sample(picture)
    return sample.getcolors(sample.width * sample.height // 64) is not None


def _png(picture: Image.Image, budget: int, *, try_hard: bool) -> _Made | None:
    """The PNG that leaves most of ``picture``; only as large as it is unless ``try_hard``. None where none fits.

    How alike it is, is reckoned only where another form could be better.
    """
    sample = _sample(picture)
    ratio = picture.width * picture.height / (sample.width * sample.height)
    full, few = png_octets(picture), len(as_png(in_few_colours(sample))) * ratio
    if not try_hard and few > budget * 1.5:
        return None
    scale = 1.0 if few <= budget * 1.1 else max(0.05, math.sqrt(budget / few))
    whole, factor = picture, int(0.7 / scale)
    if factor > 1 and picture.mode in ("RGBA", "LA"):  # none of the steps below works on more than it needs
        picture = picture.convert("RGBA").convert("RGBa").reduce(factor).convert("RGBA")
        scale, full = scale * factor, full / factor**2
    best: _Made | None = None
    grown = False
    for _ in range(10):
        small = scaled(picture, _size(picture, scale))
        forms = [(small, "PNG")] if full * scale * scale <= budget * 1.2 else []
        size = 0
        for form, how in (*forms, (None, "PNG, 256 colours")):
            form = in_few_colours(small) if form is None else form
            data = as_png(form)
            size = len(data)
            if size <= budget:
                found = _Made(data, 1.0 if try_hard else _alike(whole, form), small.size, how)
                best = found if best is None or found.alike > best.alike else best
                break
        if not try_hard or max(small.size) <= _SMALLEST:
            break
        if best is not None and (scale == 1.0 or size > 0.85 * budget or grown):
            break
        grown = size <= budget
        scale = min(1.0, scale * math.sqrt(budget / size) * (0.96 if grown else 0.98))
    return best


def _alike(picture: Image.Image, form: Image.Image) -> float:
    """How alike they are on white, which is what most handsets set a picture on."""
    back = on_white(form) if "A" in picture.mode else form.convert("RGB")
    whole = on_white(picture) if "A" in picture.mode else picture.convert("RGB")
    if back.size == whole.size and not ImageChops.difference(back, whole).getbbox():
        return 1.0
    sample = _sample(whole)
    return ssim(sample, _sample(back.resize(whole.size, Image.Resampling.BICUBIC)))
