"""Both senders: ``VaspClient`` towards an MMSC, ``MmscClient`` towards a VASP, and their async twins.

A call ends in one of three ways: accepted (a value), refused (``StatusError``, ``AuthError``), or unknown
(``TransportError`` whose ``maybe_accepted`` is True). Sent again is only what was surely not accepted, under the same
TransactionID. ``outcomes`` is what comes back, ``content`` what goes in, ``sending`` composes a request, ``judging``
says what its answer amounts to, ``styles`` sends, blocking or async; ``vasp`` (with ``splitting``) and ``mmsc`` are the
two sides. ``fields`` are a request's fields as keywords, ``partial`` who was left out of a message. Refuses to guess.
"""

from __future__ import annotations

from mm7zeep.client.content import ContentLike, part_of, parts_of
from mm7zeep.client.mmsc import AsyncMmscClient, MmscClient
from mm7zeep.client.outcomes import Accepted, Each, Retry, Submitted
from mm7zeep.client.vasp import AsyncVaspClient, VaspClient

__all__ = [
    "Accepted", "AsyncMmscClient", "AsyncVaspClient", "ContentLike", "Each", "MmscClient", "Retry", "Submitted",
    "VaspClient", "part_of", "parts_of",
]  # fmt: skip
