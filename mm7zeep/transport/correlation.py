"""Which request an answer belongs to: the TransactionID it names, and those that one client has sent.

TS 23.140 8.7.1 correlates by TransactionID; HTTP does by order on a connection, which a far side may break. Refuses
nothing: what an id means is for the transport to say.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from lxml import etree

from mm7zeep import schema

REMEMBERED = 10_000  # TransactionIDs, the newest; those of calls under way besides


def transaction_id(envelope: etree._Element) -> str | None:
    """The TransactionID in the Header of ``envelope``, without white space around it; None where there is none."""
    for child in envelope:
        if schema.local(child) == "Header":
            found = next((one for one in child.iter() if schema.local(one) == "TransactionID"), None)
            return "".join(found.itertext()).strip() or None if found is not None else None
    return None


class SentIds:
    """The TransactionIDs that one client has sent; safe to share between threads.

    Kept as hashes, so that long ones take no memory.
    """

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._under_way: Counter[int] = Counter()
        self._newest: OrderedDict[int, None] = OrderedDict()

    @contextmanager
    def under_way(self, transaction_id: str | None) -> Iterator[bool]:
        """Hold ``transaction_id`` while its request is under way; gives whether it was never sent before."""
        if transaction_id is None:
            yield False
            return
        key = hash(transaction_id.strip())
        with self._lock:
            fresh = key not in self._under_way and key not in self._newest
            self._under_way[key] += 1
        try:
            yield fresh
        finally:
            with self._lock:
                self._under_way[key] -= 1
                if not self._under_way[key]:
                    del self._under_way[key]
                self._newest[key] = None
                self._newest.move_to_end(key)
                if len(self._newest) > self._most:
                    self._newest.popitem(last=False)

    def knows(self, transaction_id: str) -> bool:
        """Whether a request of this client went out under ``transaction_id``."""
        key = hash(transaction_id.strip())
        with self._lock:
            return key in self._under_way or key in self._newest
