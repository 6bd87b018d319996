"""What an HTTP status says of a request that was answered without MM7: whether it may have been taken, and what to do.

Judges by RFC 9110 15 alone, never by the page that came along. Calls nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

from mm7zeep.transport import pages
from mm7zeep.transport.http_exchange import HttpExchange
from mm7zeep.transport.pages import Page


def unclear(status: int) -> bool:
    """Whether a request answered so, without MM7, may have been taken."""
    if 400 <= status < 500:
        # RFC 9110 15.5: the client erred; what is refused for that is not done. 408 is among them: the server did not
        # get the whole request (15.5.9).
        return False
    return status not in _NOT_DONE


# The 5xx that say the request was not handled at all. Of the others nothing is known: a server may fail (500), and a
# gateway lose its server or its patience (502, 504), after the message was taken.
_NOT_DONE = frozenset({
    501,  # 15.6.2: the server does not support what is asked
    503,  # 15.6.4: it is currently unable to handle the request
    505,  # 15.6.6: it refuses the version of HTTP
    511,  # RFC 6585 6: somebody between us and the server wants a login; the server has seen nothing
})  # fmt: skip


class _Answer(NamedTuple):
    """What advice is made of: the exchange, whose fields are those of the answer, and the page that came."""

    exchange: HttpExchange
    page: Page

    def field(self, name: str) -> str | None:
        value = self.exchange.header(name)
        return pages.escaped(value[:200]) if value and value.strip() else None

    @property
    def place(self) -> str:
        """The path that was asked for, without what may be secret behind it."""
        path = urlsplit(self.exchange.address).path or "/"
        return pages.escaped(path[:200])


def _path(answer: _Answer) -> str:
    return f"nothing is served at {answer.place}; check the path of the URL"


def _method(answer: _Answer) -> str:
    allowed = answer.field("Allow")
    takes = f" (only {allowed})" if allowed else ""
    return f"no POST is taken at {answer.place}{takes}; check the path of the URL"


def _proxy(answer: _Answer) -> str:
    asked = answer.field("Proxy-Authenticate")
    wants = f" ({asked.split()[0]})" if asked else ""
    return f"the proxy wants credentials{wants}; put them into its URL, as in http://user:password@proxy.example:3128"


def _timeout(answer: _Answer) -> str:
    return "the server did not get the whole request in the time it waits; send less at a time, or try again"


def _size(answer: _Answer) -> str:
    limit = _limit(answer)
    said = f" ({limit})" if limit else ""
    size = answer.exchange.size
    return f"the request of {size} octets is larger than it takes{said}; send less, or have the limit raised"


def _media_type(answer: _Answer) -> str:
    takes = answer.field("Accept-Post") or answer.field("Accept")
    said = f", only {takes}" if takes else ""
    path = f"check that {answer.place} is the path for MM7"
    return f"the server does not take SOAP with attachments (text/xml, multipart/related) there{said}; {path}"


def _later(answer: _Answer) -> str:
    why = "too many requests came" if answer.exchange.http_status == 429 else "the server is not ready"
    wait = seconds(answer.exchange.header("Retry-After"))
    return f"{why}; try again " + (f"in {wait:.0f} s (Retry-After)" if wait is not None else "later")


def _gateway(answer: _Answer) -> str:
    behind = "got no usable answer from" if answer.exchange.http_status == 502 else "waited in vain for"
    return f"a gateway or proxy before the MMSC {behind} it"


def _request(answer: _Answer) -> str:
    if _TO_TLS.search(answer.page.text):
        return "it is plain HTTP, and the port speaks TLS; use https:// in the URL"
    return f"the server did not understand the request; check that {answer.place} is the path for MM7"


def _success(answer: _Answer) -> str:
    return f"check that {answer.place} is the path for MM7"


def _server(answer: _Answer) -> str:
    return "the server failed; its operator finds the reason in its log"


_ADVICE: Mapping[int, Callable[[_Answer], str]] = MappingProxyType({
    400: _request,
    404: _path,
    405: _method,
    407: _proxy,
    408: _timeout,
    410: lambda answer: f"nothing is served at {answer.place} any more; ask for the new URL",
    411: lambda answer: "the server wants a Content-Length, which every request has; look for a proxy that drops it",
    413: _size,
    414: lambda answer: "the URL is too long; check it",
    415: _media_type,
    417: lambda answer: "the server does not do what the header field Expect asks; leave it out of headers=",
    421: lambda answer: "the server does not serve this host name; check the host in the URL",
    426: lambda answer: f"the server wants another protocol ({answer.field('Upgrade') or 'unnamed'}); try https://",
    429: _later,
    431: lambda answer: "the header fields are too large; check headers= and the credentials",
    500: _server,
    501: lambda answer: f"the server knows no POST at {answer.place}; check the URL",
    502: _gateway,
    503: _later,
    504: _gateway,
    505: lambda answer: "the server refuses HTTP/1.1; check the host and port of the URL",
    511: lambda answer: "a network on the way wants a login first",
})  # fmt: skip

# The words of nginx, Apache, Go and Java servers for it.
_TO_TLS = re.compile(
    r"(?i)plain HTTP (?:request was sent )?to (?:an? )?(?:HTTPS|SSL|TLS)|HTTP request to an? HTTPS|port requires TLS"
)
_LIMIT = re.compile(
    r"(?i)\b(?:limit\w*|max(?:imum)?|most|exceed\w*|larger|bigger|greater|more|up to|over|above|allow\w*|accept\w*)\b"
    r"[^.;\d]{0,60}?(?P<limit>\d[\d.,]{0,15} ?(?:[kmg]i?)?(?:b|bytes?|octets?)\b|\d{4,15}\b)"
)


def _limit(answer: _Answer) -> str | None:
    """The limit in size that a 413 names: in a field, or in its text."""
    for name in ("Upload-Limit", "X-Max-Content-Length", "X-Max-Request-Size", "X-Content-Length-Limit"):
        if value := answer.field(name):
            return value
    found = _LIMIT.search(" ".join(answer.page.lines))
    return f"at most {found['limit'].strip()}" if found is not None else None


def named(status: int) -> str:
    """A status with its phrase: ``404 Not Found``."""
    try:
        phrase = _PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return str(status)
    return f"{status} {phrase}"


# RFC 9110 has renamed some, which Python follows from 3.13 on.
_PHRASES: Mapping[int, str] = MappingProxyType({
    413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content",
})  # fmt: skip


def advice(exchange: HttpExchange, page: Page) -> str | None:
    """What the status means for the caller, and what to do; None where there is nothing to add."""
    status = exchange.http_status or 0
    known = _ADVICE.get(status)
    if known is None and 400 <= status < 500:
        known = _request
    if known is None and 200 <= status < 300:
        known = _success
    return known(_Answer(exchange, page)) if known is not None else None


def seconds(retry_after: str | None) -> float | None:
    """A Retry-After (RFC 9110 10.2.3), in seconds from now; None where there is none or it means nothing."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no date, or one without zone
        return None
