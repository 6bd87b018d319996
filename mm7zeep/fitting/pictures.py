"""One picture, from its octets to those that fit: opened, turned, freed of metadata, scaled, coded.

Runs in a worker, which is bounded and may be killed. Raises ``Refused`` for what is beyond the limits, cannot be
decoded, or fits at no size.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image, ImageChops, ImageCms, ImageFile, UnidentifiedImageError

from mm7zeep.fitting import lossless
from mm7zeep.fitting.similarity import ssim

Step = tuple[str, str]
"""The id of a finding, and its detail."""

_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "MPO", "HEIF", "AVIF")
_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "BMP": "image/bmp",
          "TIFF": "image/tiff", "WEBP": "image/webp", "HEIF": "image/heic", "AVIF": "image/avif"}  # fmt: skip
_ORIENTATION = 0x0112
_CROP, _CROPS = 128, 3  # a sample of a large picture: so many pixels, so many of them in each direction
_LOW, _HIGH = 5, 95  # qualities of a JPEG that are tried
_FIRST, _STEP = 0.8, 1.28  # bits a pixel of a picture that is scaled well, and how far the next scale is
_SMALLEST = 16  # pixels of the longer side, below which nothing is shown any more
_HEAD = 620  # octets of a JPEG that do not depend on its size
_BASE_PIXELS = 12_000_000


class Refused(Exception):
    """The picture cannot be served: why, for the sender."""


@dataclass(slots=True)
class Job:
    """What is asked for, and what was done so far.

    ``budget`` octets of the file; ``allowed`` media types; ``limits`` as in ``Limits``; ``extend`` is told by how
    much a large picture may take longer.
    """

    budget: int
    allowed: tuple[str, ...]
    limits: dict[str, float]
    extend: Callable[[float], object] = lambda factor: None
    steps: list[Step] = field(default_factory=list)

    def note(self, id: str, detail: str = "") -> None:
        """Say what was done."""
        if (id, detail) not in self.steps:
            self.steps.append((id, detail))


def made_to_fit(data: bytes, job: Job) -> tuple[bytes, str]:
    """The octets of the picture that fits, and their media type. Raises ``Refused``."""
    Image.MAX_IMAGE_PIXELS = None  # judged here, by the limits
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    image = _opened(data, job)
    kind = _TYPES.get(image.format or "", "")
    stripped = _structure(data, kind, job)
    frames = _frames(image, stripped, job)
    if frames > 1 and kind == "image/tiff":
        job.note("fit/animation", f"the first of {frames} pages")
        frames = 1
    orientation = _orientation(image)
    foreign = _foreign_colours(image)
    if stripped is not None and kind in job.allowed and orientation == 1 and not foreign:
        if len(stripped.data) <= job.budget and _whole(data, job):
            if stripped.removed:
                job.note("fit/metadata", ", ".join(stripped.removed))
                return stripped.data, kind
            return data, kind
        image = _opened(data, job)
    if frames > 1:
        if "image/gif" in job.allowed:
            from mm7zeep.fitting import animation

            made = animation.made_to_fit(image, frames, job)
            if made is not None:
                if kind != "image/gif":
                    job.note("fit/converted", f"{kind} to image/gif")
                return made, "image/gif"
            image = _opened(data, job)
        job.note("fit/animation", f"the first of {frames} frames")
    if orientation != 1:
        job.note("fit/turned", f"EXIF orientation {orientation}")
    if _has_metadata(image, stripped):
        job.note("fit/metadata", ", ".join(stripped.removed) if stripped is not None and stripped.removed else "")
    full = image.size if orientation < 5 else (image.height, image.width)
    picture = _upright(image, data, orientation, job)
    made, made_kind = _coded(picture, full, kind, job)
    if made_kind != kind:
        job.note("fit/converted", f"{kind} to {made_kind}")
    return made, made_kind


# --- what it is -------------------------------------------------------------------------------------------------------


def _opened(data: bytes, job: Job) -> Image.Image:
    """The picture, judged by its head alone."""
    if data[4:8] == b"ftyp":
        import pillow_heif

        pillow_heif.options.DECODE_THREADS = 1
        pillow_heif.register_heif_opener(thumbnails=False)
    try:
        image = Image.open(io.BytesIO(data), formats=[one for one in _FORMATS if one in _registered()])
    except UnidentifiedImageError:
        raise Refused("is no picture that can be decoded") from None
    except (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError, TypeError) as error:
        raise Refused(f"cannot be decoded: {_plain(error)}") from None
    pixels = image.width * image.height
    if pixels > job.limits["pixels"]:
        raise Refused(f"has {image.width} x {image.height} pixels, more than {int(job.limits['pixels']):,} in all")
    if not pixels:
        raise Refused("has no pixel")
    slow = 3.0 if image.format in ("HEIF", "AVIF") else 1.0  # what a video codec takes for a picture
    job.extend(slow * max(1.0, pixels / _BASE_PIXELS))
    return image


def _registered() -> set[str]:
    Image.init()
    return set(Image.OPEN)


def _plain(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _structure(data: bytes, kind: str, job: Job) -> lossless.Stripped | None:
    """The file without metadata; None for what is coded anew in any case. Raises ``Refused`` beyond the limits."""
    scans, frames = int(job.limits["scans"]), int(job.limits["frames"])
    try:
        if kind == "image/jpeg":
            found = lossless.jpeg(data, scans)
        elif kind == "image/png":
            found = lossless.png(data)
        elif kind == "image/gif":
            found = lossless.gif(data, frames)
        else:
            return None
    except ValueError:
        # what is cut off is read as far as it goes, but not for ever
        if kind == "image/jpeg" and data.count(b"\xff\xda") > scans:
            raise Refused(f"is a JPEG of more than {scans} scans") from None
        return None
    if found.scans > scans:
        raise Refused(f"is a JPEG of more than {scans} scans")
    if found.frames > frames:
        raise Refused(f"has more than {frames} frames")
    return found


def _frames(image: Image.Image, stripped: lossless.Stripped | None, job: Job) -> int:
    """How many frames or pages; counted no further than the limit. Raises ``Refused``."""
    most = int(job.limits["frames"])
    count = stripped.frames if stripped is not None and image.format in ("GIF", "PNG") else 0
    if not count:
        count = 1
        if image.format == "TIFF":
            count = _pages(image, most)
        elif getattr(image, "is_animated", False) and image.format not in ("MPO", "HEIF"):
            count = int(getattr(image, "n_frames", 1)) if image.format != "GIF" else 1
    if count > most:
        raise Refused(f"has more than {most} frames or pages")
    if count > 1 and count * image.width * image.height > job.limits["all_pixels"] and image.format != "TIFF":
        raise Refused(f"has {count} frames of {image.width} x {image.height} pixels, more than "
                      f"{int(job.limits['all_pixels']):,} in all")  # fmt: skip
    return max(1, count)


def _pages(image: Image.Image, most: int) -> int:
    """The pages of a TIFF, counted by its directories."""
    count = 0
    try:
        for count in range(1, most + 1):
            image.seek(count)
        count = most + 1
    except (EOFError, OSError, ValueError, SyntaxError, LookupError, TypeError):
        pass
    image.seek(0)
    return count


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, LookupError, TypeError, ArithmeticError):
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _has_metadata(image: Image.Image, stripped: lossless.Stripped | None) -> bool:
    if stripped is not None:
        return bool(stripped.removed)
    return bool(image.info.get("exif") or image.info.get("xmp") or image.info.get("photoshop"))


def _foreign_colours(image: Image.Image) -> bool:
    """Whether the file is in colours that a handset would show wrongly."""
    return image.mode in ("CMYK", "YCCK", "LAB") or _profile(image) is not None


def _profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """Its colour profile, where that is not sRGB and can be read."""
    raw = image.info.get("icc_profile")
    if not isinstance(raw, bytes) or not raw:
        return None
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(raw))
        name = ImageCms.getProfileDescription(found)
    except (OSError, ImageCms.PyCMSError, ValueError, TypeError):
        return None
    return None if "srgb" in name.lower() else found


def _whole(data: bytes, job: Job) -> bool:
    """Whether all of the picture can be decoded, so that it may go as it is."""
    image = _opened(data, job)
    try:
        image.load()
    except (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError):
        return False
    return True


# --- upright, in sRGB -------------------------------------------------------------------------------------------------


def _upright(image: Image.Image, data: bytes, orientation: int, job: Job) -> Image.Image:
    """The pixels as they are to be seen: RGB, L, RGBA or LA, no larger than they are of use."""
    if image.format in ("JPEG", "MPO"):
        ratio = job.budget / max(1, len(data))
        shrink = next((by for by, below in ((8, 1 / 150), (4, 1 / 40), (2, 1 / 9)) if ratio < below), 1)
        if shrink > 1 and image.mode in ("RGB", "L"):
            image.draft(image.mode, (-(-image.width // shrink), -(-image.height // shrink)))
    profile = _profile(image)
    image = _loaded(image, data, job)
    image = _shrunk(image, job)
    image = _in_srgb(image, profile, job)
    if orientation != 1:
        method = _TURNS[orientation]
        image = image.transpose(method)
    image.info.clear()
    return image


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


def _loaded(image: Image.Image, data: bytes, job: Job) -> Image.Image:
    """The picture decoded; what is there of one that was cut off."""
    failed = (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError)
    try:
        image.load()
    except failed:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            image = _opened(data, job)
            image.load()
        except failed as error:
            raise Refused(f"cannot be decoded: {_plain(error)}") from None
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        job.note("fit/truncated")
    return image


def _shrunk(image: Image.Image, job: Job) -> Image.Image:
    """Made smaller by a whole number where it has far more pixels than the budget can carry."""
    most = job.budget * 8 / 0.1  # pixels at a tenth of a bit
    factor = int(math.sqrt(image.width * image.height / max(most, 64 * 64)))
    if factor < 2 or image.mode in ("P", "1", "I;16", "I;16B", "I;16L", "PA"):
        return image
    return image.reduce(factor)


def _in_srgb(image: Image.Image, profile: ImageCms.ImageCmsProfile | None, job: Job) -> Image.Image:
    """The picture in RGB, L, RGBA or LA with eight bits, by its own colour profile."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bits(image)
        job.note("fit/colours", "16 bit to 8 bit")
        profile = None
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode == "PA":
        image = image.convert("RGBA")
    if image.mode == "1":
        image = image.convert("L")
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    if image.mode in ("RGB", "L") and "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
    mode = image.mode
    if profile is not None:
        plain = image.convert("RGB") if mode in ("RGBA", "RGBX") else image.convert("L") if mode == "LA" else image
        try:
            turned = ImageCms.profileToProfile(plain, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            turned = None  # a profile for other colours than it has
        if turned is not None:
            job.note("fit/colours", f"{mode} to sRGB by its profile")
            image = turned
            if alpha is not None:
                image.putalpha(alpha)
    if image.mode not in ("RGB", "L", "RGBA", "LA"):
        job.note("fit/colours", f"{image.mode} to sRGB")
        image = image.convert("RGB")
    if alpha is not None and alpha.getextrema()[0] == 255:
        image = image.convert("RGB" if image.mode == "RGBA" else "L")  # says that it may be seen through, but is not
    return image


def _eight_bits(image: Image.Image) -> Image.Image:
    image = image if image.mode in ("F", "I") else image.convert("I")
    low, high = (float(one) for one in image.getextrema() if isinstance(one, int | float))
    top = 65535.0 if image.mode == "I" and low >= 0 and high <= 65535 else high
    bottom = 0.0 if low >= 0 else low
    if image.mode == "I" and high <= 255:
        top = 255.0
    scale = 255.0 / max(1e-9, top - bottom)
    return image.point(lambda value: value * scale - bottom * scale).convert("L")


# --- as good as fits --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Made:
    """A picture coded: its octets, how alike it is to the whole, its size in pixels."""

    data: bytes
    alike: float
    size: tuple[int, int]
    how: str


def _coded(picture: Image.Image, full: tuple[int, int], kind: str, job: Job) -> tuple[bytes, str]:
    """The best JPEG or PNG within the budget. Raises ``Refused``."""
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
        picture = _on_white(picture)
    other = _jpeg(picture, job.budget)
    if other is None and made is None:
        raise _unfit(job)
    if made is not None and (other is None or made.alike > other.alike):
        return _told(made, full, "image/png", job)
    if other is None:
        raise _unfit(job)
    return _told(other, full, "image/jpeg", job)


def _unfit(job: Job) -> Refused:
    return Refused(f"does not fit into {max(0, job.budget)} octets at any size that could be seen")


def _told(made: _Made, full: tuple[int, int], kind: str, job: Job) -> tuple[bytes, str]:
    if made.size != full:
        job.note("fit/scaled", f"{full[0]}x{full[1]} to {made.size[0]}x{made.size[1]}")
    job.note("fit/coded", made.how)
    return made.data, kind


def _on_white(picture: Image.Image) -> Image.Image:
    picture = picture.convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture).convert("RGB")


