"""The HTTP answer: taken in within its bounds, then judged by its head and its package.

Refuses what is no MM7 answer at all: redirects, 401 and 403, what is compressed, empty, too large or too slow.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import urlsplit

import requests
from lxml import etree
from requests.structures import CaseInsensitiveDict

from mm7zeep import exchange, mime
from mm7zeep.errors import AuthError, RemoteError, TransportError
from mm7zeep.findings import Finding, finding
from mm7zeep.transport.calls import Call
from mm7zeep.transport.correlation import transaction_id
from mm7zeep.transport.failures import found, unclear, without_url
from mm7zeep.transport.inbound import Excess, Overdue

KEPT = 20_000  # octets of an unusable answer that an error repeats


_HINTS: Mapping[int, str] = MappingProxyType({
    404: " (nothing is served there; check the path of the URL)",
    405: " (no POST is taken there; check the path of the URL)",
    407: " (the proxy wants credentials)",
    413: " (the message is larger than it takes)",
    429: " (too many requests)",
    503: " (it is not ready)",
})  # fmt: skip


class Intake:
    """An answer as it arrives, within its bounds; ``flaw`` says what is wrong with it, ``cut`` that it broke off."""

    def __init__(self, call: Call, status: int, headers: Iterable[tuple[str, str]], *, most: int, reply: float) -> None:
        call.http_status, call.headers = status, tuple(headers)
        self.call = call
        self.status = status
        self.content = bytearray()
        self.flaw: str | None = None
        self.cut = False
        self._most = most
        self._until = (call.sent_at or time.monotonic()) + reply
        self._encoding = (call.header("Content-Encoding") or "identity").strip().lower()

    @property
    def wanted(self) -> bool:
        """Whether to read on."""
        return self.flaw is None

    def take(self, chunk: bytes) -> None:
        """Keep a piece, unless it is too much or too late."""
        self.content += chunk
        if len(self.content) > self._most:
            self.flaw = f"is larger than {self._most} octets"
        elif time.monotonic() > self._until:
            self.flaw = "came too slowly"

    def break_off(self, error: Exception) -> None:
        """The connection ended before the answer did."""
        excess = found(error, Excess)
        if excess is not None or found(error, Overdue) is not None:
            self.flaw = f"cannot be read: {excess}" if excess is not None else "came too slowly"
            return
        self.flaw, self.cut = f"broke off after {len(self.content)} octets ({without_url(error)})", True

    def response(self) -> requests.Response:
        """What zeep reads: the root part alone, as UTF-8. Raises for what is no MM7 answer."""
        self._refused_by_http()
        if self._encoding != "identity":
            raise self._unusable(f"what is {self._encoding}-encoded although no encoding was asked for")
        if self.flaw is not None and not self.cut:
            raise self._unusable(f"what {self.flaw}")
        if not self.cut:
            self.call.body = bytes(self.content)
            if not self.content.strip():
                raise self._unusable("no body")
        try:
            root = self._root()
        except RemoteError as error:
            what = f"what {self.flaw}" if self.cut else f"what is no MM7 answer: {error}"
            raise self._unusable(what, error.findings) from error
        return _response(self.status, self.call, etree.tostring(root))

    def _root(self) -> etree._Element:
        package = mime.read(self.call.headers, bytes(self.content), mime.Limits())
        try:
            root, findings = exchange.open_root(package)
        except RemoteError as error:
            error.findings = (*package.findings, *error.findings)
            raise
        self.call.echoed = transaction_id(root)
        # what broke off after the envelope was complete is still an answer: its MessageID is not lost
        cut = (finding("http/truncated", f"byte {len(self.content)}", action="repaired"),) if self.cut else ()
        self.call.findings = (*cut, *package.findings, *findings)
        return root

    def _refused_by_http(self) -> None:
        if self.status in (401, 403):
            raise AuthError(
                f"the server answered {self.status}: check user name, password, VASPID and the address you call from",
                http_status=self.status,
                challenge=self.call.header("WWW-Authenticate"),
                body=bytes(self.content[:KEPT]),
            )
        if 300 <= self.status < 400:
            place = _place(self.call.header("Location"))
            raise TransportError(
                f"the server answered {self.status}, a redirect to {place}; it is not followed. Give the final URL",
                maybe_accepted=False,
                http_status=self.status,
                body=bytes(self.content[:KEPT]),
            )

    def _unusable(self, what: str, findings: Sequence[Finding] = ()) -> TransportError:
        return TransportError(
            f"the server answered {self.status}{_HINTS.get(self.status, '')} with {what}",
            maybe_accepted=unclear(self.status) and self.call.whole,
            http_status=self.status,
            body=bytes(self.content[:KEPT]),
            findings=findings,
        )


def _place(location: str | None) -> str:
    """Where a Location points, without what may be secret in it."""
    try:
        parts = urlsplit(location or "")
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.hostname else parts.path
    except ValueError:
        shown = ""
    return repr(shown) if shown else "nowhere"


class _AnswerFields(CaseInsensitiveDict[str]):
    """The head of an answer, as plugins see it, and what was noticed about the package around the envelope."""

    findings: tuple[Finding, ...] = ()


def _response(status: int, call: Call, content: bytes) -> requests.Response:
    response = requests.Response()
    response._content = content
    response.status_code = status
    fields = _AnswerFields(one for one in call.headers if not one[0].lower().startswith(("content-", "transfer-")))
    fields["Content-Type"] = 'text/xml; charset="utf-8"'
    fields.findings = call.findings
    response.headers = fields
    response.encoding = "utf-8"
    return response
