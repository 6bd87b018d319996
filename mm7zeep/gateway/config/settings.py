"""Every setting of a gateway, with its unit and its default: values that are passed in, once.

A dataclass is a table of the configuration file, which ``load`` has pydantic read by the types here; what Python
constructs is not checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mm7zeep import mime
from mm7zeep.gateway.config import field_types
from mm7zeep.gateway.config.field_types import (
    AtLeastOne,
    Count,
    Lasting,
    Place,
    Seconds,
    Secret,
    Switch,
    Table,
    Text,
    table_of,
)
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Application, Route, Upstream
from mm7zeep.gateway.config.rates import Rate, Rates
from mm7zeep.receiver import HttpLimits

__all__ = ["Capacity", "Delivery", "File", "Gateway", "Place", "Retention", "Settings", "Tables"]

MIB = 1024 * 1024
MM7_PLACE, ADMIN_PLACE, API_PLACE = (Place("127.0.0.1", port) for port in (8007, 8008, 8010))


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity(Table):
    """Beyond these a submit is answered 503 with Retry-After instead of being taken and lost.

    ``disk`` octets that must be free where the database stands, or one and a half times the body limit if that is more
    (SQLite); ``outbox`` calls that may wait; ``uploads`` octets of bodies that may be in memory at a time, of this
    process, and as many of what it fetches; ``retry_after`` seconds are said.
    """

    disk: Count = 256 * MIB
    outbox: AtLeastOne = 200_000
    uploads: AtLeastOne = 128 * MIB
    retry_after: field_types.WholeSeconds = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Table):
    """How calls to applications and upstreams are made: the retry table of the outbox.

    ``waits`` are seconds before each further attempt, each changed by up to ``spread`` of itself; a Retry-After is
    obeyed up to ``longest_wait`` seconds. An attempt may take ``timeout`` seconds. A claim lasts ``lease`` seconds and
    is renewed at half time. Per endpoint ``narrow`` calls at a time, rising to ``wide`` while it answers. A call is
    given up ``expiry`` seconds after it was planned, where its message does not say earlier; that which fetches what a
    message names by URL, ``fetch_expiry`` seconds after.
    """

    waits: tuple[Seconds, ...] = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 86400)
    spread: field_types.Fraction = 0.2
    longest_wait: Lasting = 6 * 3600
    timeout: Lasting = 30.0
    lease: Lasting = 60.0
    narrow: AtLeastOne = 5
    wide: AtLeastOne = 20
    expiry: Lasting = 7 * 86400
    fetch_expiry: Lasting = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention(Table):
    """How long finished messages stay: ``days``, and at most ``messages`` of them; None keeps them.

    What still waits for its recipient, or has a call that is not done or dead, is never removed. ``duplicates`` hours
    are requests remembered, so that the same request again gets the same answer.
    """

    days: field_types.Limit = 30.0
    messages: field_types.WholeLimit = 100_000
    duplicates: field_types.Hours = 24.0


@dataclass(frozen=True, kw_only=True)
class Gateway(Table):
    """``[gateway]``. ``api`` is where the JSON API stands (None: nowhere).

    ``api_url`` is what its URLs begin with for others (None: its place), ``media_urls`` how many seconds those of media
    in events are good for.

    ``database`` is an SQLAlchemy URL (sqlite or postgresql+psycopg).

    ``allow_internal`` lets calls go to loopback and private addresses. ``trusted_proxies`` are addresses and ranges
    whose X-Forwarded-For is believed. ``cert`` and ``key`` are PEM files; both or none. ``poll`` is how many seconds a
    process may take to see what another one has planned; while PostgreSQL announces that, it looks every 5 s, or every
    ``poll`` if that is longer. ``drain`` seconds may work in flight take after SIGTERM.
    ``connections`` are of each process, counted from when they are accepted, ``connections_per_address`` of them of one
    address that is no trusted proxy's; ``handshake`` seconds may that of TLS take. ``tracing`` says whether
    OpenTelemetry is told of spans, where it is installed.
    """

    mm7: field_types.Listening = MM7_PLACE
    admin: field_types.Listening = ADMIN_PLACE
    api: field_types.Listening | None = None
    api_url: field_types.BaseUrl | None = None
    media_urls: Lasting = 86400.0
    database: Text = field(default="sqlite:///mm7zeep.db", repr=False)
    allow_internal: Switch = False
    trusted_proxies: tuple[field_types.Network, ...] = ()
    cert: field_types.FileName | None = None
    key: field_types.FileName | None = None
    admin_username: Text | None = None
    admin_password: Secret | None = field(default=None, repr=False)
    admin_hosts: tuple[field_types.HostName, ...] = ()
    workers: Annotated[AtLeastOne, Field(le=64)] = 1
    relay_id: Annotated[Text | None, AfterValidator(lambda written: written or None)] = "mm7zeep"
    policy: Literal["strict", "interop"] = "interop"  # lenient is never used for submits
    connections: AtLeastOne = 500
    connections_per_address: AtLeastOne = 64
    handshake: Lasting = 10.0
    poll: Lasting = 0.5
    drain: Seconds = 30.0
    log: Literal["text", "json"] = "text"
    show_numbers: Switch = False
    tracing: Switch = True


@dataclass(frozen=True, kw_only=True)
class Tables(Table):
    """The tables beside ``[gateway]``, by the aliases that the file has for those which may repeat."""

    limits: Annotated[mime.Limits, table_of(AtLeastOne, depth=Annotated[AtLeastOne, Field(le=100)], spool=Count)] = (
        field(default_factory=mime.Limits)
    )
    http: Annotated[HttpLimits, table_of(AtLeastOne, idle=Lasting, upload=Lasting, rate=Count)] = field(
        default_factory=HttpLimits
    )
    capacity: Capacity = field(default_factory=Capacity)
    delivery: Delivery = field(default_factory=Delivery)
    retention: Retention = field(default_factory=Retention)
    applications: Annotated[tuple[Application, ...], Field(alias="application")] = ()
    handsets: Annotated[tuple[Handset, ...], Field(alias="handset")] = ()
    routes: Annotated[tuple[Route, ...], Field(alias="route")] = ()
    upstreams: Annotated[tuple[Upstream, ...], Field(alias="upstream")] = ()
    rates: Annotated[tuple[Rate, ...], Field(alias="rate")] = ()


@dataclass(frozen=True, kw_only=True)
class Settings(Gateway, Tables):
    """A gateway, whole: what stands in ``[gateway]``, and the other tables."""

    def window_of(self, application: Application | None) -> float:
        """Seconds in which a request that comes again is a repetition: the application's own, or that of all."""
        hours = application.duplicates if application is not None else None
        return 3600 * (self.retention.duplicates if hours is None else hours)

    def application(self, name: str | None) -> Application | None:
        """The application of that name, if it is still configured."""
        return next((one for one in self.applications if one.name == name), None)

    def upstream(self, name: str | None) -> Upstream | None:
        """The upstream of that name, if it is still configured."""
        return next((one for one in self.upstreams if one.name == name), None)

    @cached_property
    def rate_limits(self) -> Rates:
        """The rates, to be looked up in."""
        return Rates(self.rates)

    @property
    def api_base(self) -> str:
        """What URLs of the JSON API begin with, without a slash at the end; empty where there is none."""
        if self.api_url is not None:
            return self.api_url
        return f"{'https' if self.cert is not None else 'http'}://{self.api}" if self.api is not None else ""

    @property
    def longest_window(self) -> float:
        """Seconds after which no request is a repetition any more."""
        return max(self.window_of(one) for one in (None, *self.applications))

    @property
    def waiting_guesses(self) -> int:
        """Wrong or unknown passwords of one address that may wait: some of its connections are left for the others."""
        return max(1, self.connections_per_address * 3 // 4)


@dataclass(frozen=True, kw_only=True)
class _First(Table):
    gateway: Gateway = field(default_factory=Gateway)


@dataclass(frozen=True, kw_only=True)
class File(Tables, _First):  # fields of the last base come first
    """The configuration file: its tables."""

    def settings(self) -> Settings:
        """What it amounts to."""
        tables = {one.name: getattr(self, one.name) for one in fields(Tables)}
        return Settings(**tables, **{one.name: getattr(self.gateway, one.name) for one in fields(Gateway)})
