"""One picture, from its octets to those that fit: opened, turned, freed of metadata, scaled, coded.

Runs in a worker, which is bounded and may be killed. Raises ``Refused`` for what is beyond the limits, cannot be
decoded, or fits at no size.
"""

from __future__ import annotations

import io
import math

from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

from mm7zeep.fitting import animation, lossless
from mm7zeep.fitting.coding import coded
from mm7zeep.fitting.job import Job, Refused

_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "MPO", "HEIF", "AVIF")
_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "BMP": "image/bmp",
          "TIFF": "image/tiff", "WEBP": "image/webp", "HEIF": "image/heic", "AVIF": "image/avif"}  # fmt: skip
_ORIENTATION = 0x0112
_BASE_PIXELS = 12_000_000


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
    made, made_kind = coded(picture, full, kind, job)
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
