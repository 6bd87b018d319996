"""A picture, judged by its head and its structure before any pixel is decoded.

Raises ``Refused`` for what is beyond the limits or cannot be opened.
"""

from __future__ import annotations

import io

from PIL import Image, ImageCms, UnidentifiedImageError

from mm7zeep.fitting import lossless
from mm7zeep.fitting.job import Job, Refused

_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "MPO", "HEIF", "AVIF")
_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "BMP": "image/bmp",
          "TIFF": "image/tiff", "WEBP": "image/webp", "HEIF": "image/heic", "AVIF": "image/avif"}  # fmt: skip
_ORIENTATION = 0x0112
_BASE_PIXELS = 12_000_000


def opened(data: bytes, job: Job) -> Image.Image:
    """The picture, judged by its head alone. Raises ``Refused``."""
    Image.MAX_IMAGE_PIXELS = None  # judged here, by the limits
    if data[4:8] == b"ftyp":
        import pillow_heif

        pillow_heif.options.DECODE_THREADS = 1
        pillow_heif.register_heif_opener(thumbnails=False)
    try:
        image = Image.open(io.BytesIO(data), formats=[one for one in _FORMATS if one in _registered()])
    except UnidentifiedImageError:
        raise Refused("is no picture that can be decoded") from None
    except (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError, TypeError) as error:
        raise Refused(f"cannot be decoded: {plain(error)}") from None
    pixels = image.width * image.height
    if pixels > job.limits["pixels"]:
        raise Refused(f"has {image.width} x {image.height} pixels, more than {int(job.limits['pixels']):,} in all")
    if not pixels:
        raise Refused("has no pixel")
    slow = 3.0 if image.format in ("HEIF", "AVIF") else 1.0  # what a video codec takes for a picture
    job.extend(slow * max(1.0, pixels / _BASE_PIXELS))
    return image


def kind_of(image: Image.Image) -> str:
    """The media type of a picture that was opened."""
    return _TYPES.get(image.format or "", "")


def _registered() -> set[str]:
    Image.init()
    return set(Image.OPEN)


def plain(error: BaseException) -> str:
    """What a decoder complains of, on one line of 120 characters."""
    return " ".join(str(error).split())[:120] or type(error).__name__


def structure(data: bytes, kind: str, job: Job) -> lossless.Stripped | None:
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


def frames_of(image: Image.Image, stripped: lossless.Stripped | None, job: Job) -> int:
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


def orientation_of(image: Image.Image) -> int:
    """How the camera was held, as EXIF says it: 1 (upright) to 8."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, LookupError, TypeError, ArithmeticError):
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def has_metadata(image: Image.Image, stripped: lossless.Stripped | None) -> bool:
    """Whether the file says anything besides its picture."""
    if stripped is not None:
        return bool(stripped.removed)
    return bool(image.info.get("exif") or image.info.get("xmp") or image.info.get("photoshop"))


def foreign_colours(image: Image.Image) -> bool:
    """Whether the file is in colours that a handset would show wrongly."""
    return image.mode in ("CMYK", "YCCK", "LAB") or profile_of(image) is not None


def profile_of(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
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


def is_whole(data: bytes, job: Job) -> bool:
    """Whether all of the picture can be decoded, so that it may go as it is."""
    image = opened(data, job)
    try:
        image.load()
    except (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError):
        return False
    return True
