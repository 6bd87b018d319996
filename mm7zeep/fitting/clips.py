"""Audio and video made smaller by a command of the caller's, ``ffmpeg``; without one they are as they are.

The command reads one file and writes another, in a folder of its own, and is killed after a time.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from mm7zeep import media

_SECONDS = 120.0
_VIDEO = ("video/mp4", "video/3gpp")
_SOUND = 16_000  # bits a second, beside a picture
_LEAST = 24_000  # bits a second, below which nothing is to be seen


def shortened(data: bytes, kind: str, budget: int, allowed: tuple[str, ...], command: str) -> tuple[bytes, str] | str:
    """The clip within ``budget`` octets and its media type; or why there is none."""
    video = media.media_class(kind) == "video"
    target = next((one for one in (*_VIDEO,) if one in allowed), None) if video else "audio/amr"
    if target is None or target not in allowed:
        return "the carrier takes no type that it could be coded in"
    length = media.length(data)
    if length is None or length.total_seconds() <= 0:
        return "how long it plays is not known"
    rate = int(budget * 8 * 0.92 / length.total_seconds())
    if rate < (_LEAST if video else 4_750):
        return f"{length.total_seconds():.0f} s of it do not fit into {budget} octets"
    row = media.lookup(target)
    ending = row.extensions[0] if row is not None else "mp4"
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "source", Path(folder) / f"made.{ending}"
        source.write_bytes(data)
        words = [command, "-nostdin", "-v", "error", "-protocol_whitelist", "file", "-i", str(source)]
        words += ["-map_metadata", "-1"]
        if video:
            scale = "scale='min(640,iw)':-2"
            words += ["-c:v", "mpeg4" if target == "video/3gpp" else "libx264", "-pix_fmt", "yuv420p", "-vf", scale]
            words += ["-b:v", str(rate - _SOUND), "-maxrate", str(rate - _SOUND), "-bufsize", str(rate)]
            words += ["-c:a", "aac", "-b:a", str(_SOUND), "-ac", "1"]
        else:
            words += ["-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1", "-b:a", _amr_rate(rate)]
        try:
            done = subprocess.run(  # noqa: S603 - the command is the caller's own
                [*words, "-y", str(made)], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return f"{command} was not done after {_SECONDS:.0f} s"
        except OSError as error:
            return f"{command} does not start: {error.strerror}"
        if done.returncode or not made.exists():
            return f"{command} ended with {done.returncode}"
        if made.stat().st_size > budget:
            return f"{command} made {made.stat().st_size} octets of it, more than {budget}"
        return made.read_bytes(), target


def _amr_rate(rate: int) -> str:
    """The highest rate of AMR that is no more than ``rate`` bits a second (TS 26.071)."""
    rates = (12_200, 10_200, 7_950, 7_400, 6_700, 5_900, 5_150, 4_750)
    return str(next((one for one in rates if one <= rate), rates[-1]))
