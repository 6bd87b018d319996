"""Rules for who sends and who receives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from mm7zeep import schema
from mm7zeep.conformance.rules.subject import Rule, Subject, child, text
from mm7zeep.findings import Finding, finding

_KINDS = ("Number", "RFC2822Address", "ShortCode")
_NUMBER = re.compile(r"\+?[0-9]+")
_MAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_SHORT = re.compile(r"[0-9]{1,8}")
# What sem/address-plmn tells, once for all addresses of a message: a type after the number, a number as mail address
# and the other way round.
_PLMN = re.compile(r".*/TYPE=.*|.*@.*", re.DOTALL)
_PLMN_MAIL = re.compile(r".*/TYPE=.*|\+?[0-9\-]+", re.DOTALL)


def _missing(subject: Subject) -> Iterator[Finding]:
    """Recipients without any address are reported by schema/missing-element."""
    recipients = child(_submit(subject), "Recipients")
    found = list(_addresses(recipients))
    if recipients is not None and found and all(one.get("displayOnly") in ("true", "1") for one in found):
        yield finding("sem/recipient-missing", schema.path(recipients), detail="all are displayOnly")


def _duplicate(subject: Subject) -> Iterator[Finding]:
    seen: set[str] = set()
    for one in _addresses(child(_submit(subject), "Recipients")):
        bare = text(one).partition("/TYPE=")[0].lower()
        if bare in seen:
            yield finding("sem/recipient-duplicate", schema.path(one), detail=bare)
        seen.add(bare)


def _submit(subject: Subject) -> etree._Element | None:
    return subject.message if subject.operation == "SubmitReq" else None


def _addresses(holder: etree._Element | None, *names: str) -> Iterator[etree._Element]:
    for one in holder.iter() if holder is not None else ():
        # An address that is encrypted or obfuscated has no form (XSD addressCoding).
        if schema.local(one) in (names or _KINDS) and one.get("addressCoding") is None:
            yield one


def _number(subject: Subject) -> Iterator[Finding]:
    for one in _addresses(subject.message, "Number"):
        if not _NUMBER.fullmatch(text(one)) and not _PLMN.fullmatch(text(one)):
            yield finding("sem/number-form", schema.path(one), detail=text(one))


def _mail(subject: Subject) -> Iterator[Finding]:
    for one in _addresses(subject.message, "RFC2822Address"):
        if not _MAIL.fullmatch(text(one)) and not _PLMN_MAIL.fullmatch(text(one)):
            yield finding("sem/mail-form", schema.path(one), detail=text(one))


def _short_code(subject: Subject) -> Iterator[Finding]:
    for one in _addresses(subject.message, "ShortCode"):
        if not _SHORT.fullmatch(text(one)):
            yield finding("sem/shortcode-form", schema.path(one), detail=text(one))


def _vaspid(subject: Subject) -> Iterator[Finding]:
    sender = child(subject.message, "SenderIdentification")
    if sender is not None and not text(child(sender, "VASPID")):
        yield finding("sem/vaspid-empty", schema.path(sender))


RULES = (
    Rule("sem/recipient-missing", _missing),
    Rule("sem/recipient-duplicate", _duplicate),
    Rule("sem/number-form", _number),
    Rule("sem/mail-form", _mail),
    Rule("sem/shortcode-form", _short_code),
    Rule("sem/vaspid-empty", _vaspid),
)
