"""Spans of a gateway, and the trace that goes with a message: through two gateways, and back with its report."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asgi_client import AsgiClient
from far_side import FarSide, http, proper, saying
from gateway_room import CALLED, ONE, OTHER, START, SUBMIT, Make, Room, basic, rooms
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider, sampling
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider, StatusCode

from mm7zeep import exchange, tracing
from mm7zeep.client import VaspClient
from mm7zeep.gateway.config.parties import Application, Callback, Route, Upstream
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.messages import (
    CancelReq,
    DeliverReq,
    DeliveryReportReq,
    ReadReplyReq,
    ReplaceReq,
    RSErrorRsp,
    ShortCode,
    Status,
)

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
COMES = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}
NUMBER, SENDER, SUBJECT, TEXT = "+61491570156", "+61499000111", "Quiet ferry", "whispering saturn"
MM = replace(
    SUBMIT,
    to=(NUMBER,),
    sender_address=SENDER,
    subject=SUBJECT,
    delivery_report=True,  # type: ignore[arg-type]
)
AWAY = replace(MM, to=("+64211",))  # type: ignore[arg-type]
DIGITS = re.compile(r"[0-9a-f]{32}")


class Spans:
    """A provider that keeps its spans, and what they say."""

    def __init__(self, sampler: sampling.Sampler = sampling.ALWAYS_ON) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def all(self) -> Sequence[ReadableSpan]:
        """Those that have ended, in the order in which they began."""
        return sorted(self._exporter.get_finished_spans(), key=lambda one: one.start_time or 0)

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [one.name for one in self.all]

    def named(self, name: str) -> list[ReadableSpan]:
        """Those of one name."""
        return [one for one in self.all if one.name == name]

    def one(self, name: str) -> ReadableSpan:
        """The only one of that name."""
        [found] = self.named(name)
        return found

    def clear(self) -> None:
        """Forget them."""
        self._exporter.clear()

    def tree(self) -> list[tuple[str, str]]:
        """Each span with the name of its parent, which may be somebody else's (its id) or none."""
        names = {f"{one.context.span_id:016x}": one.name for one in self.all}
        parents = [f"{one.parent.span_id:016x}" if one.parent is not None else "" for one in self.all]
        return [(one.name, names.get(parent, parent)) for one, parent in zip(self.all, parents, strict=True)]


def trace_of(span: ReadableSpan) -> str:
    """The id of its trace."""
    return f"{span.context.trace_id:032x}"


def place_of(span: ReadableSpan) -> str:
    """Its place in the trace, as a traceparent says it."""
    return f"00-{trace_of(span)}-{span.context.span_id:016x}-{span.context.trace_flags:02x}"


def said(span: ReadableSpan, *left_out: str) -> dict[str, Any]:
    """Its attributes; of the ids that are made anew each time only that they are there."""
    found = {name: value for name, value in (span.attributes or {}).items() if name not in left_out}
    return {name: "..." if DIGITS.fullmatch(str(value)) else value for name, value in found.items()}


def kept(one: Room) -> list[Any]:
    """What the messages keep of their traces."""
    return [message.field.get(tracing.KEY) for message in one.messages]


def ask(one: Room, message: Any, fields: Mapping[str, str] = COMES, user: str = "tnn", **options: Any) -> Any:
    """The gateway's answer to a request with these header fields, and what HTTP says beside it."""
    wire = exchange.pack(message, **options)
    wire = replace(wire, headers=(*wire.headers, basic(user), *fields.items()))
    answer = one.gateway.answer(wire)
    assert not {name.lower() for name, _ in answer.headers} & {"traceparent", "tracestate", "traceresponse", "baggage"}
    return exchange.unpack(answer, policy="strict").message


@pytest.fixture
def spans() -> Spans:
    """What keeps the spans."""
    return Spans()


@pytest.fixture
def room(tmp_path: Path, spans: Spans) -> Iterator[Make]:
    """Makes gateways whose spans are kept."""
    with rooms(tmp_path) as make:
        yield lambda *applications, **options: make(*applications, **{"tracer_provider": spans.provider, **options})


