"""How our own gateway and VASP are broken on purpose, and how they are then set up.

A ``Break`` is one change: of the answer or the request on its way (``answered``, ``asked``, ``served``: an ASGI
application around ours), of what goes to callbacks (``sending``), of the configuration (``configured``), of what the
VASP submits (``driven``), or of a function of the product (``patched``).
"""

from __future__ import annotations

import asyncio
import base64
import pkgutil
import re
import tempfile
import urllib.request
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from unittest import mock

import examined
from lxml import etree

from mm7zeep import status
from mm7zeep.probe.case import Case
from mm7zeep.probe.common import COMMON
from mm7zeep.probe.results import Report, Role
from mm7zeep.probe.runner import run
from mm7zeep.probe.settings import Settings
from mm7zeep.profiles import SOAP_NAMESPACE
from mm7zeep.receiver import Receive, Scope, Send

WINDOW = 2.0
"""Seconds in which nothing may come that must not, unless a mutant needs more."""
PATIENCE = 8.0
"""Seconds in which a call has to come."""

_STALLED = 2.0  # seconds without a piece of a body, after which ours is to judge

Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Edit = tuple[str, str]
Headers = tuple[tuple[str, str], ...]

_RED = frozenset({"FAIL", "HANG", "WARN", "ERROR"})
_COMMON = frozenset(one.id for one in COMMON)


# --- how a server is broken -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One change of a server. ``around`` makes an ASGI application of ours, ``config`` replaces text of the gateway's
    configuration. ``submits`` is what the VASP's application does when it is made to submit. ``patches`` name an
    attribute of the product and what it becomes.
    """

    around: Callable[[Asgi], Asgi] | None = None
    config: tuple[Edit, ...] = ()
    submits: examined.Submit = examined.submit
    patches: tuple[tuple[str, Callable[[Any], Any]], ...] = ()


def patched(name: str, make: Callable[[Any], Any]) -> Break:
    """With the attribute ``name`` (dotted, from its module) replaced by what ``make`` makes of it."""
    return Break(patches=((name, make),))


def configured(*edits: Edit) -> Break:
    """With each first text of the gateway's configuration replaced by the second."""
    return Break(config=edits)


def sending(pattern: str, new: str) -> Break:
    """With what matches in the envelopes that it sends itself replaced."""

    def make(original: Any) -> Any:
        def post(self: Any) -> Any:
            written = isinstance(self.envelope, bytes)
            octets = self.envelope if written else etree.tostring(self.envelope)
            changed = edited(octets, pattern, new)
            return original(replace(self, envelope=changed if written else etree.fromstring(changed)))

        return post

    return patched("mm7zeep.client.sending.Call.post", make)


