"""What fitting costs, and what it keeps: generated pictures of every kind, fitted to six limits each.

Checks of each result that the whole message keeps to the limit, that a second decoder (OpenCV) reads it, that it is
upright and names no place. Of every fifth opaque one, that it is as much like the original (SSIM) as what a plain
search finds, which tries every quality at nine scales, less 0.01. Then prints how long 12 megapixels to 300 kB take,
and the most memory that a worker had. Exit status 1 where a check failed.

Needs the extra ``fit``, numpy and opencv-python-headless.

    python benchmarks/fit.py [--pictures 1000] [--seed 1]
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from drawn import BLUE, RED, animated, drawing, octets, photo, see_through, turned

from mm7zeep import exchange
from mm7zeep.errors import LocalError
from mm7zeep.fitting.fit import Pool, fit
from mm7zeep.messages import Part, SubmitReq

LIMITS = (30_000, 100_000, 300_000, 600_000, 1_000_000, 2_000_000)
SCALES = (1.0, 0.75, 0.6, 0.5, 0.35, 0.25, 0.18, 0.125, 0.08)
WITHIN = 0.01  # of SSIM, that ours may be worse


class Made(NamedTuple):
    """A file, and how it is to be seen; None where no pixel can be compared."""

    kind: str
    data: bytes
    seen: Image.Image | None


def photograph(seed: int) -> Made:
    """Twelve megapixels."""
    seen = photo(4000, 3000, seed)
    return Made("photo 12 MP", octets(seen, "JPEG", quality=90 + seed % 8), seen)


def oriented(seed: int) -> Made:
    """A photo in one of the eight orientations, with a place."""
    seen = photo(1280 + seed % 7 * 32, 960, seed)
    return Made(f"orientation {seed % 8 + 1}", turned(seen, seed % 8 + 1), seen)


def flat(seed: int) -> Made:
    """Areas of few colours, as JPEG."""
    seen = drawing(1000 + seed % 9 * 40, 800).resize((700 + seed % 5 * 50, 560), Image.Resampling.NEAREST)
    return Made("flat graphics", octets(seen, "JPEG", quality=95), seen)


def lines(seed: int) -> Made:
    """Line art, as PNG."""
    seen = drawing(1200 + seed % 9 * 40, 900)
    return Made("line art", octets(seen, "PNG"), seen)


def holed(seed: int) -> Made:
    """A photo in a circle, nothing around it."""
    return Made("alpha", octets(see_through(640, 480 + seed % 64), "PNG" if seed % 2 else "WEBP", lossless=True), None)


def printed(seed: int) -> Made:
    """A photo in CMYK."""
    seen = photo(1000, 750 + seed % 64, seed).convert("CMYK")
    return Made("CMYK", octets(seen, "JPEG", quality=92), seen.convert("RGB"))


def deep(seed: int) -> Made:
    """A grey photo of 16 bits."""
    grey = photo(1000, 750 + seed % 64, seed).convert("L")
    image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    return Made("16 bit", octets(image, "PNG" if seed % 2 else "TIFF"), None)


def paletted(seed: int) -> Made:
    """A photo in 8 to 256 colours."""
    seen = photo(900, 675, seed).quantize(2 ** (3 + seed % 6))
    return Made("palette", octets(seen, "PNG" if seed % 2 else "BMP"), seen.convert("RGB"))


def moving(seed: int) -> Made:
    """An animation."""
    return Made("animated", animated(200 + seed % 5 * 20, 150, 4 + seed % 9), None)


def cut(seed: int) -> Made:
    """A photo of which the end is missing."""
    data = octets(photo(1280, 960, seed), "JPEG", quality=92)
    return Made("truncated", data[: len(data) * (50 + seed % 45) // 100], None)


KINDS: tuple[Callable[[int], Made], ...] = (
    oriented, flat, lines, holed, oriented, printed, deep, paletted, moving, cut,
)  # fmt: skip


def picture(n: int, seed: int) -> Made:
    """The picture of that number: each twentieth has twelve megapixels."""
    return photograph(seed + n) if n % 20 == 10 else KINDS[n % len(KINDS)](seed + n)


# --- what is looked at ------------------------------------------------------------------------------------------------


def grey(image: Image.Image) -> np.ndarray:
    """Its lightness."""
    return np.asarray(image.convert("L"), dtype=np.float32)


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity with a Gaussian window (Wang et al., 2004)."""

    def blur(x: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(x, (11, 11), 1.5)

    c1, c2 = 6.5025, 58.5225
    mu_a, mu_b = blur(a), blur(b)
    var_a, var_b, both = blur(a * a) - mu_a**2, blur(b * b) - mu_b**2, blur(a * b) - mu_a * mu_b
    found = ((2 * mu_a * mu_b + c1) * (2 * both + c2)) / ((mu_a**2 + mu_b**2 + c1) * (var_a + var_b + c2))
    return float(found.mean())


def likeness(data: bytes, seen: np.ndarray) -> float:
    """How much a file looks like ``seen``, at the size of that."""
    made = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE).astype(np.float32)
    if made.shape != seen.shape:
        made = cv2.resize(made, (seen.shape[1], seen.shape[0]), interpolation=cv2.INTER_CUBIC).clip(0, 255)
    return ssim(seen, made)


