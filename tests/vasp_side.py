"""A VASP made of octets, for conformance tests: requests written by hand, a plain socket, and what any answer owes.

``Post`` is one request, ``Vasp`` sends it and reads the answer, ``owed`` holds an answer against the common assertions
of the catalogue with libxml2 as the judge of schemas. Nothing here goes through the project's own writer or reader.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import envelopes as env
from lxml import etree
from schema_oracle import libxml2

from mm7zeep import status
from mm7zeep.profiles import GENERIC_6_8_0, NAMESPACES, SOAP_NAMESPACE

T = "@T@"
"""Stands for the TransactionID in a request that was not sent yet."""
USER, OTHER = "a2lvc2s6dGlkZXM=", "ZmVycnk6Z3VsbHM="  # kiosk:tides, ferry:gulls
BOUNDARY = "cut-here"
TYPE = 'multipart/related; boundary="cut-here"; type="text/xml"; start="<soap@kiosk.example>"'
ROOT_HEAD = "Content-Type: text/xml; charset=utf-8\r\nContent-ID: <soap@kiosk.example>"
NOTE = env.part().encode()
PATIENCE = 10  # seconds that any answer may take

_SOAP_ALIAS = SOAP_NAMESPACE.replace("http:", "https:").encode()
_FAULT_CODES = ("Client", "Server", "MustUnderstand", "VersionMismatch")
_LEAKS = re.compile(rb"Traceback|File \"|/site-packages/|\.py\b|/usr/|/home/|root:x:")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n")


def submit(
    options: str = "",
    *,
    who: str = env.WHO,
    to: str = env.TO,
    version: str = env.VERSION,
    last: str | None = None,
    schema: str = env.SCHEMA,
    header: str | None = None,
    name: str = "SubmitReq",
    soap: str = SOAP_NAMESPACE,
) -> str:
    """The envelope of a SubmitReq; ``options`` stand behind the Recipients, ``last`` instead of the Content."""
    inner = version + who + to + options + (env.content() if last is None else last)
    return enveloped(env.message(name, inner, schema), schema=schema, header=header, soap=soap)


def enveloped(body: str, *, schema: str = env.SCHEMA, header: str | None = None, soap: str = SOAP_NAMESPACE) -> str:
    """An envelope around ``body``, with the TransactionID of the request that it will be."""
    early = schema in ("REL-5-MM7-1-0", "REL-5-MM7-1-1")
    marked = "" if early else 'env:mustUnderstand="1"'
    return env.envelope(body, env.transaction(T, schema, marked) if header is None else header, soap=soap)


def change(name: str, content: str, *, who: str = env.WHO, schema: str = env.SCHEMA) -> str:
    """The envelope of a request that changes a message: what stands behind its SenderIdentification."""
    return enveloped(env.message(name, env.VERSION + who + content, schema), schema=schema)


def packed(root: bytes, *parts: bytes, head: str = ROOT_HEAD, boundary: str = BOUNDARY) -> bytes:
    """A multipart body; each of ``parts`` is header lines, an empty line and octets."""
    mark = b"--" + boundary.encode()
    bodies = [head.encode() + b"\r\n\r\n" + root, *parts]
    return b"".join(mark + b"\r\n" + one + b"\r\n" for one in bodies) + mark + b"--\r\n"


@dataclass(frozen=True, kw_only=True)
class Post:
    """One request that is still to get its TransactionID.

    ``parts`` None sends the envelope alone; ``body`` stands instead of all of it. ``schema``, ``soap`` and ``version``
    are what the answer is to be written in (``schema`` empty: in any), ``echo`` the TransactionID it is to name (None:
    it need not).
    """

    root: str | bytes = ""
    parts: tuple[bytes, ...] | None = (NOTE,)
    head: str = ROOT_HEAD
    boundary: str = BOUNDARY
    body: bytes | None = None
    type: str | None = None
    fields: tuple[str, ...] = ()
    line: str = "POST /mm7 HTTP/1.1"
    host: str | None = "Host: mmsc.example"
    auth: str | None = f"Authorization: Basic {USER}"
    action: str | None = 'SOAPAction: ""'
    operation: str = "Submit"
    schema: str = env.SCHEMA
    soap: str = SOAP_NAMESPACE
    version: str | None = None
    echo: str | None = T

    def content(self, transaction: str) -> bytes:
        """The body."""
        root = self.root.encode() if isinstance(self.root, str) else self.root
        if self.body is not None:
            whole = self.body
        elif self.parts is None:
            whole = root
        else:
            whole = packed(root, *self.parts, head=self.head, boundary=self.boundary)
        marked, named = T.encode("utf-16-le"), transaction.encode("utf-16-le")
        return whole.replace(T.encode(), transaction.encode()).replace(marked, named)

    def octets(self, transaction: str, *fields: str) -> bytes:
        """The whole request; ``fields`` say how long its body is, unless by a Content-Length."""
        body = self.content(transaction)
        kind = self.type if self.type is not None else TYPE if self.parts is not None else "text/xml; charset=utf-8"
        told = fields or (f"Content-Length: {len(body)}",)
        lines = (self.line, self.host, self.auth, f"Content-Type: {kind}" if kind else None, self.action)
        head = [one for one in (*lines, *self.fields, *told) if one is not None]
        return "\r\n".join([*head, "", ""]).encode() + body

    def but(self, **changes: Any) -> Post:
        """The same, changed."""
        return replace(self, **changes)


class Answer:
    """What came back: HTTP status, fields, body; ``closed`` tells whether the server ended the connection then."""

    def __init__(self, status: int, fields: Sequence[tuple[str, str]], body: bytes) -> None:
        self.status, self.fields, self.body = status, fields, body
        self.closed = False
        self.tree = etree.fromstring(body) if self.is_soap else None

    def field(self, name: str) -> str | None:
        """The first field of that name."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    @property
    def is_soap(self) -> bool:
        """Whether it is an MM7 answer, by its own words."""
        return (self.field("Content-Type") or "").startswith("text/xml")

    def text(self, name: str) -> str | None:
        """The text of the first element of that local name."""
        found = self.tree.find(f".//{{*}}{name}") if self.tree is not None else None
        return None if found is None else found.text

    @property
    def code(self) -> int | None:
        """The StatusCode."""
        return int(text) if (text := self.text("StatusCode")) else None

    @property
    def transaction_id(self) -> str | None:
        """The TransactionID."""
        return self.text("TransactionID")

    @property
    def message_id(self) -> str:
        """The MessageID of what was accepted."""
        found = self.text("MessageID")
        assert found, self.body
        return found

    def __repr__(self) -> str:
        details = self.tree.xpath("string(//*[local-name()='Details'])") if self.tree is not None else self.body[:80]
        return f"{self.status} {self.text('faultcode')} {self.code} {details}"