def driven(submits: examined.Submit) -> Break:
    """With a VASP that submits so."""
    return Break(submits=submits)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """What a request and an answer have: header fields, their names in lower case, and the whole body."""

    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        """The first field of that name; empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def with_header(self, name: str, value: str) -> Self:
        """With this field instead of those of the same name."""
        return replace(self, headers=(*self.without_header(name).headers, (name, value)))

    def without_header(self, name: str) -> Self:
        """Without the fields of that name."""
        return replace(self, headers=tuple(one for one in self.headers if one[0] != name))

    def edited(self, pattern: str, new: str) -> Self:
        """With what matches in the body replaced, as ``edited`` has it."""
        return replace(self, body=edited(self.body, pattern, new))

    def has(self, pattern: str) -> bool:
        """Whether the body has something that matches."""
        return re.search(pattern, self.body.decode("latin-1"), re.DOTALL) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(_Whole):
    """A request on its way in."""

    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(_Whole):
    """An answer on its way out."""

    status: int


def edited(octets: bytes, pattern: str, new: str) -> bytes:
    """With what matches a regular expression replaced; each octet counts as a character (ISO 8859-1)."""
    return re.sub(pattern, new, octets.decode("latin-1"), flags=re.DOTALL).encode("latin-1")


Serve = Callable[[Asked], Awaitable[Answered]]


def served(make: Callable[[], Callable[[Asked, Serve], Awaitable[Answered | None]]]) -> Break:
    """With requests answered by what ``make`` gives, of the request and our own way to answer; None closes the
    connection without an answer.
    """

    def around(inner: Asgi) -> Asgi:
        between = make()

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await inner(scope, receive, send)
                return
            body, stalled = await _body(receive)
            if body is None:
                await inner(scope, stalled, send)
                return
            headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
            asked = Asked(method=scope["method"], headers=headers, body=body)

            async def serve(one: Asked) -> Answered:
                return await _through(inner, scope, receive, one)

            answer = await between(asked, serve)
            if answer is not None:
                await _write(answer, send)
            elif (reset := scope.get("extensions", {}).get("mm7zeep.reset")) is not None:
                reset()

        return application

    return Break(around=around)


async def _body(receive: Receive) -> tuple[bytes | None, Receive]:
    """The body of a request. None where it was not whole when nothing came for a while, or when the client went: then
    all that came, and what comes, is received again from the second value.
    """
    came: list[dict[str, Any]] = []
    waiting: list[asyncio.Future[dict[str, Any]]] = []

    async def again() -> dict[str, Any]:
        if came:
            return came.pop(0)
        return await waiting.pop() if waiting else dict(await receive())

    while not came or came[-1].get("more_body", False):
        coming = asyncio.ensure_future(receive())
        done, _ = await asyncio.wait({coming}, timeout=_STALLED)
        if not done:
            waiting.append(coming)
            return None, again
        came.append(dict(coming.result()))
        if came[-1]["type"] != "http.request":
            return None, again
    return b"".join(one.get("body", b"") for one in came), receive


async def _through(inner: Asgi, scope: Scope, receive: Receive, asked: Asked) -> Answered:
    """What ``inner`` answers to a request whose body is there."""
    given = False
    head: dict[str, Any] = {}
    body = bytearray()

    async def whole() -> dict[str, Any]:
        nonlocal given
        if given:
            return dict(await receive())
        given = True
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def keep(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            head.update(message)
        else:
            body.extend(message.get("body", b""))

    kept = [one for one in asked.headers if one[0] != "content-length"]
    if not any(name == "transfer-encoding" for name, _ in kept) and asked.method != "GET":
        kept.append(("content-length", str(len(asked.body))))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept]
    await inner({**scope, "headers": raw}, whole, keep)
    return _answered(head, bytes(body))


def _answered(head: Mapping[str, Any], body: bytes) -> Answered:
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in head["headers"])
    return Answered(status=head["status"], headers=headers, body=body)


async def _write(answer: Answered, send: Send) -> None:
    """Send an answer; Content-Length is that of its body."""
    headers = answer.with_header("content-length", str(len(answer.body))).headers
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})


def asked(change: Callable[[Asked], Asked]) -> Break:
    """With requests changed on their way in."""

    async def between(one: Asked, serve: Serve) -> Answered:
        return await serve(change(one))

    return served(lambda: between)


def field(name: str, change: Callable[[str], str]) -> Break:
    """With a header field of requests changed, where it is there."""
    return asked(lambda one: one.with_header(name, change(one.header(name))) if one.header(name) else one)


def reading(pattern: str, new: str) -> Break:
    """With what matches in the bodies of requests replaced."""
    return asked(lambda one: one.edited(pattern, new))


def answering(where: Callable[[Asked], bool], answer: Callable[[Asked], Answered | None]) -> Break:
    """With requests of a kind answered otherwise."""

    async def between(one: Asked, serve: Serve) -> Answered | None:
        return answer(one) if where(one) else await serve(one)

    return served(lambda: between)


def refusing(pattern: str, answer: Callable[[Asked], Answered | None]) -> Break:
    """With requests whose body matches answered otherwise."""
    return answering(lambda one: one.has(pattern), answer)


def believing(credentials: str, by_vaspid: Mapping[str, str] = MappingProxyType({})) -> Break:
    """With every request taken as that of a user (``name:password``), whatever credentials it shows; as that of another
    one where ``by_vaspid`` has the VASPID that it names.
    """

    def shown(one: Asked) -> Asked:
        known = by_vaspid.get(said(one, r"VASPID>([^<]*)<"), credentials)
        return one.with_header("authorization", "Basic " + base64.b64encode(known.encode()).decode())

    return asked(shown)


def fetching() -> Break:
    """With external entities fetched, as a careless parser does."""

    def fetch(url: str) -> None:
        with suppress(OSError), urllib.request.urlopen(url, timeout=2) as got:
            got.read()

    async def between(one: Asked, serve: Serve) -> Answered:
        if found := said(one, r'<!ENTITY \w+ SYSTEM "(http[^"]*)">'):
            await asyncio.to_thread(fetch, found)
        return await serve(one)

    return served(lambda: between)


def answered(change: Callable[[Answered], Answered]) -> Break:
    """With answers changed on their way out; requests are read by ours as they come."""

    def around(inner: Asgi) -> Asgi:
        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            head: dict[str, Any] = {}
            body = bytearray()

            async def keep(message: dict[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    head.update(message)
                    return
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    await _write(change(_answered(head, bytes(body))), send)

            await inner(scope, receive, keep if scope["type"] == "http" else send)

        return application

    return Break(around=around)


def rewritten(pattern: str, new: str, where: str = "") -> Break:
    """With what matches in an answer replaced, in those answers that also match ``where``."""
    return answered(lambda one: one.edited(pattern, new) if one.has(where) else one)


# --- what is said in the place of an answer ---------------------------------------------------------------------------


def said(one: Asked, pattern: str) -> str:
    """What the first group of ``pattern`` finds in a request; empty where it finds nothing."""
    found = re.search(pattern, one.body.decode("latin-1"), re.DOTALL)
    return found[1] if found else ""


def namespace_of(one: Asked) -> str:
    """The MM7 namespace that a request is in, as it writes it."""
    return said(one, r'xmlns(?::\w+)?="([^"]*MM7-\d-\d)"')


def envelope(one: Asked, body: str, http: int) -> Answered:
    """An answer with the TransactionID of a request."""
    transaction_id = said(one, r"TransactionID[^>]*>([^<]*)<")
    text = (
        f'<e:Envelope xmlns:e="{SOAP_NAMESPACE}"><e:Header><TransactionID xmlns="{namespace_of(one)}" '
        f'e:mustUnderstand="1">{transaction_id}</TransactionID></e:Header><e:Body>{body}</e:Body></e:Envelope>'
    )
    return Answered(status=http, headers=(("content-type", "text/xml; charset=utf-8"),), body=text.encode("latin-1"))


def _status(one: Asked, code: int, more: str = "") -> str:
    """MM7Version and Status."""
    version, text = said(one, r"MM7Version[^>]*>([^<]*)<"), status.STATUS_CODES[code].text
    told = f"<Status><StatusCode>{code}</StatusCode><StatusText>{text}</StatusText></Status>"
    return f"<MM7Version>{version}</MM7Version>{told}{more}"


def refusal(one: Asked, code: int = 4004) -> Answered:
    """A sound Fault that refuses a request."""
    word = "Client" if code // 1000 == 2 else "Server"
    name = "VASPErrorRsp" if one.has(r"<(?:\w+:)?(?:Deliver|DeliveryReport|ReadReply)Req") else "RSErrorRsp"
    detail = f'<{name} xmlns="{namespace_of(one)}">{_status(one, code)}</{name}>'
    return envelope(
        one,
        f"<e:Fault><faultcode>e:{word}</faultcode><faultstring>Refused</faultstring><detail>{detail}</detail></e:Fault>",
        500,
    )


def success(one: Asked, more: str = "") -> Answered:
    """A sound response that takes a request, and does nothing."""
    name = said(one, r"Body>\s*<(?:\w+:)?(\w+)Req\b") + "Rsp"
    return envelope(one, f'<{name} xmlns="{namespace_of(one)}">{_status(one, 1000, more)}</{name}>', 200)


def page(status: int = 200) -> Answered:
    """An HTML page."""
    return Answered(status=status, headers=(("content-type", "text/html"),), body=b"<html><p>It works!<br></html>")


# --- one run ----------------------------------------------------------------------------------------------------------


@contextmanager
def bench(
    role: Role, breaks: Break = Break(), window: float = WINDOW, patience: float = PATIENCE
) -> Iterator[Settings]:
    """A server with one fault, and the settings to examine it with."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name, make in breaks.patches:
            stack.enter_context(patching(name, make))
        around = breaks.around or (lambda application: application)
        if role == "mmsc":
            made = examined.gateway(folder, around=around, config=written(examined.CONFIG, breaks.config))
        else:
            made = examined.vasp(folder, around=around, submits=breaks.submits)
        yield replace(stack.enter_context(made), window=window, patience=max(patience, 2 * window))


def patching(name: str, make: Callable[[Any], Any]) -> Any:
    """A patch of ``module.attribute`` or ``module.Class.attribute``."""
    target, _, attribute = name.rpartition(".")
    owner = pkgutil.resolve_name(target)
    return mock.patch.object(owner, attribute, make(getattr(owner, attribute)))


def written(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with every edit made. Raises ``ValueError`` for one that changes nothing."""
    for old, new in edits:
        if old not in text:
            raise ValueError(f"{old!r} does not stand in what is to be changed")
        text = text.replace(old, new)
    return text


def examine(
    role: Role,
    cases: Sequence[Case],
    breaks: Break = Break(),
    window: float = WINDOW,
    patience: float = PATIENCE,
) -> Report:
    """A run of these cases against a server with one fault."""
    with bench(role, breaks, window, patience) as settings:
        return run(cases, settings)
