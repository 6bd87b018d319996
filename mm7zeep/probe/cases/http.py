"""Role mmsc: HTTP as it may come, and as it must not (catalogue A1 and its corrections)."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace

from mm7zeep.messages import Part
from mm7zeep.probe.accept import ANSWERED, CLOSED, H4XX, OK, REF, H, Outcome
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.lab import Lab, carries, text_part
from mm7zeep.probe.results import Level
from mm7zeep.probe.stimulus import ROOT_ID, Stimulus

_NO_MM7 = (H(400, 415), REF(4004, 2007))
_SOAPACTION = "SOAPAction"


def _taken(id: str, level: Level, clause: str, requirement: str, made: Callable[[Lab], Stimulus]) -> Case:
    """A case of one request that has to be accepted."""

    @case(f"http/{id}", level, clause, requirement)
    def run(lab: Lab) -> None:
        lab.expect(lab.ask(made(lab)), OK)

    return run


def _refused(
    id: str, level: Level, clause: str, requirement: str, made: Callable[[Lab], Stimulus], *outcomes: Outcome
) -> Case:
    """A case of one request that may not be accepted; the next is served."""

    @case(f"http/{id}", level, clause, requirement)
    def run(lab: Lab) -> None:
        lab.expect(lab.ask(made(lab)), *outcomes)

    return run


def _open(id: str, clause: str, requirement: str, made: Callable[[Lab], Stimulus], *outcomes: Outcome) -> Case:
    """A case whose outcome the texts leave open."""

    @case(f"http/{id}", "INFO", clause, requirement)
    def run(lab: Lab) -> None:
        lab.any(lab.ask(made(lab)), *outcomes)

    return run


def _in_case(change: Callable[[str], str]) -> Callable[[Lab], Stimulus]:
    """A submit whose header names are all written so, those that the tool adds itself included."""

    def made(lab: Lab) -> Stimulus:
        sent = lab.submit()
        fields = tuple((change(name), value) for name, value in sent.headers)
        own = ((change("Host"), lab.place.netloc), (change("Content-Type"), sent.kind()))
        length = ((change("Content-Length"), str(len(sent.body()))),)
        return replace(sent, headers=(*own, *fields, *length), host="", content_type="", length="", raw=sent.body())

    return made


def _zipped(lab: Lab) -> Stimulus:
    sent = lab.submit()
    return sent.with_body(gzip.compress(sent.body())).with_header("Content-Encoding", "gzip")


def _get(lab: Lab) -> Stimulus:
    sent = replace(lab.submit(), line=f"GET {lab.place.path or '/'} HTTP/1.1", content_type="", length="", raw=b"")
    return replace(sent.unread(), mark="")


FORMS = (
    _refused("get", "SHOULD", "RFC 9110 15.5.6; SOAP 1.1 6", "GET on the MM7 URL is refused.", _get, H(405)),
    _refused(
        "content-type-missing", "SHOULD", "SOAP 1.1 6; SwA 3", "A multipart body without Content-Type is refused.",
        lambda lab: lab.submit().labelled("").unread(), *_NO_MM7,
    ),
    _refused(
        "content-type-foreign", "SHOULD", "SOAP 1.1 6", "A request as application/json is refused.",
        lambda lab: lab.submit().labelled("application/json").unread(), H(415, 400), REF(4004),
    ),
    _refused(
        "content-type-text-xml-submit", "SHOULD", "SwA 3", "A multipart body that is labelled text/xml is refused.",
        lambda lab: lab.submit().labelled("text/xml; charset=utf-8").unread(), *_NO_MM7,
    ),
    _taken(
        "soapaction-empty", "MUST", "8.7.8.1 UNSURE", 'SOAPAction: "" is accepted.',
        lambda lab: lab.submit().with_header(_SOAPACTION, '""'),
    ),
    _open(
        "soapaction-missing", "SOAP 1.1 6.1.1", "A request without SOAPAction is answered whole.",
        lambda lab: lab.submit().without_header(_SOAPACTION),
    ),
    _open(
        "soapaction-bare", "SOAP 1.1 6.1.1", "SOAPAction with nothing behind it is answered whole.",
        lambda lab: lab.submit().with_header(_SOAPACTION, ""),
    ),
    _taken(
        "soapaction-other", "SHOULD", "SOAP 1.1 6.1.1", "SOAPAction with the namespace in quotes is accepted.",
        lambda lab: lab.submit().with_header(_SOAPACTION, f'"{lab.settings.namespace}"'),
    ),
    _taken(
        "version-10", "SHOULD", "RFC 9112 2.5", "A request of HTTP/1.0 without Host is served.",
        lambda lab: replace(lab.submit(), line=f"POST {lab.place.path or '/'} HTTP/1.0", host=""),
    ),
    _refused(
        "body-empty", "MUST", "SOAP 1.1 3", "A request without a body is refused.",
        lambda lab: replace(lab.submit().unread(), raw=b"", content_type=lab.submit().kind(), mark=""),
        REF(4004, 2007, 2000), H4XX,
    ),
    _taken(
        "header-case/lower", "MUST", "RFC 9110 5.1", "Header names in lower case are understood.", _in_case(str.lower)
    ),
    _taken(
        "header-case/upper", "MUST", "RFC 9110 5.1", "Header names in upper case are understood.", _in_case(str.upper)
    ),
    _taken(
        "content-type-order", "MUST", "RFC 2045 5.1",
        "Parameters of Content-Type in any order and case, with blanks, are understood.",
        lambda lab: lab.submit().labelled(
            f'Multipart/RELATED ;  START="<{ROOT_ID}>" ;Type="text/xml";   BOUNDARY="mm7zeep-probe"'
        ),
    ),
    _taken(
        "unknown-headers", "MUST", "RFC 9110 5.1", "Header fields that nobody knows do no harm.",
        lambda lab: lab.submit().with_header("X-Probe-Id", "1").with_header("Accept-Language", "de, en;q=0.5"),
    ),
    _open(
        "content-encoding", "RFC 9110 8.4", "A body in gzip is understood, or refused as such.", _zipped,
        OK, H(415, 400), REF(4004, 2007),
    ),
)  # fmt: skip


# --- connections ------------------------------------------------------------------------------------------------------


@case("http/chunked", "MUST", "RFC 9112 7.1", "A chunked request is read whole, wherever it is cut.")
def chunked(lab: Lab) -> None:
    made = lab.submit()
    within = made.body().index(b"--mm7zeep-probe", 20) + 5  # inside the second delimiter
    with lab.line() as line:
        lab.expect(line.ask_chunked(made, (1, within - 1, 3, 100, 7)), OK)


@case("http/expect-continue", "SHOULD", "RFC 9110 10.1.1", "A request with Expect: 100-continue is accepted.")
def expect_continue(lab: Lab) -> None:
    made = lab.submit().with_header("Expect", "100-continue")
    with lab.line() as line:
        line.send(made.head(lab.place))
        line.connection.speaks(1.0)  # RFC 9110 10.1.1: the body is sent after a while in any case
        line.send(made.body())
        lab.expect(line.said_to(made), OK)


@case("http/keep-alive", "SHOULD", "RFC 9112 9.3", "Three submits on one connection are accepted.")
def keep_alive(lab: Lab) -> None:
    with lab.line() as line:
        for turn in range(3):
            said = lab.must(line.ask(lab.submit()), OK)
            if said.answer.closes and turn < 2:
                lab.require(False, "the connection is closed after one answer", level="SHOULD", shown=said)
                return


@case("http/connection-close", "MUST", "RFC 9112 9.6", "Connection: close is obeyed after the answer.")
def connection_close(lab: Lab) -> None:
    with lab.line() as line:
        said = lab.must(line.ask(lab.submit().with_header("Connection", "close")), OK)
        lab.require(line.connection.is_closed(2.0), "the connection stays open", level="MUST", shown=said)


@case(
    "http/pipelined",
    "INFO",
    "RFC 9112 9.3.2",
    "Two requests in one write are answered in their order, or the connection is closed after the first.",
)
def pipelined(lab: Lab) -> None:
    first, second = lab.submit(), lab.submit()
    with lab.line() as line:
        line.send(first.octets(lab.place) + second.octets(lab.place))
        lab.must(line.said_to(first), OK, level="MUST")
        lab.expect(line.said_to(second), OK, CLOSED, level="MUST")
    lab.alive()


@case(
    "http/length-short",
    "SHOULD",
    "RFC 9112 6.3",
    "What stands behind a body that is longer than its Content-Length is no message: the rest is refused.",
)
def length_short(lab: Lab) -> None:
    made = lab.submit()
    octets = made.body()
    cut = replace(made.unread(), length=str(len(octets) - len(b"--mm7zeep-probe--\r\n")), mark="")
    with lab.line() as line:
        said = line.ask(replace(cut, looped=False))
        lab.expect(said, ANSWERED)  # the closing delimiter may be missing
        rest = line.said_to(replace(cut, looped=False, operation=""), timeout=2.0)
        lab.require(
            not rest.accepted and (rest.answer.status is None or rest.answer.status >= 400),
            "the rest was taken for a message",
            level="SHOULD",
            actual=rest.summary,
            shown=rest,
        )
    lab.alive()


@case(
    "http/length-long",
    "SHOULD",
    "RFC 9112 6.3",
    "A body that ends before its Content-Length and goes no further is refused, or the connection is closed.",
)
def length_long(lab: Lab) -> None:
    made = lab.submit()
    said_length = replace(made.unread(), length=str(len(made.body()) + 50))
    with lab.line() as line:
        line.send(said_length.octets(lab.place))
        line.connection.finish()
        lab.expect(line.said_to(said_length), H(408, 400), REF(4004, 2007, 2004), CLOSED)
    lab.alive()


@case(
    "http/length-conflict",
    "MUST",
    "RFC 9112 6.1",
    "Content-Length beside chunked is refused, or the chunks count and the connection is closed.",
)
def length_conflict(lab: Lab) -> None:
    made = lab.submit()
    body = made.body()
    both = made.with_header("Transfer-Encoding", "chunked")
    with lab.line() as line:
        line.send(both.head(lab.place) + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
        said = line.said_to(both)
        if not lab.expect(said, H(400), OK) or not said.accepted:
            return
        lab.require(line.connection.is_closed(3.0), "the connection stays open", level="MUST", shown=said)


@case(
    "http/too-large",
    "SHOULD",
    "8.7.1; RFC 9110 15.5.14",
    "A request above the limit is refused for its size.",
    needs=("limits.message",),
)
def too_large(lab: Lab) -> None:
    octets = lab.random.randbytes(lab.settings.limits["message"] + 1000)
    made = lab.submit(parts=[text_part("Large"), Part(body=octets, content_type="image/jpeg")])
    lab.expect(lab.ask(made), H(413), REF(2004, 4004, 3002), CLOSED)
    lab.alive()


@case("http/slow-body", "SHOULD", "practice", "A body that takes ten seconds is waited for, or given up by 408.")
def slow_body(lab: Lab) -> None:
    made = lab.submit()
    body = made.body()
    with lab.line() as line:
        line.send(made.head(lab.place))
        line.connection.send_slowly((body[at : at + 1] for at in range(20)), 0.45)
        line.send(body[20:])
        lab.expect(line.said_to(made), OK, H(408))


@case("http/parallel", "SHOULD", "practice", "Ten submits at once are accepted, each with a MessageID of its own.")
def parallel(lab: Lab) -> None:
    told = lab.together([lab.submit() for _ in range(10)])
    taken = [said.message_id for said in told if lab.expect(said, OK)]
    lab.require(len(set(taken)) == len(taken), "MessageIDs were issued twice", level="SHOULD")


@case("http/parallel-answers", "MUST", "8.7.1", "Of sixteen requests at once each gets its own answer.")
def parallel_answers(lab: Lab) -> None:
    for said in lab.together([lab.submit() for _ in range(16)]):
        lab.expect(said, OK)


@case(
    "http/after-abort", "MUST", "8.7.1", "A request after an aborted one gets its own answer; of that, nothing arrives."
)
def after_abort(lab: Lab) -> None:
    cut = lab.submit()
    with lab.line() as line:
        line.send(cut.octets(lab.place)[:-60])
        line.connection.abort()
    lab.must(lab.ask(lab.submit()), OK)
    if lab.bench.listener is not None:
        lab.no_call(lambda one: carries(one, cut), "the message of the aborted request")
