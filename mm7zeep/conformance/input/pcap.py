"""Network captures: pcap and pcapng to captured messages; TCP put in order, HTTP/1.x read in each direction.

The heads are read by ``capture``, as those of dumps are: a strict parser such as h11 refuses, or mends without a word,
just what the report is to show. Connections that are TLS or HTTP/2 are left out and noted; what was not captured is
reported as ``http/truncated``. Opens no file. Refuses, with ``CaptureError`` or ``LimitError``, what is no capture, or
too much.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mm7zeep import extras
from mm7zeep.conformance.input import capture, frames
from mm7zeep.conformance.input.capture import MAX_FILE, MAX_HEAD, MAX_MESSAGES, Captured
from mm7zeep.conformance.input.streams import Connection, Connections, Endpoint, Run, Stream
from mm7zeep.conformance.input.traffic import CaptureError, Carried, Traffic, numbered, too_much
from mm7zeep.errors import LimitError
from mm7zeep.findings import Finding, finding

MAX_PACKETS = 1_000_000
_MAX_OPEN_HEAD = 8192  # octets in which a head that no empty line ends is looked for
_MAX_LINE = 2048  # octets of a request line where a message is looked for

_METHODS = rb"(?:POST|GET|PUT|HEAD|OPTIONS|DELETE|PATCH|TRACE|CONNECT)"
_START = re.compile(_METHODS + rb"[ \t]+[^\s<]|HTTP/[0-9]")
# Where a capture begins within a message, the next one begins on a line of its own.
_NEXT_START = re.compile(
    rb"(?:\A|(?<=\n)|(?<=>)|(?<=--))(?=" + _METHODS + rb" [^\s<]+ HTTP/1\.[01]\r?\n|HTTP/1\.[01] [1-5][0-9]{2}[ \r\n])"
)
_BLANK_LINES = re.compile(rb"(?:[ \t]*+\r?\n)*+")
_HEAD_END = re.compile(rb"\r?\n[ \t]*\r?\n")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?\r?\n")
_TRAILER = re.compile(rb"(?:[^\r\n]{1,8192}\r?\n){0,100}\r?\n")
_TLS = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]")  # RFC 8446 5.1: content type, legacy version
_HTTP2 = b"PRI * HTTP/2"  # RFC 9113 3.4


def recognised(data: bytes) -> bool:
    """Whether ``data`` begins as a network capture does; four octets suffice."""
    return frames.recognised(data)


def read(name: str, data: bytes) -> Traffic:
    """The MM7 messages of the capture called ``name``: each request with its answer, in the order of the requests.

    Raises ``LimitError`` beyond 64 MiB, 1,000,000 packets, 10,000 connections or 10,000 messages, ``CaptureError`` for
    what is no capture, or where dpkt (the extra ``pcap``) is not installed.
    """
    if len(data) > MAX_FILE:
        raise too_much(f"{name} has more than {MAX_FILE} octets; filter it, as with tcpdump -r {name} -w ... port 8007")
    instruction = extras.wanting("pcap")
    if instruction is not None:
        raise CaptureError(f"{name} is a network capture: {instruction}")
    notes: list[str] = []
    found: list[_Exchange] = []
    for connection in _connections(name, data, notes):
        found += _exchanges(connection, notes)
        if len(found) > MAX_MESSAGES:
            raise too_much(f"{name} holds more than {MAX_MESSAGES} messages; filter it by host or port")
    found.sort(key=lambda one: one.packet)
    messages = numbered(one.carried(name) for one in found)
    silent = len(found) - len({one.exchange for one in messages})
    if silent:
        notes.append(f"{silent} HTTP exchanges carry no MM7 and are left out")
    packed = sum(one.wire.header("content-encoding") is not None for one in messages)
    if packed:
        notes.append(f"{packed} messages have a Content-Encoding, which is not undone")
    return Traffic(messages=messages, notes=tuple(f"{name}: {one}" for one in notes))


def _connections(name: str, data: bytes, notes: list[str]) -> Connections:
    """The TCP connections of a capture; adds to ``notes`` what was left out."""
    connections, left_out, cut = Connections(), Counter[str](), 0
    for number, frame in enumerate(frames.frames(name, data), 1):
        if isinstance(frame, str):
            notes.append(frame.removeprefix(f"{name} "))
            continue
        if number > MAX_PACKETS:
            raise too_much(f"{name} holds more than {MAX_PACKETS} packets; filter it by host or port")
        segment = frames.segment(frame)
        if isinstance(segment, str):
            left_out[segment] += 1
            continue
        cut += frame.cut
        connections.add(number, segment)
    notes += [f"{count} packets are left out: {why}" for why, count in sorted(left_out.items()) if why != "no TCP"]
    if cut:
        notes.append(f"{cut} packets were cut short by whoever captured; capture again with a snapshot length of 0")
    return connections


# --- exchanges --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Message:
    """A message of a stream, and the number of the packet it begins in."""

    packet: int
    captured: Captured

    @property
    def interim(self) -> bool:
        """RFC 9110 15.2: an answer of class 1xx announces another."""
        status = self.captured.wire.status
        return status is not None and status < 200


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A request, its answer, or both, and the connection they stand on."""

    messages: tuple[_Message, ...]
    name: str

    @property
    def packet(self) -> int:
        return self.messages[0].packet

    def carried(self, file: str) -> Iterator[Carried]:
        for one in self.messages:
            it = one.captured
            yield Carried(
                file=file,
                index=0,
                kind=it.kind,
                wire=it.wire,
                findings=it.findings,
                start_line=it.start_line,
                exchange=self.name,
            )


