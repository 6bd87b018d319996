"""The receiver's HTTP side: who may come in, how much may come, and both faces in front of real frameworks."""

from __future__ import annotations

import asyncio
import base64
import hmac
import io
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from wsgiref.validate import validator

import flask
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from mm7zeep import exchange, mime
from mm7zeep.credentials import Basic, Bearer, Digest
from mm7zeep.errors import LocalError, StatusError
from mm7zeep.exchange import Wire
from mm7zeep.messages import DeliverReq, Fault, Message, Part, VASPErrorRsp
from mm7zeep.receiver import BasicAuth, Endpoint, HttpLimits, Receiver, Refusal, Served
from mm7zeep.receiver.waiting import BLOCKING, drive, puller

MIB = 1024 * 1024
PICTURE = Part(body=b"GIF89a\r\n\x00\xff", content_type="image/gif", content_id="pic@x")
DELIVER = DeliverReq(sender="+61412345678", to="111122", subject="Hello", parts=[PICTURE])  # type: ignore[arg-type]
WIRE = exchange.pack(DELIVER, transaction_id="t-1")
WIRE = replace(WIRE, body=WIRE.read())
BODY = WIRE.read()


def receiver(handler: Callable[..., object] = lambda message: None, **options: Any) -> Receiver:
    """A receiver of MO messages."""
    made = Receiver(**options)
    made.on_deliver(handler)
    return made


def unread() -> Iterator[bytes]:
    """A body that must not be asked for."""
    raise AssertionError("the body was read")
    yield b""


def test_chunks_that_nobody_read() -> None:
    """Django under WSGI, say, gives no body without a Content-Length: that is no fault of what was sent."""
    headers = (*WIRE.headers, ("Transfer-Encoding", "chunked"))
    lost = receiver().answer(replace(WIRE, headers=headers, body=b""))
    assert (lost.status, lost.read()) == (
        411,
        b"nothing arrived of a body that was sent in chunks; send it with Content-Length\n",
    )
    assert receiver().answer(replace(WIRE, headers=headers)).status == 200
    assert receiver().answer(replace(WIRE, body=b"")).status == 500


def served(made: Endpoint, wire: Wire) -> Served:
    """The answer, and whether the connection has to end; a field that is the server's business is in no answer."""
    with ExitStack() as held:
        done = drive(made.serve(wire, puller(wire.chunks()), BLOCKING, held=held))
    assert not {"connection", "keep-alive", "transfer-encoding"} & {name.lower() for name, _ in done.reply.headers}
    return done


def basic(credentials: str | bytes, scheme: str = "Basic") -> str:
    """The Authorization field of these credentials."""
    raw = credentials.encode() if isinstance(credentials, str) else credentials
    return f"{scheme} {base64.b64encode(raw).decode()}"


# --- who may come in --------------------------------------------------------------------------------------------------

USERS = {"optus": "secret", "zoë": "paß:wort", "blank": "", "ab": "c"}
WELCOME = [
    basic("optus:secret"),
    basic("zoë:paß:wort"),
    basic("blank:"),
    basic("optus:secret", "BASIC"),
    basic("optus:secret", "Basic "),
]
UNWELCOME: dict[str, str | None] = {
    "missing": None,
    "empty": "",
    "scheme only": "Basic",
    "another scheme": "Bearer secret",
    "no base64": "Basic ???",
    "not padded": basic("ab:c").rstrip("="),
    "not ASCII": "Basic öäü",
    "no colon": basic("optus"),
    "empty pair": basic(":"),
    "wrong password": basic("optus:Secret"),
    "longer password": basic("optus:secret "),
    "unknown user": basic("telstra:secret"),
    "another's password": basic("blank:secret"),
    "name in Latin-1": basic("zoë:paß:wort".encode("latin-1")),
    "a line break": basic("optus:secret") + "\r\n x",
    "1 MB": basic("a" * MIB + ":b"),
    "1 MB of password": basic("optus:" + "s" * MIB),
}


@pytest.mark.parametrize("field", WELCOME)
def test_welcome(field: str) -> None:
    """The right name and password come in, in UTF-8, whatever the scheme's case."""
    answer = receiver(auth=USERS).answer(replace(WIRE, headers=(*WIRE.headers, ("authorization", field))))
    assert answer.status == 200


