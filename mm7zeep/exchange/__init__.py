"""The two pipelines: ``pack`` makes a ``Wire`` of a message, ``unpack`` makes a ``Received`` of a ``Wire``; sans I/O.

``examine`` is ``unpack`` without zeep and without raising: the judgement of one message. The steps have names of their
own (``pack``: ``compose``, ``pointing_to``, ``check``, ``enclose``; ``unpack``: ``open_root``, ``judge_tree``,
``examine``, ``receive``, ``restore``) for those who stand between them: ``client`` and ``transport``, where zeep writes
and reads the envelope, and ``receiver``, which answers what it cannot accept.
"""

from __future__ import annotations

from mm7zeep.exchange.judge import is_blocking, judge_tree, open_root
from mm7zeep.exchange.limits import check_message, check_parts, check_size
from mm7zeep.exchange.pack import (
    Content,
    check,
    compose,
    emptiness,
    enclose,
    new_transaction_id,
    pack,
    pointing_to,
)
from mm7zeep.exchange.plans import plans_are_on, shared_for_writing
from mm7zeep.exchange.unpack import examine, examine_answer, examine_known, receive, restore, unpack
from mm7zeep.exchange.wire import Dialect, Headers, Judgement, Received, Wire

__all__ = [
    "Content",
    "Dialect",
    "Headers",
    "Judgement",
    "Received",
    "Wire",
    "check",
    "check_message",
    "check_parts",
    "check_size",
    "compose",
    "emptiness",
    "enclose",
    "examine",
    "examine_answer",
    "examine_known",
    "is_blocking",
    "judge_tree",
    "new_transaction_id",
    "open_root",
    "pack",
    "plans_are_on",
    "pointing_to",
    "receive",
    "restore",
    "shared_for_writing",
    "unpack",
]