def plain_search(image: Image.Image, budget: int, seen: np.ndarray) -> float:
    """The best that a JPEG of ``budget`` octets can be, at any of the scales."""
    best = 0.0
    for scale in SCALES:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        small = image if scale == 1 else image.resize(size, Image.Resampling.LANCZOS)
        low, high, found = 5, 95, b""
        while low <= high:
            quality = (low + high) // 2
            data = octets(small, "JPEG", quality=quality, optimize=True)
            if len(data) <= budget:
                low, found = quality + 1, data
            else:
                high = quality - 1
        if found:
            best = max(best, likeness(found, seen))
    return best


def upright(data: bytes) -> bool:
    """Whether red is in the upper left corner, as OpenCV reads it, which is told to obey no orientation."""
    made = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    corner = made[int(made.shape[0] * 0.08), int(made.shape[1] * 0.08)][::-1].astype(int)
    return bool(abs(corner - RED).max() < 90 and abs(corner - BLUE).max() > 90)


class Score:
    """What was found so far."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.failed: list[str] = []
        self.worst = 0.0
        self.differences: list[float] = []
        self.memory = 0

    def check(self, what: str, good: bool, where: str) -> None:
        """Count a check."""
        self.count[what] += 1
        if not good:
            self.failed.append(f"{what}: {where}")


def judge(made: Made, limit: int, pool: Pool, score: Score, *, compare: bool) -> None:
    """Fit one picture to one limit, and look at it."""
    where = f"{made.kind} to {limit}"
    try:
        done = fit([Part(body=made.data, name="p")], limit=limit, pool=pool)
    except LocalError as error:
        score.check("fitted", False, f"{where}: {error}")
        return
    data = done.parts[0].read()
    score.memory = max(score.memory, done.memory)
    wire = exchange.pack(SubmitReq(to="+1", vaspid="v", vasid="s"), done.parts)
    score.check("fitted", True, where)
    score.check("within the limit of the whole message", len(wire.read()) <= limit, where)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    score.check("decoded by a second decoder", read is not None, where)
    if read is None:
        return
    if made.kind not in ("alpha", "16 bit", "truncated"):
        score.check("upright", upright(data), where)
    image = Image.open(io.BytesIO(data))
    said = {"exif", "xmp", "comment", "photoshop"} & set(image.info)
    bare = not said and not image.getexif() and b"Exif\0\0" not in data and b"Maker of cameras" not in data
    score.check("without EXIF and place", bare, where)
    if compare and made.seen is not None:
        given = ImageOps.exif_transpose(Image.open(io.BytesIO(made.data))).convert("RGB")
        seen = grey(given)
        ours, best = likeness(data, seen), plain_search(given, limit - 5_000, seen)
        score.differences.append(best - ours)
        score.check("as like the original as a plain search", best - ours <= WITHIN, f"{where}: {ours:.4f}, {best:.4f}")


def cpu(pid: int) -> float:
    """Seconds that a process has had a processor for (Linux)."""
    ticks = Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]
    return int(ticks) / 1e9


def timing(count: int, seed: int) -> tuple[list[float], list[float], int]:
    """Seconds by the clock and of the processor for twelve megapixels to 300 kB, and the worker's memory in octets."""
    clock, used, memory = [], [], 0
    files = [photograph(seed + n).data for n in range(min(5, count))]
    with Pool(1) as pool:
        pool.fit(octets(Image.new("RGB", (8, 8)), "BMP"), 10_000, ("image/jpeg",))
        for n in range(count):
            before, started = cpu(pool._idle[0].pid), time.perf_counter()
            made = pool.fit(files[n % len(files)], 295_000, ("image/jpeg",))
            clock.append(time.perf_counter() - started)
            used.append(cpu(pool._idle[0].pid) - before)
            memory = max(memory, made.memory)
    return clock, used, memory


def p95(values: list[float]) -> float:
    """The 95th percentile, in milliseconds."""
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))] * 1000


def main() -> None:
    """Run, print, and end with 1 where something failed."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--pictures", type=int, default=1000)
    options.add_argument("--compare", type=int, default=5, help="each so manieth with a plain search; 0: none")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    score, started = Score(), time.monotonic()
    with Pool() as pool:
        for n in range(given.pictures):
            made = picture(n, given.seed)
            for limit in LIMITS:
                judge(made, limit, pool, score, compare=given.compare and n % given.compare == 0)
    print(f"{given.pictures} pictures x {len(LIMITS)} limits, {time.monotonic() - started:.0f} s")
    for what, count in score.count.items():
        good = count - sum(one.startswith(f"{what}:") for one in score.failed)
        print(f"  {what.ljust(40)} {good} of {count}")
    if score.differences:
        mean = sum(score.differences) / len(score.differences)
        print(f"  SSIM below that of a plain search: {mean:+.4f} on average, {max(score.differences):+.4f} at worst")
    clock, used, memory = timing(min(60, max(10, given.pictures)), given.seed)
    print(
        f"12 MP to 300 kB: p95 {p95(clock):.0f} ms by the clock, {p95(used):.0f} ms of the processor ({len(clock)} runs)"
    )
    print(f"memory of a worker at its peak: {max(memory, score.memory) / 2**20:.0f} MiB")
    for one in score.failed[:40]:
        print(f"FAILED {one}")
    sys.exit(1 if score.failed else 0)


if __name__ == "__main__":
    main()
