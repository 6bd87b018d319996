"""What is refused before anything is sent, and what a split submit amounts to."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from far_side import CLOSE, Answer, FarSide, Request, Steps, http, proper, saying

from mm7zeep import samples
from mm7zeep.client import AsyncVaspClient, MmscClient, Retry, Submitted, VaspClient
from mm7zeep.errors import AuthError, LocalError, StatusError, TransportError
from mm7zeep.messages import DeliverReq, Number, Part, RSErrorRsp, ShortCode, Status, SubmitReq, SubmitRsp
from mm7zeep.profiles import GENERIC_6_8_0, REL_6_MM7_1_4
from mm7zeep.transport import Basic, Bearer, Digest

NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - what is to be refused

LOCAL: dict[str, tuple[Any, dict[str, Any]]] = {
    "naive datetime": (lambda c: c.submit("+49", "x", time_stamp=NAIVE), {}),
    "text for a date": (lambda c: c.submit("+49", "x", expiry_date="2d"), {}),
    "span for a point": (lambda c: c.submit("+49", "x", time_stamp=timedelta(1)), {}),
    "line break in subject": (lambda c: c.submit("+49", "x", subject="a\r\nb"), {}),
    "NUL in subject": (lambda c: c.submit("+49", "x", subject="a\0b"), {}),
    "NUL in service code": (lambda c: c.submit("+49", "x", service_code="a\0b"), {}),
    "lone surrogate": (lambda c: c.submit("+49", "x", service_code="\ud800"), {}),
    "blank in Content-ID": (lambda c: c.submit("+49", Part(body=b"x", content_id="a b")), {}),
    "brackets in Content-ID": (lambda c: c.submit("+49", Part(body=b"x", content_id="<a@b>")), {}),
    "Content-ID twice": (lambda c: c.submit("+49", [Part(body=b"x", content_id="a")] * 2), {}),
    "no media type": (lambda c: c.submit("+49", Part(body=b"x", content_type="image")), {}),
    "unknown field": (lambda c: c.submit("+49", "x", sujbect="x"), {}),
    "field the namespace lacks": (lambda c: c.submit("49", "x", applic_id="a"), {"profile": "REL-5-MM7-1-2"}),
    "condition that is no list": (lambda c: c.submit("+49", "x", delivery_condition=5), {}),
    "condition that is no number": (lambda c: c.submit("+49", "x", delivery_condition=("x",)), {}),
    "value the schema does not list": (lambda c: c.submit("+49", "x", priority="urgent"), {}),
    "operation the namespace lacks": (lambda c: c.extended_cancel("x"), {"profile": "REL-6-MM7-1-3"}),
    "version the namespace lacks": (lambda c: c.submit("+49", "x", mm7_version="9.9.9"), {}),
    "no recipient": (lambda c: c.submit([], "x"), {}),
    "only displayed recipients": (lambda c: c.submit(Number("+49", display_only=True), "x"), {}),
    "blank recipient": (lambda c: c.submit(" ", "x"), {}),
    "recipient that is none": (lambda c: c.submit(5, "x"), {}),
    "message without recipients": (lambda c: c.send(SubmitReq()), {}),
    "too many recipients": (lambda c: c.submit(["+49", "+50"], "x"), {"profile": "optus", "split": False}),
    "too large": (lambda c: c.submit("+49", bytes(1_000_001)), {"profile": "vibes-6.8"}),
    "empty TransactionID": (lambda c: c.submit("+49", "x", transaction_id=""), {}),
    "blank TransactionID": (lambda c: c.submit("+49", "x", transaction_id=" \t"), {}),
    "NUL in TransactionID": (lambda c: c.submit("+49", "x", transaction_id="a\0"), {}),
    "TransactionID of a split": (lambda c: c.submit(["+49", "+50"], "x", transaction_id="a"), {"split": True}),
    "content that is none": (lambda c: c.submit("+49", [5]), {}),
    "no content at all": (lambda c: c.replace("m-1", 5), {}),
    "file that is not there": (lambda c: c.submit("+49", Path("/nonexistent/x.gif")), {}),
    "folder": (lambda c: c.submit("+49", Path("/")), {}),
    "lone surrogate in a text": (lambda c: c.submit("+49", "a\ud800"), {}),
    "text for a truth value": (lambda c: c.submit("+49", "x", delivery_report="no"), {}),
    "open file": (lambda c: c.submit("+49", io.BytesIO(b"a\nb")), {}),
    "mapping": (lambda c: c.submit("+49", {"a.gif": b"GIF89a"}), {}),
    "bytearray": (lambda c: c.submit("+49", bytearray(b"x")), {}),
    "TransactionID that is a number": (lambda c: c.submit("+49", "x", transaction_id=5), {}),
    "request of the other side": (lambda c: c.send(DeliverReq(sender="+49")), {}),
    "answer sent as request": (lambda c: c.send(RSErrorRsp()), {}),
}


@pytest.mark.parametrize("case", LOCAL.values(), ids=LOCAL.keys())
def test_nothing_is_sent(case: tuple[Any, dict[str, Any]]) -> None:
    """A call that cannot become a valid message is the caller's to correct, and no connection is opened."""
    do, options = case
    with FarSide() as far, VaspClient(far.url, vaspid="v", vasid="s", **options) as client:
        with pytest.raises(LocalError) as info:
            do(client)
        assert str(info.value)
        assert far.connections == 0


