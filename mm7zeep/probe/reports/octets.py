"""Octets as people read them: as text, in which what cannot be read is an escape, and as hex, with one place marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mm7zeep.transport.pages import escaped


@dataclass(frozen=True, slots=True)
class Window:
    """A part of octets around a place: what stands ``before`` it, ``at`` it and ``after`` it, and how many octets
    are left out at either end. Without a place all is ``before``.
    """

    before: bytes
    at: bytes
    after: bytes
    cut_before: int
    cut_after: int


def window(data: bytes, offset: int | None, most: int) -> Window:
    """At most ``most`` octets of ``data`` around ``offset``: its first ones for None, or for one outside."""
    if offset is None or not 0 <= offset <= len(data):
        return Window(data[:most], b"", b"", 0, max(0, len(data) - most))
    begin = 0 if len(data) <= most else min(max(0, offset - most // 2), len(data) - most)
    end = min(len(data), begin + most)
    after = offset + 1
    while data[offset : offset + 1] >= b"\xc0" and after < min(end, offset + 4) and data[after] & 0xC0 == 0x80:
        after += 1  # the whole of a character in UTF-8
    return Window(data[begin:offset], data[offset:after], data[after:end], begin, len(data) - end)


def text(data: bytes) -> str:
    """Octets as text of several lines. CR LF is a line break; a lone one of them is told, as is all that cannot be
    read: an escape stands for each, so that nothing can steer a terminal, and XML can hold it.
    """
    lines = data.replace(b"\\", b"\\\\").split(b"\r\n") if _escapes(data) else data.split(b"\r\n")
    return "\n".join("\\n\n".join(map(_line, one.split(b"\n"))) for one in lines)


def _escapes(data: bytes) -> bool:
    """Whether escapes come in, so that a backslash must be told from one."""
    return _line(data.replace(b"\r\n", b"")) != data.replace(b"\r\n", b"").decode("utf-8", "replace")


def _line(data: bytes) -> str:
    return escaped(data.decode("utf-8", "backslashreplace").replace("\r", "\\r").replace("\t", "\\t"))


def hex_lines(data: bytes, begin: int = 0) -> Iterator[tuple[str, list[str], str]]:
    """Sixteen octets a line: the offset of the first, each in two digits, all as characters. ``begin`` is the offset of
    the first octet of ``data``; a line begins at a multiple of 16 but for the first.
    """
    place = 0
    while place < len(data):
        size = 16 - (begin + place) % 16
        row = data[place : place + size]
        shown = "".join(chr(one) if 32 <= one < 127 else "." for one in row)
        yield f"{begin + place:08x}", [f"{one:02x}" for one in row], shown
        place += len(row)


def heading(data: bytes, lines: int, width: int) -> list[str]:
    """The first lines of octets, each cut to ``width`` characters, with what was left out told in a last one."""
    every = text(data[: lines * width * 2]).split("\n")
    shown = [one if len(one) <= width else one[: width - 3] + "..." for one in every[:lines]]
    if len(every) > lines or len(data) > lines * width * 2:
        shown.append(f"... ({len(data)} octets)")
    return shown
