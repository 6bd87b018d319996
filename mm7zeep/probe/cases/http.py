"""Role mmsc: HTTP beneath MM7 (catalogue A1), and answers that belong to their requests."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable
from dataclasses import replace

from mm7zeep.probe.accept import ANSWERED, CLOSED, H4XX, MISSING, OK, REF, H
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.making import text_part
from mm7zeep.probe.reading import Said
from mm7zeep.probe.stimulus import BOUNDARY, ROOT_ID, Stimulus, request_line

_SLOW = 6.0  # seconds that a slow body takes

# --- method and Content-Type ------------------------------------------------------------------------------------------


@case("http/get", "SHOULD", "RFC 9110 15.5.6; SOAP 1.1 6", "GET on the MM7 URL is refused by HTTP.")
def get(lab: Lab) -> None:
    made = replace(lab.submit().unread(), line=request_line(lab.place, "GET"), raw=b"", content_type="", length="")
    lab.expect(lab.ask(made), H(405))


@case("http/content-type-missing", "SHOULD", "SOAP 1.1 6; SwA 3", "A request without a Content-Type is refused.")
def content_type_missing(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().unread().labelled("")), H(400, 415), REF(4004, 2007))


@case("http/content-type-foreign", "SHOULD", "SOAP 1.1 6", "A request that is labelled application/json is refused.")
def content_type_foreign(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().unread().labelled("application/json")), H(415, 400), REF(4004))


@case("http/content-type-text-xml-submit", "SHOULD", "SwA 3", "A multipart body labelled text/xml is refused.")
def content_type_text_xml(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().unread().labelled("text/xml; charset=utf-8")), H(400, 415), REF(4004, 2007))


@case(
    "http/content-type-order",
    "MUST",
    "RFC 2045 5.1",
    "Parameters of Content-Type may come in any order, with blanks around them, under names in upper case.",
)
def content_type_order(lab: Lab) -> None:
    kind = f'Multipart/RELATED ;  START="<{ROOT_ID}>" ;Type="text/xml";   BOUNDARY="{BOUNDARY}"'
    lab.expect(lab.ask(lab.submit().labelled(kind)), OK)


# --- header fields ----------------------------------------------------------------------------------------------------


@case("http/soapaction-empty", "MUST", "8.7.8.1 UNSURE", 'SOAPAction: "" is accepted.')
def soapaction_empty(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().with_header("SOAPAction", '""')), OK)


@case("http/soapaction-missing", "INFO", "SOAP 1.1 6.1.1", "A request without SOAPAction is answered as such.")
def soapaction_missing(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit().without_header("SOAPAction")))


@case("http/soapaction-bare", "INFO", "SOAP 1.1 6.1.1", "A SOAPAction without a value is answered as such.")
def soapaction_bare(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit().with_header("SOAPAction", "")))


@case("http/soapaction-other", "SHOULD", "SOAP 1.1 6.1.1", "A SOAPAction with a URI is accepted.")
def soapaction_other(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().with_header("SOAPAction", f'"{lab.profile.namespace}"')), OK)


def _header_case(name: str, change: Callable[[str], str]) -> Case:
    @case(f"http/header-case/{name}", "MUST", "RFC 9110 5.1", f"Names of header fields may be in {name} case.")
    def header_case(lab: Lab) -> None:
        made = lab.submit()
        head = re.sub(r"(?m)^[\w-]+(?=:)", lambda found: change(found[0]), made.head(lab.place).decode())
        with lab.line() as line:
            line.send(head.encode() + made.body())
            lab.expect(line.said_to(made), OK)

    return header_case


HEADER_CASE = (_header_case("lower", str.lower), _header_case("upper", str.upper))


@case("http/unknown-headers", "MUST", "RFC 9110 5.1", "Header fields that say nothing to it are ignored.")
def unknown_headers(lab: Lab) -> None:
    made = lab.submit().with_header("X-Probe-Id", "1").with_header("Accept-Language", "de, en;q=0.5")
    lab.expect(lab.ask(made.with_header("Accept", "*/*")), OK)


@case(
    "http/content-encoding",
    "INFO",
    "RFC 9110 8.4",
    "A body with Content-Encoding gzip is accepted whole, or refused as one that cannot be read.",
)
def content_encoding(lab: Lab) -> None:
    made = lab.submit()
    packed = made.with_header("Content-Encoding", "gzip").with_body(gzip.compress(made.body(), mtime=0))
    lab.any(lab.ask(packed.unread()), OK, H(415), REF(4004, 2007))


# --- framing ----------------------------------------------------------------------------------------------------------


@case("http/chunked", "MUST", "RFC 9112 7.1", "A body in chunks is accepted, also where one ends inside a delimiter.")
def chunked(lab: Lab) -> None:
    made = lab.submit()
    inside = made.body().index(BOUNDARY.encode(), 10) + 5
    with lab.line() as line:
        lab.expect(line.ask_chunked(made, (1, 7, inside - 8, 3, 11)), OK)


@case(
    "http/expect-continue",
    "SHOULD",
    "RFC 9110 10.1.1",
    "Who asks with Expect: 100-continue is told to go on, or served when the body comes all the same.",
)
def expect_continue(lab: Lab) -> None:
    made = lab.submit().with_header("Expect", "100-continue")
    with lab.line() as line:
        line.send(made.head(lab.place))
        told = line.connection.speaks(1.0)
        line.send(made.body())
        said = line.said_to(made)
    lab.expect(said, OK)
    if not told:
        lab.note("nothing was said to Expect: 100-continue within 1 s", shown=said)


@case("http/version-10", "SHOULD", "RFC 9112 6.1", "HTTP/1.0 without Host is served, and is not answered in chunks.")
def version_10(lab: Lab) -> None:
    said = lab.ask(replace(lab.submit(), line=request_line(lab.place, version="1.0"), host=""))
    lab.expect(said, OK)
    lab.require(said.answer.framing != "chunked", "HTTP/1.0 is answered in chunks", shown=said)


@case("http/keep-alive", "SHOULD", "RFC 9112 9.3", "Three requests on one connection are served, one after the other.")
def keep_alive(lab: Lab) -> None:
    with lab.line() as line:
        for turn in range(3):
            said = lab.must(line.ask(lab.submit()), OK)
            if turn < 2 and said.answer.closes:
                lab.require(False, f"the connection ends after {turn + 1} of 3", level=lab.case.level, shown=said)
                return


@case("http/connection-close", "MUST", "RFC 9112 9.6", "After Connection: close the server answers and closes.")
def connection_close(lab: Lab) -> None:
    with lab.line() as line:
        said = lab.must(line.ask(lab.submit().with_header("Connection", "close")), OK)
        closed = said.answer.framing == "close" or line.connection.is_closed(lab.settings.timeout / 2)
        lab.require(closed, "the connection stays open after Connection: close", shown=said)


@case("http/pipelined", "INFO", "RFC 9112 9.3.2", "Two requests in one write are answered in their order.")
def pipelined(lab: Lab) -> None:
    first, second = lab.submit(), lab.submit()
    with lab.line() as line:
        line.send(first.octets(lab.place) + second.octets(lab.place))
        said = line.said_to(first)
        lab.expect(said, ANSWERED, level="MUST")
        then = line.said_to(second)
    lab.expect(then, ANSWERED, CLOSED, level="MUST")
    named = (second.transaction_id in said.transaction_ids, first.transaction_id in then.transaction_ids)
    lab.require(not any(named), "the answers are not in the order of the requests", shown=then)
    lab.alive()


def _rest() -> Stimulus:
    """What stands for octets that are no request."""
    return Stimulus(envelope="", operation="")


@case(
    "http/length-short",
    "SHOULD",
    "RFC 9112 6.3",
    "What follows a body that is longer than its Content-Length is no message: it is answered 400, or the connection"
    " ends.",
)
def length_short(lab: Lab) -> None:
    made = lab.submit()
    last = f"--{BOUNDARY}--\r\n"
    told = replace(made, length=str(len(made.body()) - len(last)))
    with lab.line() as line:
        line.send(told.octets(lab.place) + b"\r\n")
        lab.expect(line.said_to(told), ANSWERED)
        lab.expect(line.said_to(_rest()), H(400), CLOSED)
    lab.alive()


@case(
    "http/length-long",
    "SHOULD",
    "RFC 9112 6.3, 8",
    "A body that ends before its Content-Length is not waited for beyond the time limit, and is no message.",
)
def length_long(lab: Lab) -> None:
    made = lab.submit()
    told = replace(made, length=str(len(made.body()) + 4000))
    with lab.line() as line:
        line.send(told.octets(lab.place))
        said = line.said_to(told, timeout=2 * lab.settings.timeout)
    if said.answer.ended == "timeout":
        text = f"neither answered nor closed within {said.answer.took:.0f} s"
        lab.require(False, text, level=lab.case.level, shown=said)
    else:
        lab.expect(said, H(408, 400), CLOSED)
    lab.alive()


@case(
    "http/length-conflict",
    "MUST",
    "RFC 9112 6.1",
    "Content-Length and chunked together are refused with 400 or read by the chunks, and the connection is closed.",
)
def length_conflict(lab: Lab) -> None:
    made = lab.submit()
    body = made.body()
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    with lab.line() as line:
        line.send(made.head(lab.place, "Content-Length: 5\r\nTransfer-Encoding: chunked") + chunks)
        said = line.said_to(made)
        lab.expect(said, H(400), OK)
        closed = said.answer.framing == "close" or line.connection.is_closed(lab.settings.timeout / 2)
        lab.require(closed, "the connection stays open after an ambiguous request", shown=said)


@case("http/body-empty", "MUST", "SOAP 1.1 3", "An empty body is refused.")
def body_empty(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().unread().with_body(b"")), MISSING, H4XX)


@case(
    "http/too-large",
    "SHOULD",
    "8.7.1; RFC 9110 15.5.14",
    "A request that is larger than the operator allows is refused.",
    needs=("limits.message",),
)
def too_large(lab: Lab) -> None:
    part = text_part("x" * (lab.settings.limits["message"] + 1))
    lab.expect(lab.ask(lab.submit(parts=[part])), H(413), REF(2004, 4004, 3002))


@case("http/slow-body", "SHOULD", "RFC 9110 15.5.9", "A body that comes octet by octet is accepted, or answered 408.")
def slow_body(lab: Lab) -> None:
    made = lab.submit()
    body = made.body()
    with lab.line() as line:
        line.send(made.head(lab.place))
        octets = (body[at : at + 1] for at in range(len(body)))
        line.connection.send_slowly(octets, min(_SLOW, lab.settings.timeout) / len(body))
        lab.any(line.said_to(made), OK, H(408))


# --- several at once --------------------------------------------------------------------------------------------------


@case("http/parallel", "SHOULD", "8.7.1", "Ten requests on ten connections are all accepted, with ids of their own.")
def parallel(lab: Lab) -> None:
    told = lab.together([lab.submit() for _ in range(10)], most=10)
    taken = [said.message_id for said in told if lab.expect(said, OK) and said.message_id]
    lab.require(
        len(set(taken)) == len(taken), "MessageIDs were issued twice", actual=", ".join(taken), level=lab.case.level
    )


def _belongs(lab: Lab, made: Stimulus, told: tuple[str, ...]) -> None:
    lab.require(
        told == (made.transaction_id,),
        "the answer carries another TransactionID than its request",
        expected=made.transaction_id or "",
        actual=", ".join(told) or "none",
    )


@case(
    "answer/foreign/parallel",
    "MUST",
    "8.7.1-8.7.5",
    "Of sixteen requests at once each gets its own answer.",
)
def foreign_parallel(lab: Lab) -> None:
    made = [lab.submit(parts=[text_part("x" * 4000 * turn + lab.word())]) for turn in range(16)]
    for one, said in zip(made, lab.together(made), strict=True):
        if lab.expect(said, OK):
            _belongs(lab, one, said.transaction_ids)


def _after_abort(name: str, what: str, share: float) -> Case:
    @case(f"answer/foreign/after-{name}", "MUST", "8.7.1-8.7.5", f"After {what}, the next request gets its own answer.")
    def after_abort(lab: Lab) -> None:
        for _ in range(3):
            octets = lab.submit().octets(lab.place)
            with lab.line() as line:
                line.send(octets[: int(len(octets) * share)])
                line.connection.abort()
            made = lab.submit()
            said = lab.ask(made)
            if lab.expect(said, OK):
                _belongs(lab, made, said.transaction_ids)

    return after_abort


AFTER_ABORT = (
    _after_abort("cut-request", "a connection that ended inside a request", 0.6),
    _after_abort("unread-answer", "a connection that ended before its answer", 1.0),
)

_LONG = 3.0  # seconds: a limit may be of a second, or be looked at each second

# --- too many ---------------------------------------------------------------------------------------------------------


@case(
    "throttle/well-formed",
    "SHOULD",
    "8.7.8.3 UNSURE",
    "Of a burst beyond the rate that it takes, the endpoint refuses some with 4006, 503 or 429 and serves the others.",
    needs=("limits.rate",),
    alone=True,
)
def throttled(lab: Lab) -> None:
    rate, told, began = min(lab.settings.limits["rate"], 100), list[Said](), time.monotonic()
    while not told or (all(said.accepted for said in told) and time.monotonic() - began < _LONG and not lab.bench.dry):
        told += lab.together([lab.submit() for _ in range(max(2 * rate, 20))], most=32)
    took = time.monotonic() - began
    if all(said.accepted for said in told) and len(told) / took <= rate:
        lab.skip(f"no more than {len(told) / took:.0f} requests in a second could be sent")
    for said in told:
        lab.expect(said, OK, REF(4006), H(503, 429))
    served = sum(said.accepted for said in told)
    lab.require(served > 0, f"none of {len(told)} requests was served", level=lab.case.level)
    lab.require(served < len(told), f"all {len(told)} in {took:.1f} s were served", level=lab.case.level)