class Line:
    """One connection to the gateway; a context."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = b""

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._socket.close()

    def send(self, octets: bytes) -> None:
        """Send these."""
        self._socket.sendall(octets)

    def hears(self, seconds: float) -> bool:
        """Whether anything comes within ``seconds``."""
        self._socket.settimeout(seconds)
        try:
            self._held += self._socket.recv(65536)
        except TimeoutError:
            return False
        finally:
            self._socket.settimeout(PATIENCE)
        return bool(self._held)

    def until(self, mark: bytes) -> bytes:
        """What comes up to and with ``mark``."""
        while mark not in self._held:
            more = self._socket.recv(65536)
            assert more, f"the connection ended within an answer: {self._held[:200]!r}"
            self._held += more
        found, _, self._held = self._held.partition(mark)
        return found + mark

    def answer(self) -> Answer:
        """The next answer, whole (answer/length)."""
        head = self.until(b"\r\n\r\n")
        found = _STATUS_LINE.match(head)
        assert found is not None, head
        lines = [line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:-2]]
        fields = [(name, value.strip()) for name, _, value in lines]
        lengths = [value for name, value in fields if name.lower() == "content-length"]
        assert len(lengths) == 1, fields
        while len(self._held) < int(lengths[0]):
            more = self._socket.recv(65536)
            assert more, "the answer is shorter than it says"
            self._held += more
        body, self._held = self._held[: int(lengths[0])], self._held[int(lengths[0]) :]
        return Answer(int(found[1]), fields, body)

    def ended(self) -> bool:
        """Whether the other side says no more, and has said no more than was read."""
        try:
            return self._held == b"" and self._socket.recv(1) == b""
        except ConnectionResetError:
            return True


class Vasp:
    """Sends requests to the gateway at ``url``; every answer is held against what any answer owes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.users: dict[str, str] = {}  # by VASPID, where there are many

    def line(self) -> Line:
        """A connection; close it."""
        return Line(self.url)

    def ask(self, post: Post, transaction: str) -> Answer:
        """The answer to a request on a connection of its own."""
        with self.line() as line:
            line.send(post.but(fields=(*post.fields, "Connection: close")).octets(transaction))
            answer = line.answer()
            answer.closed = line.ended()
        owed(answer, post, transaction)
        return answer


# --- what every answer owes -------------------------------------------------------------------------------------------


