"""The parameters of Twilio's requests: form-encoded bodies and queries, and the message that they ask for.

Refuses, with ``TwilioError``, what is missing, what cannot be used, and what is not served.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mm7zeep.errors import LocalError
from mm7zeep.gateway.api.inputs import NewMessage
from mm7zeep.gateway.api.twilio.errors import TwilioError
from mm7zeep.gateway.mm7.validation import callback_url
from mm7zeep.gateway.rest import fields
from mm7zeep.gateway.rest.complaint import cut
from mm7zeep.gateway.rest.request import judged

Parameters = Mapping[str, Sequence[str]]
_FIELDS = 200
_BODY = 1600  # characters of Body
_MEDIA = 10  # MediaUrl
_PERIOD = (1, 36_000)  # seconds of ValidityPeriod
_URL = 4000  # characters of StatusCallback
_SERVED = frozenset({"To", "From", "Body", "MediaUrl", "StatusCallback", "ValidityPeriod", "SendAt", "ScheduleType"})
_WITHOUT_EFFECT = frozenset(
    {
        "ProvideFeedback", "Attempt", "ForceDelivery", "ContentRetention", "AddressRetention", "SmartEncoded",
        "TrafficType", "ShortenUrls", "SendAsMms", "RiskCheck", "MessageIntent", "MaxPrice", "StatusCallbackMethod",
        "ApplicationSid",
    }
)  # fmt: skip


def parsed(octets: bytes) -> Parameters:
    """The fields of a form or a query. Raises ``TwilioError``."""
    try:
        pairs = parse_qsl(octets.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError as error:
        raise TwilioError(20006, f"the parameters cannot be read: {error}; send them form-encoded in UTF-8") from error
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def single(given: Parameters, name: str) -> str | None:
    """A parameter that may be there once; None where it is not, or is empty. Raises ``TwilioError``."""
    values = given.get(name, ())
    if len(values) > 1:
        raise TwilioError(20006, f"{name} is there {len(values)} times; give it once")
    return values[0] if values and values[0] else None


def address(given: Parameters, name: str) -> str | None:
    """An address in a parameter; who writes +61... without %2B has written a space."""
    text = fields.with_plus(single(given, name))
    return text if isinstance(text, str) else None


def message_of(given: Parameters, now: float, *, allow_internal: bool) -> tuple[NewMessage, Mapping[str, Any]]:
    """The message that a request asks to be sent at the time ``now``, and what is kept beside it.

    ``allow_internal`` lets its StatusCallback be an internal address.

    Raises ``TwilioError`` and ``Invalid``.
    """
    for name in given:
        if name not in _SERVED | _WITHOUT_EFFECT:
            raise TwilioError(20001, f"{cut(name)} is not served here; leave it out")
    to, sender = address(given, "To"), address(given, "From")
    if to is None:
        raise TwilioError(21604, "a 'To' number is required")
    if sender is None:
        raise TwilioError(21603, "a 'From' number is required")
    body, urls = single(given, "Body"), [one for one in given.get("MediaUrl", ()) if one]
    if body is None and not urls:
        raise TwilioError(21619, "a Body or a MediaUrl is required")
    if body is not None and len(body) > _BODY:
        raise TwilioError(21617, f"the Body has {len(body)} characters; it may have {_BODY}")
    if len(urls) > _MEDIA:
        raise TwilioError(21623, f"there are {len(urls)} MediaUrl; there may be {_MEDIA}")
    callback = status_callback(single(given, "StatusCallback"), allow_internal=allow_internal)
    send_at = _send_at(given)
    asked = {
        "to": to,
        "from": sender,
        "parts": [*({"text": body} for _ in range(body is not None)), *({"media_url": one} for one in urls)],
        "delivery_report": callback is not None,
        "send_at": send_at,
        "expires_at": _expiry(given, send_at if send_at is not None else now),
    }
    made = judged({name: value for name, value in asked.items() if value is not None}, NewMessage)
    return made, {"status_callback": callback} if callback is not None else {}


def status_callback(url: str | None, *, allow_internal: bool) -> str | None:
    """A StatusCallback. Raises ``TwilioError`` for what is no URL, or may not be called."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > _URL or not url.isprintable() or " " in url or "@" in parts.netloc:
        words = "StatusCallback is no URL that can be called; give one such as https://example.com/status"
        raise TwilioError(21609, f"{words}, without user and password")
    try:
        why = callback_url.why_internal(url)
    except LocalError as error:
        raise TwilioError(21609, f"StatusCallback: {error}") from error
    if why is not None and not allow_internal:
        raise TwilioError(21609, f"StatusCallback: {why}; give a URL that everybody can reach")
    return url


def _send_at(given: Parameters) -> float | None:
    at, kind = single(given, "SendAt"), single(given, "ScheduleType")
    if kind not in (None, "fixed"):
        raise TwilioError(20006, "ScheduleType may be fixed; leave it out, or give that")
    return moment("SendAt", at) if at is not None else None


def moment(name: str, text: str) -> float:
    """A point in time in a parameter: ISO 8601, or a date. Raises ``TwilioError``."""
    try:
        if not re.match(r"[0-9]{4}-", text):
            raise ValueError(text)
        return fields.moment(text)
    except ValueError as error:
        raise TwilioError(20006, f"{name} is no time; give one such as 2026-11-28T12:00:00Z") from error


def _expiry(given: Parameters, now: float) -> float | None:
    period = single(given, "ValidityPeriod")
    if period is None:
        return None
    least, most = _PERIOD
    if not re.fullmatch(r"[0-9]{1,5}", period) or not least <= int(period) <= most:
        raise TwilioError(20006, f"ValidityPeriod is no number of seconds from {least} to {most}")
    return now + int(period)