@pytest.mark.parametrize("field", UNWELCOME.values(), ids=UNWELCOME)
def test_unwelcome(field: str | None) -> None:
    """All others get the same 401 with a challenge, before the body is read, and the connection ends."""
    given = () if field is None else (("Authorization", field),)
    wire = Wire(method="POST", headers=(*WIRE.headers, *given), body=unread())
    done = served(receiver(auth=USERS, realm="vasp"), wire)
    answer = done.reply
    assert (answer.status, done.close) == (401, True)
    assert answer.header("WWW-Authenticate") == 'Basic realm="vasp", charset="UTF-8"'
    assert answer.read() == b"authentication required\n"


def test_two_authorization_fields() -> None:
    """Two Authorization fields prove nothing, even if one is right."""
    fields = (("Authorization", basic("optus:secret")), ("Authorization", basic("a:b")))
    assert receiver(auth=USERS).answer(replace(WIRE, headers=(*WIRE.headers, *fields))).status == 401


def test_nobody_is_known() -> None:
    """An empty table lets nobody in; None asks nobody."""
    wire = replace(WIRE, headers=(*WIRE.headers, ("Authorization", basic("a:b"))))
    assert receiver(auth={}).answer(wire).status == 401
    assert receiver(auth=None).answer(wire).status == 200


@pytest.mark.parametrize("field", [one for one in UNWELCOME.values() if one != UNWELCOME["empty pair"]])
def test_malformed_is_not_the_empty_user(field: str | None) -> None:
    """What cannot be read is not taken for an empty name and password, even where somebody has these."""
    assert BasicAuth({"": ""}).user(field) is None
    assert BasicAuth({"": ""}).user(UNWELCOME["empty pair"]) == ""


@pytest.mark.parametrize("field", [*WELCOME, *UNWELCOME.values()])
def test_same_work_for_everybody(field: str | None) -> None:
    """Each attempt compares exactly one pair of digests of one length, whoever asks."""
    compared: list[tuple[int, int]] = []

    def compare(first: bytes, second: bytes) -> bool:
        compared.append((len(first), len(second)))
        return hmac.compare_digest(first, second)

    BasicAuth(USERS, compare=compare).user(field)
    assert compared == [(32, 32)]


def test_colon_in_a_name() -> None:
    """A name with a colon could never log in, and is refused when the receiver is made."""
    with pytest.raises(ValueError, match="colon"):
        Receiver(auth={"a:b": "c"})


FORMS: dict[str, Any] = {
    "mapping": {"optus": "secret"}, "pair": ("optus", "secret"), "Basic": Basic("optus", "secret"),
    "BasicAuth": BasicAuth({"optus": "secret"}),
}  # fmt: skip


@pytest.mark.parametrize("auth", FORMS.values(), ids=FORMS)
def test_forms_of_auth(auth: Any) -> None:
    """A table, and one (user, password) as a client gives it, let in who proves it, and nobody else."""
    for field, status in ((basic("optus:secret"), 200), (basic("secret:optus"), 401), (basic("optus:x"), 401)):
        wire = replace(WIRE, headers=(*WIRE.headers, ("Authorization", field)))
        assert receiver(auth=auth).answer(wire).status == status


@pytest.mark.parametrize(
    "auth",
    [
        "optus:hush", ["optus", "hush"], ("optus",), ("optus", "hush", "x"), ("optus", 5), {"optus": None}, {1: "hush"},
        {("optus", "hush")}, b"optus:hush", Bearer("hush"), Digest("optus", "hush"), 5, True, object(), ("a:b", "hush"),
    ],
    ids=lambda auth: type(auth).__name__,
)  # fmt: skip
@pytest.mark.parametrize("made", [Receiver, lambda auth: Endpoint({}, error=VASPErrorRsp, auth=auth)])
def test_auth_that_is_none(made: Callable[..., Any], auth: Any) -> None:
    """Anything else is refused when the receiver is made, by what is taken, without repeating what was given."""
    with pytest.raises(LocalError, match=r"auth|colon") as caught:
        made(auth=auth)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"profile": "nobody"}, "no profile"), ({"profile": 3}, "not int"), ({"policy": "mild"}, "no policy 'mild'")],
)
def test_options_that_cannot_be_used(options: dict[str, Any], said: str) -> None:
    """What cannot be used is refused when the receiver is made, with an error of this library."""
    with pytest.raises(LocalError, match=said):
        Receiver(**options)


def test_hop_by_hop_fields_of_a_refusal() -> None:
    """What a handler's refusal says of the connection is no field of the answer; all else is."""

    def refuse(message: Message) -> None:
        raise Refusal(503, "later", ("Retry-After", "7"), ("CONNECTION", "close"), ("Keep-Alive", "timeout=1"))

    answer = receiver(refuse).answer(WIRE)
    assert (answer.status, [name for name, _ in answer.headers]) == (503, ["Content-Type", "Retry-After"])


