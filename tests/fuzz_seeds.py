"""What fuzzing starts from: valid wires of every operation, our own quirks of the field, and edits that know the forms.

An input of the targets ``mime`` and ``unpack`` is a line (chunk size, a blank, the Content-Type of the HTTP head) and
a body; one of ``dump`` is a file. Everything is made by the library's own writer or written here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

import captures
import envelopes

from mm7zeep import exchange, mime, profiles
from mm7zeep.messages import (
    CancelReq,
    DeliverReq,
    DeliveryReportReq,
    ExtendedCancelReq,
    ExtendedReplaceReq,
    Fault,
    Message,
    Number,
    ReadReplyReq,
    ReplaceReq,
    RSErrorRsp,
    Status,
    SubmitReq,
    SubmitRsp,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTE, MAP = captures.TEXT, captures.GIF
SENT: dict[str, Message] = {
    "submit": SubmitReq(
        vaspid="FERRY",
        vasid="Times",
        to=("+4930123456", "a@ferry.example"),
        cc=("+4930123457",),
        subject="F\u00e4hre",
        priority="High",
        delivery_report=True,
        parts=(NOTE, MAP),
    ),
    "submitted": SubmitRsp(message_id="m-77"),
    "deliver": DeliverReq(sender=Number("+4930123456"), subject="Back", parts=(MAP,)),
    "cancel": CancelReq(vaspid="FERRY", vasid="Times", message_id="m-77"),
    "replace": ReplaceReq(vaspid="FERRY", vasid="Times", message_id="m-77", parts=(NOTE,)),
    "extended cancel": ExtendedCancelReq(vaspid="FERRY", vasid="Times", cancel_id="c-1"),
    "extended replace": ExtendedReplaceReq(vaspid="FERRY", vasid="Times", replace_id="c-1", parts=(NOTE,)),
    "report": DeliveryReportReq(
        message_id="m-77", recipient=Number("+4930123456"), sender=Number("+7"), date=NOON, mm_status="Retrieved"
    ),
    "read": ReadReplyReq(
        message_id="m-77", recipient=Number("+4930123456"), sender=Number("+7"), time_stamp=NOON, mm_status="Read"
    ),
    "fault": Fault(fault_code="Client", fault_string="Client error", error=RSErrorRsp(status=Status(2005))),
}

# Each turns a sound envelope into one that the field sends: (what is there, what is met).
QUIRKS: tuple[tuple[str, str], ...] = (
    ("http://www.3gpp.org", "https://www.3gpp.org"),
    ("http://schemas.xmlsoap", "https://schemas.xmlsoap"),
    ("<MM7Version>5.3.0</MM7Version>", ""),
    ("5.3.0", "9.9.9"),
    ("</VASID>", "</VASID><Deck><Card/>7</Deck>"),
    ("<To>", "\n <To>\n "),
    ("<Number>+4670000001</Number>", "+4670000001"),
    ("<Number>+4670000001</Number>", "<Number> </Number>"),
    (envelopes.VERSION + envelopes.WHO, envelopes.WHO + envelopes.VERSION),
    (' env:mustUnderstand="1"', ' env:mustUnderstand="true" xsi:type="x" xmlns:xsi="urn:x"'),
    (">t-1<", ">\n t 1 <"),
    ("2026-03-01T06:00:00Z", "2026-03-01 06:00"),
    ("<Status>", "<Status><Details><x xmlns=''>y</x>z</Details>"),
    ("REL-5-MM7-1-3", "REL-5-MM7-1-0"),
    ("REL-5-MM7-1-3", "REL-7-MM7-9-9"),
    ("<env:Header>", "<!-- x --><?y z?><env:Header>"),
    ("<env:Envelope", "<?xml version='1.0' encoding='utf-16'?>\n<env:Envelope"),
    ("<env:Envelope", "<!DOCTYPE x [<!ENTITY y 'z'>]><env:Envelope"),
    ("</env:Body>", "</env:Body><env:Body/>"),
)


def framed(wire: exchange.Wire, step: int = 7) -> bytes:
    """The input of the targets ``mime`` and ``unpack``."""
    return f"{step} {wire.header('Content-Type') or ''}\n".encode() + wire.read()


def split(data: bytes) -> tuple[int, str, bytes]:
    """The chunk size, the Content-Type and the body of such an input; reads whatever it is given."""
    head, _, body = data.partition(b"\n")
    step, _, content_type = head.decode("latin-1").partition(" ")
    return (int(step) if step.isascii() and step.isdigit() and len(step) < 6 else 0), content_type, body


@cache
def packed() -> tuple[exchange.Wire, ...]:
    """Every operation as the writer makes it, in the oldest, the newest and two carriers' forms."""
    wires = []
    for message in SENT.values():
        extended = isinstance(message, ExtendedCancelReq | ExtendedReplaceReq)
        for profile in (
            (profiles.GENERIC_6_8_0,)
            if extended
            else (profiles.GENERIC_6_8_0, profiles.GENERIC_5_3_0, profiles.OPTUS, profiles.SINCH)
        ):
            small = replace(profile, max_content=None)
            one = exchange.pack(message, profile=small, transaction_id="ferry-1")
            wires.append(replace(one, body=one.read()))
    return tuple(wires)


