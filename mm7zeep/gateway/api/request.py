"""A request of the API, once it was judged, and what the functions that answer it work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mm7zeep.gateway.api.media_urls import MediaUrls
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.mm7.admission import AdmissionControl
from mm7zeep.gateway.mm7.backend import Backend
from mm7zeep.gateway.mm7.recall import Recall
from mm7zeep.gateway.mm7.turns import Shares
from mm7zeep.gateway.rest.fields import Input
from mm7zeep.receiver import Client

Parameters = TypeVar("Parameters", bound=Input)
Body = TypeVar("Body", bound=Input)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(Backend):
    """The gateway, as far as the API needs it."""

    recall: Recall
    admission: AdmissionControl
    shares: Shares
    media: MediaUrls


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