def _exchanges(connection: Connection, notes: list[str]) -> Iterator[_Exchange]:
    """The exchanges on a connection. An answer belongs to the first request before it that has none yet."""
    title = " > ".join(_shown(end) for end in connection.ends)
    both = connection.streams()
    unread = next((why for stream in both if (why := _foreign(stream)) is not None), None)
    if unread is not None:
        notes.append(f"{title} is {unread} and left out")
        return
    found = sorted((one for stream in both for one in _Reader(stream)), key=lambda one: one.packet)
    waiting = [one for one in found if one.captured.kind == "request"]
    groups: list[tuple[_Message, ...]] = []
    for answer in (one for one in found if one.captured.kind == "response" and not one.interim):
        if waiting and waiting[0].packet < answer.packet:
            groups.append((waiting.pop(0), answer))
        else:
            groups.append((answer,))  # its request came before the capture
    groups += [(one,) for one in waiting]
    groups.sort(key=lambda one: one[0].packet)
    for number, messages in enumerate(groups, 1):
        yield _Exchange(messages, f"{title}, exchange {number} from packet {messages[0].packet}")


def _shown(end: Endpoint) -> str:
    host, port = end
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _foreign(stream: Stream) -> str | None:
    """What a stream is that is no HTTP/1.x."""
    start = stream.runs[0].data[:16] if stream.runs else b""
    if _TLS.match(start):
        return "TLS (decrypt it first, as Wireshark does with a key log, or capture behind the proxy)"
    return "HTTP/2" if start.startswith(_HTTP2) else None


# --- messages ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Framed:
    """The body of a message, the offset behind the message, and what of it is missing."""

    body: bytes
    end: int
    findings: tuple[Finding, ...] = ()


