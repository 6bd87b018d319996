"""``mm7zeep send -v``: what goes over the wire as people read it: the heads, and the envelopes, indented.

A line begins with ``>`` where it goes out and with ``<`` where it comes in, as those of curl do. Content is named, and
not shown. Shows no credential: neither those that are known by their names nor any value in ``hidden`` header fields;
and no telephone number or mail address unless ``show_numbers``. Ids stay, which are what carriers ask for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import masking, schema
from mm7zeep.errors import RemoteError
from mm7zeep.transport.pages import escaped

if TYPE_CHECKING:
    import requests

    from mm7zeep.messages import Part

_LONGEST = 256 * 1024  # octets of a body among which its envelope is looked for
_SHOWN = 200  # lines of what is no envelope
_IDS = frozenset({"TransactionID", "MessageID", "LinkedID", "CancelID", "ReplaceID", "ReplyChargingID", "TimeStamp"})
_PLAIN = ("content-length:", "content-type:", "date:")  # whose digits are no telephone number: boundaries, Content-IDs
_OPENED = re.compile(rb"<(?:[\w.-]{1,40}:)?Envelope[\s>]")
_CLOSED = re.compile(rb"</(?:[\w.-]{1,40}:)?Envelope\s*>")


def head(request: requests.PreparedRequest, hidden: Collection[str] = ()) -> list[str]:
    """The lines of a request's head, without credentials; ``hidden`` are fields whose values nobody may see."""
    place = urlsplit(request.url or "")
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    secret = {name.lower() for name in hidden}
    lines = [f"{request.method} {masking.url(target)} HTTP/1.1", f"Host: {place.netloc}"]
    for name, value in request.headers.items():
        if name.lower() != "host":
            shown = masking.HIDDEN if name.lower() in secret else value
            lines.append(masking.credentials(f"{name}: {shown}"))
    return lines


class WireView:
    """Tells ``line`` by line what goes out and what comes in; nothing more once it is ``silent``."""

    def __init__(
        self, line: Callable[[str], object], *, hidden: Collection[str] = (), show_numbers: bool = False
    ) -> None:
        self.silent = False
        self._line = line
        self._hidden = hidden
        self._show_numbers = show_numbers

    def request(self, request: requests.PreparedRequest, body: Iterable[bytes], parts: Iterable[Part] = ()) -> None:
        """A request: its head, its envelope, and of each part its type, size, Content-ID and name."""
        self._tell(">", [*self._masked(head(request, self._hidden)), ""])
        self._tell(">", self._envelope(_beginning(body)))
        for part in parts:
            name = f"  {part.name}" if part.name else ""
            self._tell(">", [f"[part] {part.content_type}  {part.size} octets  <{part.content_id}>{name}"])

    def answer(self, status: int, headers: Mapping[str, str]) -> None:
        """The head of an answer."""
        fields = [masking.header_line(f"{name}: {value}") for name, value in headers.items()]
        self._tell("<", [f"HTTP/1.1 {status}", *self._masked(fields), ""])

    def answered(self, body: bytes) -> None:
        """The body of an answer, once it is whole."""
        self._tell("<", self._envelope(body[:_LONGEST]))

    def _tell(self, mark: str, lines: Iterable[str]) -> None:
        for text in lines:
            if not self.silent:
                self._line(f"{mark} {escaped(text)}".rstrip())

    def _masked(self, lines: Iterable[str]) -> Iterator[str]:
        for text in lines:
            kept = self._show_numbers or text.lower().startswith(_PLAIN)
            yield masking.masked(text, show_numbers=kept, identifiers=True)

    def _envelope(self, data: bytes) -> list[str]:
        """The envelope in a body; what is no XML, or another one, by its lines."""
        start, end = _OPENED.search(data), _CLOSED.search(data)
        if start is not None and end is not None:
            try:
                tree = soap.parse(data[start.start() : end.end()])
            except (RemoteError, UnicodeDecodeError):
                pass  # shown as it is
            else:
                return self._indented(tree)
        text = masking.masked(data.decode("utf-8", "replace"), show_numbers=self._show_numbers)
        lines = text.splitlines()
        more = [f"... {len(lines) - _SHOWN} more lines"] if len(lines) > _SHOWN else []
        return [*lines[:_SHOWN], *more]

    def _indented(self, tree: etree._Element) -> list[str]:
        for element in tree.iter(etree.Element):
            if schema.local(element) not in _IDS and not self._show_numbers:
                for name, value in element.attrib.items():
                    if not str(value).lower().startswith("cid:"):
                        element.set(name, masking.masked(str(value), identifiers=True))
                start = f"<{schema.local(element)}>"  # which tells that a short number is one
                element.text = masking.masked(start + (element.text or "")).removeprefix(start) or None
        etree.indent(tree)
        return masking.credentials(etree.tostring(tree, encoding="unicode")).splitlines()


def _beginning(body: Iterable[bytes]) -> bytes:
    """As much of a body as holds its envelope; the content behind it is not read."""
    data = b""
    for piece in body:
        data += piece
        if _CLOSED.search(data) or len(data) > _LONGEST:
            break
    return data[:_LONGEST]
