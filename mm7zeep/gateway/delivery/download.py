"""One GET of a URL that somebody else has named: within the guard of egress, in bounded time, with a bounded body.

Redirects are followed by hand, each target judged as the first URL was. Keeps no connection and no cookie, shows no
credentials, knows no proxy. Refuses, with ``NotFetched``, what is internal, too large, compressed or broken off, and
every answer that is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

import requests
import requests.adapters
import urllib3.exceptions

from mm7zeep.errors import LocalError
from mm7zeep.gateway.security import outbound
from mm7zeep.gateway.security.outbound import Egress
from mm7zeep.receiver.replies import printable
from mm7zeep.transport import failures, reasons, statuses
from mm7zeep.transport.clocks import Bounds
from mm7zeep.transport.inbound import Overdue

MOST_REDIRECTS = 5
"""Redirects of one URL that are followed."""
_CONNECT = 10.0  # seconds to open a connection
_CHUNK = 65536
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "mm7zeep"}
_SOUND = frozenset({200, 203})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AGAIN = frozenset({408, 425, 429})
_INTERNAL = "it leads to an address that is not for everybody; give one that everybody can reach"
_SLOW = "it took too long"


class NotFetched(Exception):
    """What is at a URL could not be had. The text is for whoever named the URL; ``reason``, for the operator, may name
    addresses of this network. ``lasting``: it would fail again. ``http_status`` and ``retry_after`` (seconds) are what
    was answered.
    """

    def __init__(
        self,
        text: str,
        *,
        lasting: bool,
        reason: str | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(printable(text))
        self.reason = printable(reason) if reason is not None else str(self)
        self.lasting = lasting
        self.http_status = http_status
        self.retry_after = retry_after


class Download(NamedTuple):
    """What came: its octets, and the Content-Type that it came with."""

    octets: bytes
    content_type: str | None


def download(
    url: str, egress: Egress, *, most: int, timeout: float, until: float, took: Callable[[int], object]
) -> Download:
    """What is at ``url``: at most ``most`` octets, within ``timeout`` seconds and before ``until`` (monotonic seconds).

    ``took`` is called with the size of each piece that is kept, and may raise. Raises ``NotFetched``.
    """
    adapter = egress.adapter(pool=1)
    try:
        for _ in range(MOST_REDIRECTS + 1):
            _judge(url, egress)
            with _answered(adapter, url, Bounds(connect=_CONNECT, read=timeout, reply=timeout, until=until)) as answer:
                location = answer.headers.get("Location") if answer.status_code in _REDIRECTS else None
                if location is None:
                    return _content(answer, most, took)
                url = _redirected(url, location)
    finally:
        adapter.close()
    raise NotFetched(f"it is redirected more than {MOST_REDIRECTS} times", lasting=True)


def _judge(url: str, egress: Egress) -> None:
    try:
        why = outbound.internal(url)
    except LocalError as error:
        raise NotFetched(str(error), lasting=True) from None
    if why is not None and not egress.allow_internal:
        raise NotFetched(_INTERNAL, lasting=True, reason=why)


def _redirected(url: str, location: str) -> str:
    """Where an answer of ``url`` says that it is."""
    try:
        named = location.encode("latin-1").decode("utf-8").strip().replace(" ", "%20")
        target = urldefrag(urljoin(url, named)).url
        scheme = urlsplit(target).scheme
    except ValueError:
        raise NotFetched("it is redirected to what is no URL", lasting=True) from None
    if urlsplit(url).scheme == "https" and scheme == "http":
        raise NotFetched("it is redirected from https to http, which is not followed", lasting=True)
    return target


@contextmanager
def _answered(adapter: requests.adapters.HTTPAdapter, url: str, bounds: Bounds) -> Iterator[requests.Response]:
    """The head of the answer; the connection ends with the context. Raises ``NotFetched`` for whatever breaks it."""
    try:
        request = requests.Request("GET", url, headers=_HEADERS).prepare()
        answer = adapter.send(request, stream=True, timeout=bounds)  # type: ignore[arg-type]
        try:
            yield answer
        finally:
            answer.close()
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise _failure(error, url) from error


def _failure(error: Exception, url: str) -> NotFetched:
    refused = failures.refusal(error)
    if refused is not None:
        return NotFetched(_INTERNAL, lasting=True, reason=str(refused))
    if failures.found(error, Overdue) is not None or failures.found(error, TimeoutError) is not None:
        return NotFetched(_SLOW, lasting=False)
    if isinstance(error, ValueError) and not isinstance(error, requests.RequestException | OSError):
        return NotFetched("no request can be made of its URL", lasting=True)
    reason = reasons.of(error, url)
    words = reason.words if reason is not None else failures.without_url(error)
    return NotFetched(reasons.unadvised(words), lasting=False)


def _content(answer: requests.Response, most: int, took: Callable[[int], object]) -> Download:
    _check_status(answer)
    encoding = (answer.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding != "identity":
        raise NotFetched(f"it comes compressed ({encoding[:40]}), which was not asked for", lasting=True)
    too_large = NotFetched(
        f"it is larger than {most} octets, which is all that the message may still have", lasting=True
    )
    announced = answer.headers.get("Content-Length")
    length = int(announced) if announced is not None else None  # a number: transport.inbound has judged it
    if length is not None and length > most:
        raise too_large
    octets = bytearray()
    try:
        while chunk := answer.raw.read1(_CHUNK, decode_content=False):
            if len(octets) + len(chunk) > most:
                raise too_large
            took(len(chunk))
            octets += chunk
    except (urllib3.exceptions.HTTPError, OSError) as error:
        late = failures.found(error, Overdue) is not None or failures.found(error, TimeoutError) is not None
        told = f"{_SLOW}: only {len(octets)} octets had come" if late else f"it broke off after {len(octets)} octets"
        raise NotFetched(told, lasting=False) from error
    if length is not None and len(octets) < length:
        raise NotFetched(f"it broke off after {len(octets)} of {length} octets", lasting=False)
    if not octets:
        raise NotFetched("it is empty", lasting=True)
    return Download(bytes(octets), answer.headers.get("Content-Type"))


def _check_status(answer: requests.Response) -> None:
    status = answer.status_code
    if status in _SOUND:
        return
    raise NotFetched(
        f"its server answered {statuses.named(status)}",
        lasting=status < 500 and status not in _AGAIN,
        http_status=status,
        retry_after=statuses.seconds(answer.headers.get("Retry-After")),
    )
