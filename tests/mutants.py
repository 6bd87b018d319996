"""Deliberately broken servers, by which the examiner is examined: our own gateway and VASP, each with one fault.

A ``Mutant`` says what is broken, how, and which cases state it: exactly those have to turn red. It breaks the answer or
the request on its way (``answered``, ``asked``, ``served``: an ASGI application around ours), the bench's configuration
(``configured``, ``driven``), or a function of the product (``patched``). The tables are ``mutants_mmsc`` and
``mutants_vasp``; ``probe_mutants`` runs them.
"""

from __future__ import annotations

import base64
import pkgutil
import re
import tempfile
import urllib.request
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import examined

from mm7zeep.probe.case import Case
from mm7zeep.probe.cases import ALL
from mm7zeep.probe.common import COMMON
from mm7zeep.probe.results import Report, Result, Role
from mm7zeep.probe.runner import run
from mm7zeep.probe.settings import Settings
from mm7zeep.receiver import Receive, Scope, Send

WINDOW = 2.0
"""Seconds that calls are waited for, unless a mutant needs more."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A broken server. ``what`` is one sentence about it.

    ``found_by`` are the ids, of cases and of common assertions, that have to be FAIL, HANG or WARN; ``noted`` those
    that can only be INFO, and have to be that for a new reason. ``near`` are beginnings of ids that are asked beside
    them in the quick form, since they could notice.
    """

    name: str
    role: Role
    what: str
    breaks: Break
    found_by: frozenset[str] = frozenset()
    noted: frozenset[str] = frozenset()
    near: tuple[str, ...] = ()
    window: float = WINDOW

    @property
    def title(self) -> str:
        """Its role and name."""
        return f"{self.role} {self.name}"

    @property
    def ids(self) -> frozenset[str]:
        """All by which it is found."""
        return self.found_by | self.noted

    def cases(self) -> list[Case]:
        """Those of the quick form: by which it is found, those near, and the control set."""
        wanted = self.ids | CONTROL[self.role]
        return [
            one
            for one in ALL
            if one.role == self.role and (one.id in wanted or any(one.id.startswith(word) for word in self.near))
        ]


def patched(name: str, make: Callable[[Any], Any]) -> Break:
    """With the attribute ``name`` (dotted, from its module) replaced by what ``make`` makes of it."""
    return Break(patches=((name, make),))


def configured(*edits: Edit) -> Break:
    """With each first text of the gateway's configuration replaced by the second."""
    return Break(config=edits)


