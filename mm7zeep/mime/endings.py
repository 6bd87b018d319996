"""Whether content that no delimiter ended is there as a whole: PNG, JPEG and GIF show their own end.

Of text nobody can know it, nor of sounds and films, whose frames may end anywhere.
"""

from __future__ import annotations

from mm7zeep.mime.bodies import Sink

_LINE_ENDS = (b"\r\n", b"\n", b"\r", b"")
_IEND = b"\0\0\0\0IEND\xaeB`\x82"  # PNG 11.2.5: always the same octets
_LONGEST = 10_000  # segments or blocks of one picture


def complete(sink: Sink, *, trim: bool = False) -> bool:
    """Whether the content is a picture with its end. ``trim``: one line end may stand behind it, and is dropped."""
    tail = sink.read_at(max(0, sink.size - 2), 2)
    for line_end in _LINE_ENDS if trim else (b"",):
        size = sink.size - len(line_end)
        if size > 8 and tail.endswith(line_end) and _ends_at(sink, size):
            sink.cut(size)
            return True
    return False


def without_line_end(sink: Sink) -> bool:
    """Whether the content ends with a line end; that one is dropped."""
    tail = sink.read_at(max(0, sink.size - 2), 2)
    line_end = next(one for one in _LINE_ENDS if tail.endswith(one))
    sink.cut(sink.size - len(line_end))
    return line_end.endswith(b"\n")


def _ends_at(sink: Sink, size: int) -> bool:
    head = sink.read_at(0, 13)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return sink.read_at(size - len(_IEND), len(_IEND)) == _IEND
    if head.startswith(b"\xff\xd8\xff"):
        return sink.read_at(size - 2, 2) == b"\xff\xd9" and _jpeg_scan(sink, size)
    if head.startswith((b"GIF87a", b"GIF89a")):
        return sink.read_at(size - 1, 1) == b";" and _gif_end(sink, head, size)
    return False


def _jpeg_scan(sink: Sink, size: int) -> bool:
    """Whether the data of the picture has begun: the end marker before that is one of a thumbnail (T.81 B.1.1)."""
    at = 2
    for _ in range(_LONGEST):
        marker = sink.read_at(at, 4)
        if len(marker) < 4 or marker[0] != 0xFF or at >= size:
            return False
        if marker[1] == 0xDA:  # start of scan
            return True
        at += 2 + int.from_bytes(marker[2:4], "big")
    return False


def _gif_end(sink: Sink, head: bytes, size: int) -> bool:
    """Whether the trailer that stands last is reached block by block (GIF89a 27)."""
    at = 13 + (3 << (head[10] % 8 + 1) if head[10] & 0x80 else 0)
    for _ in range(_LONGEST):
        kind = sink.read_at(at, 10)
        if kind[:1] == b";":
            return at == size - 1
        if kind[:1] == b"!":
            at += 2
        elif kind[:1] == b"," and len(kind) == 10:
            at += 11 + (3 << (kind[9] % 8 + 1) if kind[9] & 0x80 else 0)
        else:
            return False
        while (length := sink.read_at(at, 1)) not in (b"", b"\0"):
            at += 1 + length[0]
            if at >= size:
                return False
        at += 1
    return False
