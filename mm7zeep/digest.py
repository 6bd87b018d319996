"""Digest (RFC 7616, and RFC 2069 where no qop is offered): the answer to a challenge, for both libraries.

``choose`` picks the strongest challenge that can be answered, ``authorization`` is the field that answers it,
``Session`` remembers the nonce and counts its uses, ``RequestsDigest`` and ``httpx_digest`` carry it out. Refuses
challenges that lack what the answer needs: ``choose`` passes them over, ``flaw_of`` says why. ``domain`` is ignored,
since a client talks to one address; ``rspauth`` is not judged.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import unicodedata
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import requests
import requests.auth

from mm7zeep import challenges
from mm7zeep.challenges import Challenge

# RFC 7616 6.1, from the weakest to the strongest; SHA and SHA-512 are in no registry, and some servers ask for them.
_HASHES: Mapping[str, str] = MappingProxyType({
    "md5": "md5", "sha": "sha1", "sha-256": "sha256", "sha-512": "sha512", "sha-512-256": "sha512_256",
})  # fmt: skip
_STRENGTH = ("md5", "sha", "sha-256", "sha-512", "sha-512-256")
_TRIES = 3  # without answer, with the challenge's, and once more where that nonce was stale
_UNSAID = range(32)  # control characters, which no field may hold

Pieces = Callable[[], Iterator[bytes]]
"""Gives the body of a request anew, as often as it is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A Digest challenge that can be answered; texts hold one character per octet, as they came."""

    realm: str
    nonce: str
    algorithm: str | None = None
    opaque: str | None = None
    qop: Literal["auth", "auth-int"] | None = None
    stale: bool = False
    utf8: bool = False
    userhash: bool = False

    @property
    def family(self) -> str:
        """The hash, by its name in the challenge, in small letters and without ``-sess``."""
        return (self.algorithm or "MD5").lower().removesuffix("-sess")

    @property
    def session(self) -> bool:
        """Whether the key is made once for a nonce (``-sess``)."""
        return (self.algorithm or "").lower().endswith("-sess")

    def hash(self, data: bytes | Iterable[bytes]) -> str:
        """The hash of octets, in hexadecimal digits."""
        made = _new(self.family)
        for one in [data] if isinstance(data, bytes) else data:
            made.update(one)
        return str(made.hexdigest())


def _new(family: str) -> Any:
    return hashlib.new(_HASHES[family], usedforsecurity=False)


def _known(family: str) -> bool:
    try:
        return family in _HASHES and _new(family) is not None
    except ValueError:  # the OpenSSL that Python stands on leaves it out
        return False


def flaw_of(challenge: Challenge, *, integrity: bool = True) -> str | None:
    """Why a Digest challenge cannot be answered; None where it can. ``integrity``: whether the body can be hashed."""
    if challenge.flaw is not None:
        return f"it is malformed: {challenge.flaw}"
    for name in ("realm", "nonce"):
        if challenge.get(name) is None:
            return f"it is malformed: it has no {name} (RFC 7616 3.3)"
    if not challenge.get("nonce"):
        return "it is malformed: its nonce is empty"
    for name in ("realm", "nonce", "opaque", "algorithm", "qop"):
        values = [value for key, value in challenge.parameters if key == name]
        if len(set(values)) > 1:
            return f"it is malformed: it has more than one {name}"
        if any(ord(c) in _UNSAID or c == "\x7f" for value in values for c in value):
            return f"it is malformed: its {name} holds control characters"
    algorithm = challenge.get("algorithm")
    if not _known((algorithm or "MD5").lower().removesuffix("-sess")):
        return f"its algorithm {challenges.shown(algorithm or '')!a} is not known here"
    offered = _qops(challenge)
    if offered and not offered & {"auth", "auth-int"}:
        return f"its qop {challenges.shown(challenge.get('qop') or '')!a} is not known here"
    if offered and "auth" not in offered and not integrity:
        return "its qop auth-int needs a body that can be read twice"
    return None


def _qops(challenge: Challenge) -> set[str]:
    return {one for one in (challenge.get("qop") or "").lower().replace(",", " ").split() if one}


def offer_of(challenge: Challenge) -> Offer:
    """A challenge without flaw, as it can be answered: ``auth`` where it is offered, else ``auth-int``."""
    offered = _qops(challenge)
    return Offer(
        realm=challenge.get("realm") or "",
        nonce=challenge.get("nonce") or "",
        algorithm=challenge.get("algorithm"),
        opaque=challenge.get("opaque"),
        qop="auth" if "auth" in offered else "auth-int" if offered else None,
        stale=(challenge.get("stale") or "").lower() == "true",
        utf8=(challenge.get("charset") or "").lower() == "utf-8",
        userhash=(challenge.get("userhash") or "").lower() == "true",
    )


def choose(found: Iterable[Challenge], *, integrity: bool = True) -> Offer | None:
    """The strongest Digest challenge that can be answered, the first of equals (RFC 7616 3.7); None without any."""
    offers = [offer_of(one) for one in found if one.named("Digest") and flaw_of(one, integrity=integrity) is None]
    return max(offers, key=lambda one: _STRENGTH.index(one.family), default=None)


def authorization(
    offer: Offer,
    *,
    user: str,
    password: str,
    method: str,
    target: str,
    cnonce: str,
    count: int = 1,
    nonce: str | None = None,
    pieces: Pieces | None = None,
) -> str:
    """The value of Authorization (RFC 7616 3.4), one character per octet.

    ``nonce`` is the server's newest where it has replaced that of the ``offer``; ``pieces`` gives the body for
    ``auth-int``. Names and passwords are hashed in UTF-8, normalized where the challenge says ``charset=UTF-8`` (4).
    """
    if offer.utf8:
        user, password = (unicodedata.normalize("NFC", one) for one in (user, password))
    nonce = offer.nonce if nonce is None else nonce
    key = offer.hash(b":".join((user.encode(), offer.realm.encode("latin-1"), password.encode())))
    if offer.session:
        # RFC 7616 3.4.2: nonce and cnonce of the first request; the cnonce stays, so that servers that work with
        # those of the latest request find the same key
        key = offer.hash(f"{key}:{offer.nonce}:{cnonce}".encode("latin-1"))
    said = f"{method}:{target}"
    if offer.qop == "auth-int":
        said += f":{offer.hash(pieces() if pieces is not None else b'')}"
    uses = f"{count:08x}"
    middle = f"{nonce}:{uses}:{cnonce}:{offer.qop}" if offer.qop else nonce
    response = offer.hash(f"{key}:{middle}:{offer.hash(said.encode('latin-1'))}".encode("latin-1"))
    fields = [*_user_fields(offer, user), f"realm={_quoted(offer.realm)}", f"nonce={_quoted(nonce)}"]
    fields += [f"uri={_quoted(target)}", f'response="{response}"']
    fields += [f"algorithm={offer.algorithm}"] if offer.algorithm is not None else []
    fields += [f"opaque={_quoted(offer.opaque)}"] if offer.opaque is not None else []
    fields += [f"qop={offer.qop}", f"nc={uses}"] if offer.qop else []
    fields += [f"cnonce={_quoted(cnonce)}"] if offer.qop or offer.session else []
    return "Digest " + ", ".join(fields)


def _user_fields(offer: Offer, user: str) -> list[str]:
    if offer.userhash:  # RFC 7616 3.4.4
        hashed = offer.hash(user.encode() + b":" + offer.realm.encode("latin-1"))
        return [f'username="{hashed}"', "userhash=true"]
    if offer.utf8 and not user.isascii():
        return [f"username*=UTF-8''{quote(user, safe='')}"]
    return [f"username={_quoted(user.encode().decode('latin-1'))}"]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- a session: the nonce, and how often it was used ------------------------------------------------------------------


class Answered(NamedTuple):
    """The head of an answer: its status and its fields, each line by itself."""

    status: int
    fields: Sequence[tuple[str, str | bytes]]

    def lines(self, name: str) -> list[str | bytes]:
        """All lines of the field of that name (in small letters)."""
        return [value for key, value in self.fields if key.lower() == name]


class _Nonce:
    """A nonce in use: ``value`` may replace that of its offer (nextnonce), ``count`` says how often it went out."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.value = offer.nonce
        self.cnonce = secrets.token_hex(16)
        self.count = 0


