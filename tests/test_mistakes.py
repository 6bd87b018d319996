"""A first hour with the library: whatever is given wrongly is refused by an error that says what, where and how.

Nothing is sent for any of these: the address leads nowhere.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mm7zeep import mime
from mm7zeep.client import AsyncMmscClient, AsyncVaspClient, MmscClient, Retry, VaspClient
from mm7zeep.credentials import Basic, Bearer, Digest
from mm7zeep.errors import LocalError, StatusError
from mm7zeep.exchange import Wire, pack, unpack
from mm7zeep.messages import DeliverReq, Number, Part, Status, SubmitReq, SubmitRsp
from mm7zeep.profiles import policy, profile
from mm7zeep.receiver import Receiver
from mm7zeep.transport import SwaTransport, Timeouts, attach, zeep_client

NOWHERE = "http://127.0.0.1:1/mm7"
BOTH = pytest.mark.parametrize("style", ["sync", "async"])
CLIENTS: dict[tuple[str, str], Any] = {
    ("sync", "vasp"): VaspClient, ("async", "vasp"): AsyncVaspClient,
    ("sync", "mmsc"): MmscClient, ("async", "mmsc"): AsyncMmscClient,
}  # fmt: skip

OPTIONS: list[tuple[str, Any, str]] = [
    ("auth", "tnn:hush", "auth is (user, password)"),
    ("auth", ["tnn", "hush"], "auth is (user, password)"),
    ("auth", ("tnn", "hush", "x"), "auth is (user, password)"),
    ("profile", "optos", "no profile 'optos'; known are"),
    ("profile", 3, "profile is a name such as 'optus', or a Profile, not int"),
    ("policy", "mild", "no policy 'mild'; use strict"),
    ("timeouts", 5, "timeouts is a Timeouts, such as"),
    ("timeouts", {"read": 3}, "timeouts is a Timeouts, such as"),
    ("retry", 3, "retry is a Retry, such as"),
    ("ca_file", "nope.pem", "'nope.pem' cannot be read"),
    ("client_cert", ("nope.pem", "b"), "'nope.pem' cannot be read"),
    ("client_cert", 5, "client_cert is (certificate file, key file), or"),
    ("client_cert", ["a", "b", "c"], "client_cert is (certificate file, key file), or"),
    ("headers", {"X": 5}, "the header field X is a str, not int"),
    ("headers", {5: "X"}, "the name of a header field is a str, not int"),
    ("headers", "X: y", "headers maps names to values"),
    ("headers", [("X", "y")], "headers maps names to values"),
    ("max_reply", "1", "max_reply is a number of octets"),
    ("max_reply", 0, "max_reply is a number of octets"),
]


@BOTH
@pytest.mark.parametrize("side", ["vasp", "mmsc"])
@pytest.mark.parametrize(("name", "value", "said"), OPTIONS, ids=lambda one: str(one)[:20])
def test_option(style: str, side: str, name: str, value: Any, said: str) -> None:
    """An option that cannot be used is refused when the client is made."""
    with pytest.raises(LocalError) as caught:
        CLIENTS[style, side](NOWHERE, **{name: value})
    assert said in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("client", "name", "value", "said"),
    [
        (VaspClient, "proxies", "http://proxy.example", "proxies maps schemes to URLs"),
        (VaspClient, "proxies", {"http": 5}, "the proxy is no http, https or socks5 URL"),
        (VaspClient, "adapter", 5, "adapter is an adapter of requests"),
        (AsyncVaspClient, "proxy", "proxy.example:x", "the proxy is no http"),
        (AsyncVaspClient, "proxy", 5, "the proxy is no http"),
        *[(one, "split", "yes", "split is True, False or None") for one in (VaspClient, AsyncVaspClient)],
        *[(one, "vaspid", 5, "vaspid is a str, not int") for one in (VaspClient, AsyncVaspClient)],
        *[(one, "vasid", b"x", "vasid is a str, not bytes") for one in (VaspClient, AsyncVaspClient)],
        *[(one, "authh", (), "unexpected keyword argument 'authh'") for one in CLIENTS.values()],
    ],
)
def test_option_of_one(client: Any, name: str, value: Any, said: str) -> None:
    """So are those that only one client has; a misspelt name is Python's own error."""
    with pytest.raises(TypeError if name == "authh" else LocalError) as caught:
        client(NOWHERE, **{name: value})
    assert said in str(caught.value)


@BOTH
@pytest.mark.parametrize(
    "url", [5, None, b"http://x", Path("/x"), "mmsc.example/mm7", "ftp://x/", "", "http://u:hush@x/"]
)
def test_address(style: str, url: Any) -> None:
    """What is no address of http or https is refused when the client is made."""
    with pytest.raises(LocalError, match="address") as caught:
        CLIENTS[style, "vasp"](url)
    assert "hush" not in str(caught.value)


