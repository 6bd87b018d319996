"""The outbox: calls planned, claimed under a lease, completed behind a fence, tried again, given up, replayed.

One table. A claim counts the row's ``epoch`` up; whoever completes must name the epoch it claimed, so that a worker
which slept through its lease changes nothing. On PostgreSQL rows are claimed with FOR UPDATE SKIP LOCKED, on SQLite the
whole transaction is IMMEDIATE. Submits from a number that a rate names wait in a queue of their own, so that a number
without room delays no other. Makes no call itself. Refuses nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from mm7zeep.gateway.config.destination import upstream_name
from mm7zeep.gateway.config.rates import Rates
from mm7zeep.gateway.store import announcement, buckets, endpoints, upstream_rate
from mm7zeep.gateway.store.rows import DEAD, DONE, LEASED, READY, CallRow, values_of
from mm7zeep.gateway.store.tables import ENDPOINT, MESSAGE, OUTBOX, TRIED

_C = OUTBOX.c
_PLAN = sa.insert(OUTBOX)
_FREE = Rates()
_AT_ONCE = 5000  # calls that are moved out of the way at a time, into another queue or to a later moment
_HOLD = 1.0  # seconds until it is looked again whether a held call may go; the end of the other lets it go before
_REPORT = OUTBOX.alias("report")
_BEFORE = (  # the delivery report that a read reply waits for, the event before another of the same recipient
    _REPORT.c.message_id == _C.message_id,
    _REPORT.c.n == _C.n,
    _REPORT.c.kind == sa.case((_C.kind == "read", "report"), else_=_C.kind),
    sa.or_(_C.kind == "read", _REPORT.c.endpoint == _C.endpoint),
    _REPORT.c.state.in_((READY, LEASED)),
    _REPORT.c.id < _C.id,
)
_HELD = sa.and_(_C.kind.in_(("read", "webhook")), sa.exists().where(*_BEFORE))
_BEFORE_IS_DUE = (  # what is under way ends at any moment
    sa.select(sa.func.max(sa.case((_REPORT.c.state == READY, _REPORT.c.due), else_=0.0)))
    .where(*_BEFORE)
    .scalar_subquery()
)
_EARLIER = OUTBOX.alias("earlier")
BRINGS = sa.or_(
    _C.kind == "deliver",
    sa.and_(
        _C.kind == "webhook",
        sa.exists().where(MESSAGE.c.id == _C.message_id, MESSAGE.c.direction == "mo"),
        ~sa.exists().where(
            _EARLIER.c.message_id == _C.message_id, _EARLIER.c.kind.in_(("deliver", "webhook")), _EARLIER.c.id < _C.id
        ),
    ),
)
"""The call whose end is that of an MO: the first that was planned; by MM7, where its application has a callback."""
_AGAIN = sa.case((sa.or_(_C.queue == "", _C.queue.endswith(buckets.AGAIN)), _C.queue), else_=_C.queue + buckets.AGAIN)
KEPT = 20_000
"""Octets of an answer that a failed call keeps."""


class Queue(NamedTuple):
    """Calls to an ``endpoint`` that go in order: those of the number ``name``, or all others (the empty text); ``due``
    is when the first of them may go. Those that are made ``AGAIN`` are a queue before that of their number, so that a
    failure does not put a call behind all that wait.
    """

    endpoint: str
    name: str
    due: float


def plan(connection: Connection, calls: Sequence[CallRow]) -> None:
    """Plan calls."""
    rows = [values_of(one, serial="id") for one in calls]
    if rows:
        connection.execute(_PLAN, rows)
        announcement.note(connection)


def _first_of_each(*, paused_too: bool = False) -> sa.Select[Any]:
    """The queues with calls that wait, and when the first of each is due; those of paused endpoints left out."""
    order = (_C.endpoint, _C.queue, _C.due, _C.id)
    head = sa.select(_C.id).where(_C.state == READY).order_by(*order).limit(1)
    own = (_C.id, _C.endpoint, _C.queue, _C.due)
    walk = sa.select(*own).where(_C.id == head.scalar_subquery()).cte("walk", recursive=True)
    # from one queue to the next, or to the next endpoint, by the index: the number of calls that wait does not matter
    first = OUTBOX.alias("first")
    waits = sa.select(first.c.id).where(first.c.state == READY).limit(1)
    by_queue = (first.c.queue, first.c.due, first.c.id)
    beside = waits.where(first.c.endpoint == walk.c.endpoint, first.c.queue > walk.c.queue).order_by(*by_queue)
    beyond = waits.where(first.c.endpoint > walk.c.endpoint).order_by(first.c.endpoint, *by_queue)
    following = sa.func.coalesce(beside.scalar_subquery(), beyond.scalar_subquery())
    walk = walk.union_all(sa.select(*own).select_from(walk.join(OUTBOX, _C.id == following)))
    paused = sa.exists().where(ENDPOINT.c.name == walk.c.endpoint, ENDPOINT.c.paused)
    found = sa.select(walk.c.endpoint, walk.c.queue, walk.c.due).order_by(walk.c.due, walk.c.id)
    return found if paused_too else found.where(~paused)


_WAITING = _first_of_each()
_FIRST = _first_of_each(paused_too=True)
_NEXT_LEASE_END = sa.select(sa.func.min(_C.lease_until)).where(_C.state == LEASED)
_RELEASE = (
    sa.update(OUTBOX)
    .where(
        _C.id.in_(  # what another process is just releasing, or settling after all, is not waited for
            sa.select(_C.id)
            .where(_C.state == LEASED, _C.lease_until <= sa.bindparam("now", type_=sa.Double))
            .with_for_update(skip_locked=True)
        )
    )
    .values(state=READY, due=sa.bindparam("now", type_=sa.Double), queue=_AGAIN)
)
_COMPLETE = (
    sa.update(OUTBOX)
    .where(
        _C.id.in_(sa.bindparam("ids", expanding=True)),
        sa.tuple_(_C.id, _C.epoch).in_(sa.bindparam("claims", expanding=True)),
        _C.state == LEASED,
    )
    .values(
        state=DONE,
        ended=sa.bindparam("now", type_=sa.Double),
        lease_until=None,
        reason=None,
        http_status=None,
        answer=None,
    )
    .returning(_C.id, _C.epoch)
)
_RELEASE_HELD = (
    sa.update(OUTBOX)
    .where(
        _C.message_id.in_(sa.bindparam("ids", expanding=True)),
        sa.tuple_(_C.message_id, _C.n).in_(sa.bindparam("about", expanding=True)),
        _C.kind == sa.bindparam("which"),
        _C.state.not_in((LEASED, DONE, DEAD)),  # SQLite looks for ready ones by that index, and reads all that wait
        _C.attempts == 0,
        _C.due > sa.bindparam("now", type_=sa.Double),
    )
    .values(due=sa.bindparam("now", type_=sa.Double))
)
_FLYING = sa.select(sa.func.count()).where(
    _C.state == LEASED,
    _C.endpoint == sa.bindparam("endpoint"),
    _C.holder == sa.bindparam("holder"),
    _C.lease_until > sa.bindparam("now", type_=sa.Double),
)
_NEXT_EXPIRY = sa.select(sa.func.min(_C.expires)).where(_C.state == READY)
_OVERDUE = (
    sa.select(_C.id)
    .where(_C.state == READY, _C.expires < sa.bindparam("now", type_=sa.Double))
    .order_by(_C.expires)
    .limit(100)
    .with_for_update(skip_locked=True)
)


def waiting(connection: Connection, rates: Rates = _FREE, now: float = 0.0) -> dict[str, list[Queue]]:
    """The endpoints with calls that wait, and their queues, the first that is due first; paused ones left out.

    A queue whose ``rates`` have no room at ``now`` is due when they have some.
    """
    found = [Queue(*row) for row in connection.execute(_WAITING)]
    if rates:
        limits = [buckets.limits(rates, one.endpoint, one.name) if one.due <= now else () for one in found]
        left = buckets.Buckets(connection, chain.from_iterable(limits), now)
        closed = [left.closed(one) for one in limits]
        found = [
            queue if full is None else queue._replace(due=full.until) for queue, full in zip(found, closed, strict=True)
        ]
    by_endpoint: dict[str, list[Queue]] = {}
    # of two that are due together the first planned goes first
    for one in sorted(found, key=lambda one: (not one.name.endswith(buckets.AGAIN) or one.due > now, one.due)):
        by_endpoint.setdefault(one.endpoint, []).append(one)
    return by_endpoint


def claim(
    connection: Connection,
    endpoint: str,
    *,
    now: float,
    window: int,
    lease: float,
    holder: str,
    rate: float | None = None,
    rates: Rates = _FREE,
    queues: Sequence[str] = ("",),
) -> list[CallRow]:
    """Claim the calls to ``endpoint`` that are due, until ``window`` of them are in flight from this ``holder``.

    With a ``rate`` not more per second than that go out, by all processes together. They are taken from its ``queues``,
    as many from each as there is room for, and from each only what the ``rates`` leave it.
    """
    if rate is not None and connection.dialect.name == "postgresql":
        # two processes at once would both see what the rate leaves; whoever comes second tries later
        lock = sa.func.pg_try_advisory_xact_lock(0x6D6D377B, zlib.crc32(endpoint.encode()) - 2**31)
        if not connection.scalar(sa.select(lock)):
            return []
    own = {"endpoint": endpoint, "holder": holder, "now": now}
    room = window - (connection.scalar(_FLYING, own) or 0)
    room = min(room, upstream_rate.allowed(connection, endpoint, now, rate, room)) if rate is not None else room
    if room <= 0:
        return []
    limits = {queue: buckets.limits(rates, endpoint, queue) for queue in queues[:room]}
    if any(limits.values()) and not buckets.lock(connection):
        limits = {queue: found for queue, found in limits.items() if not found}
    left = buckets.Buckets(connection, chain.from_iterable(limits.values()), now, locked=True)
    ids: dict[bool, list[int]] = {True: [], False: []}  # those that a rate counts, and the others
    for place, (queue, found) in enumerate(limits.items()):
        part = left.room(found, -(-room // (len(limits) - place)))
        due = _due(connection, endpoint, queue, now, part, rates) if part else []
        left.spend(found, len(due))
        ids[bool(found)] += due
        room -= len(due)
    left.keep()
    if rate is not None and any(ids.values()):
        upstream_rate.spend(connection, endpoint, now, rate, sum(map(len, ids.values())))
    again = {"attempts": _C.attempts + 1, "generation": endpoints.generation(connection, endpoint)}
    claimed = [
        one
        for counted, some in ids.items()
        if some
        for one in _lease(connection, some, now + lease, holder, **again, counted=now if counted else None)
    ]
    return sorted(claimed, key=lambda one: (one.due, one.id))


def _due(connection: Connection, endpoint: str, queue: str, now: float, most: int, rates: Rates) -> list[int]:
    """The first calls of a queue, up to ``most``; those that belong into another queue are moved there."""
    waits = (_C.state == READY, _C.endpoint == endpoint, _C.queue == queue)
    due = sa.select(_C.id, _HELD, _C.number).where(*waits, _C.due <= now, _C.expires >= now)
    due = due.order_by(_C.due, _C.id).limit(most).with_for_update(skip_locked=True, of=OUTBOX)
    found = connection.execute(due).all()
    if any(is_held for _, is_held, _ in found):  # with them go those behind them, so that they delay nothing else
        first = sa.select(_C.id).where(*waits, _C.due <= now).order_by(_C.due, _C.id).limit(_AT_ONCE)
        later = sa.case((now + _HOLD < _BEFORE_IS_DUE, _BEFORE_IS_DUE), else_=now + _HOLD)
        held = (_C.id.in_(first.with_for_update(skip_locked=True)), _HELD)
        connection.execute(sa.update(OUTBOX).where(*held).values(due=later))
        found = [one for one in connection.execute(due).all() if not one[1]]
    upstream = upstream_name(endpoints.owner_of(endpoint))
    strays = {number for _, _, number in found if not queue and rates.queue(upstream, number)}
    if strays:  # planned before their numbers had a rate: with them go those behind them
        first = sa.select(_C.id).where(*waits).order_by(_C.due, _C.id).limit(_AT_ONCE)
        stray = _C.id.in_(first.with_for_update(skip_locked=True))
        connection.execute(sa.update(OUTBOX).where(stray, _C.number.in_(strays)).values(queue=_C.number))
    return [id for id, _, number in found if number not in strays]


def overdue(connection: Connection, *, now: float, holder: str) -> list[CallRow]:
    """Claim calls that have expired while they waited, also for a paused endpoint: some of them, to be settled now."""
    ids = list(connection.scalars(_OVERDUE, {"now": now}))
    return _lease(connection, ids, now, holder, counted=None) if ids else []


def next_expiry(connection: Connection) -> float | None:
    """When the first of the calls that wait expires."""
    found: float | None = connection.scalar(_NEXT_EXPIRY)
    return found


def _lease(connection: Connection, ids: Sequence[int], until: float, holder: str, **values: Any) -> list[CallRow]:
    claimed = sa.update(OUTBOX).where(_C.id.in_(ids))
    connection.execute(claimed.values(state=LEASED, epoch=_C.epoch + 1, holder=holder, lease_until=until, **values))
    rows = connection.execute(sa.select(OUTBOX).where(_C.id.in_(ids)).order_by(_C.due, _C.id)).mappings()
    return [CallRow(**row) for row in rows]


def release_expired(connection: Connection, now: float) -> int:
    """Make ready what was claimed by somebody whose lease is over; how many."""
    released = connection.execute(_RELEASE, {"now": now}).rowcount
    if released:
        announcement.note(connection)
    return released


def next_lease_end(connection: Connection) -> float | None:
    """When the lease of the first claim is over."""
    found: float | None = connection.scalar(_NEXT_LEASE_END)
    return found


def renew(connection: Connection, calls: Sequence[CallRow], until: float) -> int:
    """Prolong claims; how many still stand."""
    return sum(connection.execute(_claimed(one).values(lease_until=until)).rowcount for one in calls)


def complete(connection: Connection, call: CallRow, now: float, **values: Any) -> bool:
    """End a call as done. False, and nothing changes, if the claim is not the present one."""
    done = _claimed(call).values(state=DONE, ended=now, lease_until=None, **values)
    return bool(connection.execute(done).rowcount)


def complete_all(connection: Connection, calls: Sequence[CallRow], now: float) -> set[tuple[int, int]]:
    """End calls as done that have nothing to tell of their answer; id and epoch of those whose claim was present."""
    claims = [(one.id, one.epoch) for one in calls]
    values = {"ids": [one.id for one in calls], "claims": claims, "now": now}
    return {(id, epoch) for id, epoch in connection.execute(_COMPLETE, values)} if claims else set()


def reschedule(connection: Connection, call: CallRow, due: float, **values: Any) -> bool:
    """Try again at ``due``. False, and nothing changes, if the claim is not the present one."""
    later = _claimed(call).values(state=READY, due=due, lease_until=None, queue=_AGAIN, **values)
    return bool(connection.execute(later).rowcount)


def dead_letter(connection: Connection, call: CallRow, now: float, **values: Any) -> bool:
    """Give a call up: a dead letter. False, and nothing changes, if the claim is not the present one."""
    dead = _claimed(call).values(state=DEAD, ended=now, lease_until=None, **values)
    return bool(connection.execute(dead).rowcount)


def release_held(connection: Connection, calls: Sequence[CallRow], now: float) -> None:
    """Let go, now that ``calls`` have ended, what waited for them: read replies for reports, events for events."""
    for ended, held in (("report", "read"), ("webhook", "webhook")):
        about = [(one.message_id, one.n) for one in calls if one.kind == ended]
        ids = sorted({message_id for message_id, _ in about})
        if not about:
            continue
        values = {"ids": ids, "about": about, "which": held, "now": now}
        if connection.execute(_RELEASE_HELD, values).rowcount:
            announcement.note(connection)


def brings(connection: Connection, call: CallRow) -> bool:
    """Whether the end of ``call`` is that of the MO it is about."""
    return call.kind == "deliver" or (
        (call.kind == "webhook" and connection.scalar(sa.select(BRINGS).where(_C.id == call.id))) or False
    )


def _claimed(call: CallRow) -> sa.Update:
    """The row, as long as the claim of ``call`` stands."""
    return sa.update(OUTBOX).where(_C.id == call.id, _C.state == LEASED, _C.epoch == call.epoch)


def is_submitting(connection: Connection, endpoint: str) -> bool:
    """Whether a submit to ``endpoint`` is under way, or was made and its answer not understood."""
    under_way = sa.exists().where(_C.state == LEASED, _C.endpoint == endpoint)
    return bool(connection.scalar(sa.select(sa.or_(under_way, sa.exists().where(TRIED, _C.endpoint == endpoint)))))


def withdraw(connection: Connection, message_id: str, n: int, now: float) -> bool:
    """End the submit of a copy that has not gone out. False where it is on its way, went, or may have gone.

    It may have gone where the last attempt had no clear end: the answer was lost, or the process that made it died.
    """
    waits = sa.select(OUTBOX).where(_C.message_id == message_id, _C.n == n, _C.kind == "submit", _C.state == READY)
    found = connection.execute(waits.with_for_update()).mappings().first()
    call = CallRow(**found) if found is not None else None
    if call is None or (call.attempts and call.event.get("refused") != call.epoch):
        return False
    ended = sa.update(OUTBOX).where(_C.id == call.id)
    return bool(connection.execute(ended.values(_not_needed(now, "cancelled"))).rowcount)


def _not_needed(now: float, reason: str) -> dict[str, Any]:
    """The values of a call that is made no more; what its last attempt met tells nothing now."""
    return {"state": DONE, "ended": now, "lease_until": None, "reason": reason, "http_status": None, "answer": None}


def _open_fetches(message_id: str) -> sa.Select[Any]:
    return sa.select(_C.id).where(_C.message_id == message_id, _C.kind == "fetch", _C.state.in_((READY, LEASED)))


def is_fetching(connection: Connection, message_id: str) -> bool:
    """Whether what a message names by URL is still to be fetched, or is being."""
    return connection.scalar(_open_fetches(message_id)) is not None


def end_fetch(connection: Connection, message_id: str, now: float) -> None:
    """End the fetch of a message that needs it no more; nothing comes of one that is being made."""
    # one that is just being settled is not waited for: whoever settles it waits for the message, and sees what it is
    which = _open_fetches(message_id).with_for_update(skip_locked=True)
    connection.execute(sa.update(OUTBOX).where(_C.id.in_(which)).values(_not_needed(now, "no longer needed")))


def shorten_fetch(connection: Connection, message_id: str, until: float) -> None:
    """Let the fetch of a message expire at ``until``, if not before."""
    which = _open_fetches(message_id).with_for_update(skip_locked=True)
    connection.execute(sa.update(OUTBOX).where(_C.id.in_(which), _C.expires > until).values(expires=until))


# --- looked at and replayed -------------------------------------------------------------------------------------------


def listed(
    connection: Connection,
    *,
    state: str | None = None,
    owner: str | None = None,
    message_id: str | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[CallRow]:
    """Calls, the newest first; ``paused`` are those that wait for a paused endpoint, ``ready`` all others that wait."""
    query = sa.select(OUTBOX).order_by(_C.id.desc()).limit(limit)
    paused = sa.exists().where(ENDPOINT.c.name == _C.endpoint, ENDPOINT.c.paused)
    if state in (READY, "paused"):
        query = query.where(_C.state.in_((READY, LEASED)), paused if state == "paused" else ~paused)
    elif state is not None:
        query = query.where(_C.state == state)
    for column, value in ((_C.owner, owner), (_C.message_id, message_id)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(_C.id < before)
    return [CallRow(**row) for row in connection.execute(query).mappings()]


def under_way(connection: Connection, message_ids: Sequence[str]) -> set[str]:
    """Those of these messages with a call that is being made."""
    # no more calls are made at a time than there are threads: all of them are fewer than the messages may be
    return set(connection.scalars(sa.select(_C.message_id).where(_C.state == LEASED))).intersection(message_ids)


def call(connection: Connection, id: int) -> CallRow | None:
    """One call."""
    found = connection.execute(sa.select(OUTBOX).where(_C.id == id)).mappings().first()
    return None if found is None else CallRow(**found)


def replay(
    connection: Connection,
    *,
    now: float,
    expiry: float,
    id: int | None = None,
    endpoint: str | None = None,
    since: float | None = None,
    owner: str | None = None,
) -> int:
    """Plan dead calls again, by endpoint, or by when they died; how many. Endpoints that are named are resumed, and
    what waited for them counts, too. ``owner`` leaves out the calls and endpoints of all others.

    By ``id`` any call, unless it is being made, or a submit that went or was taken back, or a fetch that has ended, and
    its message with it. ``endpoint`` is a URL, or the key of an endpoint. A call keeps its TransactionID; it has
    ``expiry`` seconds more, but a submit or a fetch that waits: that ends with its message.
    """
    resumed = 0
    ended = sa.or_(  # once more would be a second message to the recipient
        sa.and_(_C.state == DONE, _C.kind == "submit"), sa.and_(_C.state.in_((DONE, DEAD)), _C.kind == "fetch")
    )
    which: list[sa.ColumnElement[bool]] = (
        [_C.state == DEAD, ~ended] if id is None else [_C.state != LEASED, ~ended, _C.id == id]
    )
    of_message = sa.or_(_C.kind == "fetch", sa.and_(_C.kind == "submit", _C.state == READY))
    longer = sa.case((of_message, _C.expires), else_=now + expiry)
    if endpoint is not None:
        names = endpoints.named(connection, endpoint)
        if owner is not None:
            names = [one for one in names if endpoints.owner_of(one) == owner]
        paused = [name for name in names if endpoints.resume(connection, name, now)]
        waits = sa.update(OUTBOX).where(_C.state == READY, _C.endpoint.in_(paused))
        resumed = connection.execute(waits.values(due=now, expires=longer)).rowcount if paused else 0
        which.append(_C.endpoint.in_(names))
    if since is not None:
        which.append(_C.ended >= since)
    if owner is not None:
        which.append(_C.owner == owner)
    again: Mapping[str, Any] = {"state": READY, "due": now, "expires": longer, "attempts": 0, "ended": None}
    count = resumed + connection.execute(sa.update(OUTBOX).where(*which).values(again)).rowcount
    if count:
        announcement.note(connection, for_all=True)
    return count


def next_due(connection: Connection) -> dict[str, float]:
    """The endpoints with calls that wait, also paused ones, and when the first of them may go."""
    due: dict[str, float] = {}
    for endpoint, _, at in connection.execute(_FIRST):
        due.setdefault(endpoint, at)
    return due


def backlog(connection: Connection, most: int) -> int:
    """How many calls wait, counted up to ``most``."""
    some = sa.select(sa.literal(1)).where(_C.state.in_((READY, LEASED))).limit(most).subquery()
    return connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0