@pytest.mark.parametrize("realm", ['a"b', "a\\b", "a\r\nb", "ä"])
def test_odd_realm(realm: str) -> None:
    """A realm that would break the challenge is refused when the receiver is made."""
    with pytest.raises(ValueError, match="realm"):
        Receiver(realm=realm)


# --- how much may come ------------------------------------------------------------------------------------------------

HEADS: dict[str, tuple[str, tuple[tuple[str, str], ...], int, tuple[str, str] | None]] = {
    "GET": ("GET", (), 405, ("Allow", "POST")),
    "PUT": ("PUT", (), 405, ("Allow", "POST")),
    "a long field": ("POST", (("X", "x" * 17_000),), 431, None),
    "many fields": ("POST", (("X", "x"),) * 70, 431, None),
    "gzip": ("POST", (("Content-Encoding", "gzip"),), 415, ("Accept-Encoding", "identity")),
    "10 GB": ("POST", (("Content-Length", str(10**10)),), 413, None),
    "no number": ("POST", (("Content-Length", "+5"),), 400, None),
    "endless digits": ("POST", (("Content-Length", "9" * 6000),), 413, None),
}


@pytest.mark.parametrize(("method", "fields", "status", "field"), HEADS.values(), ids=HEADS)
def test_refused_by_the_head(
    method: str, fields: tuple[tuple[str, str], ...], status: int, field: tuple[str, str] | None
) -> None:
    """What the head gives away is refused by HTTP before the body is read, and the connection ends."""
    done = served(receiver(), Wire(method=method, headers=(*WIRE.headers, *fields), body=unread()))
    assert (done.reply.status, done.close) == (status, True)
    assert field is None or done.reply.header(field[0]) == field[1]


def test_identity_is_no_encoding() -> None:
    """``Content-Encoding: identity`` changes nothing."""
    assert receiver().answer(replace(WIRE, headers=(*WIRE.headers, ("Content-Encoding", "Identity")))).status == 200


def test_too_much_while_reading() -> None:
    """A body without announced length is cut off where the limit is crossed."""
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            read.append(1000)
            yield b"x" * 1000

    done = served(receiver(limits=mime.Limits(body=10_000)), Wire(headers=WIRE.headers, body=endless()))
    assert (done.reply.status, done.close) == (413, True)
    assert sum(read) == 11_000


def test_answered_after_the_whole_body() -> None:
    """What MIME refuses is read to its end, so that the sender hears the fault; the connection may go on."""
    body = BODY + b"\r\n" * 50_000
    read: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(body), 1000):
            read.append(body[at : at + 1000])
            yield body[at : at + 1000]

    done = served(receiver(limits=mime.Limits(parts=1)), Wire(headers=WIRE.headers, body=pieces()))
    assert (done.reply.status, done.close) == (500, False)
    assert b"".join(read) == body


# --- in front of frameworks -------------------------------------------------------------------------------------------


def posted(app: Any, path: str, **options: Any) -> httpx.Response:
    """What an ASGI application answers to the message."""

    async def main() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vasp") as client:
            return await client.post(path, content=BODY, headers=dict(WIRE.headers), **options)

    return asyncio.run(main())


def check(status: int, body: bytes, headers: Any) -> None:
    """The answer is a success of the request's transaction, and says its length."""
    assert status == 200
    assert headers["Content-Length"] == str(len(body))
    back = exchange.unpack(Wire(status=200, headers=(("Content-Type", headers["Content-Type"]),), body=body))
    assert (back.operation, back.transaction_id) == ("DeliverRsp", "t-1")


def test_in_starlette() -> None:
    """``asgi`` can be mounted, and given to a route."""
    made = receiver(auth={"optus": "secret"})
    app = Starlette(routes=[Mount("/mo", app=made.asgi), Route("/here", made.asgi, methods=["POST"])])
    for path in ("/mo/", "/mo/x", "/here"):
        answer = posted(app, path, auth=("optus", "secret"))
        check(answer.status_code, answer.content, answer.headers)
        assert posted(app, path, auth=("optus", "Secret")).status_code == 401


def test_in_flask() -> None:
    """``wsgi`` can be mounted beside a Flask application, and ``answer`` used in a view."""
    made = receiver(auth={"optus": "secret"})
    app = flask.Flask("vasp")

    @app.post("/view")
    def view() -> flask.Response:
        request = flask.request
        answer = made.answer(Wire(method=request.method, headers=tuple(request.headers), body=request.get_data()))
        return flask.Response(answer.read(), answer.status, dict(answer.headers))

    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/mo": made.wsgi})  # type: ignore[method-assign]
    for path in ("/mo", "/view"):
        client = app.test_client()
        answer = client.post(path, data=BODY, headers=dict(WIRE.headers), auth=("optus", "secret"))
        check(answer.status_code, answer.data, answer.headers)
        assert client.post(path, data=BODY, headers=dict(WIRE.headers)).status_code == 401


