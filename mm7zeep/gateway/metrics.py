"""What a gateway counts, for Prometheus: answers, calls, copies, and what waits.

Counts belong to one registry of one gateway. Where several processes are one gateway, prometheus_client adds their
counts up, from files in the folder that PROMETHEUS_MULTIPROC_DIR names; what waits is asked of the database. Names
applications and operations, never numbers or subjects.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.store import clock, messages, opt_outs
from mm7zeep.gateway.store.database import Database, StoreError

OverRates = Callable[[Connection], dict[str, int]]
"""How many calls wait for each rate, by its name, as a transaction sees it."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """The counts of one process; ``shared`` says that the page is to show those of all. Thread-safe."""

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared
        self._own = CollectorRegistry()
        self._answers = Counter("mm7_answers", "Requests answered", ("operation", "status", "http"), registry=self._own)
        self._seconds = Histogram(
            "mm7_answer_seconds", "Time from head to answer", ("operation",), buckets=_SECONDS, registry=self._own
        )
        self._calls = Counter(
            "mm7_calls", "Calls made to applications and upstreams", ("kind", "owner", "outcome"), registry=self._own
        )
        self._copies = Counter("mm7_copies", "Copies that reached a state", ("state",), registry=self._own)
        self._repeated = Counter(
            "mm7_repeated_requests",
            "Requests under a TransactionID that was used before",
            ("owner", "outcome"),
            registry=self._own,
        )
        self._restarts = Counter(
            "mm7_thread_restarts", "Threads that ended and were started again", ("thread",), registry=self._own
        )
        self._announcements = Counter(
            "mm7_announcements", "Times that other processes were heard to announce work", registry=self._own
        )
        self._subscriptions = Counter(
            "mm7_subscriptions", "Subscriptions to announcements made and lost", ("outcome",), registry=self._own
        )

    def repeated(self, owner: str, outcome: str) -> None:
        """A request whose TransactionID was used before: ``answered`` as before, or of an id that is ``reused``."""
        self._repeated.labels(owner, outcome).inc()

    def answered(self, operation: str | None, code: int | None, http: int, seconds: float, user: str | None) -> None:
        """One request was answered."""
        self._answers.labels(operation or "none", str(code or "none"), str(http)).inc()
        self._seconds.labels(operation or "none").observe(seconds)

    def refused(self, http: int) -> None:
        """One request was refused before it reached the endpoint."""
        self._answers.labels("none", "none", str(http)).inc()

    def restarted(self, thread: str) -> None:
        """One thread has ended, and is started again."""
        self._restarts.labels(thread).inc()

    def announced(self) -> None:
        """Another process was heard to announce work."""
        self._announcements.inc()

    def subscribed(self, outcome: str) -> None:
        """The subscription to announcements was ``made``, or ``lost``."""
        self._subscriptions.labels(outcome).inc()

    def happened(self, event: Event) -> None:
        """One event of the dispatcher."""
        if event.kind == "handset":
            self._copies.labels(event.state).inc()
            return
        failures = {"Refused": "dead", "Postponed": "retry", "Paused": "pause"}
        outcome = failures.get(event.state, "retry") if event.error is not None else "done"
        self._calls.labels(event.kind, event.application, outcome).inc()

    def exposition(self, database: Database, over: OverRates = lambda connection: {}) -> tuple[bytes, str]:
        """The page, and its media type; ``over`` counts the calls that wait for a rate."""
        registry = CollectorRegistry()
        if self._shared:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        else:
            registry = self._own
        return generate_latest(registry) + generate_latest(_waiting(database, over)), CONTENT_TYPE_LATEST


class _Waiting(Collector):
    """What the database holds, asked when the page is made."""

    def __init__(self, counts: dict[str, dict[str, int]] | None, held: bool) -> None:
        self._counts = counts
        self._held = held

    def collect(self) -> list[GaugeMetricFamily]:
        up = GaugeMetricFamily("mm7_database_up", "Whether the database answers", value=self._counts is not None)
        held = GaugeMetricFamily(
            "mm7_clock_held", "Whether a jump of the clock waits to be confirmed", value=self._held
        )
        families = [up, held]
        names = {
            "messages": ("direction", "Messages kept"),
            "recipients": ("state", "Copies kept, by state"),
            "calls": ("state", "Calls in the outbox, by state"),
            "opt_outs": ("application", "Subscribers who have opted out, by application"),
            "calls_waiting_for_rate": ("rate", "Calls that are due and wait for a rate, by its name"),
        }
        for name, (label, words) in names.items():
            family = GaugeMetricFamily(f"mm7_kept_{name}", words, labels=[label])
            for value, count in (self._counts or {}).get(name, {}).items():
                family.add_metric([value], count)
            families.append(family)
        return families


def _waiting(database: Database, over: OverRates) -> CollectorRegistry:
    try:
        with database.read() as connection:
            counts, held = messages.counts(connection), clock.shared(connection).held
            counts["opt_outs"] = opt_outs.counts(connection)
            counts["calls_waiting_for_rate"] = over(connection)
    except StoreError:
        counts, held = None, False
    registry = CollectorRegistry()
    registry.register(_Waiting(counts, held))
    return registry
