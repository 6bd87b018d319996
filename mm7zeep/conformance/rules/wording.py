"""Rules for what a request asks for and how it is called: charging, reports, the subject."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mm7zeep import schema
from mm7zeep.conformance.rules.subject import Rule, Subject, child, text
from mm7zeep.findings import Finding, finding

_SHORT, _LONG = 40, 80  # characters that MM1 networks and handsets take
_CHINESE = re.compile("[\u4e00-\u9fff]")


def _charged_party(subject: Subject) -> Iterator[Finding]:
    message, profile = subject.message, subject.profile
    kind = schema.model(profile.namespace).get(subject.operation or "") if profile is not None else None
    charged = kind.child("ChargedParty") if kind is not None else None
    if message is None or charged is None or "ThirdParty" not in charged.type.values:
        return  # before REL-6-MM7-1-2 nobody can say ThirdParty, and before release 6 there is no ChargedPartyID
    party, id = text(child(message, "ChargedParty")), text(child(message, "ChargedPartyID"))
    if (party == "ThirdParty") != bool(id):
        shown = f"{party or 'no ChargedParty'} {'with' if id else 'without'} ChargedPartyID"
        yield finding("sem/charged-party-id", schema.path(message), detail=shown)


def _read_reply(subject: Subject) -> Iterator[Finding]:
    wanted = child(subject.message, "ReadReply")
    if wanted is not None and text(wanted) in ("true", "1") and text(child(subject.message, "MessageClass")) == "Auto":
        yield finding("sem/read-reply-class", schema.path(wanted))


def _subject_length(subject: Subject) -> Iterator[Finding]:
    title = child(subject.message, "Subject")
    size = len(text(title))
    if title is not None and size > _SHORT:
        limit = _LONG if size > _LONG else _SHORT
        yield finding("sem/subject-length", schema.path(title), detail=f"{size} characters, more than {limit}")


def _subject_charset(subject: Subject) -> Iterator[Finding]:
    title = child(subject.message, "Subject")
    if title is not None and _mojibake(text(title)):
        yield finding("sem/subject-charset", schema.path(title), detail=text(title))


def _mojibake(shown: str) -> bool:
    """Whether a text was decoded wrongly: what is left of it, put back into bytes, is UTF-8."""
    if "\ufffd" in shown:
        return True
    if shown.isascii():
        return False
    if any(_as_utf8(shown, codec) is not None for codec in ("latin-1", "cp1252")):
        return True
    # Two Chinese characters are UTF-8 by accident now and then, but hardly that of Chinese again.
    again = _as_utf8(shown, "gb18030")
    return again is not None and len(_CHINESE.findall(again)) > 1


def _as_utf8(shown: str, codec: str) -> str | None:
    try:
        return shown.encode(codec).decode("utf-8")
    except UnicodeError:
        return None


RULES = (
    Rule("sem/charged-party-id", _charged_party),
    Rule("sem/read-reply-class", _read_reply),
    Rule("sem/subject-length", _subject_length),
    Rule("sem/subject-charset", _subject_charset),
)
