"""A ``Stimulus``: one HTTP request as it will be written, sound at first and then broken in one place on purpose.

``of`` makes a sound one out of a message; each method gives another with one thing changed. What is changed has to be
there exactly once, else ``ValueError``: a case that changes nothing would examine nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import SplitResult

from mm7zeep.exchange.pack import pack
from mm7zeep.messages import Message, Part
from mm7zeep.probe.settings import Account
from mm7zeep.profiles import Profile

Headers = tuple[tuple[str, str], ...]

BOUNDARY = "mm7zeep-probe"
ROOT_ID = "envelope@mm7zeep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One body part: its header fields and its octets as they go over the wire."""

    head: Headers
    body: bytes

    def octets(self) -> bytes:
        """Head, empty line and body."""
        return "".join(f"{name}: {value}\r\n" for name, value in self.head).encode() + b"\r\n" + self.body


def piece(body: bytes | str, content_type: str | None = "text/plain; charset=utf-8", *more: tuple[str, str]) -> Piece:
    """A body part with this Content-Type (None: without one) and further header fields."""
    head = (() if content_type is None else (("Content-Type", content_type),)) + more
    return Piece(head=head, body=body.encode() if isinstance(body, str) else body)


def package(pieces: Sequence[Piece], boundary: str) -> bytes:
    """A multipart body of these (RFC 2046 5.1.1)."""
    mark = b"--" + boundary.encode()
    return b"".join(mark + b"\r\n" + one.octets() + b"\r\n" for one in pieces) + mark + b"--\r\n"