def called(app: Any, environ: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """What a WSGI application answers, judged by the standard library's validator."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        begun.append((status, headers))
        return lambda data: None

    base = {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/", "SERVER_NAME": "vasp", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False, "QUERY_STRING": "",
        "CONTENT_TYPE": WIRE.header("Content-Type"),
    }  # fmt: skip
    result = validator(app)(base | environ, start_response)
    body = b"".join(result)
    result.close()
    [(status, headers)] = begun
    return status, dict(headers), body


WSGI: dict[str, tuple[dict[str, Any], str]] = {
    "with a length": ({"CONTENT_LENGTH": str(len(BODY)), "wsgi.input": BODY + b"more"}, "200 OK"),
    "to its end": ({"wsgi.input_terminated": True, "wsgi.input": BODY}, "200 OK"),
    "neither": ({"wsgi.input": BODY}, "500 Internal Server Error"),
    "cut short": ({"CONTENT_LENGTH": str(len(BODY)), "wsgi.input": BODY[:-5]}, "400 Bad Request"),
    "too long": ({"CONTENT_LENGTH": "99999999", "wsgi.input": b""}, "413 "),
    "GET": ({"REQUEST_METHOD": "GET", "wsgi.input": b""}, "405 Method Not Allowed"),
}


@pytest.mark.parametrize(("environ", "status"), WSGI.values(), ids=WSGI)
def test_wsgi(environ: dict[str, Any], status: str) -> None:
    """The WSGI face keeps PEP 3333, reads what belongs to the body, and refuses one that was cut short."""
    seen: list[Message] = []
    answer, headers, _ = called(receiver(seen.append).wsgi, environ | {"wsgi.input": io.BytesIO(environ["wsgi.input"])})
    assert answer.startswith(status)
    assert "Connection" not in headers
    assert len(seen) == (status == "200 OK")


def asgi(app: Any, events: Iterator[dict[str, Any]], **scope: Any) -> list[dict[str, Any]]:
    """What an ASGI application sends for these events."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        event = next(events, None)
        if event is None:
            await asyncio.sleep(3600)
        return event or {}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    base = {"type": "http", "method": "POST", "path": "/", "http_version": "1.1"}
    head = [(name.lower().encode(), value.encode()) for name, value in (("Host", "vasp"), *WIRE.headers)]
    asyncio.run(app({"headers": head, **base, **scope}, receive, send))
    return sent


def body_events(body: bytes, step: int) -> Iterator[dict[str, Any]]:
    """The body in pieces, as an ASGI server gives it."""
    for at in range(0, len(body), step):
        yield {"type": "http.request", "body": body[at : at + step], "more_body": at + step < len(body)}


def test_asgi_in_pieces() -> None:
    """A body may come octet by octet, and the answer is one start and one body."""
    sent = asgi(receiver().asgi, body_events(BODY, 1))
    assert [one["type"] for one in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == 200


def test_asgi_sender_hangs_up() -> None:
    """A sender that leaves in the middle gets no answer, and its message goes to nobody."""
    seen: list[Message] = []
    events = iter([{"type": "http.request", "body": BODY[:-40], "more_body": True}, {"type": "http.disconnect"}])
    assert asgi(receiver(seen.append).asgi, events) == []
    assert seen == []


@pytest.mark.parametrize("http", [HttpLimits(idle=0.05), HttpLimits(upload=0.05)], ids=["idle", "upload"])
def test_asgi_slow_body(http: HttpLimits) -> None:
    """A body that stops coming is given up with 408."""
    events = iter([{"type": "http.request", "body": BODY[:10], "more_body": True}])
    sent = asgi(receiver(http=http).asgi, events)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_asgi_trickle() -> None:
    """A body below the rate is given up with 408, though it never pauses for long."""
    http = HttpLimits(idle=0.02, rate=10**9)

    def trickle() -> Iterator[dict[str, Any]]:
        while True:
            time.sleep(0.005)
            yield {"type": "http.request", "body": b"x", "more_body": True}

    assert asgi(receiver(http=http).asgi, trickle())[0]["status"] == 408


@pytest.mark.parametrize(("upload", "status"), [(0.05, 408), (60, 200)])
def test_asgi_late_body(upload: float, status: int) -> None:
    """What comes when the time is over is not taken, though it is there at once and fast on average."""
    seen: list[Message] = []

    def late() -> Iterator[dict[str, Any]]:
        first, last = body_events(BODY, len(BODY) - 10)
        yield first
        time.sleep(0.06)
        yield {"type": "http.request", "body": b"", "more_body": True}
        yield last

    sent = asgi(receiver(seen.append, http=HttpLimits(upload=upload, rate=0)).asgi, late())
    assert (sent[0]["status"], len(seen)) == (status, status == 200)


def test_asgi_http2_has_no_connection_field() -> None:
    """Over HTTP/2 a refusal does not carry the Connection field."""
    sent = asgi(receiver().asgi, body_events(BODY, 1000), method="GET", http_version="2")
    assert sent[0]["status"] == 405
    assert b"connection" not in dict(sent[0]["headers"])


def test_asgi_lifespan_and_websocket() -> None:
    """The server's start and stop are acknowledged; a WebSocket is closed."""
    events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent = asgi(receiver().asgi, events, type="lifespan")
    assert [one["type"] for one in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert asgi(receiver().asgi, iter([]), type="websocket") == [{"type": "websocket.close"}]


@pytest.mark.parametrize("blocking", [True, False])
def test_asgi_handler_errors(blocking: bool) -> None:
    """Through ASGI a handler's StatusError is the answer too, blocking or not."""

    def in_thread(message: Message) -> None:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        raise StatusError(4006)

    async def in_loop(message: Message) -> None:
        assert asyncio.get_running_loop()
        raise StatusError(4006)

    sent = asgi(receiver(in_thread if blocking else in_loop).asgi, body_events(BODY, 1000))
    assert sent[0]["status"] == 200
    assert b">4006<" in sent[1]["body"]


# --- memory -----------------------------------------------------------------------------------------------------------

BIG = 40 * MIB
HEAD, TAIL = BODY.split(PICTURE.read())  # type: ignore[arg-type]
PIECE = bytes(range(256)) * 256
GENEROUS = mime.Limits(body=64 * MIB)


def big_body() -> Iterator[bytes]:
    """The message with a part of 40 MiB, in pieces of 64 KiB."""
    yield HEAD
    for _ in range(BIG // len(PIECE)):
        yield PIECE
    yield TAIL


class BigInput(io.RawIOBase):
    """``big_body`` as a WSGI input."""

    def __init__(self) -> None:
        self._pieces, self._left = big_body(), b""

    def read(self, size: int = -1) -> bytes:
        self._left = self._left or next(self._pieces, b"")
        given, self._left = self._left[:size], self._left[size:]
        return given


def by_asgi(made: Receiver) -> int:
    """The HTTP status of that body through the ASGI face."""
    events = ({"type": "http.request", "body": piece, "more_body": piece is not TAIL} for piece in big_body())
    status: int = asgi(made.asgi, events)[0]["status"]
    return status


def by_wsgi(made: Receiver) -> int:
    """The HTTP status of that body through the WSGI face."""
    length = BIG + len(HEAD) + len(TAIL)
    status, _, _ = called(made.wsgi, {"CONTENT_LENGTH": str(length), "wsgi.input": BigInput()})
    return int(status[:3])


@pytest.mark.parametrize("serve", [by_asgi, by_wsgi])
def test_memory_is_bounded(serve: Callable[[Receiver], int]) -> None:
    """A part of 40 MiB passes through either face with less than 8 MiB of memory above the rest."""
    sizes: list[int] = []

    def handler(message: DeliverReq) -> None:
        sizes.extend(sum(map(len, part.chunks())) for part in message.parts)

    made = receiver(handler, limits=GENEROUS)
    made.answer(WIRE)  # what is loaded once is not counted
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        status = serve(made)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert status == 200
    assert sizes == [PICTURE.size, BIG]
    assert peak - before < 8 * MIB


def test_secret_stays_out_of_answers(caplog: pytest.LogCaptureFixture) -> None:
    """A refused request's credentials show neither in the answer nor in the log."""
    secret = basic("optus:hunter2")
    fields = (("Content-Type", "text/xml"), ("Authorization", secret))
    made = receiver(auth={"optus": "hunter2"})
    with caplog.at_level("DEBUG"):
        answer = made.answer(Wire(headers=fields, body=b"<x/>"))
    assert isinstance(exchange.unpack(answer).message, Fault)
    for text in (answer.read().decode(), caplog.text, repr(made.auth)):
        assert "hunter2" not in text
        assert secret not in text