def _scaled(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.size == size:
        return picture
    if picture.mode in ("RGBA", "LA"):  # colour that cannot be seen must not bleed into what can
        premultiplied = picture.convert("RGBA").convert("RGBa")
        return premultiplied.resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _size(picture: Image.Image, scale: float) -> tuple[int, int]:
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def _as_jpeg(picture: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    sampling = {} if picture.mode == "L" else {"subsampling": 0 if quality >= 90 else 2}
    picture.save(stream, "JPEG", quality=quality, optimize=True, **sampling)
    return stream.getvalue()


def _best_quality(picture: Image.Image, budget: float, guess: int | None = None, tries: int = 7) -> tuple[int, bytes]:
    """The highest quality within ``budget`` octets and its file; quality 0 where none is."""
    low, high, best = _LOW - 1, _HIGH, (0, b"")
    quality = guess if guess is not None else (_LOW + _HIGH) // 2
    for _ in range(tries):
        data = _as_jpeg(picture, quality)
        if len(data) <= budget:
            low = quality
            best = (quality, data)
            if len(data) > budget * 0.97:
                break
        else:
            high = quality - 1
        if low >= high:
            break
        # a JPEG grows with the quality about as 1 / (104 - quality): that is nearer than the middle
        near = 104 - (104 - quality) * (max(1, len(data) - _HEAD) / max(1.0, budget * 0.985 - _HEAD)) ** 1.25
        quality = min(high, max(low + 1, round(near)))
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

    def alike(step: int) -> float:
        """How alike a sample is at this scale, at the quality that its share of the budget allows."""
        if step not in tried:
            scale = _STEP**-step
            small = _scaled(sample, _size(sample, scale))
            quality, data = _best_quality(small, (budget - _HEAD) * share + _HEAD, tries=4)
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
        small = _scaled(picture, _size(picture, _STEP ** (-half / 2)))
        quality, data = _best_quality(small, budget, guess=guess or None, tries=5)
        if quality:
            return _Made(data, likeness, small.size, f"JPEG, quality {quality}")
    return None


# --- PNG --------------------------------------------------------------------------------------------------------------


def _as_png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=picture.width * picture.height < 1_000_000)
    return stream.getvalue()


def _in_few_colours(picture: Image.Image, count: int = 256) -> Image.Image:
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
    full, few = len(_as_png(sample)) * ratio, len(_as_png(_in_few_colours(sample))) * ratio
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
        small = _scaled(picture, _size(picture, scale))
        forms = [(small, "PNG")] if full * scale * scale <= budget * 1.2 else []
        size = 0
        for form, how in (*forms, (None, "PNG, 256 colours")):
            form = _in_few_colours(small) if form is None else form
            data = _as_png(form)
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
    back = _on_white(form) if "A" in picture.mode else form.convert("RGB")
    whole = _on_white(picture) if "A" in picture.mode else picture.convert("RGB")
    if back.size == whole.size and not ImageChops.difference(back, whole).getbbox():
        return 1.0
    sample = _sample(whole)
    return ssim(sample, _sample(back.resize(whole.size, Image.Resampling.BICUBIC)))
