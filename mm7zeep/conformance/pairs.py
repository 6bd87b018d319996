"""Messages that belong together: which request has which answer (``pairs``), and the rules that need both (``judge``).

Pairs go by where messages stand, never by what they say, so that what they say can be judged. Messages of different
files are never paired: names of files prove nothing. A rule is one small function, registered under the id of the
finding kind it raises; it changes no verdict, only adds findings, and is silent where a message it needs was not
captured.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from lxml import etree

from mm7zeep import envelope, namespaces, profiles, schema
from mm7zeep.conformance.input.capture import Captured
from mm7zeep.conformance.input.traffic import Carried
from mm7zeep.conformance.verdict import Verdict
from mm7zeep.findings import Finding, finding

_ERRORS = ("RSErrorRsp", "VASPErrorRsp")
_ROLES: Mapping[str, str] = MappingProxyType(
    {envelope.element_name(one.request): envelope.element_name(one.error) for one in envelope.OPERATIONS}
)
"""Which error element answers a request, by its name: RSErrorRsp from the MMSC, VASPErrorRsp from the VASP."""


# --- which belong together --------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    """A request and its answer, by their places in the sequence that was given."""

    request: int
    response: int


def pairs(captured: Sequence[Captured]) -> tuple[Pair, ...]:
    """The pairs among ``captured``, in the order of the requests.

    In recorded traffic, the request and the answer of one exchange. In a dump, several messages of one file in order:
    as many answers as requests directly before them answer them one by one, as in pipelining; where the numbers
    differ, the first answer belongs to the last request before it, and the others to nobody.
    """
    groups: dict[tuple[str, str | None], list[int]] = {}
    for place, one in enumerate(captured):
        exchange = one.exchange if isinstance(one, Carried) else None
        groups.setdefault((one.file, exchange), []).append(place)
    return tuple(sorted(pair for group in groups.values() for pair in _in_order(captured, group)))


def _in_order(captured: Sequence[Captured], places: Iterable[int]) -> Iterator[Pair]:
    """Pairs among messages that follow each other on one way."""
    requests, responses = list[int](), list[int]()
    for place in places:
        one = captured[place]
        if one.kind == "response":
            if not _interim(one):
                responses.append(place)
            continue
        if responses:
            yield from _block(requests, responses)
            requests, responses = [], []
        if one.kind == "request":
            requests.append(place)
    yield from _block(requests, responses)


def _block(requests: list[int], responses: list[int]) -> Iterator[Pair]:
    if len(requests) == len(responses):
        yield from map(Pair, requests, responses)
    elif requests and responses:
        yield Pair(requests[-1], responses[0])


def _interim(one: Captured) -> bool:
    """RFC 9110 15.2: an answer of class 1xx announces another."""
    return one.wire.status is not None and one.wire.status < 200


# --- the rules --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, both judged."""

    request: Verdict
    response: Verdict


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Messages in the order of the capture, judged, and which of them belong together."""

    verdicts: Sequence[Verdict]
    pairs: Sequence[Pair]


def judge(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The same verdicts, with what the rules of this module found added to the messages at fault."""
    dialogue = Dialogue(verdicts, pairs([one.captured for one in verdicts]))
    added: dict[int, list[Finding]] = {}
    for pair in dialogue.pairs:
        exchange = Exchange(verdicts[pair.request], verdicts[pair.response])
        for check in OF_PAIRS.values():
            added.setdefault(pair.response, []).extend(check(exchange))
    for look in OF_DIALOGUES.values():
        for place, found in look(dialogue):
            added.setdefault(place, []).append(found)
    return [
        replace(one, findings=(*one.findings, *added[place])) if added.get(place) else one
        for place, one in enumerate(verdicts)
    ]


# --- an answer beside its request -------------------------------------------------------------------------------------


def _echo(exchange: Exchange) -> Iterator[Finding]:
    # 8.7.1: the answer carries the TransactionID of the request; that there is none, soap/transaction-present reports
    asked, answered = _sketch(exchange.request).transaction_id, _sketch(exchange.response).transaction_id
    if asked and answered and asked != answered:
        yield finding(
            "soap/transaction-echo", _place(exchange.response, "TransactionID"), detail=f"{answered} for {asked}"
        )


def _matches(exchange: Exchange) -> Iterator[Finding]:
    # 8.7: every request has its own answer; a Fault, or its detail alone, answers any
    asked, answered = _sketch(exchange.request).operation, _sketch(exchange.response).operation
    if asked is None or answered in (None, "Fault", *_ERRORS) or not asked.endswith("Req"):
        return
    if answered != asked.removesuffix("Req") + "Rsp":
        yield finding("sem/rsp-matches-req", _place(exchange.response, answered), detail=f"{answered} for {asked}")


def _version(exchange: Exchange) -> Iterator[Finding]:
    asked, answered = _sketch(exchange.request), _sketch(exchange.response)
    used = [namespaces.bundled(one.namespace) or one.namespace or "" for one in (asked, answered)]
    if all(used) and used[0] != used[1]:
        shown = [one.removeprefix(profiles.NAMESPACE_PREFIX) for one in used]
        where = _place(exchange.response, answered.operation)
        yield finding("sem/rsp-version", where, detail=f"namespace {shown[1]} for {shown[0]}")
    if asked.mm7_version and answered.mm7_version and asked.mm7_version != answered.mm7_version:
        where = _place(exchange.response, "MM7Version")
        yield finding("sem/rsp-version", where, detail=f"MM7Version {answered.mm7_version} for {asked.mm7_version}")


