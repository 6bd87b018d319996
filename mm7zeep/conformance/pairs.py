"""Which captured messages belong together: a request and the answer to it.

Looks at where messages stand, never at what they say, so that what they say can be judged. Messages of different files
are never paired: names of files prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mm7zeep.conformance.capture import Captured
from mm7zeep.conformance.traffic import Carried


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