class Session:
    """A name, its password and the nonce that the server gave last. Safe to share between threads."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._lock = threading.Lock()
        self._current: _Nonce | None = None

    def __repr__(self) -> str:
        return "<Session>"

    def flow(self, method: str, target: str, pieces: Pieces | None) -> Generator[str | None, Answered, None]:
        """One request, as often as it is sent: yields what Authorization is (None: nothing), takes the answer.

        Ends with the answer that is to be kept. A nonce that served before gets a second chance where it is refused,
        one that came in answer to this very request only where the server calls it stale.
        """
        used, fresh = self._current, False
        for _ in range(_TRIES):
            answer = yield self._authorization(used, method, target, pieces) if used is not None else None
            if answer.status != 401:
                self._renew(used, answer)
                return
            offer = choose(challenges.read(answer.lines("www-authenticate")), integrity=pieces is not None)
            refused = offer is not None and used is not None and not offer.stale
            if offer is None or (refused and (fresh or (used is not None and offer.nonce == used.value))):
                self._forget(used)
                return
            used, fresh = self._begin(offer), True
        self._forget(used)

    def _authorization(self, used: _Nonce, method: str, target: str, pieces: Pieces | None) -> str:
        with self._lock:
            used.count += 1
            count, nonce = used.count, used.value
        return authorization(
            used.offer,
            user=self._user,
            password=self._password,
            method=method,
            target=target,
            cnonce=used.cnonce,
            count=count,
            nonce=nonce,
            pieces=pieces,
        )

    def _begin(self, offer: Offer) -> _Nonce:
        """The nonce of ``offer``, counted on where another thread has met it, too."""
        with self._lock:
            known = self._current
            if known is None or (known.value, known.offer.realm) != (offer.nonce, offer.realm):
                known = self._current = _Nonce(offer)
            return known

    def _forget(self, used: _Nonce | None) -> None:
        with self._lock:
            if self._current is used:
                self._current = None

    def _renew(self, used: _Nonce | None, answer: Answered) -> None:
        """RFC 7616 3.5: the server may name the nonce of the next request."""
        if used is None:
            return
        for line in answer.lines("authentication-info"):
            following = challenges.parameters(line).get("nextnonce")
            if following and following.isprintable():
                with self._lock:
                    if following != used.value:
                        used.value, used.count = following, 0


# --- carried out by the libraries -------------------------------------------------------------------------------------


def _pieces_of(body: Any) -> Pieces | None:
    """How to read a body for its hash; None where reading it would use it up."""
    if hasattr(body, "octets"):
        return lambda: iter(body.octets())
    if body is None or isinstance(body, bytes | str):
        data = body.encode() if isinstance(body, str) else body or b""
        return lambda: iter((data,))
    return None


def _from_the_start(status: int, body: Any) -> None:
    """What had gone out was answered by a challenge: nothing of the request is on its way any more."""
    if status == 401 and hasattr(body, "seek"):
        body.seek(0)


class RequestsDigest(requests.auth.AuthBase):
    """Digest for requests. The connection that brought a challenge is closed: whatever else it holds is not read."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        flow = self._session.flow(r.method or "POST", r.path_url, _pieces_of(r.body))
        _authorize(r, next(flow))

        def answered(response: requests.Response, **options: Any) -> requests.Response:
            return _continued(flow, response, options)

        r.register_hook("response", answered)  # type: ignore[no-untyped-call]
        return r


