"""The two pipelines: ``pack`` makes a ``Wire`` of a message, ``unpack`` makes a ``Received`` of a ``Wire``; sans I/O.

Nothing else composes the steps. ``examine`` is ``unpack`` without zeep and without raising: the judgement of one
message.
"""

from __future__ import annotations

from mm7zeep.exchange.content import Content, compose, emptiness, enclose
from mm7zeep.exchange.judging import judge_tree
from mm7zeep.exchange.opening import open_root
from mm7zeep.exchange.packing import check, new_transaction_id, pack, pointing_to
from mm7zeep.exchange.receiving import receive, restore
from mm7zeep.exchange.unpacking import examine, unpack
from mm7zeep.exchange.wire import Dialect, Headers, Judgement, Received, Wire

__all__ = [
    "Content",
    "Dialect",
    "Headers",
    "Judgement",
    "Received",
    "Wire",
    "check",
    "compose",
    "emptiness",
    "enclose",
    "examine",
    "judge_tree",
    "new_transaction_id",
    "open_root",
    "pack",
    "pointing_to",
    "receive",
    "restore",
    "unpack",
]
