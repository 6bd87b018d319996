"""What a common assertion is, and what all of them use: which exchanges it can be asked of, and how a fault is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lxml import etree

from mm7zeep import namespaces, profiles, schema
from mm7zeep.probe.reading import Said
from mm7zeep.probe.results import Level, Reason, Role
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.probe.wire import Answer

SOAP = f"{{{profiles.SOAP_NAMESPACE}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request, its answer and what it says; ``role`` is who answered, ``used`` are the TransactionIDs of all requests
    of the run, those that came later included.
    """

    role: Role
    stimulus: Stimulus
    answer: Answer
    said: Said
    used: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """One assertion; ``asks`` tells whether it can be asked of an exchange, ``check`` what is wrong there."""

    id: str
    level: Level
    clause: str
    requirement: str
    asks: Callable[[Exchange], bool]
    check: Callable[[Exchange], Iterator[Reason]]


# --- which exchanges --------------------------------------------------------------------------------------------------


def whole(exchange: Exchange) -> bool:
    """The answer has a status line."""
    return exchange.answer.status is not None


def is_mm7(exchange: Exchange) -> bool:
    """A complete answer that is MM7."""
    return exchange.answer.complete and exchange.said.is_mm7


def expects_xml(exchange: Exchange) -> bool:
    """An HTTP 200, or an answer that says it is XML: a plain HTTP refusal may have any body."""
    kind = (exchange.answer.field("content-type") or "").lower()
    is_xml = bool(re.match(r"(?:text|application)/(?:[\w.+-]+\+)?xml|multipart/related", kind))
    return exchange.answer.complete and (exchange.answer.status == 200 or (is_xml and bool(exchange.answer.body)))


def is_faulty(exchange: Exchange) -> bool:
    """It is a Fault."""
    return is_mm7(exchange) and exchange.said.fault is not None


def has_code(exchange: Exchange) -> bool:
    """It has a StatusCode."""
    return is_mm7(exchange) and bool(exchange.said.all("StatusCode"))


def echoes(exchange: Exchange) -> bool:
    """It is MM7, and the request had a TransactionID to give back."""
    return is_mm7(exchange) and exchange.stimulus.transaction_id is not None


def names_namespace(exchange: Exchange) -> bool:
    """It is MM7, and the request named its namespace."""
    return is_mm7(exchange) and exchange.stimulus.namespace is not None


# --- telling ----------------------------------------------------------------------------------------------------------


def _at(exchange: Exchange, octets: str | bytes) -> int | None:
    """Where these octets stand in the answer."""
    sought = octets.encode() if isinstance(octets, str) else octets
    found = exchange.answer.raw.find(sought)
    return found if found >= 0 else None


def broken(
    level: Level, text: str, exchange: Exchange, octets: str | bytes = b"", expected: str = "", actual: str = ""
) -> Reason:
    """What is wrong with the answer, placed at the first of ``octets`` in it, if they are there."""
    return Reason(
        level=level, text=text, expected=expected, actual=actual, offset=_at(exchange, octets) if octets else None
    )


def shown(element: etree._Element) -> str:
    """An element for people, with its namespace."""
    name = etree.QName(element)
    return f"{name.localname} in {name.namespace or 'no namespace'}"


def used(said: Said) -> str | None:
    """The MM7 namespace that an answer is in, as it writes it."""
    found = (schema.namespace_of(one) for one in said.elements)
    return next((one for one in found if one and namespaces.bundled(one)), None)