SUBMITS: list[tuple[dict[str, Any], str]] = [
    ({"to": 5}, "an address is a str, Number, RFC2822Address or ShortCode, not int"),
    ({"to": b"1"}, "not bytes"),
    ({"to": None}, "at least one recipient"),
    ({"to": []}, "at least one recipient"),
    ({"to": [None]}, "not NoneType"),
    ({"to": [["1"]]}, "not list"),
    ({"to": ""}, "an address is empty"),
    ({"cc": 5}, "not int"),
    ({"sender_address": 5}, "not int"),
    ({"content": {"a": "b"}}, "content is a str, bytes, a pathlib.Path or a Part, not dict"),
    ({"content": [["x"]]}, "not list"),
    ({"content": 5}, "not int"),
    ({"content": None}, "not NoneType"),
    ({"content": bytearray(b"x")}, "not bytearray"),
    ({"content": Path("nope.gif")}, "nope.gif cannot be read"),
    ({"content": Path("/")}, "cannot be read"),
    ({"parts": ["x"]}, "given as content="),
    ({"subjet": "x"}, "a SubmitReq has no field 'subjet'; did you mean 'subject'?"),
    ({"recipients": "1"}, "a SubmitReq has no field 'recipients'; it has "),
    ({"delivery_report": "yes"}, "DeliveryReport is True or False"),
    ({"read_reply": 1.5}, "ReadReply is True or False"),
    ({"expiry_date": "2d"}, "ExpiryDate must be a datetime or a timedelta, not str"),
    ({"expiry_date": 3600}, "ExpiryDate must be a datetime or a timedelta, not int"),
    ({"expiry_date": datetime(2030, 1, 1)}, "ExpiryDate has no time zone"),  # noqa: DTZ001  that is what is wrong
    ({"time_stamp": "now"}, "TimeStamp is a point in time"),
    ({"priority": "high"}, "Priority: value must be one of"),
    ({"message_class": "Spam"}, "MessageClass: value must be one of"),
    ({"mm7_version": "9"}, "MM7Version: value must be one of"),
    ({"reply_charging": True}, "reply_charging is a ReplyCharging, not bool"),
    ({"extensions": "x"}, "extensions are mm7zeep.Extension values"),
    ({"extensions": ["x"]}, "extensions are mm7zeep.Extension values"),
    ({"transaction_id": 5}, "the TransactionID is a str, not int"),
    ({"transaction_id": " "}, "the TransactionID is empty"),
]
CALLS: list[tuple[str, str, tuple[Any, ...], str]] = [
    ("vasp", "cancel", (5,), "message_id is a str, not int"),
    ("vasp", "cancel", ("",), "the MessageID is empty"),
    ("vasp", "replace", (5, "x"), "message_id is a str, not int"),
    ("vasp", "extended_cancel", (5,), "cancel_id is a str, not int"),
    ("vasp", "extended_replace", (5, "x"), "replace_id is a str, not int"),
    ("vasp", "send", ("x",), "str is no MM7 request"),
    ("vasp", "send", (SubmitRsp(),), "a request is sent, such as a SubmitReq, not a SubmitRsp"),
    ("vasp", "send", (DeliverReq(sender=Number("1")),), "VaspClient sends no DeliverReq"),
    ("mmsc", "deliver", ("x",), "str is no MM7 request"),
    ("mmsc", "deliver", (SubmitReq(to=(Number("1"),)),), "MmscClient sends no SubmitReq"),
    ("mmsc", "delivery_report", (None,), "a report or a read reply is sent, not a NoneType"),
    ("mmsc", "read_reply", ({"a": 1},), "a report or a read reply is sent, not a dict"),
]


def refused(style: str, side: str, name: str, *given: Any, **fields: Any) -> str:
    """What the call is refused with."""
    client = CLIENTS[style, side](NOWHERE, retry=Retry(times=0))

    async def main() -> None:
        async with client:
            await getattr(client, name)(*given, **fields)

    def call() -> None:
        if style == "async":
            return asyncio.run(main())
        with client:
            getattr(client, name)(*given, **fields)

    with pytest.raises(LocalError) as caught:
        call()
    return str(caught.value).replace("AsyncVasp", "Vasp").replace("AsyncMmsc", "Mmsc")


@BOTH
@pytest.mark.parametrize(("fields", "said"), SUBMITS, ids=lambda one: str(one)[:30])
def test_submit(style: str, fields: dict[str, Any], said: str) -> None:
    """What a submit cannot be made of is named, with the field and what it takes."""
    assert said in refused(style, "vasp", "submit", **{"to": "1", "content": "x", **fields})


@BOTH
@pytest.mark.parametrize(("side", "name", "given", "said"), CALLS, ids=lambda one: str(one)[:20])
def test_call(style: str, side: str, name: str, given: tuple[Any, ...], said: str) -> None:
    """So is what the other operations cannot be made of."""
    assert said in refused(style, side, name, *given)