def near(room: Make, far: FarSide, **options: Any) -> Room:
    """A gateway that submits to ``far``."""
    upstream = Upstream(name="far", url=far.url, vaspid="WE", callback_username="up", callback_password="u")
    return room(CALLED, OTHER, upstreams=(upstream,), routes=(Route(prefix="+64", via="far"),), **options)


# --- two gateways -----------------------------------------------------------------------------------------------------


class Chain:
    """An application, a gateway that relays what it submits to a second one, and that one's handsets."""

    def __init__(self, stack: ExitStack, databases: Sequence[str], provider: TracerProvider) -> None:
        self.side = stack.enter_context(FarSide())
        self.gateways: list[Gateway] = []
        here, there = (stack.enter_context(serve_in_thread(self._served(n))) + "/mm7" for n in (0, 1))
        self.url = here
        callback = Callback(deliver=self.side.url, report=self.side.url)
        tnn = Application(name="tnn", password="t", vaspid="TNN", vasids=("News",), callback=callback)
        back = Callback(deliver=here, username="up", password="u")
        us = Application(name="near", password="n", vaspid="NEAR", callback=back)
        up = Upstream(
            name="far",
            url=there,
            vaspid="NEAR",
            username="near",
            password="n",
            callback_username="up",
            callback_password="u",
        )
        first, second = (
            {"applications": (tnn,), "upstreams": (up,), "routes": (Route(prefix="", via="far"),)},
            {"applications": (us,)},
        )
        for url, own in zip(databases, (first, second), strict=True):
            settings = Settings(database=url, allow_internal=True, **own)  # type: ignore[arg-type]
            gateway = Gateway(settings, tracer_provider=provider)
            stack.callback(gateway.close)
            self.gateways.append(gateway)
            stack.enter_context(gateway.working())

    def _served(self, n: int) -> Any:
        """What serves a gateway that is made later: each has to know where the other stands."""

        async def served(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                while (await receive())["type"] == "lifespan.startup":
                    await send({"type": "lifespan.startup.complete"})
                await send({"type": "lifespan.shutdown.complete"})
            else:
                await self.gateways[n].asgi(scope, receive, send)

        return served

    def reported(self) -> str | None:
        """The traceparent of the report that the application gets."""
        until = time.monotonic() + 10
        while not (self.side.requests and all(one.dispatcher.busy == 0 for one in self.gateways)):
            assert time.monotonic() < until, "no report came"
            time.sleep(0.01)
        [request] = self.side.requests
        assert isinstance(request.unpack().message, DeliveryReportReq)
        return request.header("traceparent")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def chain(request: pytest.FixtureRequest, tmp_path: Path, spans: Spans) -> Iterator[Chain]:
    """Two gateways, which tell the same provider."""
    if request.param == "postgresql":
        fresh: Callable[[], str] = request.getfixturevalue("postgres_databases")
        urls = [fresh(), fresh()]
    else:
        urls = [f"sqlite:///{tmp_path / name}" for name in ("near.db", "far.db")]
    with ExitStack() as stack:
        yield Chain(stack, urls, spans.provider)


WAY = [
    ("MM7 submit", "relay submit"),
    ("store", "MM7 submit"),
    ("callback report", "MM7 submit"),
    ("MM7 deliveryReport", "callback report"),
    ("store", "MM7 deliveryReport"),
    ("callback report", "MM7 deliveryReport"),
]
"""What follows from a submit that was relayed, each with its parent."""
PLACE = {"http.request.method": "POST", "server.address": "127.0.0.1", "server.port": 0}
ASKED = {"http.request.method": "POST", "url.path": "/mm7", "http.response.status_code": 200, "mm7.status_code": 1000}
IDS = {"mm7.transaction_id": "...", "mm7.message_id": "..."}
CALLED_ONCE = {"mm7.attempt": 1, "mm7.outcome": "done", "http.response.status_code": 200, "mm7.status_code": 1000}


def by_place(spans: Spans) -> dict[str, ReadableSpan]:
    """The spans by their places in the trace."""
    return {place_of(one): one for one in spans.all}


def private(spans: Spans) -> list[str]:
    """What no span may say, and one does."""
    texts = [json.dumps(json.loads(one.to_json())) for one in spans.all]
    return [one for one in (NUMBER[1:], SENDER[1:], SUBJECT, TEXT, "64211") if any(one in text for text in texts)]


def test_one_mm_through_two_gateways(chain: Chain, spans: Spans) -> None:
    """An MM that was submitted by MM7, and its report: one trace, each span the child of what caused it."""
    with VaspClient(chain.url, auth=("tnn", "t"), vaspid="TNN", vasid="News") as client:
        answer = client.send(replace(MM, parts=()), headers=COMES)
    told = chain.reported()
    assert {name.lower() for name, _ in answer.headers} == {"date", "content-type", "content-length"}
    assert {trace_of(one) for one in spans.all} == {TRACE}
    first = next(one for one in spans.named("MM7 submit") if one.parent and one.parent.span_id == int(PARENT, 16))
    ours, theirs = by_place(spans), spans.tree()
    assert sorted(theirs) == sorted(
        [("MM7 submit", PARENT), ("store", "MM7 submit"), ("relay submit", "MM7 submit"), *WAY]
    )
    assert told is not None
    assert ours[told].name == "callback report"
    assert {one.context.trace_state.to_header() for one in spans.all} == {COMES["tracestate"]}
    assert (said(first), first.kind.name) == (
        {**ASKED, **IDS, "mm7.operation": "SubmitReq", "mm7.application": "tnn"},
        "SERVER",
    )
    relay = spans.one("relay submit")
    assert ({**said(relay), "server.port": 0}, relay.kind.name) == (
        {**PLACE, **IDS, **CALLED_ONCE, "mm7.upstream": "far", "mm7.operation": "SubmitReq"},
        "CLIENT",
    )
    reported = spans.one("MM7 deliveryReport")
    assert said(reported) == {**ASKED, **IDS, "mm7.operation": "DeliveryReportReq", "mm7.upstream": "far"}
    calls = [{**said(one), "server.port": 0} for one in spans.named("callback report")]
    wanted = {**PLACE, **IDS, **CALLED_ONCE, "mm7.operation": "DeliveryReportReq"}
    assert sorted(calls, key=str) == [{**wanted, "mm7.application": name} for name in ("near", "tnn")]
    assert {one.status.status_code for one in spans.all} == {StatusCode.UNSET}
    assert [one.links for one in spans.all if one.links] == []
    assert private(spans) == []


def test_one_mm_by_json(chain: Chain, spans: Spans) -> None:
    """The same of one that a program sends by JSON."""
    body = {
        "to": NUMBER,
        "from": SENDER,
        "subject": SUBJECT,
        "delivery_report": True,
        "parts": [{"text": TEXT}],
    }
    client = AsgiClient(chain.gateways[0].api)
    answer = client.request("POST", "/v1/messages", json=body, auth=("tnn", "t"), headers=COMES)
    client.close()
    assert answer.status_code == 202
    assert not {*answer.headers} & {"traceparent", "tracestate", "traceresponse"}
    chain.reported()
    assert {trace_of(one) for one in spans.all} == {TRACE}
    posted = ("POST /v1/messages", PARENT)
    assert sorted(spans.tree()) == sorted([posted, ("store", posted[0]), ("relay submit", posted[0]), *WAY])
    first = spans.one("POST /v1/messages")
    assert (said(first), first.kind.name) == (
        {
            "http.request.method": "POST",
            "http.route": "/v1/messages",
            "http.response.status_code": 202,
            "mm7.application": "tnn",
            "mm7.message_id": "...",
        },
        "SERVER",
    )
    assert private(spans) == []


# --- what comes -------------------------------------------------------------------------------------------------------

BAD: dict[str, dict[str, str]] = {
    "nothing": {},
    "empty": {"traceparent": ""},
    "no traceparent": {"traceparent": "Quiet ferry"},
    "upper case": {"traceparent": f"00-{TRACE.upper()}-{PARENT}-01"},
    "too short": {"traceparent": f"00-{TRACE[:-1]}-{PARENT}-01"},
    "trace of zeros": {"traceparent": f"00-{'0' * 32}-{PARENT}-01"},
    "span of zeros": {"traceparent": f"00-{TRACE}-{'0' * 16}-01"},
    "version ff": {"traceparent": f"ff-{TRACE}-{PARENT}-01"},
    "more than version 00 has": {"traceparent": f"00-{TRACE}-{PARENT}-01-x"},
    "too long": {"traceparent": f"01-{TRACE}-{PARENT}-01-" + "x" * 500},
    "twice": {"traceparent": COMES["traceparent"], "Traceparent": COMES["traceparent"]},
    "tracestate alone": {"tracestate": "rojo=1"},
    "not ASCII": {"traceparent": f"00-{TRACE}-{PARENT}-0é"},
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD)
def test_what_is_no_traceparent(
    fields: dict[str, str], room: Make, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    """It is ignored: the message is accepted, a new trace begins, and nobody logs what came."""
    one = room()
    with caplog.at_level(logging.DEBUG):
        assert ask(one, MM, fields).status.code == 1000
    found = spans.one("MM7 submit")
    assert found.parent is None
    assert trace_of(found) != TRACE
    assert kept(one) == [{"traceparent": place_of(found)}]
    assert [value for value in fields.values() if value and value in caplog.text] == []


STATES = {
    "two": ("a=1, b=2", "a=1,b=2"),
    "of a tenant": ("0t@sys=x y", "0t@sys=x y"),
    "empty members": ("a=1,,b=2,", "a=1,b=2"),
    "no member": ("Quiet ferry", None),
    "one of two is none": ("a=1,Quiet", None),
    "a key twice": ("a=1,a=2", None),
    "33 members": (",".join(f"k{n}=1" for n in range(33)), None),
    "32 members": (",".join(f"k{n}=1" for n in range(32)), ",".join(f"k{n}=1" for n in range(32))),
    "513 characters": ("a=" + "x" * 252 + ",b=" + "y" * 256, None),
    "512 characters": ("a=" + "x" * 252 + ",b=" + "y" * 255, "a=" + "x" * 252 + ",b=" + "y" * 255),
}


@pytest.mark.parametrize(("state", "goes_on"), STATES.values(), ids=STATES)
def test_tracestate(
    state: str, goes_on: str | None, room: Make, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes on whole, or not at all; the trace does in any case, and nobody logs what came."""
    one = room()
    with caplog.at_level(logging.DEBUG):
        ask(one, MM, {**COMES, "tracestate": state})
    assert trace_of(spans.one("MM7 submit")) == TRACE
    assert kept(one)[0].get("tracestate") == goes_on
    assert state not in caplog.text


def test_version_to_come(room: Make, spans: Spans) -> None:
    """Of a later version of W3C's the four fields that are known count; flags that are not known go no further."""
    one = room()
    ask(one, MM, {"TraceParent": f" cc-{TRACE}-{PARENT}-f1-what-comes-then "})
    [found] = kept(one)
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-01", found["traceparent"])


def test_not_sampled(tmp_path: Path) -> None:
    """What the first one does not tell of, nobody behind it tells of; the trace goes on all the same."""
    spans = Spans(sampling.ParentBased(sampling.ALWAYS_ON))
    with rooms(tmp_path) as make, FarSide() as far:
        one = near(make, far, tracer_provider=spans.provider)
        ask(one, AWAY, {"traceparent": f"00-{TRACE}-{PARENT}-00"})
        one.gateway.run_pending()
        assert str(far.requests[0].header("traceparent")).startswith(f"00-{TRACE}-")
        assert str(far.requests[0].header("traceparent")).endswith("-00")
    assert spans.names == []


# --- nobody is told ---------------------------------------------------------------------------------------------------


def test_without_an_sdk(tmp_path: Path) -> None:
    """Where only the API is installed nothing is told, and what came goes on as it was; where nothing came, nothing."""
    with rooms(tmp_path) as make, FarSide() as far:
        one = near(make, far, tracer_provider=NoOpTracerProvider())
        ask(one, AWAY)
        ask(one, AWAY, {}, transaction_id="second")
        one.gateway.run_pending()
        assert kept(one) == [COMES, None]
        went = [{name: request.header(name) for name in COMES} for request in far.requests]
    assert went == [COMES, dict.fromkeys(COMES)]


def test_switched_off(room: Make, spans: Spans) -> None:
    """``tracing = false``: nothing is told, kept or sent on."""
    with FarSide() as far:
        one = near(room, far, tracing=False)
        ask(one, AWAY)
        one.gateway.run_pending()
        assert (kept(one), spans.names, far.requests[0].header("traceparent")) == ([None], [], None)


def test_not_installed(room: Make, spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same without the extra."""
    monkeypatch.setattr(tracing, "IS_INSTALLED", False)
    one = room()
    ask(one, MM)
    assert (kept(one), spans.names) == ([None], [])


class Broken(SpanProcessor):
    """One that fails, as does its exporter."""

    def __init__(self, at: str) -> None:
        self._at = at

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        if self._at == "start":
            raise RuntimeError("no room for spans")

    def on_end(self, span: Any) -> None:
        if self._at == "end":
            raise RuntimeError("no room for spans")


class NoWay(SpanExporter):
    """An exporter whose far side is away."""

    def export(self, spans: Any) -> Any:
        raise OSError("the collector is away")


@pytest.mark.parametrize("at", ["start", "end", "export"])
def test_trouble_with_spans(at: str, tmp_path: Path) -> None:
    """Whoever is told of spans may fail: messages are accepted, relayed and reported on."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(NoWay()) if at == "export" else Broken(at))
    with rooms(tmp_path) as make, FarSide() as far:
        one = near(make, far, tracer_provider=provider)
        assert ask(one, AWAY).status.code == 1000
        assert ask(one, MM, transaction_id="second").status.code == 1000
        one.gateway.run_pending()
        assert str(far.requests[0].header("traceparent")).startswith(f"00-{TRACE}-")
        assert [call.mm_status for call in one.calls.of(DeliveryReportReq)] == ["Retrieved"]


# --- what becomes of requests -----------------------------------------------------------------------------------------


def test_refused(room: Make, spans: Spans) -> None:
    """A refusal in its answer is the sender's; a Fault, and a status from 3000 on, is an error of the span."""
    mixed = replace(CALLED, answers=None)
    one = room(mixed, OTHER)
    assert ask(one, CancelReq(vaspid="TNN", vasid="News", message_id="none")).status.code == 2005
    found = spans.one("MM7 cancel")
    assert said(found) == {
        **ASKED,
        "mm7.transaction_id": "...",
        "mm7.message_id": "none",
        "mm7.operation": "CancelReq",
        "mm7.application": "tnn",
        "mm7.status_code": 2005,
        "http.response.status_code": 500,
        "error.type": "2005",
    }
    assert (found.status.status_code, found.status.description, list(found.events)) == (StatusCode.ERROR, None, [])


def test_stranger(room: Make, spans: Spans) -> None:
    """Who is let in nowhere has a span, too, which names nobody and no operation."""
    one = room()
    wire = exchange.pack(MM)
    assert one.gateway.answer(wire).status == 401
    wanted = {"http.request.method": "POST", "url.path": "/mm7", "http.response.status_code": 401}
    assert said(spans.one("MM7")) == wanted
    assert one.gateway.answer(replace(wire, method="QUIET", headers=(*wire.headers, basic("tnn")))).status == 405
    assert said(spans.named("MM7")[1])["http.request.method"] == "_OTHER"


def test_no_database(room: Make, spans: Spans) -> None:
    """What could not be kept is an error of the request and of its store."""
    one = room()
    with one.gateway.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE raw")
    assert (
        one.gateway.answer(replace(exchange.pack(MM), headers=(*exchange.pack(MM).headers, basic("tnn")))).status == 503
    )
    assert [(one.name, said(one).get("error.type")) for one in spans.all] == [
        ("MM7 submit", "503"),
        ("store", "StoreError"),
    ]


def test_long_names(room: Make, spans: Spans) -> None:
    """What others write into an attribute stands there in one line, and not without end."""
    one = room()
    ask(one, MM, transaction_id="x" * 1000)
    assert said(spans.one("MM7 submit"))["mm7.transaction_id"] == "x" * 200


def test_json_is_known_again_in_another_trace(room: Make, spans: Spans) -> None:
    """A message that comes again in another trace is the same message."""
    one = room()
    client = AsgiClient(one.gateway.api)
    answers = [
        client.request(
            "POST",
            "/v1/messages",
            json={"to": "+61400", "parts": [{"text": "hello"}], "idempotency_key": "k"},
            auth=("tnn", "t"),
            headers={"traceparent": f"00-{trace * 16}-{PARENT}-01"},
        )
        for trace in ("ab", "cd")
    ]
    listed = client.get("/v1/messages", auth=("tnn", "t"))
    client.get("/v1/quiet", auth=("tnn", "t"))
    client.get("/v1/messages", auth=("tnn", "wrong"))
    client.close()
    assert [one.status_code for one in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert "trace" not in listed.text
    assert [one.name for one in spans.all if one.name != "store"] == [
        "POST /v1/messages",
        "POST /v1/messages",
        "GET /v1/messages",
        "GET",
        "GET",
    ]
    assert [said(one).get("mm7.application") for one in spans.named("GET")] == ["tnn", None]
    assert kept(one)[0]["traceparent"].startswith(f"00-{'ab' * 16}-")


class Together:
    """Submits of many clients at the same moment, each in a trace of its own."""

    def __init__(self, gateway: Gateway, first: int, count: int) -> None:
        self.traces = [f"{n:032x}" for n in range(first, first + count)]
        self._gateway = gateway

    async def _one(self, trace: str) -> bytes:
        wire = exchange.pack(ONE, transaction_id=f"t-{trace}")
        fields = [*wire.headers, basic("tnn"), ("Host", "mm7"), ("traceparent", f"00-{trace}-{PARENT}-01")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/mm7",
            "headers": [(name.lower().encode(), value.encode()) for name, value in fields],
        }
        body, sent = wire.read(), bytearray()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: dict[str, Any]) -> None:
            sent.extend(message.get("body", b""))

        await self._gateway.asgi(scope, receive, send)
        return bytes(sent)

    def run(self) -> list[bytes]:
        """What each is answered."""

        async def all_of_them() -> list[bytes]:
            return await asyncio.gather(*(self._one(trace) for trace in self.traces))

        return asyncio.run(all_of_them())


def test_fifty_submits_at_once(room: Make, spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each keeps its own trace, though they are kept together: a store tells how long it waited, and links to the first
    of its transaction.
    """
    one = room()
    # known however long the machine takes, so that requests need no thread, whose stores are of another kind
    monkeypatch.setattr(one.gateway.chaos, "quiet", lambda: True)
    Together(one.gateway, 1, 3).run()  # the shape of the request is known from now on
    spans.clear()
    together = Together(one.gateway, 11, 50)
    answers = together.run()
    assert [answer for answer in answers if b">1000<" not in answer] == []
    found = {trace_of(span): span for span in spans.named("MM7 submit")}
    stores = {trace_of(span): span for span in spans.named("store")}
    assert sorted(found) == sorted(stores) == together.traces
    for trace, store in stores.items():
        assert store.parent is not None
        assert store.parent.span_id == found[trace].context.span_id
        told = store.attributes or {}
        assert {*told} == {"mm7.store.waited", "mm7.store.written", "mm7.store.requests"}
        assert 0 <= float(str(told["mm7.store.waited"])) < 10 > float(str(told["mm7.store.written"])) > 0
    ids = {said(span)["mm7.transaction_id"]: trace for trace, span in found.items()}
    assert ids == {f"t-{trace}"[:200]: trace for trace in together.traces}
    firsts = {place_of(span) for span in stores.values() if not span.links}
    groups: dict[int, int] = {}
    for span in stores.values():
        for link in span.links:
            groups[link.context.span_id] = groups.get(link.context.span_id, 0) + 1
    assert {f"{one:016x}" for one in groups} <= {one.split("-")[2] for one in firsts}
    assert groups  # some were kept together
    rows = {str(row["traceparent"])[3:35] for row in kept(one)}
    assert rows >= set(together.traces)


# --- what becomes of calls --------------------------------------------------------------------------------------------


def test_each_attempt_has_a_span(room: Make, spans: Spans) -> None:
    """Attempts of a relay that fails and of one that goes on: children of the submit, each sent on as it is."""
    busy = saying(RSErrorRsp(status=Status(4006, "quiet ferry")))
    with FarSide([http(503, "later")], busy, proper) as far:
        one = near(room, far)
        ask(one, AWAY)
        for _ in range(3):
            one.gateway.run_pending()
            one.clock.move(minutes=5)
        sent = [request.header("traceparent") for request in far.requests]
        states = [request.header("tracestate") for request in far.requests]
    tries = spans.named("relay submit")
    assert [place_of(span) for span in tries] == sent
    assert states == [COMES["tracestate"]] * 3
    assert {span.parent and span.parent.span_id for span in tries} == {spans.one("MM7 submit").context.span_id}
    names = ("mm7.attempt", "mm7.outcome", "http.response.status_code", "mm7.status_code", "error.type")
    assert [tuple(said(span).get(name) for name in names) for span in tries] == [
        (1, "retry", 503, None, "503"),
        (2, "retry", 500, 4006, "4006"),
        (3, "done", 200, 1000, None),
    ]
    assert [span.status.status_code.name for span in tries] == ["ERROR", "ERROR", "UNSET"]
    assert len({said(span)["mm7.transaction_id"] for span in tries}) == 1
    assert private(spans) == []


def test_attempt_without_an_answer(room: Make, spans: Spans) -> None:
    """Of one that met nobody, and of one that was not even made, the span says as much."""
    with FarSide() as far:
        one = near(room, far)
        message_id = ask(one, AWAY).message_id
    one.gateway.run_pending()
    one.clock.move(minutes=5)
    with one.gateway.database.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM raw WHERE message_id = '{message_id}'")
    one.gateway.run_pending()
    names = ("mm7.outcome", "http.response.status_code", "error.type")
    assert [tuple(said(span).get(name) for name in names) for span in spans.named("relay submit")] == [
        ("retry", None, "TransportError"),
        ("dead", None, None),
    ]
    assert {span.status.status_code for span in spans.named("relay submit")} == {StatusCode.ERROR}


def test_upstream_that_sends_no_trace(room: Make, spans: Spans) -> None:
    """Its report begins a trace that links to the message; what the application is told belongs to the message's."""
    with FarSide() as far:
        one = near(room, far)
        ask(one, replace(AWAY, read_reply=True))
        one.gateway.run_pending()
        about: dict[str, Any] = {"message_id": "m-1", "recipient": "+64211", "sender": SENDER}
        ask(one, DeliveryReportReq(**about, date=START, mm_status="Retrieved"), {}, user="up")
        ask(one, ReadReplyReq(**about, time_stamp=START, mm_status="Read"), {}, user="up")
        one.gateway.run_pending()
    submit = spans.one("MM7 submit")
    for name in ("MM7 deliveryReport", "MM7 readReply"):
        found = spans.one(name)
        assert trace_of(found) != TRACE
        assert [link.context.span_id for link in found.links] == [submit.context.span_id]
    for name in ("callback report", "callback read"):
        found = spans.one(name)
        assert (trace_of(found), found.parent and found.parent.span_id) == (TRACE, submit.context.span_id)
    assert private(spans) == []


def test_mo_of_an_upstream(room: Make, spans: Spans) -> None:
    """The trace of an MM7_deliver goes on to the application whose short code it is for."""
    up = Upstream(name="far", url="http://far/mm7", callback_username="up", callback_password="u")
    with FarSide() as side:
        called = replace(CALLED, callback=Callback(deliver=side.url))
        one = room(called, upstreams=(up,))
        one.gateway._caller._deliver = None  # by HTTP
        ask(one, DeliverReq(sender=NUMBER, to=(ShortCode("111122"),), subject=SUBJECT), user="up")  # type: ignore[arg-type]
        one.gateway.run_pending()
        assert side.requests[0].header("traceparent") == place_of(spans.one("callback deliver"))
    assert spans.tree() == [
        ("MM7 deliver", PARENT),
        ("store", "MM7 deliver"),
        ("callback deliver", "MM7 deliver"),
    ]
    assert said(spans.one("MM7 deliver"))["mm7.upstream"] == "far"
    assert private(spans) == []


def test_from_one_application_to_another(room: Make, spans: Spans) -> None:
    """A message for another's short code, and the report on it, are parts of the trace that it was submitted in."""
    one = room()
    ask(one, replace(MM, to=(ShortCode("333"),)))
    one.gateway.run_pending()
    assert spans.tree() == [
        ("MM7 submit", PARENT),
        ("store", "MM7 submit"),
        ("callback deliver", "MM7 submit"),
        ("callback report", "MM7 submit"),
    ]


def test_changed_and_taken_back_at_an_upstream(room: Make, spans: Spans) -> None:
    """What an upstream is asked meanwhile is part of the request that asks for it; the message keeps its trace."""
    with FarSide() as far:
        one = near(room, far)
        message_id = ask(one, AWAY).message_id
        one.gateway.run_pending()
        for n, kind in enumerate((ReplaceReq, CancelReq)):
            trace = {"traceparent": f"00-{'ab' * 16}-{PARENT}-01"}
            asked = kind(vaspid="TNN", vasid="News", message_id=message_id)
            assert ask(one, asked, trace, transaction_id=f"c-{n}").status.code == 1000
        sent = [request.header("traceparent") for request in far.requests[1:]]
    assert [place_of(spans.one(name)) for name in ("relay replace", "relay cancel")] == sent
    tree = spans.tree()
    assert ("relay replace", "MM7 replace") in tree
    assert ("relay cancel", "MM7 cancel") in tree
    assert kept(one)[0]["traceparent"] == place_of(spans.one("MM7 submit"))
    assert private(spans) == []


def test_reloaded(room: Make, spans: Spans) -> None:
    """The gateway that follows tells the same provider."""
    one = room()
    following = one.gateway.following(one.settings)
    wire = exchange.pack(MM)
    following.answer(replace(wire, headers=(*wire.headers, basic("tnn"))))
    following.close()
    assert spans.names == ["MM7 submit", "store"]


def test_spans_of_threads(room: Make, spans: Spans) -> None:
    """Requests that are answered in threads keep their own traces, too."""
    one = room()
    traces = [f"{n:032x}" for n in range(1, 21)]
    threads = [
        threading.Thread(
            target=ask, args=(one, MM, {"traceparent": f"00-{trace}-{PARENT}-01"}), kwargs={"transaction_id": trace}
        )
        for trace in traces
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    submits = {trace_of(span): span for span in spans.named("MM7 submit")}
    assert {trace: said(span)["mm7.transaction_id"] for trace, span in submits.items()} == dict.fromkeys(traces, "...")
    parents = {trace_of(span): span.parent and span.parent.span_id for span in spans.named("store")}
    assert parents == {trace: span.context.span_id for trace, span in submits.items()}
