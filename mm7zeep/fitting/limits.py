"""What one picture may cost a worker.

Values only; who keeps them is ``pool`` and ``worker``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from mm7zeep.errors import LocalError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one picture may cost: more is refused, and nothing else suffers.

    ``octets`` of the file; ``pixels`` of one picture; ``frames`` of an animation, or pages, and ``all_pixels`` of all
    of them together; ``scans`` of a progressive JPEG; ``seconds`` of processor time for up to 12 megapixels, in
    proportion for more, and three times as many for HEIC and AVIF; ``wait`` seconds by the clock, however busy the
    machine is; ``memory`` octets of address space of a worker (RLIMIT_AS; not on Windows).

    Raises ``LocalError`` for a limit that is no positive number.
    """

    octets: int = 64 * 1024 * 1024
    pixels: int = 64_000_000
    frames: int = 600
    all_pixels: int = 200_000_000
    scans: int = 40
    seconds: float = 1.8
    wait: float = 30.0
    memory: int = 1536 * 1024 * 1024

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise LocalError(f"Limits.{name} is a positive number, not {value!a}")
