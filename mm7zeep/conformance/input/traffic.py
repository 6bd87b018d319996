"""Messages out of recorded traffic: what ``har`` and ``pcap`` give, and the errors that both raise.

Says which of what went over a wire is MM7's business. Opens no file, parses no format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mm7zeep.conformance.input.capture import Captured
from mm7zeep.errors import LimitError, RemoteError
from mm7zeep.findings import finding


class CaptureError(RemoteError):
    """A file of recorded traffic that cannot be read; the text says where it fails and what would help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried(Captured):
    """A captured message of which is known what carried it.

    ``exchange`` names the HAR entry, or the connection and the exchange on it; a request and its answer share it.
    ``offset`` and ``body_offset`` are 0: a recording is not a dump, its octets lie scattered.
    """

    exchange: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The MM7 messages of a recording, each request before its answer; ``notes`` say what was left out, and why."""

    messages: tuple[Carried, ...]
    notes: tuple[str, ...] = ()


_MM7_TYPE = re.compile(r"\s*(?:text/xml|application/(?:[\w.+-]+\+)?xml|multipart/related)(?![\w.+-])", re.IGNORECASE)
_ENVELOPE = re.compile(rb"<(?:[\w.-]{1,64}:)?Envelope[\s>/]")
_SEEN = 8192  # octets of a body in which an envelope has to begin


def carries_mm7(message: Captured) -> bool:
    """Whether a message may be MM7 by its Content-Type or by the beginning of its body."""
    content_type = message.wire.header("content-type")
    if content_type is not None and _MM7_TYPE.match(content_type):
        return True
    return _ENVELOPE.search(message.wire.read()[:_SEEN]) is not None


def numbered(exchanges: Iterable[Iterable[Carried]]) -> tuple[Carried, ...]:
    """The messages of the exchanges that carry MM7 in the request or in the answer, numbered through."""
    kept = [one for messages in exchanges for one in _kept(tuple(messages))]
    return tuple(replace(one, index=index) for index, one in enumerate(kept))


def _kept(messages: tuple[Carried, ...]) -> Iterator[Carried]:
    # The answer of a proxy in between is no MM7, but belongs to a request that is.
    if any(carries_mm7(one) for one in messages):
        yield from messages


def too_much(text: str) -> LimitError:
    """The error for a recording beyond a limit."""
    return LimitError(text, [finding("mime/limit", detail=text, action="refused")])
