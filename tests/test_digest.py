"""Digest: challenges as servers write them, each answered over loopback to a far side that works it out by itself."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from far_side import FarSide, Request, Steps, http, proper

from mm7zeep import challenges, digest
from mm7zeep.client import AsyncVaspClient, Retry, Submitted, VaspClient
from mm7zeep.errors import AuthError, LocalError
from mm7zeep.transport import Auth, Bearer, Digest

STYLES = pytest.mark.parametrize("style", ["sync", "async"])
USER, PASSWORD = "tnn", 'wörd: of, "honour"'
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 500


def submit(style: str, url: str, *, times: int = 1, content: Any = "hello", **options: Any) -> list[Submitted]:
    """Submits in either style with one client."""
    options = {"vaspid": "v", "vasid": "s", "retry": Retry(), **options}
    if style == "sync":
        with VaspClient(url, **options) as client:
            return [client.submit("+491", content) for _ in range(times)]

    async def awaited() -> list[Submitted]:
        async with AsyncVaspClient(url, **options) as client:
            return [await client.submit("+491", content) for _ in range(times)]

    return asyncio.run(awaited())


# --- the server's side: worked out from RFC 7616 3.4 without any code of ours -----------------------------------------


@dataclass(frozen=True)
class Row:
    """Lines of WWW-Authenticate (one character per octet), and what a right answer is made of; or why there is none."""

    lines: tuple[str, ...]
    hash: str = "md5"
    session: bool = False
    qop: str | None = "auth"
    realm: str = "mm7"
    nonce: str = "abc123"
    opaque: str | None = None
    user: str = USER
    password: str = PASSWORD
    name: str = "username"
    refused: str | None = None


def octets(text: str) -> str:
    """UTF-8 as the wire has it, one character per octet."""
    return text.encode().decode("latin-1")


def given(request: Request) -> dict[str, str]:
    """The parameters of the Authorization field of a request; empty where it is none of Digest."""
    scheme, _, rest = (request.header("Authorization") or "").partition(" ")
    if scheme != "Digest":
        return {}
    found = re.findall(r'([a-z]+\*?)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))(?:, |\Z)', rest)
    assert rest == ", ".join(f'{n}="{q}"' if not t else f"{n}={t}" for n, q, t in found), rest
    assert len({name for name, _, _ in found}) == len(found)
    return {name: token or re.sub(r"\\(.)", r"\1", quoted) for name, quoted, token in found}


def digested(name: str, *parts: str | bytes) -> str:
    """The hash of parts with colons between them."""
    return hashlib.new(name, b":".join(p.encode("latin-1") if isinstance(p, str) else p for p in parts)).hexdigest()


def wrong_with(request: Request, row: Row) -> str | None:
    """What is wrong with the answer to the challenge of ``row``; None where it is right."""
    said = given(request)
    if not said:
        return "no Digest"
    method, target, _ = request.line.split(" ")
    key = digested(row.hash, row.user.encode(), row.realm, row.password.encode())
    if row.session:
        key = digested(row.hash, key, said["nonce"], said["cnonce"])
    act = [method, said["uri"]]
    if row.qop == "auth-int":
        act.append(hashlib.new(row.hash, request.body).hexdigest())
    middle = [said["nonce"], said["nc"], said["cnonce"], said["qop"]] if row.qop else [said["nonce"]]
    expected = {
        "realm": row.realm, "nonce": row.nonce, "uri": target, "qop": row.qop, "opaque": row.opaque,
        "response": digested(row.hash, key, *middle, digested(row.hash, *act)),
    }  # fmt: skip
    wrong = [f"{name} is {said.get(name)}, not {value}" for name, value in expected.items() if said.get(name) != value]
    names = {
        "username": octets(row.user),
        "userhash": digested(row.hash, row.user.encode(), row.realm),
        "username*": row.user,
    }
    name = {"userhash": "username"}.get(row.name, row.name)
    shown = said.get(name, "")
    shown = unquote(shown.removeprefix("UTF-8''"), errors="strict") if name == "username*" else shown
    if shown != names[row.name] or (row.name == "userhash") != (said.get("userhash") == "true"):
        wrong.append(f"{name} is {shown}")
    return "; ".join(wrong) or None


def challenge(*lines: str, status: int = 401) -> bytes:
    """A challenge in these field lines."""
    fields = "".join(f"WWW-Authenticate: {one}\r\n" for one in lines)
    return f"HTTP/1.1 {status} No\r\n{fields}Content-Length: 2\r\n\r\nno".encode("latin-1")


def guard(row: Row, mistakes: list[str]) -> Callable[[Request], Steps]:
    """Answers with the challenge of ``row`` until it is answered rightly; notes what was wrong."""

    def answer(request: Request) -> Steps:
        mistake = wrong_with(request, row)
        if mistake is None:
            return proper(request)
        mistakes.append(mistake)
        return [challenge(*row.lines)]

    return answer


D = 'Digest realm="mm7", nonce="abc123"'
AUTH = f'{D}, qop="auth"'
SHA = f'{D}, qop="auth", algorithm=SHA-256'

ROWS: dict[str, Row] = {
    # algorithms and qop
    "md5": Row((f"{AUTH}, algorithm=MD5",)),
    "no algorithm": Row((AUTH,)),
    "no qop (RFC 2069)": Row((D,), qop=None),
    "empty qop": Row((f'{D}, qop=""',), qop=None),
    "sha-256": Row((SHA,), hash="sha256"),
    "sha-512-256": Row((f"{AUTH}, algorithm=SHA-512-256",), hash="sha512_256"),
    "sha-512": Row((f"{AUTH}, algorithm=SHA-512",), hash="sha512"),
    "sha": Row((f"{AUTH}, algorithm=SHA",), hash="sha1"),
    "md5-sess": Row((f"{AUTH}, algorithm=MD5-sess",), session=True),
    "sha-256-sess": Row((f"{AUTH}, algorithm=SHA-256-sess",), hash="sha256", session=True),
    "sess without qop": Row((f"{D}, algorithm=MD5-sess",), session=True, qop=None),
    "auth-int": Row((f'{D}, qop="auth-int"',), qop="auth-int"),
    "auth-int sha-256-sess": Row((f"{D}, qop=auth-int, algorithm=SHA-256-sess",), "sha256", True, "auth-int"),
    "auth before auth-int": Row((f'{D}, qop="auth-int, auth"',)),
    "qop with blanks": Row((f'{D}, qop=" auth , x-new "',)),
    "qop list unquoted": Row((f"{D}, qop=auth,auth-int, algorithm=MD5",)),
    "qop in capitals": Row((f'{D}, qop="AUTH"',)),
    "quoted algorithm": Row((f'{AUTH}, algorithm="MD5"',)),
    "algorithm in small letters": Row((f"{AUTH}, algorithm=sha-256",), hash="sha256"),
    # syntax
    "scheme in small letters": Row((AUTH.replace("Digest", "digest"),)),
    "names in capitals": Row(('DIGEST REALM="mm7", NONCE="abc123", QOP="auth"',)),
    "blanks around =": Row(('Digest realm = "mm7",nonce\t=\t"abc123" , qop= auth',)),
    "token values": Row(("Digest realm=mm7, nonce=abc123, qop=auth, opaque=x",), opaque="x"),
    "base64 without quotes": Row(("Digest realm=mm7, nonce=ab+/c1==, qop=auth",), nonce="ab+/c1=="),
    "comma in realm": Row((AUTH.replace("mm7", "a, Basic realm=b"),), realm="a, Basic realm=b"),
    "quoted pairs": Row(('Digest realm="a \\"b\\" \\\\c", nonce="x\\"y", qop=auth',), realm='a "b" \\c', nonce='x"y'),
    "quoted pair in opaque": Row((f'{AUTH}, opaque="o\\\\\\"o"',), opaque='o\\"o'),
    "empty elements": Row(('Digest ,realm="mm7",, nonce="abc123" ,, qop="auth",',)),
    "commas missing": Row(('Digest realm="mm7" nonce="abc123" qop="auth"',)),
    "empty opaque": Row((f'{AUTH}, opaque=""',), opaque=""),
    "empty realm": Row((AUTH.replace("mm7", ""),), realm=""),
    "unknown parameters": Row((f'{AUTH}, domain="/a http://b/", stale=FALSE, x-y="z", charset=iso-8859-1',)),
    # several challenges
    "basic before, one line": Row((f'Basic realm="x, Digest y", charset="UTF-8", {AUTH}',)),
    "basic behind, one line": Row((f'{AUTH}, Basic realm="x"',)),
    "others on lines of their own": Row(("Negotiate", "NTLM", 'Basic realm="x"', AUTH)),
    "others on one line": Row((f'Negotiate, NTLM, {AUTH}, Bearer error="x", Basic realm="y"',)),
    "token68 before": Row((f"Negotiate YIIabc+/.~==, {AUTH}",)),
    "no comma between": Row((f'Basic realm="x" {AUTH}',)),
    "strongest of two lines": Row((f"{AUTH}, algorithm=MD5", SHA), hash="sha256"),
    "strongest of one line": Row((f"{SHA}, {AUTH}, algorithm=MD5",), hash="sha256"),
    "unknown algorithm beside": Row((f"{AUTH}, algorithm=SHA3-512", f"{AUTH}, algorithm=MD5")),
    "unknown qop beside": Row((f'{D}, qop="auth-new", algorithm=SHA-256', AUTH)),
    "malformed beside": Row(('Digest realm="mm7", nonce="', AUTH)),
    # characters
    "utf-8 realm": Row((AUTH.replace("mm7", octets("Größe €")),), realm=octets("Größe €")),
    "latin-1 realm": Row((AUTH.replace("mm7", "Gr\xf6\xdfe"),), realm="Gr\xf6\xdfe"),
    "utf-8 user": Row((f"{AUTH}, charset=UTF-8",), user="Jäsøn €", name="username*"),
    "utf-8 user, not normalized": Row((f"{AUTH}, charset=utf-8",), user="J\u00e4", name="username*"),
    "utf-8 user, no charset": Row((AUTH,), user="Jäsøn €"),
    "user with quotes": Row((AUTH,), user='a"b\\c'),
    "userhash": Row((f"{SHA}, charset=UTF-8, userhash=true",), hash="sha256", user="Jäsøn", name="userhash"),
    "userhash false": Row((f"{AUTH}, userhash=false",)),
    # what cannot be answered
    "no nonce": Row(('Digest realm="mm7", qop="auth"',), refused="no nonce"),
    "no realm": Row(('Digest nonce="abc123"',), refused="no realm"),
    "empty nonce": Row(('Digest realm="mm7", nonce=""',), refused="nonce is empty"),
    "no parameters": Row(("Digest",), refused="no realm"),
    "token68": Row(("Digest YWJj==",), refused="no realm"),
    "no closing quote": Row(('Digest realm="mm7, nonce=abc',), refused="no closing quote"),
    "two nonces": Row((f'{D}, nonce="other"',), refused="more than one nonce"),
    "unknown algorithm": Row((f"{AUTH}, algorithm=SHA3-\xfc",), refused=r"algorithm 'SHA3-\\xfc' is not known"),
    "unknown qop": Row((f'{D}, qop="auth-new"',), refused="qop 'auth-new' is not known"),
    "basic alone": Row(('Basic realm="mm7"',), refused=r"asks for Basic, and Digest was given; use auth=\(user"),
    "bearer alone": Row(("Bearer",), refused=r"asks for Bearer, and Digest was given; use auth=Bearer"),
    "negotiate alone": Row(("Negotiate",), refused="asks for Negotiate, and Digest was given; mm7zeep answers"),
    "no scheme": Row(('realm="mm7"',), refused=r"cannot be read: realm='mm7'"),
    "no challenge": Row((), refused="does not say what for"),
    "empty challenge": Row(("",), refused="does not say what for"),
    "garbage": Row(('"\x85";=,@',), refused="cannot be read"),
    "wrong password": Row((AUTH,), password="another", refused="check user name, password"),
}
SENT_USERS = {"utf-8 user, not normalized": "Ja\u0308"}  # where the name that was given differs from that hashed


@STYLES
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_each_challenge(row: Row, style: str, request: pytest.FixtureRequest) -> None:
    """Answered rightly at the first try and for the next request; or an AuthError that says what is wrong."""
    user = SENT_USERS.get(request.node.callspec.id.rpartition("-")[0], row.user)
    auth = Digest(user, PASSWORD)
    mistakes: list[str] = []
    with FarSide(guard(row, mistakes)) as far:
        if row.refused is not None:
            with pytest.raises(AuthError, match=row.refused) as info:
                submit(style, far.url, auth=auth)
            assert (info.value.http_status, info.value.body) == (401, b"no")
            assert str(info.value).isprintable() or str(info.value).count("\n") == 1
            assert len(far.requests) == (2 if row.password != PASSWORD else 1)
            return
        sent = submit(style, far.url, auth=auth, times=3, content=["hello", PICTURE])
        assert [one.message_id for one in sent] == ["m-1"] * 3, mistakes
        assert mistakes == ["no Digest"]
        requests_ = list(far.requests)
    assert all(one.complete and PICTURE in one.body for one in requests_)
    assert requests_[0].body == requests_[1].body
    if row.qop:
        assert [given(one)["nc"] for one in requests_[1:]] == ["00000001", "00000002", "00000003"]


@STYLES
@pytest.mark.parametrize(
    ("auth", "words"),
    [
        (("tnn", "x"), r"asks for Digest or Negotiate, and Basic was given; use auth=Digest\(user, password\)"),
        (Bearer("x"), "asks for Digest or Negotiate, and Bearer was given; use auth=Digest"),
        (None, "asks for Digest or Negotiate, and nothing was given; use auth=Digest"),
    ],
    ids=["Basic", "Bearer", "nothing"],
)
def test_server_that_asks_for_digest_of_others(auth: Auth, words: str, style: str) -> None:
    """The error names what the server asks for, with all its challenges."""
    with FarSide([challenge(AUTH, 'Negotiate realm="x"')]) as far:
        with pytest.raises(AuthError, match=words) as info:
            submit(style, far.url, auth=auth)
        assert len(far.requests) == 1
    assert info.value.challenge == f'{AUTH}, Negotiate realm="x"'


@STYLES
@pytest.mark.parametrize("path", ["/mm7?a=1&b=%C3%BC", "/a%2Fb/ü;c=(d)?x={y}", '/q?"quoted"', "/%7Etilde?", "/", ""])
def test_uri_is_that_of_the_request_line(path: str, style: str) -> None:
    """With its query, and written as the library writes it into the request line."""
    mistakes: list[str] = []
    with FarSide(guard(Row((AUTH,)), mistakes)) as far:
        submit(style, far.url.removesuffix("/mm7") + path, auth=Digest(USER, PASSWORD))
        assert given(far.requests[1])["uri"] == far.requests[1].line.split(" ")[1]
    assert mistakes == ["no Digest"]


# --- nonces over time -------------------------------------------------------------------------------------------------


def changing(accepts: Callable[[int, str], bool], *, stale: str, fields: Iterator[str] | None = None) -> Any:
    """A far side whose challenges count their nonces (n0, n1, ...); ``accepts`` decides by request and nonce."""
    numbers, asked = itertools.count(), itertools.count()

    def answer(request: Request) -> Steps:
        nonce = given(request).get("nonce", "")
        right = nonce and wrong_with(request, Row((), nonce=nonce)) is None
        if right and accepts(next(numbers), nonce):
            [whole] = proper(request)
            assert isinstance(whole, bytes)
            line, _, rest = whole.partition(b"\r\n")
            more = f"Authentication-Info: {next(fields)}\r\n".encode() if fields is not None else b""
            return [line + b"\r\n" + more + rest]
        return [challenge(f'Digest realm="mm7", nonce="n{next(asked)}", qop="auth"{stale}')]

    return answer


@STYLES
def test_stale_nonce_is_replaced(style: str) -> None:
    """``stale=true`` costs one more try with the new nonce, also directly after the first challenge."""
    with FarSide(changing(lambda n, nonce: n > 0, stale=", stale=TRUE")) as far:
        [sent] = submit(style, far.url, auth=Digest(USER, PASSWORD), content=PICTURE)
        nonces = [given(one).get("nonce") for one in far.requests]
        assert all(PICTURE in one.body for one in far.requests)
    assert (sent.message_id, nonces) == ("m-1", [None, "n0", "n1"])


@STYLES
def test_endless_staleness_ends(style: str) -> None:
    """A server that calls every nonce stale gets three requests, not more."""
    with FarSide(changing(lambda n, nonce: False, stale=", stale=true")) as far:
        with pytest.raises(AuthError, match="check user name"):
            submit(style, far.url, auth=Digest(USER, PASSWORD))
        assert len(far.requests) == 3


@STYLES
def test_nonce_that_ran_out(style: str) -> None:
    """A nonce that served before is replaced also where the server does not call it stale."""
    with FarSide(changing(lambda n, nonce: nonce == "n0" if n == 0 else nonce == "n1", stale="")) as far:
        sent = submit(style, far.url, auth=Digest(USER, PASSWORD), times=3)
        found = [(given(one).get("nonce"), given(one).get("nc")) for one in far.requests]
    assert [one.message_id for one in sent] == ["m-1"] * 3
    first, second = "00000001", "00000002"
    assert found == [(None, None), ("n0", first), ("n0", second), ("n1", first), ("n1", second)]


@STYLES
def test_nextnonce(style: str) -> None:
    """Authentication-Info names the nonce of the next request, which is counted from one."""
    fields = iter(['nextnonce="m1", qop=auth, rspauth="00"', "nextnonce=m2", 'qop="auth"', "nextnonce="])
    with FarSide(changing(lambda n, nonce: True, stale="", fields=fields)) as far:
        submit(style, far.url, auth=Digest(USER, PASSWORD), times=4)
        found = [(given(one).get("nonce"), given(one).get("nc")) for one in far.requests[1:]]
    assert found == [("n0", "00000001"), ("m1", "00000001"), ("m2", "00000001"), ("m2", "00000002")]


def test_threads_share_the_nonce() -> None:
    """No count is used twice, whoever sends."""
    mistakes: list[str] = []
    with FarSide(guard(Row((AUTH,)), mistakes)) as far:
        with VaspClient(far.url, vaspid="v", vasid="s", auth=Digest(USER, PASSWORD)) as client:
            client.submit("+491", "first")
            threads = [threading.Thread(target=client.submit, args=("+491", "more")) for _ in range(8)]
            for one in threads:
                one.start()
            for one in threads:
                one.join()
        counts = sorted(given(one)["nc"] for one in far.requests[1:])
    assert counts == [f"{n:08x}" for n in range(1, 10)]
    assert mistakes == ["no Digest"]


@STYLES
def test_progress_starts_over_and_hashing_is_none(style: str) -> None:
    """``auth-int`` reads the body once more, which is no progress."""
    seen: list[int] = []
    mistakes: list[str] = []
    row = ROWS["auth-int"]

    async def awaited(url: str) -> None:
        async with AsyncVaspClient(url, vaspid="v", vasid="s", auth=Digest(USER, PASSWORD)) as client:
            await client.submit("+491", PICTURE, progress=lambda sent, total: seen.append(sent))

    with FarSide(guard(row, mistakes)) as far:
        if style == "async":
            asyncio.run(awaited(far.url))
        else:
            with VaspClient(far.url, vaspid="v", vasid="s", auth=Digest(USER, PASSWORD)) as client:
                client.submit("+491", PICTURE, progress=lambda sent, total: seen.append(sent))
        size = len(far.requests[1].body)
    again = seen.index(size) + 1
    assert seen[:again] == seen[again:]
    assert mistakes == ["no Digest"]


@STYLES
def test_part_that_is_gone_before_the_second_request(style: str, tmp_path: Path) -> None:
    """The challenge has answered the first request: where the second cannot be made, nothing was accepted."""
    picture = tmp_path / "a.jpg"
    picture.write_bytes(PICTURE)

    def answer(request: Request) -> Steps:
        picture.unlink()
        return [challenge(*ROWS["auth-int"].lines)]

    with FarSide(answer) as far:
        with pytest.raises(LocalError, match="a part cannot be read"):
            submit(style, far.url, auth=Digest(USER, PASSWORD), content=picture)
        assert len(far.requests) == 1


@STYLES
def test_digest_alone(style: str) -> None:
    """The credentials work in a plain client of either library, too, with ``auth-int`` where the body is at hand."""
    httpx = pytest.importorskip("httpx")
    row, mistakes = ROWS["auth-int"], list[str]()

    def answer(request: Request) -> Steps:
        right = wrong_with(request, row) is None
        return [http(200, "ok", "text/plain")] if right else [challenge(*row.lines)]

    auth = Digest(USER, PASSWORD)
    with FarSide(answer) as far:
        if style == "sync":
            with requests.Session() as session:
                assert session.post(far.url, data=b"body", auth=auth.for_requests()).text == "ok"
        with httpx.Client(auth=auth.for_httpx(), trust_env=False) as client:
            assert client.post(far.url, content=b"body").text == "ok"
    assert mistakes == []


# --- the pieces -------------------------------------------------------------------------------------------------------

MUFASA: dict[str, Any] = {
    "user": "Mufasa",
    "password": "Circle of Life",
    "method": "GET",
    "target": "/dir/index.html",
    "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
}


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_example_of_rfc_7616_3_9_1(algorithm: str, response: str) -> None:
    """The vectors of the RFC."""
    [found] = challenges.read([
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    ])  # fmt: skip
    value = digest.authorization(digest.offer_of(found), **MUFASA)
    assert f'response="{response}"' in value
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in value


@pytest.mark.parametrize("userhash", [True, False])
def test_example_of_rfc_7616_3_9_2(userhash: bool) -> None:
    """The vector of the RFC as erratum 4897 corrects it, with the name hashed, and in clear."""
    offer = digest.Offer(
        realm="api@example.org",
        nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        algorithm="SHA-512-256",
        opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS",
        qop="auth",
        utf8=True,
        userhash=userhash,
    )
    value = digest.authorization(
        offer,
        user="J\u00e4s\u00f8n Doe",
        password="Secret, or not?",
        method="GET",
        target="/doe.json",
        cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    )
    assert 'response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"' in value
    hashed = 'username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b", userhash=true'
    assert (hashed if userhash else "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe") in value


@pytest.mark.parametrize("size", [10_000, 60_000])
@pytest.mark.parametrize(
    "unit",
    ['"', ",", "a ", "a=", 'a="', "a=\\", '\\"', "=", " ", "Digest ", "Negotiate a=, ", "\t=\t", "\x85"],
    ids=repr,
)
def test_hostile_challenges_are_read(unit: str, size: int) -> None:
    """Whatever is repeated to the size of a head: it is read to its end, and no Digest in it can be answered."""
    line = unit * (size // len(unit))
    for text in (line, "Digest realm=" + line, 'Digest realm="' + line):
        found = challenges.read([text])
        assert all(digest.flaw_of(one) for one in found if one.named("Digest"))


def test_parameters_of_a_field_without_scheme() -> None:
    """Authentication-Info is parameters alone; the first of a name counts."""
    assert challenges.parameters('nextnonce="a, b=c", qop=auth , nextnonce=x, "') == {
        "nextnonce": "a, b=c",
        "qop": "auth",
    }
    assert challenges.parameters("") == {}


def test_what_a_message_shows_of_a_value() -> None:
    """UTF-8 where it is that, else ISO 8859-1; text of a library that has decoded it already stays."""
    assert challenges.shown(octets("Größe")) == challenges.shown("Gr\xf6\xdfe") == challenges.shown("Größe") == "Größe"
    assert challenges.octets("€") == octets("€")
    assert repr(digest.Session("tnn", "geheim")) == "<Session>"
