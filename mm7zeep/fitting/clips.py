"""Audio and video made smaller by a command of the caller's, ``ffmpeg``; without one they are as they are.

The command reads one file and writes another, in a folder of its own, and is killed after a time. It is told what the
file is, by its octets or label: a playlist under another's name would have it read other files.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from mm7zeep import media

_SECONDS = 120.0  # for one clip, with all that is tried
_TRIES = 3
_VIDEO = ("video/mp4", "video/3gpp")
_SOUND = 16_000  # bits a second, beside a picture
_LEAST_VIDEO, _LEAST_AUDIO = 24_000, 4_750  # bits a second, below which nothing is to be seen or heard
_USED = 0.92  # of the budget, that the streams may have: the container needs some, and a coder overshoots

_ISO, _MATROSKA = "mov", "matroska"
_DEMUXERS: Mapping[str, str] = MappingProxyType({
    "video/mp4": _ISO, "video/3gpp": _ISO, "video/3gpp2": _ISO, "video/quicktime": _ISO, "audio/mp4": _ISO,
    "audio/3gpp": _ISO, "audio/3gpp2": _ISO, "video/webm": _MATROSKA, "audio/webm": _MATROSKA, "video/mpeg": "mpeg",
    "video/x-msvideo": "avi", "video/ogg": "ogg", "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/wav": "wav",
    "audio/amr": "amr", "audio/amr-wb": "amr", "audio/aac": "aac", "audio/basic": "au",
})  # fmt: skip
"""What reads each type, in ffmpeg's words."""


class _Failed(Exception):
    """Why the command made nothing."""


def shortened(data: bytes, kind: str, budget: int, allowed: tuple[str, ...], command: str) -> tuple[bytes, str] | str:
    """The clip within ``budget`` octets and its media type; or why there is none."""
    video = media.media_class(kind) == "video"
    target = next((one for one in _VIDEO if one in allowed), None) if video else "audio/amr"
    if target is None or target not in allowed:
        return "the carrier takes no type that it could be coded in"
    if kind not in _DEMUXERS:
        return f"{kind} is no type that it is made of"
    with tempfile.TemporaryDirectory() as folder:
        work = _Command(command, Path(folder), kind)
        work.source.write_bytes(data)
        try:
            return work.fitted(data, video, target, budget), target
        except _Failed as failed:
            return str(failed)


class _Command:
    """One clip under the command."""

    def __init__(self, command: str, folder: Path, kind: str) -> None:
        self.command, self.folder, self.kind = command, folder, kind
        self.name = Path(command).name
        self.source = folder / "source"
        self._until = time.monotonic() + _SECONDS

    def fitted(self, data: bytes, video: bool, target: str, budget: int) -> bytes:
        """The clip within ``budget`` octets. Raises ``_Failed``."""
        seconds = self._length(data)
        least = _LEAST_VIDEO if video else _LEAST_AUDIO
        rate = int(budget * 8 * _USED / seconds)
        row = media.lookup(target)
        made = self.folder / f"made.{row.extensions[0] if row is not None else 'mp4'}"
        size = 0
        for _ in range(_TRIES):
            if rate < least:
                break
            coding = _video(target, rate) if video else _audio(rate)
            self._run(["-map_metadata", "-1", "-map_chapters", "-1", *coding, "-y", str(made)])
            if not made.exists():
                raise _Failed(f"{self.name} made nothing of it")
            size = made.stat().st_size
            if size <= budget:
                return made.read_bytes()
            rate = int(rate * budget / size * 0.95)
        if size:
            raise _Failed(f"{self.name} made {size:,} octets of it, more than {budget:,}")
        raise _Failed(f"{seconds:.0f} s of it do not fit into {budget:,} octets")

    def _length(self, data: bytes) -> float:
        """Seconds that it plays: by what the file says, or by decoding it. Raises ``_Failed``."""
        said = media.length(data)
        if said is not None and said.total_seconds() > 0:
            return said.total_seconds()
        told = self._run(["-progress", "pipe:1", "-f", "null", "-"])
        found = re.findall(rb"(?m)^out_time_us=([0-9]+)", told)
        if not found or not int(found[-1]):
            raise _Failed("how long it plays is not known")
        return int(found[-1]) / 1_000_000

    def _run(self, words: Sequence[str]) -> bytes:
        """What the command prints. Raises ``_Failed``."""
        reading = ["-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe", "-f", _DEMUXERS[self.kind]]
        left = max(0.1, self._until - time.monotonic())
        try:
            done = subprocess.run(  # noqa: S603 - the command is the caller's own
                [self.command, *reading, "-i", str(self.source), *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=left,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _Failed(f"{self.name} was not done after {_SECONDS:.0f} s") from None
        except OSError as error:
            raise _Failed(f"{self.name} does not start: {error.strerror}") from error
        if done.returncode:
            raise _Failed(f"{self.name} ended with {done.returncode}")
        return done.stdout


def _video(target: str, rate: int) -> list[str]:
    coder = "mpeg4" if target == "video/3gpp" else "libx264"
    picture = ["-c:v", coder, "-pix_fmt", "yuv420p", "-vf", "scale='min(640,iw)':-2"]
    bits = str(rate - _SOUND)
    return [*picture, "-b:v", bits, "-maxrate", bits, "-bufsize", str(rate), "-c:a", "aac", "-b:a", str(_SOUND),
            "-ac", "1"]  # fmt: skip


def _audio(rate: int) -> list[str]:
    return ["-vn", "-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1", "-b:a", _amr_rate(rate)]


def _amr_rate(rate: int) -> str:
    """The highest rate of AMR that is no more than ``rate`` bits a second (TS 26.071)."""
    rates = (12_200, 10_200, 7_950, 7_400, 6_700, 5_900, 5_150, 4_750)
    return str(next((one for one in rates if one <= rate), rates[-1]))
