"""No answer came: which of our errors that is, and whether the message may have been accepted.

Refuses to repeat the libraries' own words, which may hold the secrets of a URL.
"""

from __future__ import annotations

import ssl
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from mm7zeep.errors import LocalError, Mm7Error, TransportError
from mm7zeep.transport import reasons, statuses
from mm7zeep.transport.http_exchange import HttpExchange, Interrupted
from mm7zeep.transport.inbound import Overdue, Unreadable
from mm7zeep.transport.pages import escaped
from mm7zeep.transport.reasons import chain

E = TypeVar("E", bound=BaseException)
_UNMADE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


class Refused(OSError):
    """An adapter will not open a connection. Its text is shown as it is, so it holds no secret."""


def refusal(error: BaseException) -> Refused | None:
    """What an adapter refused, where ``error`` came of that; None for every other failure."""
    return found(error, Refused)


def fail(error: Exception, exchange: HttpExchange, address: str) -> NoReturn:
    """Raise what ``error``, met during the exchange with ``address``, amounts to."""
    if isinstance(error, Interrupted):
        raise error.reason from error.reason.__cause__
    if isinstance(error, Mm7Error) and not isinstance(error, LocalError):
        raise error
    failure = _failure(error, exchange, address)
    if failure is error:
        raise error
    raise failure from error


def _failure(error: Exception, exchange: HttpExchange, address: str) -> Exception:
    """What to raise where no answer came from ``address``."""
    place = escaped(urlsplit(address).netloc)
    if exchange.proxy is not None:
        place += f" through the proxy {escaped(urlsplit(exchange.proxy).netloc.rpartition('@')[2])}"
    if isinstance(error, LocalError):  # a part changed or cannot be read
        what = f"{error}; {exchange.sent} octets had gone out"
        return TransportError(what, maybe_accepted=exchange.whole) if exchange.sent else error
    refused = refusal(error)
    if refused is not None:  # whatever had gone out before was answered: a challenge
        return TransportError(f"the request could not be sent to {place}: {refused}", maybe_accepted=False)
    unreadable, reason = found(error, Unreadable), reasons.of(error, address, exchange.proxy, exchange.files)
    if unreadable is not None and not (reason is not None and reason.untaken):
        return TransportError(
            f"the answer of {place} cannot be read: {unreadable}",
            maybe_accepted=exchange.whole and (unreadable.status is None or statuses.unclear(unreadable.status)),
            http_status=unreadable.status,
        )
    text = reason.words if reason is not None else without_url(error)
    if _unmade(error) and not exchange.sent:
        return LocalError(f"the request could not be made: {text}")
    if exchange.sent and not (reason is not None and reason.untaken):
        what = f"no answer from {place} after {exchange.sent} octets had gone out ({text}); "
        if not exchange.whole:  # RFC 9112 8: a request that is not complete is not processed
            return TransportError(f"{what}they were not all, so nothing was accepted", maybe_accepted=False)
        return TransportError(f"{what}the message may have been accepted", maybe_accepted=True)
    return TransportError(f"the request could not be sent to {place}: {text}", maybe_accepted=False)


def _unmade(error: Exception) -> bool:
    """Whether a library could not make the request of what it was given: a URL, a host name, a field."""
    of_the_way = isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError | OSError)
    return isinstance(error, _UNMADE) or (isinstance(error, ValueError | TypeError) and not of_the_way)


def found(error: BaseException, kind: type[E]) -> E | None:
    """The first of that kind among ``error`` and what led to it."""
    return next((one for one in chain(error) if isinstance(one, kind)), None)


def without_url(error: Exception) -> str:
    """The kind of failure in words; the URL may hold secrets, so the library's own text is not repeated."""
    names: list[str] = []
    texts: list[str] = []
    for one in chain(error):
        name = type(one).__name__
        words = None
        if isinstance(one, ssl.SSLCertVerificationError):
            words = one.verify_message
        elif isinstance(one, Overdue | Unreadable):
            words = str(one)
        elif isinstance(one, OSError) and one.errno is not None and one.strerror:
            words = one.strerror
        known = names if words is None else texts
        name = name if words is None else words if isinstance(one, Overdue | Unreadable) else f"{name}: {words}"
        if name not in known and len(known) < 5:
            known.append(name)
    return ", ".join(texts or names)  # the wrappers' names tell no more than the words within
