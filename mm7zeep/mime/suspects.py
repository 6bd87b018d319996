"""Octets that a broken delimiter would have swallowed: near copies of a delimiter, and part headers without one.

Nobody can say what a sender meant, so the rules are made to refuse what would otherwise lose a part in silence, and to
allow for what text and binary content hold by nature:

- A line is a *near copy* of a delimiter where it differs from it by a typing error: up to two octets, any dashes and
  blanks around it, another case, a line break that is missing before or behind it. That is only asked of boundaries of
  six octets or more (their dashes and blanks at the ends left out): a shorter one resembles ``-- `` before a signature,
  the rule of a table or the option of a command, and what senders generate is far longer.
- A *part header* in the midst of content is a run of header lines that begins with a Content- field of MIME and is
  followed by an empty line, or holds two such fields. It betrays a delimiter that is missing altogether, or that is too
  short to be known by its looks. What begins as a mail or an HTTP message itself may hold such lines, and what is a
  multipart of its own by its type (OMA DRM), up to its last delimiter. In a text that has a name, a lone Content-Type
  of a text without one is content, and noted: a sender names all its parts, or none.
- The delimiter of a multipart that was left without its last one must not come again.

With nothing but blanks behind it, up to the delimiter of an outer multipart or to the end of the body, a near copy with
a dash at its end is the last delimiter, mistyped; there, short boundaries are compared, too.

Looks only at the octets it is given; time is linear in them, and a line is judged only once it is complete, so that
nothing depends on the pieces in which the octets arrive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from mm7zeep.mime.delimiters import TAIL, Level, show

KEPT = 1400  # more than any delimiter line may have
"""Octets before the end of what arrived that are not judged before more has come."""
BEHIND = 300  # more than any boundary has
"""Octets before those in hand that are needed to see the beginning of a line."""

_JUDGED = 400  # octets of a line that are judged
_LEAST = 6  # octets of a boundary from which on near copies are looked for
_SURE = 10  # octets of a boundary of which a copy is no chance, whatever stands behind it
_BLANKS = 200  # octets of blanks behind a mistyped last delimiter
_HEADER = 2048  # octets of header lines in the midst of content that are read to their end
_MISSES = 50  # dashed lines that are no near copies, before a pattern of their own is compiled for the boundaries
_MOST = 20_000  # lines that share half of a long boundary, name it or look like a field: no content has as many
_DASHED = re.compile(rb"\n--([^\r\n]{1,600})")
_FIELD = re.compile(
    rb"\n(?:--[^\r\n]{0,100}?)?((?i:content-)(?i:type|id|location|transfer-encoding|disposition)[ \t]*:[^\r\n]*)"
)
_TELLING = re.compile(
    rb"(?i:content-type[ \t]*:[ \t]*[a-z]+/[\w.+-]|content-(?:id|location)[ \t]*:[ \t]*\S"
    rb"|content-transfer-encoding[ \t]*:[ \t]*(?:7bit|8bit|binary|base64|quoted-printable)"
    rb"|content-disposition[ \t]*:[ \t]*(?:inline|attachment|form-data))"
)
_QUOTED = re.compile(
    rb"(?i)content-type[ \t]*:[ \t]*(?:text/|application/(?:json|[a-z+]*xml|x-www-form-urlencoded))"
    rb"(?!.*\bname\*?[ \t]*=)"
)
_BOUNDARY = re.compile(rb"(?i:boundary)[ \t]*=[ \t]*(?:\"([^\"\r\n]*)\"|([^\s;\"]+))")
_LINE = re.compile(rb"(?:[!-9;-~]{1,80}[ \t]*:|[ \t]+\S)[^\r\n]*\Z")
_MESSAGE = re.compile(
    rb"\s*(?:(?:HTTP/\d|[A-Z]+ \S+ HTTP/\d)"
    rb"|(?i:from|to|date|subject|received|return-path|mime-version|message-id)[ \t]*:)"
    rb"[^\n]*\n(?:[!-9;-~]+[ \t]*:|[ \t]+\S)"
)
# A short line that begins or ends with a dash: all that a mistyped delimiter of a short boundary need have.
# Word processors make long dashes of two (of Windows-1252 and in UTF-8).
_DASH_FIRST = re.compile(rb"\n-(?:[ -~\x96\x97]|\xe2\x80[\x90-\x95]){0,90}(?=\r?\n)")
_DASH_LAST = re.compile(rb"\n[ -~]{0,90}-(?=\r?\n)")


class Suspicion(NamedTuple):
    """What was found at the line end ``start``: ``hold`` it until more has come, a ``lost`` delimiter, or a mistyped
    last one (``end``) of the multipart at ``depth``.
    """

    start: int
    verdict: str
    id: str = "mime/boundary-near-miss"
    detail: str = ""
    depth: int = -1


class _Name(NamedTuple):
    depth: int
    name: bytes
    core: bytes  # without the dashes and blanks at its ends


class Suspects:
    """Looks for what broken delimiters leave behind, in the content of the multiparts that are open now."""

    def __init__(self) -> None:
        self.quoted: tuple[int, str] | None = None  # the line end before header lines in a text, and the first of them
        self.arm((), ())

    def arm(self, levels: Sequence[Level], left: Sequence[tuple[bytes, bool]]) -> None:
        """Look for copies of the boundaries of ``levels``. The delimiters of those ``left`` must not come again, with
        True not even the last one.
        """
        self._names = [
            _Name(depth, name, name.strip(b"- \t")) for depth, level in enumerate(levels) for name, _ in level.names
        ][::-1]
        self._long = [one for one in self._names if len(one.core) >= _LEAST]
        self._short = [one for one in self._names if len(one.core) < _LEAST]
        self._left = [(b"\n--" + name, closing) for name, closing in left]
        self._misses = self._mentions = self._fields = 0
        self._pattern: re.Pattern[bytes] | None = None

    def look(
        self,
        data: bytes,
        at: int,
        upto: int,
        *,
        ends: bool,
        head: bytes | None,
        held: int = 0,
        named: Callable[[], bool] | None = None,
    ) -> Suspicion | None:
        """The first suspicion in ``data[at:upto]``, content whose line end before it stands before ``at``.

        ``ends``: a delimiter or the end of the body stands at ``upto``. ``head`` is the beginning of the part before
        ``at``, which tells whether it may hold header lines; None for what may not, since it is no part. Before
        ``held`` it does so by its type. ``named`` tells whether it is a text from a sender that names its parts: a lone
        Content-Type of a text is then content, and noted in ``quoted``.
        """
        if data.find(b"-", at - 1, upto + KEPT) < 0 and self._bare(data, at, upto)[1] is None:
            return None  # base64, mostly
        found = [*self._near(data, at, upto, ends), *self._again(data, at, upto)]
        stop = min((one.start for one in found), default=upto)
        if held < stop:
            found += self._headers(data, max(at, held), stop, ends, head, named)
        if not found and ends:
            found += self._short_end(data, at, upto)
        return min(found, key=lambda one: one.start, default=None)

    def dashes(self, data: bytes, at: int, upto: int, *, ends: bool) -> bool:
        """Whether a short line begins or ends with a dash, or the closing delimiter of an open multipart stands in one.

        Of a multipart without its last delimiter that line may be what was meant for it.
        """
        if ends:
            data = data[at - 1 : upto] + b"\n"
            at, upto = 1, len(data)
        low, high = at - 1, upto + KEPT
        if data.find(b"-", low, high) < 0:
            return False
        if (found := _DASH_FIRST.search(data, low, high)) is not None and found.start() < upto:
            return True
        if (found := _DASH_LAST.search(data, low, high)) is not None and found.start() < upto:
            return True
        return any(0 <= data.find(b"--" + one.name + b"--", at, high) < upto for one in self._short)

    # --- near copies --------------------------------------------------------------------------------------------------

    def _near(self, data: bytes, at: int, upto: int, ends: bool) -> Iterator[Suspicion]:
        """The first near copy of a long boundary."""
        first = min((self._dashed(data, at, upto, ends), self._bare(data, at, upto)), key=lambda one: one[0])
        start, one = first
        if one is None:
            return
        end = self._line_end(data, start + 1)
        line = data[start + 1 : end]
        if line.partition(b"--" + one.name)[0].strip(b"- \t") and b"--" + one.name in line:
            yield Suspicion(start, "lost", detail=show(line[-300:]))  # its line break is missing: where does it begin?
            return
        rest = data[end:upto]
        if not rest.strip(b" \t\r\n") and len(rest) <= _BLANKS:
            if not ends:
                yield Suspicion(start, "hold")
                return
            if _is_last(line, one.name):
                yield Suspicion(start, "end", detail=show(line), depth=one.depth)
                return
        yield Suspicion(start, "lost", detail=show(line))

    def _dashed(self, data: bytes, at: int, upto: int, ends: bool) -> tuple[int, _Name | None]:
        """A near copy that begins with two dashes, by the line end before it."""
        if not self._long:
            return upto, None
        start, stop = at - 1, upto if ends else upto + KEPT
        while (found := (self._pattern or _DASHED).search(data, start, stop)) is not None and found.start() < upto:
            line = data[found.start() + 3 : min(self._line_end(data, found.start() + 1), found.start() + 603)]
            for one in self._long:
                if _nearly(line, one.core):
                    return found.start(), one
            self._misses += 1
            if self._misses == _MISSES:
                self._compile()
            if self._misses > _MOST:
                return found.start(), self._long[0]
            start = found.start() + 1
        return upto, None

    def _compile(self) -> None:
        """Only lines that share a half with a boundary; one typing error leaves the other half as it is."""
        choice = []
        for one in self._long:
            half = len(one.core) // 2
            head, tail = re.escape(one.core[:half]), re.escape(one.core[half:])
            choice.append(rb"[- \t]*(?i:%s)|[^\r\n]{0,%d}?(?i:%s)" % (head, len(one.name) + 8, tail))
        self._pattern = re.compile(rb"\n--(?:%s)" % b"|".join(choice))

    def _bare(self, data: bytes, at: int, upto: int) -> tuple[int, _Name | None]:
        """A copy whose dashes are wrong, or that stands at the end of another line."""
        best: tuple[int, _Name | None] = (upto, None)
        for one in self._long:
            place = data.find(one.core, at, min(len(data), best[0] + len(one.core)))
            while 0 <= place < best[0]:
                start = data.rfind(b"\n", max(0, place - len(one.name) - 8), place)
                end = self._line_end(data, place)
                shown = start if start >= 0 else max(0, place - len(one.name) - 9)  # of a long line no more
                if _is_bare(data, start, place, end, one):
                    best = (shown, one)
                    break
                self._mentions += len(one.core) >= _SURE
                if self._mentions > _MOST:
                    best = (shown, one)
                    break
                place = data.find(one.core, place + 1, min(len(data), best[0] + len(one.core)))
        return best

    @staticmethod
    def _line_end(data: bytes, at: int) -> int:
        end = data.find(b"\n", at, at + _JUDGED)
        if end < 0:
            return min(len(data), at + _JUDGED)
        return end - 1 if data[end - 1 : end] == b"\r" else end

    def _short_end(self, data: bytes, at: int, upto: int) -> Iterator[Suspicion]:
        """The last line, where it was meant to be the last delimiter of a short boundary."""
        low = max(at - 1, upto - _BLANKS - _JUDGED)
        last = data[low:upto].rstrip(b" \t\r\n")
        if upto - low - len(last) > _BLANKS or (start := low + last.rfind(b"\n")) < low:
            return
        line = data[start + 1 : low + len(last)]
        for one in self._names:
            core = line.strip(b"- \t")
            alike = core == one.core or (len(one.core) > 2 and line.startswith(b"--") and _apart(core, one.core) <= 1)
            if core and one.core and alike and line.startswith(b"-") and _is_last(line, one.name):
                yield Suspicion(start, "end", detail=show(line), depth=one.depth)
                return

    def _again(self, data: bytes, at: int, upto: int) -> Iterator[Suspicion]:
        for needle, closing in self._left:
            place = data.find(needle, at - 1, min(len(data), upto + len(needle)))
            while 0 <= place < upto:
                tail = TAIL.match(data, place + len(needle))
                if tail is not None and (closing or tail[1] is None):
                    yield Suspicion(place, "lost", detail=show(data[place + 1 : tail.end()]))
                    break
                place = data.find(needle, place + 1, min(len(data), upto + len(needle)))

    # --- part headers -------------------------------------------------------------------------------------------------

    def _headers(
        self, data: bytes, at: int, upto: int, ends: bool, head: bytes | None, named: Callable[[], bool] | None
    ) -> Iterator[Suspicion]:
        """The first part header in the midst of content."""
        start, stop = at - 1, upto if ends else upto + KEPT
        while (found := _FIELD.search(data, start, stop)) is not None and found.start() < upto:
            end, suspicious = _header_end(data, found, upto if ends else len(data), ends=ends)
            if end < 0:
                yield Suspicion(found.start(), "hold")
                return
            if head is None and any(_gives(data[found.start() : end], one.name) for one in self._names):
                suspicious = False  # the head of the package itself, once more, before its first delimiter
            self._fields += 1
            suspicious = suspicious or self._fields > _MOST
            if suspicious:
                before = (head or b"") + data[at : found.end()]
                if head is not None and _MESSAGE.match(before[:600]):
                    return
                quoted = self._fields <= _MOST and _is_quoted(data[found.start(1) : end])
                detail = found[1][:100].decode("latin-1")
                if not (quoted and named is not None and named()):
                    yield Suspicion(found.start(), "lost", "mime/delimiter-missing", detail)
                    return
                self.quoted = self.quoted or (found.start(), detail)
            start = max(end - 1, found.start() + 1)


def _is_quoted(header: bytes) -> bool:
    """Whether header lines are what a text about headers holds, and no part of a sender that names its parts has."""
    lines = [line for line in header.splitlines() if _TELLING.match(line)]
    return len(lines) == 1 and _QUOTED.match(lines[0]) is not None


def _gives(header: bytes, boundary: bytes) -> bool:
    """Whether header lines give ``boundary`` as a parameter."""
    return any((one[1] or one[2]) == boundary for one in _BOUNDARY.finditer(header))


def _header_end(data: bytes, found: re.Match[bytes], stop: int, *, ends: bool) -> tuple[int, bool]:
    """Where the header lines from ``found`` on end, and whether they are a part header; -1 where more must come."""
    at, telling = found.start(1), 0
    while at - found.start() <= _HEADER:
        end = data.find(b"\n", at, min(stop, at + _JUDGED))
        if end < 0 and not ends and stop - at < _JUDGED:
            return -1, False
        if end < 0 and stop - at >= _JUDGED:
            return at, telling > 1
        line = data[at : end if end >= 0 else stop].rstrip(b"\r")
        if not line:
            return at, telling > 0
        if at != found.start(1) and not _LINE.match(line):
            return at, telling > 1
        telling += _TELLING.match(line) is not None
        if end < 0:
            return stop, telling > 1
        at = end + 1
    return at, True  # so many of them are no text


# --- likeness ---------------------------------------------------------------------------------------------------------


def nearly(line: bytes, boundary: bytes | None) -> bool:
    """Whether what follows the two dashes of a line was meant to be ``boundary``, if there is one."""
    core = (boundary or b"").strip(b"- \t")
    return _nearly(line, core) if len(core) >= _LEAST else bool(core) and line.strip(b"- \t") == core


def _nearly(line: bytes, boundary: bytes) -> bool:
    core, due = line.strip(b"- \t").lower(), boundary.lower()
    if core == due:
        return True
    if abs(len(core) - len(due)) > 2:
        return core.startswith((due + b" ", due + b"--")) or (len(due) >= _SURE and core.startswith(due))
    return _apart(core, due) <= 2


def _is_bare(data: bytes, start: int, place: int, end: int, one: _Name) -> bool:
    """Whether the boundary at ``place`` in the line from ``start`` to ``end`` was meant as a delimiter."""
    before, behind = data[start + 1 : place], data[place + len(one.core) : end]
    if start >= 0 and not before.startswith(b"--"):
        strange = len(before.strip(b"- \t")) + len(behind.strip(b"- \t"))
        if strange <= 1 and (b"-" in before + behind or len(one.core) >= _SURE):
            return True
    lead = one.name.find(one.core)
    whole = data[max(0, place - lead - 2) : place - lead + len(one.name)] == b"--" + one.name
    inside = start < 0 or start + 1 < place - lead - 2
    return whole and inside and not behind.strip(b"- \t")


def _is_last(line: bytes, boundary: bytes) -> bool:
    """Whether a near copy of a delimiter was meant to be the last one: a dash stands where only that one has any.

    Where more than one octet too many stands before it, they may be content, whose line end is missing. A line that is
    no more than the beginning of the delimiter has its dashes from the boundary: it may be an opening one, cut off.
    """
    line = line.rstrip(b" \t\r")
    if (b"--" + boundary).startswith(line):
        return False
    lead = len(line) - len(line.lstrip(b"- \t"))
    if lead > 3 + len(boundary) - len(boundary.lstrip(b"- \t")):
        return False
    return (line.endswith(b"-") and not boundary.endswith(b"-")) or b"--" + boundary + b"-" in line


def _apart(one: bytes, other: bytes) -> int:
    """How many octets two lines differ by, in one place."""
    head = _shared(one, other)
    tail = min(_shared(one[::-1], other[::-1]), min(len(one), len(other)) - head)
    return max(len(one), len(other)) - head - tail


def _shared(one: bytes, other: bytes) -> int:
    """How many octets two lines have in common at the front."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
