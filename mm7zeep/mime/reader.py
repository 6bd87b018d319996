"""The streaming reader: octets in as they come, a ``Package`` out at the end.

What is no larger than a part that is kept in memory is gathered, and where it is plain, split at once (``layouts``).
All else is one pass over the octets: the next delimiter line of any open multipart is looked for, what lies before it
goes to the part in hand. Only an unfinished last line is kept back, so time is linear in the body and memory does not
depend on it. Raises ``MimeError`` for what has no SOAP part at all and ``LimitError`` for what exceeds the limits;
never anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mm7zeep.errors import RemoteError
from mm7zeep.mime.assembly import assemble
from mm7zeep.mime.bodies import Sink
from mm7zeep.mime.delimiters import Delimiter, Delimiters, Level, show
from mm7zeep.mime.drafts import Draft, Notes, boundary_of, over_limit
from mm7zeep.mime.layouts import plain_head, read_plain
from mm7zeep.mime.suspects import BEHIND, KEPT, Suspects, Suspicion, nearly
from mm7zeep.mime.tree import Ending, Limits, Node, Package

_STEP = 16384  # octets gathered before they are looked at, so that tiny chunks cost no more than large ones
_WINDOW = 65536  # octets looked at in one go
_TEXT = re.compile(rb"[^ \t\r\n]")


class Reader:
    """Takes one package apart while it arrives: ``feed`` its octets, then ``finish``.

    ``headers`` are the fields of the HTTP head (or of any head around the body), of which Content-Type matters;
    without one the body is taken by its first characters. ``content_length`` is the announced size, if known. Once an
    error was raised, every further call raises it again.
    """

    def __init__(
        self, headers: Iterable[tuple[str, str]], limits: Limits | None = None, *, content_length: int | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._notes = Notes()
        self._failed: RemoteError | None = None
        self._package: Package | None = None
        self._content_length = content_length
        self._total = 0
        self._lines = 0
        self._parts = 0
        self._pending: list[bytes] = []
        self._pending_size = 0
        # Some octets before the first unread one are kept, since a line end before a delimiter is part of it. Before
        # the first octet of the body one is made up.
        self._data = b"\n"
        self._at = 1
        self._base = -1  # where _data begins in the body
        self._levels: list[Level] = []
        self._leaf: Draft | None = None
        self._header: Draft | None = None
        self._tree: Node | None = None
        self._outside_noted = False
        self._left: list[tuple[bytes, bool]] = []  # boundaries whose delimiters must not come again
        self._lost: tuple[str, int, str] | None = None  # what was noted of a delimiter that was lost; one is enough
        self._dashes = False  # whether the content since the last delimiter has a short line of dashes
        self._ending: Ending = "closed"
        self._headers = headers = tuple(headers)
        self._whole = content_length is None  # whether what came is still all in ``_pending``, for ``read_plain``
        self._plain = plain_head(headers, self._limits) if self._whole else None
        self._begun = False
        if self._plain is None:
            try:
                self._begin(headers)
            except RemoteError as error:
                self._failed = error

    def _begin(self, headers: Iterable[tuple[str, str]]) -> None:
        self._begun = True
        self._delimiters = Delimiters(self._limits.boundary)
        self._suspects = Suspects()
        self._top = Draft(-1, self._limits, self._notes)
        if self._content_length is not None and self._content_length > self._limits.body:
            raise self._too_large(self._content_length)
        self._top.read_outer_header(headers)
        media_type = self._top.content_type.media_type
        if media_type and not media_type.startswith("multipart/"):
            self._leaf = self._top
            return
        boundary = boundary_of(self._top.content_type, -1, self._limits, self._notes) if media_type else None
        if media_type and boundary is None:
            self._notes.take("mime/boundary-present", -1)
        self._push(self._top, boundary)

    # --- in and out ---------------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take the next octets of the body, however many. Raises ``LimitError`` when a limit is exceeded."""
        with self._guard():
            self._total += len(data)
            if self._total > self._limits.body:
                raise self._too_large(self._total)
            if len(data) > _WINDOW:
                view = memoryview(data)
                for start in range(0, len(data), _WINDOW):
                    self._gather(bytes(view[start : start + _WINDOW]))
            else:
                self._gather(bytes(data))

    def finish(self) -> Package:
        """The body is complete: give the package. Raises ``MimeError`` if there is no SOAP part, or as ``feed``."""
        with self._guard():
            if self._package is None and self._whole:
                body = b"".join(self._pending)
                plain = self._plain
                self._package = read_plain(plain, body, self._limits) if plain is not None else None
                self._pending = [body]
            if self._package is None:
                self._run(final=True)
                tree = self._close_all()
                self._package = assemble(tree, self._top.content_type, self._notes, self._limits, self._ending)
            return self._package

    def _guard(self) -> _Guard:
        if self._failed is not None:
            raise self._failed
        return _Guard(self)

    def fail(self, error: RemoteError) -> None:
        """Remember the error, and drop what was read."""
        self._failed = error
        self._levels, self._leaf, self._header, self._pending, self._data = [], None, None, [], b""

    def _too_large(self, size: int) -> RemoteError:
        most = self._limits.body
        return over_limit(self._notes, most, f"a body of {size} octets or more; {most} are allowed")

    def _root_too_large(self) -> RemoteError:
        return over_limit(self._notes, 0, f"an envelope of more than {self._limits.root} octets")

    def _gather(self, data: bytes) -> None:
        self._pending.append(data)
        self._pending_size += len(data)
        self._lines += data.count(b"\n")
        if self._whole and self._total <= self._limits.spool:
            return
        if self._pending_size >= _STEP:
            self._whole = False
            self._run(final=False)

    def _run(self, *, final: bool) -> None:
        if not self._begun:
            self._begin(self._headers)
        keep = max(0, self._at - BEHIND)
        self._data = b"".join((self._data[keep:], *self._pending))
        self._base += keep
        self._at -= keep
        self._pending, self._pending_size = [], 0
        going = True
        while going:
            going = self._content(final) if self._header is None else self._header_lines(self._header, final)

    # --- content and delimiters ---------------------------------------------------------------------------------------

    def _content(self, final: bool) -> bool:
        """Go on to the next delimiter; False where more octets are needed."""
        if self._levels and self._levels[-1].sniffing and not self._sniff(final):
            return False
        data, at = self._data, self._at
        found = self._delimiters.find(data, at - 1)
        if found is None:
            self._take(len(data) if final else self._delimiters.safe(data, at), ends=final)
            return False
        # RFC 2046 5.1.1: the line end before a delimiter belongs to it; where that ended a header, nothing lies
        # between.
        line_end = found.start
        crlf = line_end < at or data[line_end - 1] == 13
        line = data[line_end : found.end]
        complete = line.endswith(b"\n")
        upto = line_end - (crlf and line_end > at)
        if not complete and not final:
            self._take(max(at, upto - KEPT), ends=False)  # what stands right before it is judged with it
            return False
        self._take(upto, ends=True, depth=found.depth)
        offset = self._base + line_end + 1
        if not crlf or (complete and not line.endswith(b"\r\n")):
            self._notes.take("mime/delimiter-crlf", offset, once="package")
        if line.rstrip(b"\r\n").endswith((b" ", b"\t")):
            self._notes.take("mime/delimiter-padding", offset, detail=show(line), once=f"depth {found.depth}")
        end = self._base + max(at, upto)
        self._at = found.end
        line = line.strip(b"\r\n")
        if not complete and self._may_begin_inner(line, found.depth):
            self._ending = "cut"
        self._cross(found, offset, end, len(line))
        return True

    def _take(self, upto: int, *, ends: bool, depth: int = -1) -> None:
        """Give the octets up to ``upto`` to the part in hand, or to what lies outside.

        ``ends``: a delimiter of the multipart at ``depth`` stands there, or (-1) the end of the body. Octets that
        cannot be judged before more has come are left.
        """
        found = self._suspicion(upto, ends)
        if found is None or found.verdict == "lost":
            if found is None and not ends and self._watched:
                upto = self._judged(upto)
            self._give(upto)
            return
        start = found.start - (self._data[found.start - 1] == 13)
        self._give(start)
        offset = self._base + found.start + 1
        if found.verdict == "end" and self._levels[found.depth].opened and found.depth > depth:
            self._end_mistyped(found, offset)
            self._at = max(self._at, upto)  # the line itself, and blanks
        elif found.verdict == "end":
            self._lose(found.id, offset, found.detail)
            self._give(upto)

    def _end_mistyped(self, found: Suspicion, offset: int) -> None:
        """The line at ``offset`` was meant for the last delimiter of an open multipart: end that."""
        self._notes.take("mime/boundary-near-miss", offset, detail=found.detail, action="repaired")
        if self._may_begin_inner(self._data[found.start + 1 :], found.depth):
            self._ending = "cut"
        end = self._base + self._at
        self._end_leaf(end)
        while len(self._levels) > found.depth + 1:
            self._pop(end, offset)
        self._pop(offset + len(found.detail))

    @property
    def _watched(self) -> bool:
        """Whether a delimiter may be missing here: in the content of multiparts, until one is known to be."""
        return self._lost is None and (self._delimiters.armed or self._tree is not None)

    def _judged(self, upto: int) -> int:
        """Up to where octets can be judged before more has come: whole lines, unless they are long."""
        upto = min(upto, len(self._data) - KEPT)
        if upto <= self._at:
            return self._at
        line_end = self._data.rfind(b"\n", max(self._at - 1, upto - KEPT), upto)
        return upto if line_end < 0 else line_end + 1

    def _suspicion(self, upto: int, ends: bool) -> Suspicion | None:
        """What the octets up to ``upto`` show of a delimiter that is not there."""
        if not self._watched:
            return None
        data, at = self._data, self._at
        if not ends:
            upto = self._judged(upto)
            if upto <= at:  # not even the line that begins here can be judged
                return None
        if len(self._levels) > 1 and not self._dashes:
            self._dashes = self._suspects.dashes(data, at, upto, ends=ends)
        leaf = self._leaf
        found = self._suspects.look(
            data,
            at,
            upto,
            ends=ends,
            head=leaf.head if leaf is not None else None,
            held=_held(leaf, data, at, upto) if leaf is not None else at,
            named=leaf.is_named_text if leaf is not None else None,
        )
        if (quoted := self._suspects.quoted) is not None:
            self._suspects.quoted = None
            self._notes.take("mime/delimiter-missing", self._base + quoted[0] + 1, detail=quoted[1], once="quoted")
        if found is not None and found.verdict == "lost":
            self._lose(found.id, self._base + found.start + 1, found.detail)
        return found

    def _lose(self, id: str, offset: int, detail: str) -> None:
        """A delimiter was lost at ``offset``, and with it a part: the package can be read, not be trusted."""
        if self._lost is None:
            self._lost = (id, offset, detail)
            self._notes.take(id, offset, detail=detail, action="refused")

    def _give(self, upto: int) -> None:
        if upto <= self._at:
            return
        data, offset = self._data[self._at : upto], self._base + self._at
        self._at = upto
        level = self._levels[-1] if self._levels else None
        if self._leaf is not None:
            self._leaf.feed(data)
            if self._leaf is self._top and self._total > self._limits.root:
                raise self._root_too_large()
        elif level is not None and not level.opened:
            level.preamble.write(data)
            if level.text_at is None and (found := _TEXT.search(data)):
                level.text_at = offset + found.start()
            if level.draft is self._top and level.boundary is None and level.preamble.size > self._limits.root:
                raise self._root_too_large()
        elif not self._outside_noted and (found := _TEXT.search(data)):
            self._outside_noted = True
            self._notes.take("mime/outside-text", offset + found.start())

    def _sniff(self, final: bool) -> bool:
        """Look at the first text inside a multipart: a delimiter other than the declared one serves until that occurs.

        False where more octets are needed.
        """
        level, data = self._levels[-1], self._data
        found = _TEXT.search(data, self._at)
        if found is None:
            return True
        at = found.start()
        end = data.find(b"\n", at)
        delimiter_like = data[at - 1] == 10 and b"--".startswith(data[at : at + 2])
        if delimiter_like and end < 0 and not final and len(data) - at <= self._delimiters.longest:
            return False
        level.sniffing = False
        name = data[at + 2 : end if end >= 0 else len(data)].rstrip()
        if not delimiter_like or not 0 < len(name) <= self._limits.boundary or name.endswith(b"--"):
            return True
        if not self._delimiters.stands_at(data, at - 1):
            level.alternate, level.alternate_at, level.mark = name, self._base + at, self._notes.mark()
            self._arm()
        return True

    def _may_begin_inner(self, line: bytes, depth: int) -> bool:
        """Whether ``line``, with which the body ends, and which ends the multipart at ``depth``, may also be how a
        delimiter of an open multipart inside it begins.
        """
        return any((b"--" + name).startswith(line) for level in self._levels[depth + 1 :] for name, _ in level.names)

    def _cross(self, found: Delimiter, offset: int, end: int, length: int) -> None:
        """A delimiter line at ``offset``: end what it ends at the octet ``end``, and begin what it begins."""
        inner = len(self._levels) > found.depth + 1
        if inner and self._dashes and self._leaf is not None:
            self._lose("mime/boundary-near-miss", offset, "a line of dashes before a delimiter of the outer multipart")
        self._end_leaf(end, last=inner)
        while len(self._levels) > found.depth + 1:
            self._pop(end, offset)
        self._dashes = False
        self._open(self._levels[found.depth], found.alternate)
        if found.closing:
            self._pop(offset + length)
            return
        self._parts += 1
        if self._parts > self._limits.parts:
            raise over_limit(self._notes, offset, f"more than {self._limits.parts} parts")
        self._header = Draft(self._base + self._at, self._limits, self._notes)

    def _open(self, level: Level, alternate: bool) -> None:
        if not alternate and level.alternate is not None and not nearly(level.alternate, level.boundary):
            # The declared delimiter occurs after all: what looked like one before was text outside the parts.
            self._notes.forget(level.mark)
            if self._lost is not None:
                self._notes.take(self._lost[0], self._lost[1], detail=self._lost[2], action="refused")
            if any(key.lower().startswith("content-") for node in level.draft.children for key, _ in node.headers):
                self._lose("mime/boundary-used", level.alternate_at, show(b"--" + level.alternate))
            level.draft.children.clear()
            level.alternate, level.opened, level.text_at = None, False, level.alternate_at
            self._arm()
        if not level.opened:
            level.opened = level.draft.container = True
            level.preamble = Sink(self._limits.spool)
            if level.text_at is not None:
                self._notes.take("mime/outside-text", level.text_at)

    # --- header -------------------------------------------------------------------------------------------------------

    def _header_lines(self, draft: Draft, final: bool) -> bool:
        """Take the lines of a part's header; False where more octets are needed."""
        while True:
            end = self._data.find(b"\n", self._at)
            whole = self._data[self._at : end if end >= 0 else len(self._data)]
            line = whole.rstrip(b"\r")
            if end < 0 and not final:
                if draft.takes(line):
                    draft.check(len(line))
                    return False
                if len(line) <= self._delimiters.longest:
                    return False
                break  # however long it is, it begins the body
            if end < 0 and not line:
                break
            if line.startswith(b"--") and self._delimiters.stands_at(self._data, self._at - 1):
                break
            if line and not draft.line(line):
                break
            if end >= 0 and whole == line:
                self._notes.take("mime/header-line-endings", self._base + self._at, once="package")
            self._at = end + 1 if end >= 0 else len(self._data)
            if not line:
                self._begin_body(draft)
                return True
        draft.note("mime/part-header-syntax", "no empty line ends the header", "repaired")
        self._begin_body(draft)
        return True

    def _begin_body(self, draft: Draft) -> None:
        self._header = None
        draft.read_header(self._base + self._at)
        if not draft.multipart:
            self._leaf = draft
            return
        boundary = boundary_of(draft.content_type, draft.offset, self._limits, self._notes)
        if boundary is None:
            draft.note("mime/boundary-present")
        if len(self._levels) >= self._limits.depth:
            raise over_limit(self._notes, draft.offset, f"multiparts nested deeper than {self._limits.depth}")
        equal = any(name == boundary for level in self._levels for name, _ in level.names)
        self._push(draft, None if equal else boundary)
        if equal:
            draft.note("mime/boundary-nested-equal", (boundary or b"").decode("utf-8", "replace"))
            self._levels[-1].sniffing = False

    # --- levels -------------------------------------------------------------------------------------------------------

    def _push(self, draft: Draft, boundary: bytes | None) -> None:
        self._levels.append(Level(draft, boundary, self._limits.spool))
        self._arm()

    def _pop(self, end: int, cut_at: int | None = None) -> None:
        """The innermost multipart ends at the octet ``end``: closed, or cut off at ``cut_at`` without being closed."""
        level = self._levels.pop()
        shown = (level.alternate or level.boundary or b"").decode("utf-8", "replace")
        if not level.opened:
            self._left += [(name, True) for name, _ in level.names]
            self._never_opened(level)
        elif cut_at is not None:
            self._left += [(name, True) for name, _ in level.names]
            self._notes.take(
                "mime/boundary-closed", cut_at, detail=shown, action="repaired", once=f"level at {level.draft.offset}"
            )
        if level.opened and level.alternate is not None and level.boundary is not None:
            dashes = level.alternate.strip(b"-") == level.boundary.strip(b"-")
            id = "mime/boundary-syntax" if dashes else "mime/boundary-used"
            if not dashes and nearly(level.alternate, level.boundary):
                id = "mime/boundary-near-miss"
            self._notes.take(id, level.alternate_at, detail=f"--{shown}", action="repaired")
        node = level.draft.node(end)
        if self._levels:
            self._levels[-1].draft.children.append(node)
        else:
            self._tree = node
            self._left += [(name, False) for name, _ in level.names if cut_at is None]
        self._outside_noted = False
        self._arm()

    def _never_opened(self, level: Level) -> None:
        if level.boundary is not None:
            detail = level.boundary.decode("utf-8", "replace")
            if level.draft is not self._top and level.text_at is not None:
                self._lose("mime/boundary-used", level.draft.offset, detail)
            self._notes.take("mime/boundary-used", level.draft.offset, detail=detail, action="kept-raw")
        if level.text_at is not None or level.draft is self._top:
            level.draft.keep_raw(level.preamble)

    def _end_leaf(self, end: int, *, last: bool = False) -> None:
        """The part in hand ends at the octet ``end``; ``last``: and its multipart with it, without a last delimiter."""
        if self._leaf is None:
            return
        if last and self._leaf.bare:
            # An opening delimiter with nothing behind it stands in the place of the last one: that is no part.
            self._notes.drop(self._leaf.offset)
        else:
            if last:
                self._leaf.whole(announced=False)  # drops the line end of the missing delimiter behind a picture
            self._levels[-1].draft.children.append(self._leaf.node(end))
        self._leaf = None

    def _close_all(self) -> Node:
        """The body is over: end whatever is still open."""
        end = self._total
        if self._leaf is self._top:
            return self._top.node(end)
        if self._levels and self._levels[0].opened:
            self._ending = "cut" if self._ending == "cut" else self._how_it_ends()
            if (self._content_length or 0) > end:
                self._notes.take("http/truncated", end, detail=f"{end} octets of {self._content_length}")
        self._end_leaf(end, last=True)
        while self._levels:
            self._pop(end, end)
        if self._tree is None:
            raise AssertionError("the outermost level leaves a tree")
        return self._tree

    def _how_it_ends(self) -> Ending:
        """Of a package without its last delimiter: whether the part before it is there as a whole.

        Only the last delimiter of the outermost multipart may be missing; in any other multipart a part may.
        """
        if len(self._levels) > 1 or (self._leaf is not None and not self._leaf.whole(announced=self._all_came())):
            return "cut"
        return "whole"

    def _all_came(self) -> bool:
        """Whether as many octets came as the head announced, perhaps without the CRs that dumps lose."""
        length, coding = self._top.header("content-length"), self._top.header("transfer-encoding")
        if length is None:
            return coding is not None
        return length.isascii() and length.isdigit() and len(length) < 16 and int(length) <= self._total + self._lines

    def _arm(self) -> None:
        """Look for the boundaries that are open now, the outermost first."""
        self._delimiters.arm(self._levels)
        self._suspects.arm(self._levels, self._left)


class _Guard:
    """Inside it, an error ends the reader for good."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RemoteError):
            self._reader.fail(error)


def _held(leaf: Draft, data: bytes, at: int, upto: int) -> int:
    """Up to where content in ``data[at:upto]`` holds header lines by its type: a message does everywhere, what is a
    multipart of its own (OMA DRM) up to its last delimiter.
    """
    kind = leaf.content_type
    if kind.media_type.startswith("message/"):
        return upto
    if leaf.own_closed or not any(name == "boundary" for name, _ in kind.parameters):
        return at
    own = kind.get("boundary") or ""
    place = data.find(b"\n--" + own.encode("utf-8", "replace") + b"--", at - 1, upto)
    leaf.own_closed = place >= 0
    return place + 1 if place >= 0 else upto


def read(headers: Iterable[tuple[str, str]], body: bytes | Iterable[bytes], limits: Limits | None = None) -> Package:
    """Take a whole package apart: ``Reader`` in one call."""
    reader = Reader(headers, limits)
    for chunk in (body,) if isinstance(body, bytes) else body:
        reader.feed(chunk)
    return reader.finish()