def _continued(
    flow: Generator[str | None, Answered, None], response: requests.Response, options: Mapping[str, Any]
) -> requests.Response:
    while True:
        _from_the_start(response.status_code, response.request.body)
        try:
            value = flow.send(Answered(response.status_code, _fields_of(response)))
        except StopIteration:
            return response
        except BaseException:
            _closed(response)
            raise
        _closed(response)
        again = response.request.copy()
        _authorize(again, value)
        following: requests.Response = response.connection.send(again, **options)
        following.history.append(response)
        following.request = again
        response = following


def _closed(response: requests.Response) -> None:
    """Close the connection of a challenge: requests would read its body whole and decoded."""
    response._content = b""
    response.raw.close()
    response.close()


def _authorize(request: requests.PreparedRequest, value: str | None) -> None:
    if value is not None:
        request.headers["Authorization"] = value


def _fields_of(response: requests.Response) -> list[tuple[str, str]]:
    lines = getattr(response.raw, "headers", None)
    return list((lines if lines is not None else response.headers).items())


def httpx_digest(session: Session) -> Any:
    """Digest for httpx, as ``RequestsDigest``. A streamed body that is to be hashed stands in ``extensions``."""
    import httpx

    def begin(request: httpx.Request) -> Generator[str | None, Answered, None]:
        pieces = _pieces_of(_body_of(request))
        return session.flow(request.method, request.url.raw_path.decode("ascii"), pieces)

    def prepare(request: httpx.Request, value: str | None) -> None:
        if value is not None:
            # as octets: httpx would write text in UTF-8
            others = [pair for pair in request.headers.raw if pair[0].lower() != b"authorization"]
            request.headers = httpx.Headers([*others, (b"Authorization", value.encode("latin-1"))])

    def head(request: httpx.Request, response: httpx.Response) -> Answered:
        _from_the_start(response.status_code, request.extensions.get(BODY))
        return Answered(response.status_code, [(name.decode("latin-1"), value) for name, value in response.headers.raw])

    class HttpxDigest(httpx.Auth):
        def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            flow = begin(request)
            value = next(flow)
            while True:
                prepare(request, value)
                response = yield request
                try:
                    value = flow.send(head(request, response))
                except StopIteration:
                    return
                response.close()
                response._content = b""

        async def async_auth_flow(self, request: httpx.Request) -> Any:
            flow = begin(request)
            value = next(flow)
            while True:
                prepare(request, value)
                response = yield request
                try:
                    value = flow.send(head(request, response))
                except StopIteration:
                    return
                # httpx would read the challenge's body whole and decoded
                await response.aclose()
                response._content = b""

    def _body_of(request: httpx.Request) -> Any:
        if BODY in request.extensions:
            return request.extensions[BODY]
        try:
            return request.content
        except httpx.RequestNotRead:
            return request.stream

    return HttpxDigest()


BODY = "mm7zeep.body"
"""The extension of an httpx request under which its streamed body stands."""