def _role(exchange: Exchange) -> Iterator[Finding]:
    # 8.7.6, by common reading: RSErrorRsp is what the MMSC answers, VASPErrorRsp what the VASP does
    wanted = _ROLES.get(_sketch(exchange.request).operation or "")
    given = next((name for name in _ERRORS if _element(exchange.response, name) is not None), None)
    if wanted is not None and given is not None and given != wanted:
        yield finding("soap/fault-detail-role", _place(exchange.response, given), detail=f"{given} for {wanted}")


# --- a request beside those before it ---------------------------------------------------------------------------------


def _repeated(dialogue: Dialogue) -> Iterator[tuple[int, Finding]]:
    # 8.7.1: the TransactionID tells requests of one sender apart. The same octets again are the same request again.
    seen: dict[tuple[object, ...], bytes] = {}
    for place, one in enumerate(dialogue.verdicts):
        sketch = _sketch(one)
        role = _ROLES.get(sketch.operation or "")
        if role is None or sketch.transaction_id is None:
            continue
        key = (one.captured.file, role, sketch.values.get("vaspid"), sketch.transaction_id)
        body = one.captured.wire.read()
        if seen.setdefault(key, body) != body:
            where = _place(one, "TransactionID")
            yield place, finding("soap/transaction-repeated", where, detail=sketch.transaction_id)


def _message_id(dialogue: Dialogue) -> Iterator[tuple[int, Finding]]:
    # 8.7.4, 8.7.5: a report names the MessageID of the SubmitRsp. Captures begin late: an id that resembles none of
    # those issued may be older than the capture, and is only mentioned.
    issued = _issued(dialogue)
    for place, one in _reports(dialogue, "DeliveryReportReq", "ReadReplyReq"):
        named = _sketch(one).values.get("message_id")
        before = {key for key, (at, _) in issued.items() if at < place}
        if not named or not before or named in before:
            continue
        near = next((key for key in sorted(before) if _plain(key) == _plain(named)), None)
        where = _place(one, "MessageID")
        if near is not None:
            yield place, finding("sem/report-message-id", where, detail=f"{named}; issued was {near}")
        else:
            detail = f"{named} was not issued within the capture"
            yield place, finding("sem/report-message-id", where, detail=detail, level="INFO")


def _recipient(dialogue: Dialogue) -> Iterator[tuple[int, Finding]]:
    # 8.7.4: Recipient is one of those of the submit that the report is about
    issued = _issued(dialogue)
    for place, one in _reports(dialogue, "DeliveryReportReq"):
        values = _sketch(one).values
        _, sent_to = issued.get(values.get("message_id") or "", (0, ()))
        reported = values.get("recipients", {}).get("to", [])
        if not sent_to or not reported:
            continue
        if not any(_same_address(address, other) for address in reported for other in sent_to):
            yield place, finding("sem/report-recipient", _place(one, "Recipient"), detail=", ".join(reported))


def _issued(dialogue: Dialogue) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Where each MessageID was issued, and the recipients of its submit."""
    found: dict[str, tuple[int, tuple[str, ...]]] = {}
    for pair in dialogue.pairs:
        asked, answered = _sketch(dialogue.verdicts[pair.request]), _sketch(dialogue.verdicts[pair.response])
        named = answered.values.get("message_id")
        if asked.operation == "SubmitReq" and answered.operation == "SubmitRsp" and named:
            lists = asked.values.get("recipients", {}).values()
            found.setdefault(named, (pair.response, tuple(one for addresses in lists for one in addresses)))
    return found


def _reports(dialogue: Dialogue, *operations: str) -> Iterator[tuple[int, Verdict]]:
    return ((place, one) for place, one in enumerate(dialogue.verdicts) if _sketch(one).operation in operations)


def _plain(message_id: str) -> str:
    """A MessageID without what gets lost on the way: case, blanks, brackets, leading zeros, the part behind an @."""
    return message_id.strip("<>\"' \t").partition("@")[0].lower().lstrip("0")


def _same_address(one: str, other: str) -> bool:
    """Whether two addresses may be the same: +49301234567/TYPE=PLMN is 0301234567 is 49 30 1234567."""
    if one.strip().lower() == other.strip().lower():
        return True
    digits, others = (
        re.sub(r"[^0-9]", "", text.partition("/")[0].partition("@")[0]).lstrip("0") for text in (one, other)
    )
    short, long = sorted((digits, others), key=len)
    return short == long != "" or (len(short) >= 7 and long.endswith(short))


# --- where ------------------------------------------------------------------------------------------------------------


def _sketch(verdict: Verdict) -> envelope.Sketch:
    return verdict.judgement.sketch


def _element(verdict: Verdict, name: str) -> etree._Element | None:
    tree = verdict.judgement.tree
    return None if tree is None else next((one for one in tree.iter() if schema.local(one) == name), None)


def _place(verdict: Verdict, name: str | None) -> str:
    """The path of the first element of that name, or of the Body."""
    found = _element(verdict, name) if name is not None else None
    return schema.path(found) if found is not None else "/Envelope/Body"


# --- the tables -------------------------------------------------------------------------------------------------------

OF_PAIRS: Mapping[str, Callable[[Exchange], Iterator[Finding]]] = MappingProxyType(
    {
        "soap/transaction-echo": _echo,
        "soap/fault-detail-role": _role,
        "sem/rsp-matches-req": _matches,
        "sem/rsp-version": _version,
    }
)
"""Rules for an answer beside its request; what they find is at the answer."""

OF_DIALOGUES: Mapping[str, Callable[[Dialogue], Iterator[tuple[int, Finding]]]] = MappingProxyType(
    {
        "soap/transaction-repeated": _repeated,
        "sem/report-message-id": _message_id,
        "sem/report-recipient": _recipient,
    }
)
"""Rules for a request beside those before it; each finding with the place of its message."""
