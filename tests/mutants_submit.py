"""Broken MMSCs: what they misread of a message, or lose of its content."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial

from breaks import Answered, Asked, Serve, answering, asked, reading, refusal, refusing, served, success
from mutants import Mutant, mutant

from mm7zeep.exchange import new_transaction_id

_mutant = partial(mutant, "mmsc")


# --- how ours is broken -----------------------------------------------------------------------------------------------


def _taken(one: Asked) -> Answered:
    """Success with a MessageID, and nothing is done."""
    return success(one, f"<MessageID>{new_transaction_id()}</MessageID>")


def _priority(one: Asked) -> Asked:
    return one.edited("<Priority>(?:Low|High)</Priority>", "")


def _lines_changed(one: Asked) -> Asked:
    """With CR LF for LF where content is binary; not in UTF-16, whose envelope would be none any more."""
    if one.has("(?i)charset=utf-16") or not one.has("Content-Transfer-Encoding: binary"):
        return one
    return one.edited("(?<!\r)\n", "\r\n")


def _first_only(one: Asked) -> Asked:
    """With only the first address of a To that holds many."""
    return one.edited("(<To><Number>[^<]*</Number>)(?:<Number>[^<]*</Number>){3,}<ShortCode>[^<]*</ShortCode>", r"\1")


def _one_id() -> Callable[[Asked, Serve], Awaitable[Answered]]:
    """Gives every message to the loop the MessageID of the first."""
    first = ""

    async def between(one: Asked, serve: Serve) -> Answered:
        nonlocal first
        answer = await serve(one)
        found = re.search("<MessageID>([^<]*)<", answer.body.decode("latin-1"))
        if found is None or not one.has("<ShortCode>7779<") or one.has("<EarliestDelivery"):
            return answer
        first = first or found[1]
        return answer.edited("(<MessageID>)[^<]*<", rf"\g<1>{first}<")

    return between


# --- the table --------------------------------------------------------------------------------------------------------

MUTANTS: tuple[Mutant, ...] = (
    # the message
    _mutant(
        "nobody-taken", "A submit without Recipients is answered 1000.",
        answering(lambda one: one.has("<SubmitReq") and not one.has("<(?:MM7:)?Recipients"), _taken),
        "submit/recipients/none", near=("submit/recipients",),
    ),
    _mutant(
        "ids-same", "Messages that go to one short code share a MessageID.", served(_one_id),
        "submit/message-id-unique", "http/parallel", "txid/constant", "soap/txid-repeated", "report/per-sender",
        "report/recipient-kind/shortcode", near=("txid/",),
    ),
    _mutant(
        "bcc-lost", "Who stands in Bcc does not get the message.",
        reading("<Bcc>(?:(?!</Bcc>).)*</Bcc>", ""),
        "submit/recipients/cc-bcc", "submit/recipients/bcc-only", "recipients/kinds-by-place/bcc",
        near=("submit/recipients", "recipients/kinds"), window=3.0,
    ),
    _mutant(
        "first-only", "Of many addresses in one To only the first is served.", asked(_first_only),
        "submit/recipients/many-in-one-to", near=("submit/recipients",), window=3.0,
    ),
    _mutant(
        "expiry-garbage", "An ExpiryDate that is none is ignored.",
        reading("<ExpiryDate>(?:20|tomorrow)</ExpiryDate>", ""),
        "submit/expiry/garbage/number", "submit/expiry/garbage/word", near=("submit/expiry",),
    ),
    _mutant(
        "digits-no-boolean", "DeliveryReport 1 is refused.", refusing("<DeliveryReport>1<", refusal),
        "submit/boolean/digits/true", near=("submit/boolean",),
    ),
    _mutant(
        "priority-lost", "Every message arrives with Priority Normal.", asked(_priority),
        "submit/priority/each/high", "submit/priority/each/low", near=("submit/priority",), window=3.0,
    ),
    _mutant(
        "class-auto", "The MessageClass Auto is refused.", refusing("<MessageClass>Auto<", refusal),
        "submit/class/each/auto", near=("submit/class",),
    ),
    _mutant(
        "emoji-lost", "Characters beyond the first 65,536 arrive as question marks.",
        reading("\xf0[\x80-\xbf]{3}", "?"), "submit/subject/utf8/emoji", near=("submit/subject",), window=3.0,
    ),
    _mutant(
        "cdata-lost", "What stands in a CDATA section is lost.", reading(r"<!\[CDATA\[.*?\]\]>", ""),
        "submit/subject/entities/cdata", near=("submit/subject",), window=3.0,
    ),
    _mutant(
        "service-code", "A ServiceCode with an attribute is refused.", refusing("<ServiceCode [^>]*=", refusal),
        "submit/service-code", near=("submit/",),
    ),
    _mutant(
        "subject-twice", "Of two Subject elements the last is taken.",
        reading("<Subject>[^<]*</Subject>(?=<Subject>)", ""), "submit/element-twice", near=("submit/element",),
    ),
    # the content
    _mutant(
        "quoted-raw", "A text in quoted-printable arrives as it is written.",
        reading("Content-Transfer-Encoding: quoted-printable", "Content-Transfer-Encoding: 8bit"), "content/qp",
        near=("content/",), window=3.0,
    ),
    _mutant(
        "lines-changed", "Line ends of binary content become CR LF.",
        asked(_lines_changed),
        "content/binary", "content/big/300k", "content/big/1m", near=("content/",), window=3.0,
    ),
    _mutant(
        "id-renamed", "Parts arrive under other Content-IDs than the presentation names.",
        asked(lambda one: one.edited("(Content-ID: <)(map|tide)@", r"\1other-\2@")), "content/related-smil",
        near=("content/mixed",), window=3.0,
    ),
)  # fmt: skip
