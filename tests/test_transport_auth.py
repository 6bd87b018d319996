"""Credentials: what goes out of them, and where they never show."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import logging
import re
import traceback
from pathlib import Path
from typing import Any

import pytest
from far_side import CLOSE, Answer, Early, FarSide, Request, Steps, http, proper

from mm7zeep import samples
from mm7zeep.client import AsyncVaspClient, Retry, Submitted, VaspClient
from mm7zeep.credentials import credentials
from mm7zeep.errors import AuthError, Mm7Error, TransportError
from mm7zeep.transport import Basic, Bearer, Digest

SECRET = "päss:wörd-" + "x" * 80  # longer than a line of base64
STYLES = pytest.mark.parametrize("style", ["sync", "async"])
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 1000


def submit(style: str, url: str, *, times: int = 1, content: Any = "hello", **options: Any) -> list[Submitted]:
    """Submits in either style with one client."""
    options = {"vaspid": "v", "vasid": "s", "retry": Retry(times=0), **options}
    if style == "sync":
        with VaspClient(url, **options) as client:
            return [client.submit("+491", content) for _ in range(times)]

    async def awaited() -> list[Submitted]:
        async with AsyncVaspClient(url, **options) as client:
            return [await client.submit("+491", content) for _ in range(times)]

    return asyncio.run(awaited())


@STYLES
@pytest.mark.parametrize("auth", [("müller", SECRET), Basic("müller", SECRET)], ids=["tuple", "Basic"])
def test_basic_is_utf8_on_one_line(auth: Any, style: str) -> None:
    """RFC 7617: UTF-8, base64 without line ends, sent at once."""
    with FarSide() as far:
        submit(style, far.url, auth=auth)
        [request] = far.requests
    value = request.header("Authorization") or ""
    assert value.startswith("Basic ")
    assert base64.b64decode(value[6:], validate=True).decode() == f"müller:{SECRET}"


@STYLES
def test_bearer_and_headers_of_ones_own(style: str) -> None:
    """An API key as bearer token, and vendor fields as given."""
    with FarSide() as far:
        submit(style, far.url, auth=Bearer("abc.DEF-123"), headers={"X-Vibes-CarrierCode": "103", "User-Agent": "me/1"})
        [request] = far.requests
    assert request.header("Authorization") == "Bearer abc.DEF-123"
    assert (request.header("X-Vibes-CarrierCode"), request.header("User-Agent")) == ("103", "me/1")


@STYLES
def test_own_headers_do_not_replace_what_the_message_needs(style: str) -> None:
    """Content-Type, Content-Length and SOAPAction are the message's."""
    headers = {"Content-Type": "text/plain", "Content-Length": "3", "soapaction": "x", "Accept-Encoding": "gzip"}
    with FarSide() as far:
        submit(style, far.url, headers=headers)
        [request] = far.requests
    assert request.unpack().findings == ()
    assert [value for name, value in request.headers if name.lower() == "content-length"] == [str(len(request.body))]
    assert [value for name, value in request.headers if name.lower() == "soapaction"] == ['""']
    assert request.header("Accept-Encoding") == "identity"


# --- Digest -----------------------------------------------------------------------------------------------------------

CHALLENGE = 'Digest realm="mm7", nonce="abc123", qop="auth", algorithm=MD5, opaque="oo"'


def md5(text: str) -> str:
    """The hash of RFC 7616 3.4.1 in its oldest form."""
    return hashlib.md5(text.encode()).hexdigest()


def digest_is_right(request: Request, user: str, password: str) -> bool:
    """RFC 7616 3.4.1, worked out on the server's side."""
    value = request.header("Authorization") or ""
    if not value.startswith("Digest "):
        return False
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', value[7:]))
    ha1, ha2 = md5(f"{user}:mm7:{password}"), md5(f"POST:{given['uri']}")
    expected = md5(f"{ha1}:{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}:{ha2}")
    return given["response"] == expected and given["username"] == user


def digest(body: bytes = b"", **fields: str) -> Any:
    """A far side that asks for Digest until it is given rightly."""

    def answer(request: Request) -> Steps:
        if digest_is_right(request, "tnn", SECRET):
            return proper(request)
        return [http(401, body, WWW_Authenticate=CHALLENGE, **fields)]

    return answer


@STYLES
@pytest.mark.parametrize(
    "challenge",
    [digest(), digest(b"<html>no</html>"), digest(gzip.compress(bytes(9_000_000)), Content_Encoding="gzip")],
)
def test_digest_sends_the_whole_body_again(challenge: Answer, style: str) -> None:
    """The streamed body goes out whole both times; later calls know the challenge already."""
    with FarSide(challenge) as far:
        sent = submit(style, far.url, times=3, content=["hello", PICTURE], auth=Digest("tnn", SECRET))
        requests = list(far.requests)
    assert [one.message_id for one in sent] == ["m-1"] * 3
    assert len(requests) == 4
    assert requests[0].body == requests[1].body
    assert all(one.complete for one in requests)
    assert PICTURE in requests[1].body
    assert requests[0].header("Authorization") is None
    assert all(digest_is_right(one, "tnn", SECRET) for one in requests[1:])


@STYLES
def test_digest_challenge_without_end_is_not_read(style: str) -> None:
    """An endless challenge costs neither memory nor time: its connection is given up."""
    endless = [b"HTTP/1.1 401 No\r\nWWW-Authenticate: " + CHALLENGE.encode() + b"\r\n\r\n", *([b"x" * 65536] * 2000)]
    with FarSide(endless, digest()) as far:
        [sent] = submit(style, far.url, auth=Digest("tnn", SECRET))
        assert far.connections == 2
    assert sent.message_id == "m-1"