def nested(
    pieces: Sequence[Piece], subtype: str, content_id: str, boundary: str = "mm7zeep-inner", parameters: str = ""
) -> Piece:
    """A multipart as one part of another; ``parameters`` follow the boundary in its Content-Type (``; type=...``)."""
    kind = f'multipart/{subtype}; boundary="{boundary}"{parameters}'
    return piece(package(pieces, boundary), kind, ("Content-ID", f"<{content_id}>"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stimulus:
    """One request.

    ``headers`` come after Host and before Content-Type and Content-Length. ``pieces`` are the parts beside the
    envelope; None for an envelope alone as text/xml. ``content_type`` replaces the Content-Type ("" leaves it out),
    ``raw`` the whole body, ``length`` the Content-Length ("" leaves it out), ``line`` the request line, ``host`` the
    Host field ("" leaves it out).

    ``transaction_id`` and ``namespace`` are what the answer has to repeat, None where the peer cannot know them.
    ``mark`` is a word that stands in the message and nowhere else, by which it is known again when it arrives, and
    ``digests`` are the SHA-256 of the content parts, in order, as they have to arrive. ``looped`` tells that it comes
    back to the tool's own callback if it is accepted.
    """

    envelope: str
    headers: Headers = ()
    root_head: Headers = (("Content-Type", "text/xml; charset=utf-8"), ("Content-ID", f"<{ROOT_ID}>"))
    pieces: tuple[Piece, ...] | None = None
    boundary: str = BOUNDARY
    charset: str = "utf-8"
    content_type: str | None = None
    raw: bytes | None = None
    length: str | None = None
    line: str | None = None
    host: str | None = None
    transaction_id: str | None = None
    namespace: str | None = None
    version: str | None = None
    operation: str = "SubmitReq"
    mark: str = ""
    digests: tuple[str, ...] = ()
    looped: bool = False

    # --- as it is written ---------------------------------------------------------------------------------------------

    def root(self) -> bytes:
        """The envelope's octets."""
        return self.envelope.encode(self.charset)

    def body(self) -> bytes:
        """The body of the request."""
        if self.raw is not None:
            return self.raw
        if self.pieces is None:
            return self.root()
        return package((Piece(head=self.root_head, body=self.root()), *self.pieces), self.boundary)

    def kind(self) -> str:
        """The Content-Type of the request."""
        if self.content_type is not None:
            return self.content_type
        if self.pieces is None:
            return f"text/xml; charset={self.charset}"
        return f'multipart/related; boundary="{self.boundary}"; type="text/xml"; start="<{ROOT_ID}>"'

    def head(self, place: SplitResult, framing: str | None = None) -> bytes:
        """Request line and header fields with the empty line; ``framing`` replaces the Content-Length field."""
        lines = [self.line or request_line(place)]
        host = place.netloc.rpartition("@")[2] if self.host is None else self.host
        if host:
            lines.append(f"Host: {host}")
        lines += [f"{name}: {value}" if value else f"{name}:" for name, value in self.headers]
        if self.kind():
            lines.append(f"Content-Type: {self.kind()}")
        length = str(len(self.body())) if self.length is None else self.length
        if framing is not None:
            lines.append(framing)
        elif length:
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")

    def octets(self, place: SplitResult) -> bytes:
        """The whole request."""
        return self.head(place) + self.body()

    # --- HTTP ---------------------------------------------------------------------------------------------------------

    def with_header(self, name: str, value: str) -> Stimulus:
        """With this header field, instead of one of the same name."""
        kept = tuple(one for one in self.headers if one[0].lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))

    def without_header(self, name: str) -> Stimulus:
        """Without that header field, which must be there."""
        kept = tuple(one for one in self.headers if one[0].lower() != name.lower())
        if len(kept) == len(self.headers):
            raise ValueError(f"there is no header field {name} to leave out")
        return replace(self, headers=kept)

    def labelled(self, content_type: str) -> Stimulus:
        """With this Content-Type; "" leaves it out."""
        return replace(self, content_type=content_type)

    def with_body(self, body: bytes) -> Stimulus:
        """With this body, whatever it holds. The Content-Type stays that of the original."""
        return replace(self, raw=body, content_type=self.kind())

    def edited_body(self, old: bytes, new: bytes, count: int = 1) -> Stimulus:
        """With ``old``, which stands ``count`` times in the body, replaced."""
        found = self.body().count(old)
        if found != count:
            raise ValueError(f"{old!r} stands {found} times in the body, not {count}")
        return self.with_body(self.body().replace(old, new))

    def unread(self) -> Stimulus:
        """The same, of which the peer need not know TransactionID, namespace and version."""
        return replace(self, transaction_id=None, namespace=None, version=None)

    # --- the envelope -------------------------------------------------------------------------------------------------

    def edit(self, old: str, new: str) -> Stimulus:
        """With ``old``, which stands once in the envelope, replaced."""
        found = self.envelope.count(old)
        if found != 1:
            raise ValueError(f"{old!r} stands {found} times in the envelope: {self.envelope}")
        return replace(self, envelope=self.envelope.replace(old, new))

    def element(self, name: str) -> str:
        """The element of that name as it is written, which must be there once."""
        pattern = rf"<{name}(?:\s[^<>]*)?(?:/>|>.*?</{name}>)"
        found = re.findall(pattern, self.envelope, re.DOTALL)
        if len(found) != 1:
            raise ValueError(f"{len(found)} elements {name} in the envelope: {self.envelope}")
        return str(found[0])

    def without(self, name: str) -> Stimulus:
        """Without that element."""
        return self.edit(self.element(name), "")

    def instead(self, name: str, xml: str) -> Stimulus:
        """With ``xml`` in the place of that element."""
        return self.edit(self.element(name), xml)

    def before(self, name: str, xml: str) -> Stimulus:
        """With ``xml`` before that element."""
        return self.edit(self.element(name), xml + self.element(name))

    def after(self, name: str, xml: str) -> Stimulus:
        """With ``xml`` behind that element."""
        return self.edit(self.element(name), self.element(name) + xml)

    def first(self, xml: str) -> Stimulus:
        """With ``xml`` as the first child of the message's element."""
        found = re.search(rf"<{self.operation}[^<>]*>", self.envelope)
        if found is None:
            raise ValueError(f"no element {self.operation} in the envelope: {self.envelope}")
        return self.edit(found[0], found[0] + xml)

    def last(self, xml: str) -> Stimulus:
        """With ``xml`` as the last child of the message's element."""
        return self.edit(f"</{self.operation}>", xml + f"</{self.operation}>")

    def header_block(self, xml: str) -> Stimulus:
        """With another block in the SOAP Header, after TransactionID."""
        return self.after("TransactionID", xml)

    def transaction(self, xml_value: str, value: str | None) -> Stimulus:
        """With this text, as XML writes it, in TransactionID; ``value`` is what the answer has to repeat."""
        said = self.element("TransactionID")
        changed = re.sub(r">[^<>]*</", lambda _: f">{xml_value}</", said)
        return replace(self.edit(said, changed), transaction_id=value)

    # --- the content --------------------------------------------------------------------------------------------------

    def carrying(self, *pieces: Piece, href: str | None = None) -> Stimulus:
        """With these parts instead of those it had; ``href`` is what Content then names (None: as it was)."""
        changed = self
        if href is not None:
            changed = self.edit(self.reference(), f'href="{href}"')
        return replace(changed, pieces=pieces, digests=tuple(digest(one.body) for one in pieces))

    def reference(self) -> str:
        """The ``href`` attribute of Content as it is written."""
        found = re.search(r'href="[^"]*"', self.element("Content"))
        if found is None:
            raise ValueError(f"Content has no href: {self.envelope}")
        return found[0]

    def arriving(self, *parts: bytes) -> Stimulus:
        """The same; ``parts`` are what has to arrive of its content, decoded."""
        return replace(self, digests=tuple(digest(one) for one in parts))


def request_line(place: SplitResult, method: str = "POST", version: str = "1.1") -> str:
    """The first line of a request to the endpoint (RFC 9112 3)."""
    return f"{method} {place.path or '/'}{f'?{place.query}' if place.query else ''} HTTP/{version}"


def digest(octets: bytes) -> str:
    """The SHA-256 of a part."""
    return hashlib.sha256(octets).hexdigest()


def of(
    message: Message,
    parts: Sequence[Part],
    *,
    profile: Profile,
    transaction_id: str,
    account: Account | None = None,
    mark: str = "",
) -> Stimulus:
    """The sound request that carries ``message`` with ``parts``. Raises ``LocalError`` for what cannot be valid."""
    plain = replace(profile, prefix=None)
    wire = pack(message, parts, profile=plain, transaction_id=transaction_id, plans=False)
    headers = tuple(one for one in wire.headers if one[0].lower() != "content-type")
    if account is not None and account.username:
        headers = (("Authorization", basic(account.username, account.password)), *headers)
    kind, body = wire.header("content-type") or "", wire.read()
    pieces = None
    if kind.startswith("multipart/"):
        envelope, *rest = _pieces(kind, body)
        pieces, root = tuple(rest), envelope.body
    else:
        root = body
    return Stimulus(
        envelope=root.decode("utf-8"),
        headers=headers,
        pieces=pieces,
        transaction_id=transaction_id,
        namespace=profile.namespace,
        version=profile.mm7_version,
        operation=_operation(root),
        mark=mark,
        digests=tuple(digest(one.read()) for one in parts),
    )


def basic(username: str, password: str) -> str:
    """The value of an Authorization field (RFC 7617 2), in UTF-8."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _pieces(kind: str, body: bytes) -> list[Piece]:
    """The parts of a body that ``pack`` wrote."""
    found = re.search(r'boundary="([^"]+)"', kind)
    if found is None:
        raise ValueError(f"no boundary in {kind}")
    mark = b"\r\n--" + found[1].encode()
    inside = (b"\r\n" + body).partition(mark)[2].rpartition(mark + b"--")[0]
    made = []
    for one in inside.split(mark):
        head, _, octets = one.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = (line.partition(": ") for line in head.decode().split("\r\n"))
        made.append(Piece(head=tuple((name, value) for name, _, value in fields), body=octets))
    return made


def _operation(root: bytes) -> str:
    found = re.search(rb"Body><(\w+)", root)
    if found is None:
        raise ValueError("the envelope has no Body with a message")
    return found[1].decode()
