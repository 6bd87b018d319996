"""A request of the API, once it was judged, and what the functions that answer it work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mm7zeep.gateway.api.media_urls import MediaUrls
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.mm7.admission import AdmissionControl
from mm7zeep.gateway.mm7.recall import Recall
from mm7zeep.gateway.mm7.turns import Shares
from mm7zeep.gateway.rest.fields import Input
from mm7zeep.gateway.store.clock import GuardedClock
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.group_commit import GroupCommit
from mm7zeep.gateway.store.idempotency import Done, Request
from mm7zeep.receiver import Client
from mm7zeep.tracing import Tracing

Parameters = TypeVar("Parameters", bound=Input)
Body = TypeVar("Body", bound=Input)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The gateway, as far as the API asks it. ``wake`` is called when something was planned, ``repeated`` with each
    request that has an idempotency key, and what became of it.
    """

    settings: Settings
    database: Database
    clock: GuardedClock
    group: GroupCommit
    recall: Recall
    admission: AdmissionControl
    shares: Shares
    media: MediaUrls
    wake: Callable[[], object]
    repeated: Callable[[Request, Done], object]
    tracing: Tracing


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest(Generic[Parameters, Body]):
    """A request that was judged: whose it is, what its path and query say, and its body.

    ``files`` are the octets of those parts of the body that came as files, by their place; ``key`` is the header field
    Idempotency-Key, ``client`` the connection. On a public route there is no application.
    """

    services: Services
    application: Application
    parameters: Parameters
    body: Body
    files: dict[int, bytes] = field(default_factory=dict)
    key: str | None = None
    client: Client | None = None
