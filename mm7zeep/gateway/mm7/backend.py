"""What every listener keeps messages with: the store, its clock, and who hears of what was kept. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery.handsets import Handsets
from mm7zeep.gateway.store.clock import GuardedClock
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.group_commit import GroupCommit
from mm7zeep.gateway.store.idempotency import Done, Request
from mm7zeep.tracing import Tracing


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The gateway, as far as requests that come in need it.

    ``wake`` is called when something was planned, ``repeated`` with each request that may come again (one with a
    TransactionID or an idempotency key) and what became of it.
    """

    settings: Settings
    handsets: Handsets
    database: Database
    clock: GuardedClock
    group: GroupCommit
    wake: Callable[[], object]
    repeated: Callable[[Request, Done], object]
    tracing: Tracing = field(default_factory=Tracing)