@cache
def written() -> tuple[exchange.Wire, ...]:
    """Every operation in its least form, sound, with each quirk that fits, and in odd packages."""
    texts = [envelopes.sent(operation) for operation in envelopes.MINIMAL]
    texts += [one.replace(old, new) for old, new in QUIRKS for one in texts if old in one]
    wires = [envelopes.wire(one) for one in texts]
    # An envelope in four charsets, declared and not.
    sound = envelopes.sent("SubmitReq")
    for codec in ("utf-8-sig", "utf-16", "utf-16-le", "latin-1"):
        wires.append(envelopes.wire(f'<?xml version="1.0" encoding="{codec[:6]}"?>{sound}'.encode(codec)))
    root = envelopes.sent("SubmitReq", more=envelopes.content())
    for more in (
        "",
        "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
        "Content-Transfer-Encoding: x-odd\r\n",
        'Content-Disposition: attachment; filename="=?utf-8?Q?a=20b?="\r\n',
        "Content-Location: note.txt\r\n",
    ):
        wires.append(envelopes.wire(root, envelopes.part(more=more, text="SGlnaCB3YXRlcg==")))
    wires.append(envelopes.wire(root, envelopes.part("note@kiosk.example"), envelopes.part()))
    inner = "Content-Type: multipart/mixed; boundary=in\r\nContent-ID: <note@kiosk.example>\r\n\r\n"
    inner += f"--in\r\n{envelopes.part('<a@b>')}\r\n--in\r\nContent-Type: image/gif\r\n\r\nGIF89a\r\n--in--"
    wires.append(envelopes.wire(root, inner))
    wires += [replace(one, body=one.read().replace(b"\r\n", b"\n")) for one in wires[-3:]]
    wires += [replace(one, body=one.read()[:-20]) for one in wires[-3:]]
    wires += [replace(one, headers=()) for one in wires[-3:]]
    wires.append(envelopes.wire(root, envelopes.part(), start="<other@x>", root_id="<root@x>"))
    return tuple(wires)


@cache
def wires() -> tuple[bytes, ...]:
    """The corpus of ``mime`` and ``unpack``."""
    return tuple(framed(one, 1 + 13 * number % 97) for number, one in enumerate((*packed(), *written())))


@cache
def dumps() -> tuple[bytes, ...]:
    """The corpus of ``dump``: requests and answers as saved, chunked, several in a file, packages and envelopes."""
    made = [captures.dump(one) for one in packed()]
    made += [captures.dump(one) for one in written()]
    made += [captures.chunked(size=size) for size in (1, 50, 5000)]
    made += [captures.chunked() + captures.dump(), captures.dump(length=3) + captures.dump(captures.SUBMITTED)]
    made += [captures.dump(start=start) for start in ("HTTP/1.1 200", "POST  /mm7", "HTTP/1.0 503 Busy")]
    made += [one.read() for one in packed()[:4]]
    made += [f"Content-Type: {one.header('Content-Type')}\r\n\r\n".encode() + one.read() for one in packed()[:4]]
    made.append(captures.dump().replace(b"\r\n", b"\n"))
    made.append(captures.dump().replace(b"; type", b";\r\ntype").replace(b"Host:", b"Host :"))
    return tuple(made)


# --- edits ------------------------------------------------------------------------------------------------------------

TOKENS: tuple[bytes, ...] = tuple(
    one.encode("latin-1")
    for one in (
        "\r\n", "\n", "\r", "\t", " ", "\0", "\xff", "\xfe\xff", "\xef\xbb\xbf", "\r\n\r\n", "--", "\r\n--", ";", '"',
        "=", "=\r\n", "=3D", "=?utf-8?B?QQ==?=", "=?x?Q?=?=", "<", ">", "</", "/>", "&#0;", "&amp;", "&#xD800;", "&x;",
        "<![CDATA[", "]]>", "<!--", "-->", "<?xml version='1.0'?>", "<!DOCTYPE x>", "xmlns=''", 'xmlns="urn:x"',
        ' a="b"',
        ' xsi:type="x:y"', ' xsi:nil="1"', ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"', ' href="cid:a@b"',
        "Content-Type: ", "Content-Type: multipart/mixed; boundary=b\r\n", "Content-ID: <a@b>\r\n", "cid:", "<a@b>",
        "Content-Transfer-Encoding: base64\r\n", "Content-Transfer-Encoding: quoted-printable\r\n",
        "Content-Transfer-Encoding: 7bit\r\n", "Content-Location: x\r\n", "boundary=", "boundary*0=a; boundary*1=b",
        "start=", "type=", "charset=utf-16", "charset=", "multipart/related", "multipart/alternative",
        "application/smil", "text/xml", "application/xop+xml", "message/rfc822", "name*=utf-8''%41", "%00", "%ff",
        profiles.SOAP_NAMESPACE, profiles.NAMESPACE_PREFIX, "REL-6-MM7-1-4", "REL-5-MM7-1-0", "https:", "http:",
        "1", "0", "-1", "1000", "99999999999999999999", "1e9", "true", "TRUE", "2026-02-30T25:61:61Z", "P1D", "P1Y2M",
        "0000-01-01T00:00:00Z", "99999-01-01T00:00:00+14:00", "Mon, 01 Jan 2026 00:00:00 GMT", "\u00b2", "\u00bd",
        "HTTP/1.1 200 OK\r\n", "POST /mm7 HTTP/1.1\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 5\r\n",
        "5\r\nhello\r\n", "0\r\n\r\n", "ffffffff\r\n", "Expect: 100-continue\r\n",
        *envelopes.MINIMAL, "Fault", "faultcode", "faultstring", "detail", "Body", "Header", "Envelope", "Recipients",
        "To", "Cc", "Number", "RFC2822Address", "ShortCode", "Content", "Extension", "Details", "Status", "StatusCode",
        "MessageID", "Date", "TimeStamp", "ExpiryDate", "UACapabilities", "Previouslysentby", "ReplyCharging",
        "SenderIdentification", "VASPID", "MM7Version", "TransactionID", "env:mustUnderstand", "env:actor",
    )
)  # fmt: skip