def test_delivery_without_content_element_needs_no_parts() -> None:
    """An MO of text only is fine; a namespace that wants more says so."""
    with FarSide() as far, MmscClient(far.url, profile="REL-5-MM7-1-0") as client:
        with pytest.raises(LocalError, match="ReplyChargingID"):
            client.deliver(DeliverReq(sender="49"))
        assert far.connections == 0
    with FarSide() as far, MmscClient(far.url) as client:
        assert client.deliver(DeliverReq(sender="+49")).status.ok


UNUSABLE: dict[str, Any] = {
    "no URL": lambda: VaspClient("mmsc.example/mm7"),
    "file URL": lambda: VaspClient("file:///etc/passwd"),
    "no host": lambda: VaspClient("http:///mm7"),
    "port out of range": lambda: VaspClient("http://a:99999/"),
    "line break in URL": lambda: VaspClient("http://a/\r\nX: y"),
    "credentials in URL": lambda: VaspClient("https://me:secret@mmsc.example/mm7"),
    "colon in user": lambda: Basic("a:b", "secret"),
    "control in password": lambda: Basic("a", "secret\r\n"),
    "colon in digest user": lambda: Digest("a:b", "secret"),
    "half a character in digest user": lambda: Digest("a\ud800", "secret"),
    "half a character in a password": lambda: Basic("a", "secret\udfff"),
    "octets for a password": lambda: Basic("a", b"secret"),  # type: ignore[arg-type]
    "empty bearer": lambda: Bearer(""),
    "blank in token": lambda: Bearer("secret token"),
    "line break in header": lambda: VaspClient("http://a/", headers={"X-Key": "secret\r\nX-Other: 1"}),
    "header name": lambda: VaspClient("http://a/", headers={"X Key": "secret"}),
    "non-ASCII header": lambda: VaspClient("http://a/", headers={"X-Key": "secret ü"}),
    "missing CA file": lambda: VaspClient("https://a/", ca_file="/nonexistent/ca.pem"),
    "missing certificate": lambda: VaspClient("https://a/", client_cert=("/nonexistent/c.pem", "/nonexistent/k.pem")),
    "auth as text": lambda: VaspClient("http://a/", auth="me:secret"),  # type: ignore[arg-type]
    "auth of three": lambda: VaspClient("http://a/", auth=("me", "secret", "x")),  # type: ignore[arg-type]
    "auth without password": lambda: VaspClient("http://a/", auth=("me", None)),  # type: ignore[arg-type]
    "timeouts as a number": lambda: VaspClient("http://a/", timeouts=5),  # type: ignore[arg-type]
    "retry as a number": lambda: VaspClient("http://a/", retry=0),  # type: ignore[arg-type]
    "unknown profile": lambda: VaspClient("http://a/", profile="nobody"),
    "header that is a number": lambda: VaspClient("http://a/", headers={"X-Key": 5}),  # type: ignore[dict-item]
    "async: auth as text": lambda: AsyncVaspClient("http://a/", auth="me:secret"),  # type: ignore[arg-type]
    "async: timeouts as a number": lambda: AsyncVaspClient("http://a/", timeouts=5),  # type: ignore[arg-type]
    "async: missing CA file": lambda: AsyncVaspClient("https://a/", ca_file="/nonexistent/ca.pem"),
    "async: CA file without certificates": lambda: AsyncVaspClient("https://a/", ca_file=__file__),
    "async: colon in user": lambda: AsyncVaspClient("https://a/", auth=("a:b", "secret")),
}  # fmt: skip