def driven(submits: examined.Submit) -> Break:
    """With a VASP that submits so."""
    return Break(submits=submits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it comes in, its body whole."""

    method: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        """The first field of that name, which is lower case; empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def with_header(self, name: str, value: str) -> Asked:
        """With this field instead of those of the same name."""
        kept = tuple(one for one in self.headers if one[0] != name)
        return replace(self, headers=(*kept, (name, value)))

    def edited(self, pattern: str, new: str) -> Asked:
        """With what matches in the body replaced (a regular expression of text in ISO 8859-1)."""
        return replace(self, body=edited(self.body, pattern, new))

    def has(self, pattern: str) -> bool:
        """Whether the body has something that matches."""
        return re.search(pattern, self.body.decode("latin-1"), re.DOTALL) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer on its way out."""

    status: int
    headers: Headers
    body: bytes

    with_header = Asked.with_header
    header = Asked.header
    edited = Asked.edited
    has = Asked.has

    def without_header(self, name: str) -> Answered:
        """Without the fields of that name."""
        return replace(self, headers=tuple(one for one in self.headers if one[0] != name))


def edited(octets: bytes, pattern: str, new: str) -> bytes:
    """With what matches replaced; text beyond ISO 8859-1 is written in UTF-8."""
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
            body, more = b"", True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                body, more = body + message.get("body", b""), message.get("more_body", False)
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
    """Send an answer; Content-Length is that of its body, unless it says another."""
    headers = answer.headers
    if answer.header("content-length") != "wrong":
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


def believing(username: str, password: str) -> Break:
    """With every request taken as that of a user, whatever credentials it shows."""
    known = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    return asked(lambda one: one.with_header("authorization", known))


def fetching() -> Break:
    """With external entities fetched, as a careless parser does."""

    def change(one: Asked) -> Asked:
        found = said(one, r'<!ENTITY \w+ SYSTEM "(http[^"]*)">')
        if found:
            with suppress(OSError), urllib.request.urlopen(found, timeout=2) as got:
                got.read()
        return one

    return asked(change)


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

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def said(one: Asked, pattern: str) -> str:
    """What the first group of ``pattern`` finds in a request; empty where it finds nothing."""
    found = re.search(pattern, one.body.decode("latin-1"), re.DOTALL)
    return found[1] if found else ""


def namespace_of(one: Asked) -> str:
    """The MM7 namespace that a request is in, as it writes it."""
    return said(one, r'xmlns(?::\w+)?="([^"]*MM7-\d-\d)"')


def response(one: Asked, name: str, code: int, text: str, more: str = "") -> Answered:
    """A sound response of that name to a request, with a status."""
    namespace = namespace_of(one)
    body = (
        f'<e:Envelope xmlns:e="{_SOAP}"><e:Header><TransactionID xmlns="{namespace}" e:mustUnderstand="1">'
        f"{said(one, r'TransactionID[^>]*>([^<]*)<')}</TransactionID></e:Header><e:Body>"
        f'<{name} xmlns="{namespace}"><MM7Version>{said(one, r"MM7Version[^>]*>([^<]*)<")}</MM7Version><Status>'
        f"<StatusCode>{code}</StatusCode><StatusText>{text}</StatusText></Status>{more}</{name}></e:Body></e:Envelope>"
    )
    return Answered(status=200, headers=(("content-type", "text/xml; charset=utf-8"),), body=body.encode("latin-1"))


def refusal(one: Asked, code: int = 4004, text: str = "Validation error") -> Answered:
    """A sound response that refuses a request."""
    return response(one, said(one, r"Body>\s*<(?:\w+:)?(\w+)Req\b") + "Rsp", code, text)


def success(one: Asked, more: str = "") -> Answered:
    """A sound response that takes a request, and does nothing."""
    return response(one, said(one, r"Body>\s*<(?:\w+:)?(\w+)Req\b") + "Rsp", 1000, "Success", more)


def page(status: int = 200) -> Answered:
    """An HTML page."""
    return Answered(status=status, headers=(("content-type", "text/html"),), body=b"<html><p>It works!<br></html>")


# --- one run ----------------------------------------------------------------------------------------------------------


@contextmanager
def bench(role: Role, breaks: Break = Break(), window: float = WINDOW) -> Iterator[Settings]:
    """A server with one fault, and the settings to examine it with."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name, make in breaks.patches:
            stack.enter_context(_patch(name, make))
        around = breaks.around or (lambda application: application)
        if role == "mmsc":
            made = examined.gateway(folder, around=around, config=_edited(examined.CONFIG, breaks.config))
        else:
            made = examined.vasp(folder, around=around, submits=breaks.submits)
        yield replace(stack.enter_context(made), window=window)


def _patch(name: str, make: Callable[[Any], Any]) -> Any:
    """A patch of ``module.attribute`` or ``module.Class.attribute``."""
    target, _, attribute = name.rpartition(".")
    owner = pkgutil.resolve_name(target)
    return mock.patch.object(owner, attribute, make(getattr(owner, attribute)))


def _edited(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with every edit made. Raises ``ValueError`` for one that changes nothing."""
    for old, new in edits:
        if old not in text:
            raise ValueError(f"{old!r} does not stand in what is to be changed")
        text = text.replace(old, new)
    return text


def examine(role: Role, cases: Sequence[Case], breaks: Break = Break(), window: float = WINDOW) -> Report:
    """A run of these cases against a server with one fault."""
    with bench(role, breaks, window) as settings:
        return run(cases, settings)


# --- judging ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Before:
    """What came of a case, or a common assertion, with the unbroken server: its verdict and what it told."""

    verdict: str
    remarks: frozenset[str]


Baseline = Mapping[str, Before]
"""By id."""


def baseline(role: Role, cases: Sequence[Case], window: float = WINDOW) -> Baseline:
    """What comes of these cases with the unbroken server."""
    return {one.id: Before(one.verdict, _remarks(one)) for one in examine(role, cases, window=window).results}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of a mutant: the ids that did not find it though they state it (``missed``), and those that turned red
    though they do not (``others``), each with why.
    """

    name: str
    ids: int
    missed: tuple[str, ...]
    others: tuple[str, ...]
    cases: int
    took: float

    @property
    def found(self) -> bool:
        """Whether it was found by exactly the cases that state it."""
        return not self.missed and not self.others

    def __str__(self) -> str:
        word = "found" if self.found else "NOT AS STATED"
        lines = [f"{word:13} {self.name}: by {self.ids}, {self.cases} cases in {self.took:.1f} s"]
        lines += [f"    not found by {one}" for one in self.missed]
        lines += [f"    also red: {one}" for one in self.others]
        return "\n".join(lines)


def judged(mutant: Mutant, report: Report, before: Baseline) -> Judgement:
    """Whether exactly the cases that state a fault turned red in ``report``; ``before`` is the unbroken server."""
    after = {one.id: one for one in report.results}
    missed = [one for one in sorted(mutant.found_by) if one not in after or not _red(after[one])]
    missed += [one for one in sorted(mutant.noted) if one not in after or not _noted(after[one], before.get(one))]
    others = [
        f"{one.id} {one.verdict}: {one.why}"
        for one in report.results
        if one.id not in mutant.ids and _worse(one, before.get(one.id))
    ]
    return Judgement(
        name=mutant.title,
        ids=len(mutant.ids),
        missed=tuple(f"{one} ({after[one].verdict} {after[one].why})" if one in after else one for one in missed),
        others=tuple(others),
        cases=sum(not one.common for one in report.results),
        took=report.took,
    )


def _red(one: Result) -> bool:
    return one.verdict in _RED


def _noted(one: Result, before: Before | None) -> bool:
    """Whether it is INFO, for a reason that the unbroken server does not give."""
    return one.verdict == "INFO" and bool(_remarks(one) - (before.remarks if before else frozenset()))


def _worse(one: Result, before: Before | None) -> bool:
    """Whether it is red and was not; of a common assertion, also whether it tells something new."""
    if _red(one):
        return before is None or before.verdict not in _RED
    return one.id in _COMMON and before is not None and _noted(one, before)


def _remarks(one: Result) -> frozenset[str]:
    """The reasons, without the cases that a common assertion names."""
    return frozenset(reason.text.partition(": ")[2] if one.common else reason.text for reason in one.reasons)


# --- the control set --------------------------------------------------------------------------------------------------

CONTROL: Mapping[Role, frozenset[str]] = {
    "mmsc": frozenset({
        "submit/minimal", "submit/message-id-unique", "submit/recipients/none", "cancel/scheduled", "cancel/unknown-id",
        "cancel/no-id", "cancel/no-charset", "cancel/other-vasp", "replace/scheduled", "replace/unknown-id",
        "replace/other-vasp", "replace/recipients", "report/delivered", "report/per-recipient", "report/none",
        "report/once", "report/ten-namespaces/rel5-1-2", "report/ten-namespaces/rel6-1-4", "report/retry-503",
        "report/retry-4006/rsp", "report/no-retry-1000", "read/read", "read/none", "callback/other-application",
        "extended-cancel/basic",
    }),
    "vasp": frozenset({
        "deliver/basic", "deliver/multipart-smil", "deliver/base64-parts", "deliver/start-missing", "deliver/chunked",
        "deliver/keep-alive", "deliver/parallel", "deliver/repeat", "deliver/ns-each/rel5-1-2",
        "deliver/ns-each/rel6-1-4", "deliver/rsp-namespace", "deliver/sender-number", "deliver/priority-each/high",
        "deliver/timestamp-offset/utc", "deliver/subject-utf8/entities", "deliver/txid-missing", "deliver/mu-unknown",
        "deliver/sender-missing", "deliver/not-well-formed", "callback/operation-unknown", "callback/auth-basic/right",
        "content/cut", "report/each-status/Retrieved", "report/text-xml", "report/no-message-id",
        "read/each-status/Read",
    }),
}  # fmt: skip
"""Cases of every area that are quick, and asked of every mutant."""
