"""No answer came: which of our errors that is, and whether the message may have been accepted.

Refuses to repeat the libraries' own words, which may hold the secrets of a URL.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

import requests

from mm7zeep.errors import LocalError, TransportError
from mm7zeep.transport.calls import Call, Interrupted
from mm7zeep.transport.inbound import Overdue, Unreadable

E = TypeVar("E", bound=BaseException)


class Refused(OSError):
    """An adapter will not open a connection. Its text is told as it stands, so it holds no secret."""


def refusal(error: BaseException) -> Refused | None:
    """What an adapter refused, where ``error`` came of that; None for every other failure."""
    return found(error, Refused)


def fail(error: Exception, call: Call, address: str) -> NoReturn:
    """Raise what ``error``, met while the call to ``address`` was under way, amounts to."""
    if isinstance(error, Interrupted):
        raise error.reason from error.reason.__cause__
    failure = _failure(error, call, urlsplit(address).netloc)
    if failure is error:
        raise error
    raise failure from error


def _failure(error: Exception, call: Call, place: str) -> Exception:
    """What to raise where no answer came from ``place``."""
    if isinstance(error, LocalError):  # a part changed or cannot be read
        what = f"{error}; {call.sent} octets had gone out"
        return TransportError(what, maybe_accepted=True) if call.sent else error
    refused = refusal(error)
    if refused is not None:  # whatever had gone out before was answered: a challenge
        return TransportError(f"the request could not be sent to {place}: {refused}", maybe_accepted=False)
    unreadable = found(error, Unreadable)
    if unreadable is not None:
        return TransportError(
            f"the answer of {place} cannot be read: {unreadable}",
            maybe_accepted=call.whole and unclear(unreadable.status),
            http_status=unreadable.status,
        )
    text = without_url(error)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
        return LocalError(f"the request could not be made: {text}")
    if call.sent and not _tls_refusal(error):
        what = f"no answer from {place} after {call.sent} octets had gone out ({text}); "
        if not call.whole:  # RFC 9112 8: a request that is not complete is not processed
            return TransportError(f"{what}they were not all, so nothing was accepted", maybe_accepted=False)
        return TransportError(f"{what}the message may have been accepted", maybe_accepted=True)
    return TransportError(f"the request could not be sent to {place}: {text}", maybe_accepted=False)


def unclear(status: int | None) -> bool:
    """Whether a request answered so, without MM7 status, may have been taken: not where HTTP itself refuses it."""
    return status is None or not (400 <= status < 500 or status in (501, 503, 505))


def found(error: BaseException, kind: type[E]) -> E | None:
    """The first of that kind among ``error`` and what led to it."""
    return next((one for one in _chain(error) if isinstance(one, kind)), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and what led to it."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        reason = getattr(error, "reason", None)
        inner = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
        error = inner or next((one for one in error.args if isinstance(one, BaseException)), None)


def _tls_refusal(error: Exception) -> bool:
    """Whether the server ended the TLS handshake by an alert: TLS 1.3 shows it only after the request went out."""
    return any(isinstance(one, ssl.SSLError) and "ALERT" in (one.reason or "") for one in _chain(error))


def without_url(error: Exception) -> str:
    """The kind of failure in words; the URL may hold secrets, so the library's own text is not repeated."""
    names: list[str] = []
    told: list[str] = []
    for one in _chain(error):
        name = type(one).__name__
        words = None
        if isinstance(one, ssl.SSLCertVerificationError):
            words = one.verify_message
        elif isinstance(one, Overdue):
            words = str(one)
        elif isinstance(one, OSError) and one.errno is not None and one.strerror:
            words = one.strerror
        known = names if words is None else told
        name = name if words is None else words if isinstance(one, Overdue) else f"{name}: {words}"
        if name not in known and len(known) < 5:
            known.append(name)
    return ", ".join(told or names)  # the wrappers' names tell no more than the words within
