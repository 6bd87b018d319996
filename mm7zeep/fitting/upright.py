"""A picture decoded: upright, in RGB or grey, freed of metadata, no larger than is of use.

Raises ``Refused`` for what cannot be decoded.
"""

from __future__ import annotations

import math

from PIL import Image, ImageCms, ImageFile

from mm7zeep.fitting.job import Job, Refused
from mm7zeep.fitting.opening import opened, plain, profile_of


def upright(image: Image.Image, data: bytes, orientation: int, job: Job) -> Image.Image:
    """The pixels as they are to be seen: RGB, L, RGBA or LA, no larger than they are of use."""
    if image.format in ("JPEG", "MPO") and image.mode in ("RGB", "L"):
        shrink = _draft(image, len(data), job)
        if shrink > 1:
            image.draft(image.mode, (-(-image.width // shrink), -(-image.height // shrink)))
    profile = profile_of(image)
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


def _draft(image: Image.Image, octets: int, job: Job) -> int:
    """By how much a JPEG may be made smaller while it is decoded, which costs nothing."""
    if job.box:
        return next((by for by in (8, 4, 2) if max(image.size) >= 2 * by * job.box), 1)
    ratio = job.budget / max(1, octets)
    return next((by for by, below in ((8, 1 / 150), (4, 1 / 40), (2, 1 / 9)) if ratio < below), 1)


def _loaded(image: Image.Image, data: bytes, job: Job) -> Image.Image:
    """The picture decoded; what is there of one that was cut off."""
    failed = (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError)
    try:
        image.load()
    except failed:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            image = opened(data, job)
            image.load()
        except failed as error:
            raise Refused(f"cannot be decoded: {plain(error)}") from None
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        job.note("fit/truncated")
    return image


def _shrunk(image: Image.Image, job: Job) -> Image.Image:
    """Made smaller by a whole number where it has far more pixels than the budget can carry, or the box."""
    if job.box:
        factor = max(image.size) // (2 * job.box)
    else:
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