class _Reader:
    """The HTTP messages of one stream, in order."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[_Message]:
        """Raises ``LimitError`` for too many."""
        count, at = 0, self._stream.runs[0].start if self._stream.runs else 0
        synchronous = True
        while (run := self._stream.run(at)) is not None:
            at = max(at, run.start)
            start = self._start(run, at - run.start, anywhere=not synchronous)
            if start is None:
                at = run.end
                synchronous = False
                continue
            found, behind = self._message(run, start)
            at = max(behind, run.start + start + 1)  # what looks like a start line and is none is passed over, too
            synchronous = found is not None
            if found is not None:
                count += 1
                if count > MAX_MESSAGES:
                    raise too_much(f"a connection holds more than {MAX_MESSAGES} messages; filter it by host or port")
                yield found
            if found is not None and found.captured.wire.status == 101:  # RFC 9110 15.2.2: no HTTP from here on
                return

    def _start(self, run: Run, place: int, *, anywhere: bool) -> int | None:
        """Where in ``run`` the next message begins, from ``place`` on; what is no message is passed over."""
        blank = _BLANK_LINES.match(run.data, place)  # RFC 9112 2.2: empty lines before a request are ignored
        place = blank.end() if blank else place
        if not anywhere and _START.match(run.data, place):
            return place
        return _next_start(run.data, place)

    def _message(self, run: Run, place: int) -> tuple[_Message | None, int]:
        """The message that begins at ``place`` of ``run``, and the offset behind it."""
        blank = _HEAD_END.search(run.data, place, place + MAX_HEAD)
        head_end = blank.end() if blank else min(len(run.data), place + _MAX_OPEN_HEAD)
        following = _next_start(run.data, place + 1, head_end)
        if following is not None:
            blank, head_end = None, following
        try:
            # Without its body, which is measured here, the head is a message of its own; the rest is not looked at.
            [head, *_] = capture.messages("", run.data[place:head_end])
        except LimitError:
            return None, run.start + head_end
        head_end = place + head.body_offset
        cut = head_end >= len(run.data) and blank is None
        if head.kind not in ("request", "response") or (blank is None and head.body_offset >= _MAX_OPEN_HEAD):
            return None, run.start + head_end
        at = run.start + head_end
        framed = self._cut_head(run) if cut else self._framed(head, at)
        reported = [
            one
            for one in head.findings
            if one.id != "http/content-length" and not (cut and one.id == "http/blank-line")
        ]
        findings = tuple(dict.fromkeys((*reported, *framed.findings)))
        captured = replace(head, wire=replace(head.wire, body=framed.body), findings=findings)
        return _Message(self._stream.packet(run.start + place), captured), framed.end

    def _cut_head(self, run: Run) -> _Framed:
        return _Framed(b"", run.end, (_missing("the head does not end within the capture", 0),))

    def _framed(self, head: Captured, at: int) -> _Framed:
        """The body that begins at the offset ``at`` (RFC 9112 6.3)."""
        status = head.wire.status
        if status is not None and (status < 200 or status in (204, 304)):
            return _Framed(b"", at)
        if "chunked" in (head.wire.header("transfer-encoding") or "").lower():
            return self._chunked(at)
        length = head.wire.header("content-length")
        if length is None:
            return self._unmeasured(head, at)
        if not re.fullmatch(r"[0-9]{1,12}", length):
            unmeasured = self._unmeasured(head, at)
            reported = finding("http/content-length", "Content-Length", detail=length)
            return replace(unmeasured, findings=(reported, *unmeasured.findings))
        return self._whole(at, at + int(length))

    def _whole(self, at: int, end: int) -> _Framed:
        """A body of the length that Content-Length gives, if the next message begins behind it."""
        body = self._stream.take(at, end)
        if missing := end - at - len(body):
            run = self._stream.run(at)
            first = 0 if run is None or run.start > at else run.end - at
            early = self._stream.closed and self._stream.end == at + len(body)
            why = "were never sent: the connection was closed before" if early else "are not in the capture"
            reported = _missing(f"{missing} of {end - at} octets {why}", first)
            return _Framed(body, min(end, self._stream.end), (reported,))
        run = self._stream.run(end)
        if run is None or run.start > end:
            return _Framed(body, end)
        blank = _BLANK_LINES.match(run.data, end - run.start)
        place = blank.end() if blank else end - run.start
        if place >= len(run.data) or _START.match(run.data, place):
            return _Framed(body, end)
        following = _next_start(run.data, place)
        behind = run.start + (len(run.data) if following is None else following)
        longer = self._stream.take(at, behind)
        wrong = finding("http/content-length", "Content-Length", detail=f"{len(body)} for {len(longer)}")
        return _Framed(longer, behind, (wrong,))

    def _unmeasured(self, head: Captured, at: int) -> _Framed:
        """A body without a length: up to the next message, or to the end of the connection."""
        run = self._stream.run(at)
        if run is None or run.start > at:
            return _Framed(b"", at)
        place = at - run.start
        if head.kind == "request" and _START.match(run.data, place):
            return _Framed(b"", at)
        following = _next_start(run.data, place)
        end = run.start + following if following is not None else run.end
        body = run.data[place : end - run.start]
        reported: tuple[Finding, ...] = ()
        if following is None and run.end < self._stream.end:
            reported = (_missing("no length, and what follows is not in the capture", len(body)),)
        elif following is None and body and not self._stream.closed:
            detail = "no length, and the end of the connection is not in the capture"
            reported = (finding("http/truncated", f"byte {len(body)}", detail=detail),)
        return _Framed(body, end, reported)

    def _chunked(self, at: int) -> _Framed:
        """Undo the chunked transfer coding (RFC 9112 7.1); trailer fields are dropped."""
        pieces: list[bytes] = []
        while True:
            run = self._stream.run(at)
            if run is None or run.start > at:
                return self._lost(pieces, at)
            line = _CHUNK_SIZE.match(run.data, at - run.start)
            if line is None:
                return self._lost(pieces, at)
            size, at = int(line[1], 16), run.start + line.end()
            if not size:
                trailer = _TRAILER.match(run.data, line.end())
                return _Framed(b"".join(pieces), run.start + trailer.end() if trailer else at)
            piece = self._stream.take(at, at + size)
            pieces.append(piece)
            if len(piece) < size:
                return self._lost(pieces, at + size)
            at += size
            after = self._stream.take(at, at + 2)
            at += 2 if after == b"\r\n" else after[:1] == b"\n"

    def _lost(self, pieces: list[bytes], at: int) -> _Framed:
        """Without a chunk's size line nothing says where the next chunk, or the next message, begins."""
        body = b"".join(pieces)
        run = self._stream.run(at)
        within = run is not None and run.start <= at
        why = "a chunk has no size" if within else "chunks are not in the capture"
        end = at if run is None else run.start
        if within and run is not None:
            following = _next_start(run.data, at - run.start)
            end = run.start + following if following is not None else run.end
        return _Framed(body, end, (_missing(why, len(body)),))


def _next_start(data: bytes, at: int, end: int | None = None) -> int | None:
    """Where the next message begins from ``at`` on: a start line on a line of its own, or right behind a body."""
    end = len(data) if end is None else end
    while (found := data.find(b"HTTP/1.", at, end)) >= 0:
        line = data.rfind(b"\n", max(at, found - _MAX_LINE), found) + 1
        start = _NEXT_START.search(data, line or max(at, found - _MAX_LINE), found + 16)
        if start is not None and start.start() <= found:
            return start.start()
        at = found + 1
    return None


def _missing(detail: str, at: int) -> Finding:
    # Refused: what was not seen cannot be judged, and what was seen may look wrong for want of the rest.
    return finding("http/truncated", f"byte {at}", detail=detail, action="refused")