VALUES: list[tuple[Callable[[], object], str]] = [
    (lambda: Timeouts(read="5"), "Timeouts.read is a number of seconds above 0, not '5'"),  # type: ignore[arg-type]
    (lambda: Timeouts(connect=-1), "Timeouts.connect is a number of seconds"),
    (lambda: Timeouts(reply=float("nan")), "Timeouts.reply is a number of seconds"),
    (lambda: Retry(times="x"), "Retry.times is a number of further attempts"),  # type: ignore[arg-type]
    (lambda: Retry(first=-1), "Retry.first is a number of seconds"),
    (lambda: Basic(5, "hush"), "user name and password are str"),  # type: ignore[arg-type]
    (lambda: Digest("hush", None), "user name and password are str"),  # type: ignore[arg-type]
    (lambda: Bearer(5), "a bearer token is a str that is not empty, not int"),  # type: ignore[arg-type]
    (lambda: Part(body="text"), "a part's body is bytes, a pathlib.Path or a Blob, not str; encode a text"),  # type: ignore[arg-type]
    (lambda: Part(body=5), "not int"),  # type: ignore[arg-type]
    (lambda: Part(body=b"", content_type=5), "Content-Type is a str, not int"),  # type: ignore[arg-type]
    (lambda: Number(5), "is a str, not int"),  # type: ignore[arg-type]
    (lambda: Wire(body="x"), "the body is bytes, or an iterable of bytes, not str"),  # type: ignore[arg-type]
    (lambda: Wire(body=None), "not NoneType"),  # type: ignore[arg-type]
    (lambda: unpack(b"x"), "what is read is Wire(headers=..., body=...), not bytes"),  # type: ignore[arg-type]
    (lambda: unpack(Wire(body=b"x"), policy="mild"), "no policy 'mild'"),  # type: ignore[arg-type]
    (lambda: pack("x"), "pack takes an MM7 message such as SubmitReq, not str"),  # type: ignore[arg-type]
    (lambda: pack(SubmitReq(to=(Number("1"),)), profile=3), "profile is a name"),  # type: ignore[arg-type]
    (lambda: profile("optos"), "no profile 'optos'"),
    (lambda: policy("mild"), "no policy 'mild'"),
    (lambda: zeep_client(NOWHERE, role="smsc"), "role is what stands at the address"),  # type: ignore[arg-type]
    (lambda: zeep_client(NOWHERE, transport=SwaTransport(), auth=("a", "hush")), "transport is given"),
    (lambda: zeep_client(NOWHERE, transport=SwaTransport(), max_reply=7), "transport is given"),
    (lambda: zeep_client(NOWHERE, profile="optos"), "no profile 'optos'"),
    (lambda: attach(zeep_client(NOWHERE), "x"), "parts are mm7zeep.Part values, not str"),  # type: ignore[arg-type]
    (lambda: attach(None, []), "transport is no SwaTransport"),  # type: ignore[type-var]
    (lambda: Receiver(limits=5), "limits is a mime.Limits"),  # type: ignore[arg-type]
    (lambda: Receiver(http=mime.Limits()), "http an HttpLimits"),  # type: ignore[arg-type]
    (lambda: Receiver(realm=5), "the realm 5 needs"),  # type: ignore[arg-type]
    (lambda: Receiver().answer(b"x"), "a request is Wire(method=..., headers=..., body=...), not bytes"),  # type: ignore[arg-type]
    (lambda: asyncio.run(Receiver().answer_async(None)), "a request is Wire("),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("made", "said"), VALUES, ids=lambda one: one[:30] if isinstance(one, str) else "")
def test_value(made: Callable[[], object], said: str) -> None:
    """Values of the wrong kind are refused where they are made or first used."""
    with pytest.raises(LocalError) as caught:
        made()
    assert said in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("made", [lambda: Status("2002"), lambda: StatusError("no such subscriber")])  # type: ignore[arg-type]
def test_status(made: Callable[[], object]) -> None:
    """A text in the place of a StatusCode is refused, in a handler, too."""
    with pytest.raises(ValueError, match="a StatusCode is a number such as 2002, not str"):
        made()


def test_what_is_understood_all_the_same() -> None:
    """A mapping for header fields or parameters, and octets of another kind, mean what they say."""
    wire = pack(SubmitReq(to=(Number("1"),)), transaction_id="t-1")
    again = Wire(headers=dict(wire.headers), body=bytearray(wire.read()))  # type: ignore[arg-type]
    assert (again.headers, unpack(again).transaction_id) == (wire.headers, "t-1")
    assert Part(body=b"", parameters={"charset": "utf-8"}).charset == "utf-8"  # type: ignore[arg-type]
    assert inspect.iscoroutinefunction(AsyncVaspClient.submit)