@pytest.mark.parametrize("make", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_unusable_options_are_refused_when_given(make: Any) -> None:
    """Before the first call, and without repeating a secret."""
    with pytest.raises(LocalError) as info:
        make()
    assert "secret" not in str(info.value)


# --- split ------------------------------------------------------------------------------------------------------------


def submit(style: str, url: str, to: Any, **options: Any) -> Submitted:
    """One split submit in either style."""
    options = {"vaspid": "v", "vasid": "s", "split": True, "retry": Retry(times=0), **options}
    if style == "sync":
        with VaspClient(url, **options) as client:
            return client.submit(to, "hello")

    async def awaited() -> Submitted:
        async with AsyncVaspClient(url, **options) as client:
            return await client.submit(to, "hello")

    return asyncio.run(awaited())


def numbered(request: Request) -> Steps:
    """Accepts, naming the message after its recipient."""
    message = request.unpack().message
    assert isinstance(message, SubmitReq)
    return saying(SubmitRsp(message_id=f"for {message.to[0].value}"))(request)


REFUSE: Answer = saying(RSErrorRsp(status=Status(2002)))
REFUSE_OTHERWISE: Answer = saying(RSErrorRsp(status=Status(4007)))
STYLES = pytest.mark.parametrize("style", ["sync", "async"])


@STYLES
def test_split_sends_one_request_per_recipient(style: str) -> None:
    """Each recipient gets a request, a TransactionID and a MessageID of its own."""
    with FarSide(numbered) as far:
        sent = submit(style, far.url, ["+491", "a@b.example", ShortCode("111")])
        got = [one.unpack() for one in far.requests]
    assert [one.message.recipients for one in got] == [(each.recipient,) for each in sent.each]  # type: ignore[attr-defined]
    assert [one.accepted.message_id for one in sent.each if one.accepted] == ["for +491", "for a@b.example", "for 111"]
    assert len({one.transaction_id for one in got}) == 3
    assert (sent.status.code, sent.message_id, sent.transaction_id) == (1000, None, got[0].transaction_id)


@STYLES
def test_split_of_one_is_an_ordinary_submit(style: str) -> None:
    """One recipient keeps its place, and the answer is the far side's own."""
    with FarSide() as far:
        sent = submit(style, far.url, "+491")
    assert (sent.message_id, sent.each) == ("m-1", ())


@STYLES
def test_split_keeps_who_is_only_displayed(style: str) -> None:
    """A group chat names everybody in each request and serves one (quirks of the carriers that ask for it)."""
    shown = Number("+499", display_only=True)
    with FarSide() as far:
        submit(style, far.url, ["+491", shown], profile="sinch")
        submit(style, far.url, ["+491", "+492", shown], profile="sinch")
        got = [one.unpack().message.to for one in far.requests]  # type: ignore[attr-defined]
    assert got == [(Number("+491"), shown), (Number("+491"), shown), (Number("+492"), shown)]


@STYLES
def test_split_with_some_refused_is_a_partial_success(style: str) -> None:
    """1100, with what became of each; a refusal does not stop the others."""
    with FarSide(numbered, REFUSE, numbered) as far:
        sent = submit(style, far.url, ["+491", "+492", "+493"])
    assert sent.status == Status(1100)
    assert [one.accepted is not None for one in sent.each] == [True, False, True]
    error = sent.each[1].error
    assert isinstance(error, StatusError)
    assert error.status.code == 2002


@STYLES
def test_split_with_all_refused_raises_the_first_error(style: str) -> None:
    """Nobody was accepted: an error like that of a single submit."""
    with FarSide(REFUSE, REFUSE_OTHERWISE) as far:
        with pytest.raises(StatusError) as info:
            submit(style, far.url, ["+491", "+492"])
        assert len(far.requests) == 2
    assert info.value.status.code == 2002


@STYLES
def test_split_that_leaves_one_open_raises_that(style: str) -> None:
    """Where one may have been accepted, the error must not say that all were refused."""
    with FarSide(REFUSE, [CLOSE], REFUSE) as far, pytest.raises(TransportError) as info:
        submit(style, far.url, ["+491", "+492", "+493"])
    assert info.value.maybe_accepted


@STYLES
def test_split_stops_at_wrong_credentials(style: str) -> None:
    """401 upon 401 locks accounts: the rest is not sent, and what was accepted before is not lost."""
    with FarSide(numbered, [http(401)]) as far:
        sent = submit(style, far.url, ["+491", "+492", "+493"])
        assert len(far.requests) == 2
    assert sent.each[0].accepted is not None
    assert [type(one.error) for one in sent.each[1:]] == [AuthError, AuthError]


def test_profile_decides_to_split() -> None:
    """Optus takes one recipient a request."""
    with FarSide(numbered) as far, VaspClient(far.url, vaspid="v", vasid="s", profile="optus") as client:
        assert len(client.submit(["+491", "+492"], samples.saturn_png()).each) == 2


# --- when to send again -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("retry_after", "low", "high", "requests"),
    [
        (None, 0.3, 0.7, 2),
        ("7", 7, 7, 2),
        ("30", 30, 30, 2),
        ("31", None, None, 1),
        ("99999999999999", None, None, 1),
        ("-5", 0.3, 0.7, 2),
        ("soon", 0.3, 0.7, 2),
        (timedelta(seconds=20), 5, 20, 2),
        (timedelta(days=-9000), 0.3, 0.7, 2),
        (timedelta(days=2), None, None, 1),
    ],
)
def test_retry_after_is_obeyed_up_to_a_bound(
    retry_after: str | timedelta | None, low: float, high: float, requests: int
) -> None:
    """Never sooner than asked; where more than ``most`` is asked, the error is raised at once. A date is as good."""
    if isinstance(retry_after, timedelta):
        retry_after = format_datetime(datetime.now(UTC) + retry_after, usegmt=True)
    waits: list[float] = []
    busy = http(503, **({"Retry_After": retry_after} if retry_after else {}))
    with FarSide([busy], proper) as far, VaspClient(far.url, vaspid="v", vasid="s", sleep=waits.append) as client:
        if requests == 1:
            with pytest.raises(TransportError, match="503"):
                client.submit("+491", "x")
            assert waits == []
        else:
            assert client.submit("+491", "x").message_id == "m-1"
            assert low <= waits[0] <= high
        assert len(far.requests) == requests


