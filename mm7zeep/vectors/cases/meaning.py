"""Examples for what a message means: addresses, times, wording, status."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

from mm7zeep.vectors.building import (
    LATE,
    NOON,
    ONE,
    SCHEMA,
    SUBMIT,
    SUBMITTED,
    Case,
    answer,
    at,
    bend,
    message,
    post,
    shown_to,
    submit,
    twins,
)
from mm7zeep.vectors.envelopes import FROM, NO, OK, VERSION, fault, transaction
from mm7zeep.vectors.envelopes import envelope as enveloped
from mm7zeep.vectors.envelopes import message as plain

_STAMP = "<TimeStamp>2026-03-01T12:00:00Z</TimeStamp>"


def _with(id: str, bad: str, good: str, found: str = "", *, schema: str = SCHEMA) -> Case:
    """A SubmitReq with ``bad`` or with ``good`` at its end."""
    return twins(id, submit(bad, schema), submit(good, schema), bad.replace(_STAMP, ""), found)


def _stamped(id: str, bad: str, good: str, found: str = "") -> Case:
    """A SubmitReq with a TimeStamp, then ``bad`` or ``good``."""
    return _with(id, _STAMP + bad, _STAMP + good, found)


def _to(id: str, bad: str, good: str, found: str = "") -> Case:
    """A SubmitReq to these addresses."""
    return twins(id, submit(schema=LATE, to=shown_to(bad)), submit(schema=LATE, to=shown_to(good)), bad, found)


def _status(code: int, text: str = "Tides", id: str = "<MessageID>m-1</MessageID>") -> bytes:
    return answer(
        message(
            "SubmitRsp",
            content=f"{VERSION}<Status><StatusCode>{code}</StatusCode><StatusText>{text}</StatusText></Status>{id}",
        )
    )


def _failed(status: str) -> bytes:
    return answer(enveloped(fault(plain("RSErrorRsp", VERSION + status, SCHEMA)), transaction(schema=SCHEMA)), 500)


def _expiry(value: str) -> str:
    return f"<ExpiryDate>{value}</ExpiryDate>"


def _earliest(value: str) -> str:
    return f"<EarliestDeliveryTime>{value}</EarliestDeliveryTime>"


def _deadline(value: str) -> str:
    return f'<ReplyCharging replyDeadline="{value}"/>'


_LIVE = _expiry("2026-03-01T11:00:00Z"), _expiry("2026-03-01T13:00:00Z")
_TWICE = shown_to("<Number>+1</Number><Number>+1</Number>")
_TIMES = (
    _with("sem/expiry-negative", _expiry("-PT60S"), _expiry("PT60S")),
    _with("sem/expiry-negative", _expiry("-P1M"), _expiry("P1M")),
    _stamped("sem/expiry-past", _expiry("2008-03-01T12:00:00Z"), _expiry("2026-03-02T12:00:00Z")),
    at(_with("sem/expiry-past", *_LIVE)),
    at(_with("sem/expiry-past", *_LIVE), NOON.replace(tzinfo=None)),
    _with("sem/expiry-past", _STAMP + _LIVE[0], _LIVE[0]),
    _stamped(
        "sem/expiry-past",
        _expiry("2026-02-28T12:00:00"),
        _expiry("2026-03-01T11:00:00"),
        "sem/date-no-zone sem/expiry-past",
    ),
    _stamped("sem/expiry-far", _expiry("9038-03-01T12:00:00Z"), _expiry("2026-03-31T12:00:00Z")),
    _stamped("sem/expiry-far", _expiry("P1Y"), _expiry("P30D")),
    _stamped(
        "sem/expiry-before-earliest", _earliest("PT240S") + _expiry("PT120S"), _earliest("PT120S") + _expiry("PT240S")
    ),
    _with(
        "sem/expiry-before-earliest", _earliest("PT240S") + _expiry("PT120S"), _earliest("PT120S") + _expiry("PT240S")
    ),
    _with(
        "sem/expiry-before-earliest",
        _earliest("2026-03-03T12:00:00Z") + _expiry("2026-03-02T12:00:00Z"),
        _earliest("PT240S") + _expiry("2026-03-02T12:00:00Z"),
    ),
    _stamped(
        "sem/expiry-before-earliest",
        _earliest("P2D") + _expiry("2026-03-02T12:00:00Z"),
        _earliest("P2D") + _expiry("-PT60S"),
    ),
    _with(
        "sem/expiry-before-earliest",
        _earliest("2026-03-03T12:00:00Z") + _expiry("2026-03-02T12:00:00Z"),
        _earliest("2026-03-02T12:00:00Z") + _expiry("PT120S"),
    ),
    at(
        _with("sem/expiry-past", _expiry("2026-03-01T06:59:00Z"), _expiry("2026-03-01T07:01:00Z")),
        NOON.replace(tzinfo=timezone(timedelta(hours=5))),
    ),
    _with(
        "sem/date-no-zone",
        "<TimeStamp>2010-03-01T12:00:00</TimeStamp>",
        "<Subject>2010-03-01T12:00:00</Subject>",
    ),
    _with(
        "schema/date",
        "<TimeStamp>2026-03-01 12:00:00</TimeStamp>",
        "<TimeStamp>2026-03-01T12:00:00Z</TimeStamp>",
    ),
    _stamped("sem/earliest-past", _earliest("2026-03-01T11:58:00Z"), _earliest("2026-03-01T12:02:00Z")),
    _with("sem/earliest-past", _earliest("-PT2M"), _earliest("PT2M")),
    _stamped("sem/reply-deadline", _deadline("2026-02-01T12:00:00Z"), _deadline("2026-04-01T12:00:00Z")),
    _with("sem/reply-deadline", _deadline("-P1D"), _deadline("P1D")),
    at(
        _with("sem/timestamp-future", _STAMP + "<Subject>Tide</Subject>", "<Subject>Tide</Subject>"),
        NOON - timedelta(days=1),
    ),
    at(
        twins(
            "sem/timestamp-future",
            message("DeliveryReportReq"),
            message("DeliveryReportReq").replace("06:00", "05:58"),
            "tomorrow",
        ),
        NOON.replace(hour=5, minute=54),
    ),
    _with(
        "sem/date-no-zone", "<TimeStamp>2010-03-01T12:00:00</TimeStamp>", "<TimeStamp>2010-03-01T12:00:00Z</TimeStamp>"
    ),
    _with("sem/date-no-zone", _deadline("2010-03-01T12:00:00"), _deadline("P1D")),
)

CASES = (
    # addresses
    _to(
        "sem/recipient-missing",
        '<Number displayOnly="true">+1</Number>',
        '<Number displayOnly="true">+1</Number><Number>+2</Number>',
    ),
    _to("sem/recipient-duplicate", "<Number>+1</Number><Number>+1</Number>", "<Number>+1</Number><Number>+2</Number>"),
    _to(
        "sem/recipient-duplicate",
        "<RFC2822Address>a@b</RFC2822Address><RFC2822Address>A@b</RFC2822Address>",
        "<Number>+1</Number>",
    ),
    twins(
        "sem/recipient-duplicate",
        submit(to=_TWICE),
        message("DeliverReq", content=VERSION + FROM + _TWICE),
        "the same Number twice",
    ),
    _to("sem/number-form", "<Number>0170-123</Number>", "<Number>0170123</Number>"),
    _to("sem/number-form", "<Number>#3030</Number>", '<Number addressCoding="obfuscated">#3030</Number>'),
    _to(
        "sem/mail-form",
        "<RFC2822Address>RFC2822-1</RFC2822Address>",
        "<RFC2822Address>a@kiosk.example</RFC2822Address>",
    ),
    _to("sem/shortcode-form", "<ShortCode>46700000010</ShortCode>", "<ShortCode>7070</ShortCode>"),
    _to("sem/shortcode-form", "<ShortCode>TIDE</ShortCode>", "<ShortCode>12345678</ShortCode>"),
    bend("sem/vaspid-empty", SUBMIT, "<VASPID>Kiosk</VASPID>", ""),
    bend("sem/vaspid-empty", SUBMIT, "<VASPID>Kiosk", "<VASPID> "),
    # times
    *_TIMES,
    # wording
    _with(
        "sem/charged-party-id",
        "<ChargedParty>ThirdParty</ChargedParty>",
        "<ChargedParty>ThirdParty</ChargedParty><ChargedPartyID>pier</ChargedPartyID>",
        schema=LATE,
    ),
    _with(
        "sem/charged-party-id",
        "<ChargedPartyID>pier</ChargedPartyID>",
        "<ChargedParty>Sender</ChargedParty>",
        schema=LATE,
    ),
    twins(
        "sem/charged-party-id",
        submit("<ChargedParty>Both</ChargedParty><ChargedPartyID>pier</ChargedPartyID>", LATE),
        submit("<ChargedParty>Both</ChargedParty><ChargedPartyID>pier</ChargedPartyID>", "REL-6-MM7-1-1"),
        "Both with ChargedPartyID, where ThirdParty can be said",
    ),
    twins(
        "sem/charged-party-id",
        submit("<ChargedParty>ThirdParty</ChargedParty>", LATE),
        submit("<ChargedParty>ThirdParty</ChargedParty>"),
        "<ChargedParty>ThirdParty</ChargedParty>",
    ),
    _with(
        "sem/read-reply-class",
        "<MessageClass>Auto</MessageClass><ReadReply>true</ReadReply>",
        "<MessageClass>Auto</MessageClass><ReadReply>false</ReadReply>",
    ),
    _with(
        "sem/read-reply-class",
        "<MessageClass>Auto</MessageClass><ReadReply>1</ReadReply>",
        "<MessageClass>Personal</MessageClass><ReadReply>1</ReadReply>",
    ),
    _with("sem/subject-length", f"<Subject>{'Tides ' * 7}</Subject>", f"<Subject>{'T' * 40}</Subject>"),
    _with("sem/subject-control", "<Subject>High\nwater</Subject>", "<Subject>High water</Subject>"),
    _with("sem/subject-charset", "<Subject>HÃ¶gt vatten</Subject>", "<Subject>Högt vatten</Subject>"),
    _with("sem/subject-charset", "<Subject>H\ufffdgt vatten</Subject>", "<Subject>一</Subject>"),
    _with("sem/subject-charset", "<Subject>娼睈</Subject>", "<Subject>潮汐</Subject>"),
    _with("sem/subject-charset", "<Subject>â€œTide</Subject>", "<Subject>“Tide”</Subject>"),
    # status
    twins("sem/status-class", _status(5000, id="<MessageID/>"), SUBMITTED, "<StatusCode>5000</StatusCode>"),
    twins(
        "sem/status-class",
        _status(200, id="<MessageID/>"),
        _status(4999, id="<MessageID/>"),
        "<StatusCode>200</StatusCode>",
    ),
    twins("sem/status-known", _status(3005), _status(3006 - 3), "<StatusCode>3005</StatusCode>"),
    twins("sem/status-known", _status(2499), _status(2500), "<StatusCode>2499</StatusCode>"),
    twins("sem/status-text-agrees", _status(1000, "Client error"), _status(1000, "success"), "1000 Client error"),
    twins("sem/status-success-in-fault", _failed(OK), _failed(NO), "1000 in RSErrorRsp"),
    # who sends what to whom
    replace(twins("sem/mo-as-submit", ONE, post(message("DeliverReq")), "an MO as SubmitReq"), seen_by="receiver"),
)