def owed(answer: Answer, post: Post, transaction: str) -> None:
    """Hold ``answer`` against the common assertions (answer/...)."""
    assert not _LEAKS.search(answer.body), answer.body
    if not answer.is_soap:
        assert 400 <= answer.status < 600, answer
        assert answer.status != 500, answer
        assert answer.body, answer
        return
    assert re.fullmatch(r"text/xml; ?charset=\"?utf-8\"?", answer.field("Content-Type") or "")
    tree = answer.tree
    assert tree is not None
    assert not tree.getroottree().docinfo.doctype
    assert not tree.xpath("//processing-instruction()")
    _owed_by_envelope(tree, answer, post)
    echoed = None if post.echo is None else post.echo.replace(T, transaction)
    if echoed is not None:
        assert answer.transaction_id == echoed, answer
    _owed_by_status(answer)


def _owed_by_envelope(tree: etree._Element, answer: Answer, post: Post) -> None:
    # https for http is answered in kind; any other mistake in SOAP's own namespace is not
    soap = _SOAP_ALIAS.decode() if post.soap == _SOAP_ALIAS.decode() else SOAP_NAMESPACE
    frame = [f"{{{soap}}}{name}" for name in ("Envelope", "Header", "Body")]
    assert [tree.tag, *(one.tag for one in tree)] == frame, answer
    [block], [child] = tree[0], tree[1]
    used = etree.QName(block).namespace
    if post.schema:
        assert used == env.uri(post.schema), answer
    # what nobody published is held against the newest of all
    profile = NAMESPACES.get(used.replace("https:", "http:"), GENERIC_6_8_0)
    if profile.schema != "REL-5-MM7-1-5":  # nobody has its file
        oracle = libxml2(profile.schema)
        plain = answer.body.replace(used.encode(), profile.namespace.encode())
        valid = oracle.validate(etree.fromstring(plain.replace(_SOAP_ALIAS, SOAP_NAMESPACE.encode())))
        # TS 23.140 8.7.1: echoed as it is, even where REL-5-MM7-1-0 asks for an NMTOKEN
        assert valid or all("TransactionID" in one.message for one in oracle.error_log), oracle.error_log
    wanted = "1" if profile.transaction_attributes else None
    assert block.get(f"{{{soap}}}mustUnderstand") == wanted, answer
    if child.tag == f"{{{soap}}}Fault":
        assert answer.status == 500, answer
        _owed_by_fault(child, answer)
        [said] = child.find("detail")
    else:
        assert answer.status == 200, answer
        said = child
        assert etree.QName(child).localname == f"{post.operation}Rsp", answer
    assert etree.QName(said).namespace == used, answer
    version = answer.text("MM7Version")
    assert version in profile.versions, answer
    if post.schema and post.version in profile.versions:
        assert version == post.version, answer


def _owed_by_fault(fault: etree._Element, answer: Answer) -> None:
    assert [one.tag for one in fault if one.tag != "faultactor"] == ["faultcode", "faultstring", "detail"], answer
    prefix, _, code = (fault.findtext("faultcode") or "").partition(":")
    assert fault.nsmap.get(prefix) == etree.QName(fault).namespace, answer
    assert code in _FAULT_CODES, answer
    assert fault.findtext("faultstring"), answer
    assert [etree.QName(one).localname for one in fault.find("detail")] == ["RSErrorRsp"], answer


def _owed_by_status(answer: Answer) -> None:
    code = answer.code
    assert code is not None, answer.body
    assert code in status.STATUS_CODES, answer
    if "extended" not in (answer.body.decode()):  # whose Status has no text (XSD)
        assert answer.text("StatusText") == status.lookup(code).text, answer
    assert (1000 <= code < 2000) == (answer.status == 200 and answer.text("faultcode") is None), answer


def accepted(answer: Answer, words: str) -> bool:
    """Whether ``answer`` is one of those that the catalogue takes: ``OK``, status codes, ``H415``, ``H4xx``,
    ``FAULT:MustUnderstand``, ``ANY``. Behind ``~`` stands what it does not list, and why is said elsewhere.
    """
    return any(_is(answer, word.removeprefix("~")) for word in words.split())


def _is(answer: Answer, word: str) -> bool:
    if word == "ANY":
        return True
    if word == "OK":
        return answer.status == 200 and answer.code == 1000
    if word.startswith("H"):
        return not answer.is_soap and re.fullmatch(word[1:].replace("x", "."), str(answer.status)) is not None
    if word.startswith("FAULT"):
        code = (answer.text("faultcode") or "").partition(":")[2]
        return answer.status == 500 and code != "" and word in ("FAULT", f"FAULT:{code}")
    return answer.code == int(word)


def numbers(count: int, name: str = "Number") -> Iterable[str]:
    """So many different addresses."""
    return (f"<{name}>+4670{n:07d}</{name}>" for n in range(count))