def test_waits_double_up_to_the_bound() -> None:
    """Doubled each time, a fifth more or less, bounded, as many as asked for."""
    waits = list(Retry(times=5, first=1, most=6).waits())
    assert all(0.8 * n <= wait <= 1.2 * n for n, wait in zip((1, 2, 4, 6, 6), waits, strict=True))
    assert list(Retry(times=0).waits()) == []


def test_refused_connection_is_tried_again_and_surely_not_accepted() -> None:
    """Nobody listens: no octet went out, so it is safe to try again, and to say so."""
    waits: list[float] = []
    with FarSide() as far:
        url = far.url
    client = VaspClient(url, vaspid="v", vasid="s", sleep=waits.append)
    with client, pytest.raises(TransportError, match="refused") as info:
        client.submit("+491", "x")
    assert url.split("/")[2] in str(info.value)  # what could not be reached
    assert "MaxRetryError" not in str(info.value)
    assert not info.value.maybe_accepted
    assert len(waits) == 2


def test_refused_connection_async() -> None:
    """The same over httpx."""
    with FarSide() as far:
        url = far.url
    with pytest.raises(TransportError) as info:
        submit("async", url, "+491")
    assert url.split("/")[2] in str(info.value)
    assert not info.value.maybe_accepted


@pytest.mark.parametrize(("status", "hint"), [(404, "check the path"), (413, "larger than it takes")])
def test_refusal_by_http_says_what_to_do(status: int, hint: str) -> None:
    """What is answered in plain text is more than an envelope that is missing."""
    with FarSide([http(status, "no", "text/plain")]) as far, VaspClient(far.url, vaspid="v", vasid="s") as client:
        with pytest.raises(TransportError, match=hint) as info:
            client.submit("+491", "x")
        assert not info.value.maybe_accepted


def test_redirect_is_told_whole_but_for_secrets() -> None:
    """The port is part of where to go instead; a user name and a query are not repeated."""
    answer = http(307, Location="http://me:secret@[::1]:8443/mm7/?key=secret")
    with FarSide([answer]) as far, VaspClient(far.url, vaspid="v", vasid="s") as client:
        with pytest.raises(TransportError, match=r"redirect to 'http://\[::1\]:8443/mm7/'") as info:
            client.submit("+491", "x")
        assert "secret" not in str(info.value)


def test_profile_may_be_one_of_ones_own() -> None:
    """A profile value is taken as it is."""
    with VaspClient("http://a/", profile=GENERIC_6_8_0) as client:
        assert client.profile.schema == REL_6_MM7_1_4.schema
        assert repr(client) == "<VaspClient profile=generic-6.8.0>"