@STYLES
def test_digest_challenge_before_the_body(style: str) -> None:
    """A server that challenges on the head and hangs up gets the whole body the second time."""
    early = Early((http(401, WWW_Authenticate=CHALLENGE, Connection="close"), CLOSE))
    with FarSide(early, digest()) as far:
        try:
            [sent] = submit(style, far.url, auth=Digest("tnn", SECRET), content=PICTURE)
        except TransportError as error:
            open_outcome = error.maybe_accepted  # a reset may overtake the challenge on its way to us
        else:
            open_outcome = PICTURE not in far.requests[1].body
            assert sent.message_id == "m-1"
            assert not open_outcome
        assert open_outcome is (len(far.requests) == 1)


@STYLES
@pytest.mark.parametrize("auth", [("tnn", "wrong"), Digest("tnn", "wrong"), Bearer("wrong"), None], ids=repr)
def test_wrong_credentials_are_not_tried_again(auth: Any, style: str) -> None:
    """One AuthError; with Digest after the one challenge that belongs to it."""
    with FarSide(digest(b"who are you")) as far:
        with pytest.raises(AuthError) as info:
            submit(style, far.url, auth=auth, retry=Retry())
        assert len(far.requests) == (2 if isinstance(auth, Digest) else 1)
    assert (info.value.http_status, info.value.challenge, info.value.body) == (401, CHALLENGE, b"who are you")


@STYLES
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_after_digest_is_not_followed(status: int, style: str) -> None:
    """What answers the second request is judged like any other."""

    def answer(request: Request) -> Steps:
        asked = request.header("Authorization") is None
        return digest()(request) if asked else [http(status, Location="/other")]

    with FarSide(answer) as far:
        with pytest.raises(TransportError, match="redirect") as info:
            submit(style, far.url, auth=Digest("tnn", SECRET))
        assert len(far.requests) == 2
    assert not info.value.maybe_accepted


# --- what is around us is not asked -----------------------------------------------------------------------------------


@STYLES
def test_netrc_and_proxies_of_the_environment_are_ignored(
    style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials and proxies come from the call only."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password stolen\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    with FarSide() as far:
        submit(style, far.url)
        assert far.requests[0].header("Authorization") is None


@STYLES
def test_proxy_that_is_given_is_used(style: str) -> None:
    """The request goes to the proxy, with the whole URL in its first line."""
    with FarSide() as far:
        proxy = far.url.removesuffix("/mm7")
        options: dict[str, Any] = {"proxies": {"http": proxy}} if style == "sync" else {"proxy": proxy}
        submit(style, "http://mmsc.invalid/mm7", **options)
        assert far.requests[0].line == "POST http://mmsc.invalid/mm7 HTTP/1.1"


@STYLES
def test_redirect_takes_nothing_along(style: str) -> None:
    """The place a redirect names never hears of us, and its secrets are not repeated."""
    with FarSide() as other:
        place = other.url.replace("//", "//user:geheim@") + "?token=geheim"
        with FarSide([http(307, Location=place)]) as far, pytest.raises(TransportError) as info:
            submit(style, far.url, auth=("tnn", SECRET))
        assert other.connections == 0
    assert "geheim" not in str(info.value)
    assert "/mm7" in str(info.value)


# --- logs -------------------------------------------------------------------------------------------------------------

CONTENT = ["inhalt der nachricht", samples.samples()["saturn.jpg"]]
ANSWERS: dict[str, tuple[Answer, type[Mm7Error] | None]] = {
    "accepted": (proper, None),
    "401": ([http(401, "no")], AuthError),
    "500": ([http(500, "<html>")], TransportError),
    "closed": ([CLOSE], TransportError),
    "302": ([http(302, Location="/x")], TransportError),
}


@STYLES
@pytest.mark.parametrize("auth", [("tnn", "geheim-1"), Digest("tnn", "geheim-1"), Bearer("geheim-1")], ids=repr)
@pytest.mark.parametrize("name", ANSWERS)
def test_no_secret_and_no_body_in_logs_errors_and_reprs(
    name: str, auth: Any, style: str, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG everywhere: no credential in any form, no octet of the content, no crash on a picture."""
    answer, error = ANSWERS[name]
    caplog.set_level(logging.DEBUG)
    headers = {"X-Api-Key": "geheim-2"}
    shown = ""
    with FarSide(answer) as far:
        if error is None:
            sent = submit(style, far.url, auth=auth, headers=headers, content=CONTENT)
            shown = repr(sent)
        else:
            with pytest.raises(error) as info:
                submit(style, far.url, auth=auth, headers=headers, content=CONTENT)
            shown = "".join(traceback.format_exception(info.value)) + repr(info.value) + repr(vars(info.value))
        assert b"geheim-2" in "\n".join(f"{k}: {v}" for k, v in far.requests[0].headers).encode()
    logged = "\n".join(f"{one.name} {one.getMessage()} {one.exc_text or ''}" for one in caplog.records)
    assert logged
    basic = base64.b64encode(b"tnn:geheim-1").decode()
    for secret in ("geheim", basic, "inhalt der", "JFIF"):
        assert secret not in logged
        assert secret not in shown
    assert "geheim" not in repr(credentials(auth)) + repr(VaspClient("http://a/", auth=auth, headers=headers).transport)
