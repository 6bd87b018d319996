"""The HTTP answer: taken in within its bounds, then judged by its head and its package.

Refuses what is no MM7 answer at all: redirects, 401 and 403, what is compressed, empty, too large or too slow, and
pages of any kind. Those are judged by their status (``statuses``), and their text is repeated (``pages``).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import requests
from lxml import etree
from requests.structures import CaseInsensitiveDict

from mm7zeep import mime, schema
from mm7zeep.credentials import Credentials
from mm7zeep.errors import AuthError, RemoteError, TransportError
from mm7zeep.exchange import examine_answer, open_root
from mm7zeep.findings import Finding, finding
from mm7zeep.transport import pages, statuses
from mm7zeep.transport.correlation import transaction_id
from mm7zeep.transport.denied import CHECK, unanswered
from mm7zeep.transport.failures import found, without_url
from mm7zeep.transport.http_exchange import HttpExchange
from mm7zeep.transport.inbound import Excess, Overdue

KEPT = 20_000  # octets of an unusable answer that an error repeats


class HttpAnswer:
    """An answer as it arrives; ``flaw`` says what is wrong with it, ``cut`` that it broke off.

    Its bounds: ``most`` octets, and ``reply`` seconds from when the request has gone out.
    """

    def __init__(
        self,
        exchange: HttpExchange,
        status: int,
        headers: Iterable[tuple[str, str]],
        *,
        most: int,
        reply: float,
        credentials: Credentials | None = None,
    ) -> None:
        exchange.http_status, exchange.headers = status, tuple(headers)
        self.exchange = exchange
        self.status = status
        self.content = bytearray()
        self.flaw: str | None = None
        self.cut = False
        self._most = most
        self._credentials = credentials
        self._until = (exchange.sent_at or time.monotonic()) + reply
        self._encoding = (exchange.header("Content-Encoding") or "identity").strip().lower()

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
        """What zeep reads: the root part alone, as UTF-8; nothing where it was read by a plan.

        Raises for what is no MM7 answer.
        """
        self._refused_by_http()
        if self._encoding != "identity":
            raise self._no_mm7("no encoding was asked for")
        if self.flaw is not None and not self.cut:
            raise self._no_mm7(f"it {self.flaw}")
        if not self.cut:
            self.exchange.body = bytes(self.content)
            if not self.content.strip():
                raise self._no_mm7()
        try:
            package = mime.read(self.exchange.headers, bytes(self.content), mime.Limits())
            if self._by_plan(package):
                return _response(self.status, self.exchange, b"")
            root = self._root(package)
        except RemoteError as error:
            if not pages.is_envelope(bytes(self.content[: pages.READ])):
                raise self._no_mm7(f"it {self.flaw}" if self.cut else None) from error
            what = f"what {self.flaw}" if self.cut else f"what is no MM7 answer: {error}"
            raise self._unusable(f"the server answered {self.status} with {what}", error.findings) from error
        if schema.local(root) != "Envelope":
            raise self._no_mm7()  # XHTML and the like: well-formed, and no answer all the same
        return _response(self.status, self.exchange, etree.tostring(root))

    def _by_plan(self, package: mime.Package) -> bool:
        """Whether the answer was judged and read as plans remember its shape: then it is all in the exchange."""
        if self.exchange.planned is None or self.cut:
            return False
        judged = examine_answer(package, policy=self.exchange.planned, echoed=transaction_id)
        if judged is None or judged.planned is None:
            return False
        self.exchange.judgement = judged
        self.exchange.findings = package.findings
        self.exchange.echoed = (judged.planned.transaction_id or "").strip() or None
        return True

    def _root(self, package: mime.Package) -> etree._Element:
        try:
            root, findings = open_root(package)
        except RemoteError as error:
            error.findings = (*package.findings, *error.findings)
            raise
        self.exchange.echoed = transaction_id(root)
        # what broke off after the envelope was complete is still an answer: its MessageID is not lost
        cut = (finding("http/truncated", f"byte {len(self.content)}", action="repaired"),) if self.cut else ()
        self.exchange.findings = (*cut, *package.findings, *findings)
        return root

    def _refused_by_http(self) -> None:
        if self.status in (401, 403):
            lines = self.exchange.lines("WWW-Authenticate")
            why = unanswered(self._credentials, lines) if self.status == 401 else CHECK
            raise AuthError(
                f"the server answered {statuses.named(self.status)}: {why}{self._said(self._page())}",
                http_status=self.status,
                challenge=", ".join(lines) or None,
                body=bytes(self.content[:KEPT]),
            )
        if 300 <= self.status < 400:
            place = _place(self.exchange.header("Location"))
            raise self._unusable(
                f"the server answered {self.status}, a redirect to {place}; it is not followed. Give the final URL"
            )

    @property
    def _unclear(self) -> bool:
        """Whether the request may have been taken: RFC 9112 8 has none processed that did not leave whole."""
        return self.exchange.whole and statuses.unclear(self.status)

    def _no_mm7(self, flaw: str | None = None) -> TransportError:
        """What is no MM7 answer, judged by its status alone. The findings of an envelope do not fit it."""
        page = self._page()
        what = f"the server answered {statuses.named(self.status)} with {page.kind}{f' ({flaw})' if flaw else ''}"
        advice = [statuses.advice(self.exchange, page)]
        if self._unclear:
            advice.append("whether the message was accepted is unknown")
        advised = "; ".join(one for one in advice if one)
        return self._unusable(f"{what}{': ' if advised else ''}{advised}{self._said(page)}")

    def _page(self) -> pages.Page:
        return pages.read(bytes(self.content[: pages.READ]), self.exchange.header("Content-Type"), self._encoding)

    @staticmethod
    def _said(page: pages.Page) -> str:
        """The first lines of a page, each on a line of its own that cannot be taken for one of ours."""
        return "".join([". It says:", *(f"\n  | {line}" for line in page.lines)]) if page.lines else ""

    def _unusable(self, what: str, findings: Sequence[Finding] = ()) -> TransportError:
        error = TransportError(
            what,
            maybe_accepted=self._unclear and not 300 <= self.status < 400,
            http_status=self.status,
            body=bytes(self.content[:KEPT]),
            findings=findings,
        )
        error.retry_after = statuses.seconds(self.exchange.header("Retry-After"))
        return error


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


def _response(status: int, exchange: HttpExchange, content: bytes) -> requests.Response:
    response = requests.Response()
    response._content = content
    response.status_code = status
    fields = _AnswerFields(one for one in exchange.headers if not one[0].lower().startswith(("content-", "transfer-")))
    fields["Content-Type"] = 'text/xml; charset="utf-8"'
    fields.findings = exchange.findings
    response.headers = fields
    response.encoding = "utf-8"
    return response
