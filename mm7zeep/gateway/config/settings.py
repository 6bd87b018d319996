"""Every setting of a gateway, with its unit and its default: values that are passed in, once.

Refuses nothing: ``config`` checks what people write.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from mm7zeep import mime
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Application, Route, Upstream
from mm7zeep.profiles import Policy
from mm7zeep.receiver import HttpLimits

MIB = 1024 * 1024


class Place(NamedTuple):
    """Where a listener stands; port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


MM7_PLACE, ADMIN_PLACE = Place("127.0.0.1", 8007), Place("127.0.0.1", 8008)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Beyond these a submit is answered 503 with Retry-After instead of being taken and lost.

    ``disk`` octets that must be free where the database stands, or one and a half times the body limit if that is more
    (SQLite); ``outbox`` calls that may wait; ``uploads`` octets of bodies that may be in memory at a time, of this
    process; ``retry_after`` seconds are said.
    """

    disk: int = 256 * MIB
    outbox: int = 200_000
    uploads: int = 128 * MIB
    retry_after: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How calls to applications and upstreams are made: the retry table of the outbox.

    ``waits`` are seconds before each further attempt, each changed by up to ``spread`` of itself; a Retry-After is
    obeyed up to ``longest_wait`` seconds. An attempt may take ``timeout`` seconds. A claim lasts ``lease`` seconds and
    is renewed at half time. Per endpoint ``narrow`` calls at a time, rising to ``wide`` while it answers. A call is
    given up ``expiry`` seconds after it was planned, where its message does not say earlier.
    """

    waits: tuple[float, ...] = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 86400)
    spread: float = 0.2
    longest_wait: float = 6 * 3600
    timeout: float = 30.0
    lease: float = 60.0
    narrow: int = 5
    wide: int = 20
    expiry: float = 7 * 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long finished messages stay: ``days``, and at most ``messages`` of them; None keeps them.

    What still waits for its recipient, or has a call that is not done or dead, is never removed. ``duplicates`` hours
    are requests remembered, so that the same request again gets the same answer.
    """

    days: float | None = 30.0
    messages: int | None = 100_000
    duplicates: float = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A gateway, whole. ``database`` is an SQLAlchemy URL (sqlite or postgresql+psycopg).

    ``allow_internal`` lets calls go to loopback and private addresses. ``trusted_proxies`` are addresses and ranges
    whose X-Forwarded-For is believed. ``cert`` and ``key`` are PEM files; both or none. ``poll`` is how many seconds a
    process may take to see what another one has planned. ``drain`` seconds may work in flight take after SIGTERM.
    ``connections`` are of each process, counted from when they are accepted, ``connections_per_address`` of them of one
    address that is no trusted proxy's; ``handshake`` seconds may that of TLS take.
    """

    mm7: Place = MM7_PLACE
    admin: Place = ADMIN_PLACE
    database: str = field(default="sqlite:///mm7zeep.db", repr=False)
    applications: tuple[Application, ...] = ()
    handsets: tuple[Handset, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    routes: tuple[Route, ...] = ()
    allow_internal: bool = False
    trusted_proxies: tuple[str, ...] = ()
    cert: str | None = None
    key: str | None = None
    admin_username: str | None = None
    admin_password: str | None = field(default=None, repr=False)
    admin_hosts: tuple[str, ...] = ()
    workers: int = 1
    relay_id: str | None = "mm7zeep"
    policy: Policy = "interop"
    limits: mime.Limits = field(default_factory=mime.Limits)
    http: HttpLimits = field(default_factory=HttpLimits)
    connections: int = 500
    connections_per_address: int = 64
    handshake: float = 10.0
    capacity: Capacity = field(default_factory=Capacity)
    delivery: Delivery = field(default_factory=Delivery)
    retention: Retention = field(default_factory=Retention)
    poll: float = 0.5
    drain: float = 30.0
    log: Literal["text", "json"] = "text"
    show_numbers: bool = False

    def window_of(self, application: Application | None) -> float:
        """Seconds in which a request that comes again is a repetition: the application's own, or that of all."""
        hours = application.duplicates if application is not None else None
        return 3600 * (self.retention.duplicates if hours is None else hours)

    @property
    def longest_window(self) -> float:
        """Seconds after which no request is a repetition any more."""
        return max(self.window_of(one) for one in (None, *self.applications))

    @property
    def waiting_guesses(self) -> int:
        """Wrong or unknown passwords of one address that may wait: some of its connections are left for the others."""
        return max(1, self.connections_per_address * 3 // 4)
