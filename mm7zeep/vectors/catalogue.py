"""All vectors: their ids, what each is, and their octets. What is to be made of each, ``statements`` says.

Every id is stable: it is made of the rule or the namespace and of words, never of a place in a list.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

from mm7zeep.findings import KINDS
from mm7zeep.vectors import contents, forms, operations, releases
from mm7zeep.vectors.building import ONE, SHOW, SUBMIT, SUBMITTED, Case
from mm7zeep.vectors.cases import CASES
from mm7zeep.vectors.cases.envelope import FAULT

Side = Literal["vasp", "mmsc"]

AREAS: Mapping[str, str] = MappingProxyType(
    {
        "base": "right messages that many others are variations of",
        "http": "the HTTP head: what breaks a rule, and its twin that keeps it",
        "mime": "the MIME package, likewise",
        "xml": "the XML of the envelope, likewise",
        "soap": "the SOAP frame, likewise",
        "ns": "MM7 namespaces, likewise",
        "version": "MM7Version, likewise",
        "schema": "elements, values and their order, likewise",
        "sem": "what a message means, likewise; messages that belong together",
        "full": "each operation of each namespace with all that it has there",
        "least": "each operation with no more than it needs",
        "release": "what one namespace has, in a neighbour that has it not",
        "form": "one message in the many forms that the texts allow",
    }
)
"""The areas, each one file, with what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One vector: ``octets`` are the HTTP message that is judged, ``before`` those that came before it.

    ``rule`` is the kind of finding it is about and ``breaks`` whether it breaks it; ``twin`` is the id of a message on
    the other side of that rule, most of them alike in all else. ``now`` is when it arrives; None where no rule may ask.
    ``raises`` are the ids of findings that its author states, None where only what it does not raise was stated.
    """

    id: str
    description: str
    octets: bytes
    before: tuple[bytes, ...] = ()
    rule: str | None = None
    breaks: bool = False
    twin: str | None = None
    now: datetime | None = None
    raises: tuple[str, ...] | None = None

    @property
    def area(self) -> str:
        """The first step of the id."""
        return self.id.partition("/")[0]

    @property
    def is_request(self) -> bool:
        """Whether it is a request, or was meant as one."""
        return not self.octets.startswith(b"HTTP/")

    @property
    def sender(self) -> Side:
        """Who sends it: of an answer, whoever was asked; else by the operation that it names; else as a VASP asks."""
        if self.before and not self.is_request:
            return _other(_asker(self.before[-1]))
        return _asker(self.octets) if self.is_request else _answerer(self.octets)

    @property
    def receiver(self) -> Side:
        """Who gets it."""
        return _other(self.sender)

    @property
    def body_offset(self) -> int | None:
        """Octets before the body (or its first chunk); None where no empty line ends the head."""
        found = re.search(rb"\r?\n\r?\n", self.octets)
        return found.end() if found else None


def _other(side: Side) -> Side:
    return "mmsc" if side == "vasp" else "vasp"


_OF_MMSC = re.compile(rb"(?:Deliver|DeliveryReport|ReadReply)Req\b|(?:Submit|Cancel|Replace)Rsp\b")
_BY_VASP = re.compile(rb"(?:Deliver|DeliveryReport|ReadReply)Rsp\b|VASPErrorRsp\b")


def _asker(octets: bytes) -> Side:
    return "mmsc" if _OF_MMSC.search(octets.replace(b"\0", b"")) else "vasp"


def _answerer(octets: bytes) -> Side:
    return "vasp" if _BY_VASP.search(octets) else "mmsc"


def vectors() -> tuple[Vector, ...]:
    """Every vector, in the order of the areas. Takes some tenths of a second."""
    found: dict[tuple[object, ...], Vector] = {}
    for one in (*_of_cases(), *_of_namespaces()):
        found.setdefault((one.octets, one.before, one.now), one)  # no message twice
    order = list(AREAS)
    return tuple(sorted(found.values(), key=lambda one: order.index(one.area)))


# --- the cases of the rules: each with its twin -----------------------------------------------------------------------

_BASE = (
    ("base/submit", "A SubmitReq to one recipient, without content.", SUBMIT),
    ("base/submit-answered", "The SubmitReq again, after it was answered: a resend.", SUBMIT + SUBMITTED + SUBMIT),
    ("base/submit-and-answer", "A SubmitRsp beside its SubmitReq.", SUBMIT + SUBMITTED),
    ("base/submitted", "A SubmitRsp: accepted, with a MessageID.", SUBMITTED),
    ("base/submit-text", "A SubmitReq with a text as content.", ONE),
    ("base/submit-slides", "A SubmitReq with a presentation, a text and a picture.", SHOW),
    ("base/fault", "A Fault with an RSErrorRsp in its detail.", FAULT),
)


def _of_cases() -> Iterator[Vector]:
    named: dict[tuple[bytes, datetime | None], str] = {}
    taken: set[str] = set()
    for id, description, data in _BASE:
        named[data, None] = id
        yield replace(_vector(id, description, data, None), raises=())
    usable = [_zoned(one) for one in CASES if one.seen_by == "capture" and one.policy == "interop"]
    for case in usable:
        if (case.bad, case.now) in named:
            continue  # the same octets under the same rule; its other twin is enough
        id = _free(f"{case.id}/{_slug(case.shown)}", taken)
        named[case.bad, case.now] = id
        twin = named.get((case.good, case.now))
        if twin is None:
            twin = f"{id}/kept"
            named[case.good, case.now] = twin
            yield _kept(case, twin, id)
        yield replace(
            _vector(id, _broken(case), case.bad, case.now),
            rule=case.id,
            breaks=True,
            twin=twin,
            raises=tuple(case.expected),
        )
    for case in usable:  # further twins of messages that are there already
        if (case.good, case.now) not in named:
            other = named[case.bad, case.now]
            id = _free(f"{other}/kept", taken | set(named.values()))
            named[case.good, case.now] = id
            yield _kept(case, id, other)


def _zoned(case: Case) -> Case:
    """The case at a moment with its zone; one without is of UTC."""
    return case if case.now is None or case.now.tzinfo is not None else replace(case, now=case.now.replace(tzinfo=UTC))


def _broken(case: Case) -> str:
    kind = KINDS[case.id]
    shown = " ".join(case.shown.split())
    return f"Breaks {case.id} ({kind.summary}): {shown}"


def _kept(case: Case, id: str, other: str) -> Vector:
    kind = KINDS[case.id]
    made = _vector(id, f"Keeps {case.id} ({kind.summary}); {other} is the twin that breaks it", case.good, case.now)
    return replace(made, rule=case.id, twin=other)


_START = re.compile(rb"(?:POST /mm7 HTTP/1\.1|HTTP/1\.1 [0-9]{3} [A-Za-z]+)\r\n")
_SEVERAL = ("base/submit-answered", "base/submit-and-answer", "soap/transaction-echo", "soap/transaction-repeated",
            "soap/fault-detail-role", "sem/rsp-", "sem/report-")  # fmt: skip


def _vector(id: str, description: str, data: bytes, now: datetime | None) -> Vector:
    starts = [one.start() for one in _START.finditer(data)] if id.startswith(_SEVERAL) else [0]
    ends = [*starts[1:], len(data)]
    messages = [data[start:end] for start, end in zip(starts, ends, strict=True)]
    return Vector(id=id, description=description, octets=messages[-1], before=tuple(messages[:-1]), now=now)


def _slug(shown: str) -> str:
    """Words of an id: lower case, letters and digits of ASCII, no more than 60 characters."""
    plain = unicodedata.normalize("NFKD", shown).encode("ascii", "ignore").decode().lower()
    words = re.sub("[^a-z0-9]+", "-", plain).strip("-")
    return words[:60].rpartition("-")[0] if len(words) > 60 else words or "x"


def _free(id: str, taken: set[str]) -> str:
    """``id``, or with the first number from 2 on that makes it one of its own."""
    found, count = id, 2
    while found in taken:
        found, count = f"{id}-{count}", count + 1
    taken.add(found)
    return found


# --- operations, releases, forms --------------------------------------------------------------------------------------

_UNSEEN = "ns/rel-5-1-5"


def _of_namespaces() -> Iterator[Vector]:
    yield from _made("full", operations.full())
    yield from _made("least", operations.least())
    yield from _made("form", (*forms.forms(), *contents.contents()))
    for one in releases.misplaced():
        made = Vector(id=f"release/{one.name}", description=one.said, octets=one.octets)
        yield replace(made, rule=one.found.split()[0], breaks=True, raises=tuple(sorted(one.found.split())))


def _made(area: str, made: Iterable[operations.Made]) -> Iterator[Vector]:
    for one in made:
        unseen = (_UNSEEN,) if one.name.startswith("rel-5-mm7-1-5/") else ()
        yield Vector(
            id=f"{area}/{one.name}", description=_sentence(one.said), octets=one.octets, raises=(*unseen, *one.raises)
        )


def _sentence(said: str) -> str:
    return said[0].upper() + said[1:]