_PIECES: tuple[re.Pattern[bytes], ...] = (
    re.compile(rb"[^\n]*\n"),  # a line
    re.compile(rb"<[^<>]*>"),  # a tag
    re.compile(rb">[^<>]*<"),  # a text
    re.compile(rb"<([\w:]+)[^<>]*>[^<>]*</\1>"),  # a leaf
    re.compile(rb'"[^"\n]*"'),  # a value
    re.compile(rb"\w+"),  # a word
    re.compile(rb"\n--[^\n]*\n[^\n]*\n"),  # a delimiter
    re.compile(rb"[\x00-\xff]"),  # an octet
)


class Edit(NamedTuple):
    """One change: of what kind, to which sort of piece, where, and what else it takes; any numbers will do."""

    kind: int
    piece: int
    at: int
    other: int


def _token(number: int) -> bytes:
    return TOKENS[number % len(TOKENS)]


_KINDS: tuple[Callable[[bytes, tuple[int, int], tuple[int, int], int], bytes], ...] = (
    lambda data, a, b, n: data[: a[0]] + data[a[1] :],  # leave out
    lambda data, a, b, n: data[: a[1]] + data[a[0] : a[1]] + data[a[1] :],  # repeat
    lambda data, a, b, n: data[: a[0]] + data[b[0] : b[1]] + data[a[1] :],  # put another in its place
    lambda data, a, b, n: data[: b[0]] + data[a[0] : a[1]] + data[b[0] :],  # put it elsewhere, too
    lambda data, a, b, n: data[: a[0]] + _token(n) + data[a[1] :],  # a token for it
    lambda data, a, b, n: data[: a[0]] + _token(n) + data[a[0] :],  # a token before it
    lambda data, a, b, n: data[: a[0]] + data[a[0] : a[1]].swapcase() + data[a[1] :],
    lambda data, a, b, n: data[: a[0]] + bytes([n % 256]) + data[a[0] + 1 :],  # another octet
    lambda data, a, b, n: data[: a[0]] + data[a[0] : a[1]] * (n % 40) + data[a[1] :],  # repeat often
    lambda data, a, b, n: data[: a[0]],  # cut off
    lambda data, a, b, n: data.replace(data[a[0] : a[1]] or b"\r\n", _token(n), 50) if n % 4 == 0 else data,
)


def edited(data: bytes, edits: Sequence[Edit], most: int = 16384) -> bytes:
    """``data`` with the edits made one after the other, never longer than ``most`` octets."""
    for edit in edits:
        pattern = _PIECES[edit.piece % len(_PIECES)]
        found = [one.span() for one in pattern.finditer(data)] if edit.piece % len(_PIECES) != 7 else []
        if not found:
            at = edit.at % (len(data) + 1)
            found = [(at, min(at + 1, len(data)))]
        here, there = found[edit.at % len(found)], found[edit.other % len(found)]
        data = _KINDS[edit.kind % len(_KINDS)](data, here, there, edit.other)[:most]
    return data


def drawn(chance: random.Random) -> list[Edit]:
    """A few edits at random: mostly one or two, sometimes eight."""
    count = chance.choice((1, 1, 1, 2, 2, 3, 4, 8))
    return [
        Edit(
            chance.randrange(len(_KINDS)),
            chance.randrange(len(_PIECES)),
            chance.getrandbits(20),
            chance.getrandbits(20),
        )
        for _ in range(count)
    ]


def crossed(first: bytes, second: bytes, chance: random.Random) -> bytes:
    """The beginning of one input and the end of another, cut at line ends or tags where there are any."""
    cuts = [[one.start() for one in re.finditer(rb"[\n<]", data)] or [len(data) // 2] for data in (first, second)]
    return first[: chance.choice(cuts[0])] + second[chance.choice(cuts[1]) :]


ROOMY = mime.Limits(header_bytes=64 * 1024, boundary=256, parts=200)
"""For reading again what was written: labels may be longer when written out than they were as sent."""
