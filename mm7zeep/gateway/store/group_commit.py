"""Group commit: requests that wait at the same moment share one transaction, and with it one sync of the disk.

What only keeps a message is written together, one statement a table. Where the database objects to that, each job is
done by itself, and what one job meets is its own: a job that is refused, or whose value no column takes, is rolled back
to its savepoint; one at which the store itself fails is left out, and the others are done again without it. No job is
answered before what it wrote is on the disk. Refuses nothing, and opens no connection of its own.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy.exc
from sqlalchemy import Connection

from mm7zeep.errors import StatusError
from mm7zeep.gateway.store import faults
from mm7zeep.gateway.store.clock import GuardedClock
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.gateway.store.idempotency import Done, Task, do_together
from mm7zeep.tracing import Storing, Tracing

_LOG = logging.getLogger("mm7zeep.gateway")
_MOST = 64  # jobs of one transaction

R = TypeVar("R")


@dataclass(slots=True, eq=False)
class _Job:
    """A task to be done in a transaction, and what ``then`` makes of its outcome once that is on the disk."""

    task: Task
    then: Callable[[Done], Any]
    span: Storing
    future: Future[Any] = field(default_factory=Future)
    outcome: Done | None = None
    alone: bool = False  # it was tried together with others, and is done by itself the next time
    error: Exception | None = None
    at_fault: bool = False  # the transaction failed with it
    again: bool = False  # another process was just doing the same, and it is done once more

    def end(self) -> None:
        """Say what came of it."""
        self.span.end(_failure(self.error))
        if self.error is None and self.outcome is not None:
            try:
                self.future.set_result(self.then(self.outcome))
            except Exception as error:  # noqa: BLE001  whoever waits for the job is told
                self.future.set_exception(error)
        else:
            self.future.set_exception(self.error)


class GroupCommit:
    """Does jobs in a thread, as many in one transaction as wait for it. Thread-safe; ``close`` ends the thread.

    A span of each tells how long it waited, and links to that of the first in its transaction.
    """

    def __init__(self, database: Database, clock: GuardedClock, tracing: Tracing | None = None) -> None:
        self._database = database
        self._tracing = tracing or Tracing()
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._working = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mm7zeep-commit")  # starts with the first job

    def submit(self, task: Task, then: Callable[[Done], R]) -> Future[R]:
        """What ``then`` makes of what came of ``task``, after that was committed.

        ``then`` is called in the thread of the commits, and has to be quick. The future raises what either raises, and
        ``StoreError``; a job whose future is cancelled before it is begun is not done.
        """
        job = _Job(task, then, self._tracing.storing())
        with self._lock:
            self._waiting.append(job)
            begins, self._working = not self._working, True
        if begins:
            try:
                self._thread.submit(self._work)
            except RuntimeError:  # it was closed, or the system starts no further thread
                self._fail_all(StoreError("the gateway is stopping"))
        return job.future

    @property
    def busy(self) -> bool:
        """Whether jobs wait, or are being done."""
        return self._working

    def close(self) -> None:
        """End the thread, once all that waits is done; may be called again."""
        self._thread.shutdown()

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while self._more():
            self._turn()

    def _more(self) -> bool:
        with self._lock:
            self._working = bool(self._waiting)
            return self._working

    def _taken(self) -> list[_Job]:
        """The jobs of the next transaction."""
        with self._lock:
            count = min(_MOST, len(self._waiting))
            jobs = [self._waiting.popleft() for _ in range(count)]
        wanted = [one for one in jobs if one.future.running() or one.future.set_running_or_notify_cancel()]
        for one in wanted:
            one.span.begin(wanted[0].span, len(wanted))
        if len(wanted) < len(jobs):
            for one in jobs:
                if one.future.cancelled():
                    one.span.end("CancelledError")
        return wanted

    def _fail_all(self, error: Exception) -> None:
        with self._lock:
            jobs, self._waiting, self._working = self._waiting, deque(), False
        for one in jobs:
            one.span.end(_failure(error))
            if one.future.running() or one.future.set_running_or_notify_cancel():
                one.future.set_exception(error)

    def _turn(self) -> None:
        """One transaction."""
        jobs: list[_Job] | None = None
        written = False
        try:
            with self._database.write() as connection:
                now = self._clock.now(connection)
                jobs = self._taken()  # only now: more may have come while others were writing
                rest, written = self._do_together(jobs, connection, now), True
                for one in rest:
                    self._do(one, connection, now, alone=len(jobs) == 1)
        except Exception as error:  # noqa: BLE001  whoever waits for the jobs is told
            if jobs is None:
                self._fail_all(error)
            elif not written:
                self._apart(jobs, error)
            else:
                self._failed(jobs, error)
            return
        again = [one for one in jobs if one.again and one.error is not None]
        self._back(again)
        for one in jobs:
            if one not in again:
                one.end()

    def _do_together(self, jobs: list[_Job], connection: Connection, now: float) -> list[_Job]:
        """Write together what can be, and give the others. Raises what the database reports."""
        first: dict[tuple[str, str, str], _Job] = {}
        if len(jobs) > 1:
            for one in jobs:
                if one.task.making is not None and not one.alone:
                    first.setdefault(one.task.request.identity, one)
        together = list(first.values())
        if not together:
            return jobs
        for one in together:
            one.alone = True
        came = do_together(connection, [one.task for one in together], now)
        for one, outcome in zip(together, came, strict=True):
            if isinstance(outcome, Done):
                one.outcome = outcome
            else:
                one.error = outcome
        return [one for one in jobs if one.outcome is None and one.error is None]

    def _apart(self, jobs: list[_Job], error: Exception) -> None:
        """They could not be written together: do each by itself, then each meets what is its own."""
        count = sum(one.alone for one in jobs)
        why = error if isinstance(error, StoreError) else type(error).__name__
        _LOG.warning("%d requests are kept one by one, since together they could not be: %s", count, why)
        self._back(jobs)

    def _do(self, job: _Job, connection: Connection, now: float, *, alone: bool) -> None:
        """One job, in a savepoint of its own where it is not alone."""
        if not alone:
            connection.exec_driver_sql("SAVEPOINT job")
        try:
            job.outcome = job.task.do(connection, now)
        except Exception as error:
            if alone or not _is_own(error):
                job.at_fault = True
                raise
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT job")
            self._refused(job, error)
        if not alone:
            connection.exec_driver_sql("RELEASE SAVEPOINT job")

    def _refused(self, job: _Job, error: Exception) -> None:
        """The job came to nothing, and the transaction goes on without it."""
        job.again = _is_race(error) and not job.again
        job.error = self._database.failure(error) if _is_of_database(error) else error

    def _failed(self, jobs: list[_Job], error: Exception) -> None:
        """The transaction was rolled back, or nobody knows whether it was committed."""
        at_fault = next((one for one in jobs if one.at_fault), None)
        if at_fault is None:
            for one in jobs:
                one.error = error
                one.end()
            return
        cause = error.__cause__ if isinstance(error, StoreError) else None
        if cause is not None and _is_race(cause) and not at_fault.again:
            at_fault.again, at_fault.at_fault = True, False
            self._back(jobs)
            return
        self._back([one for one in jobs if one is not at_fault])
        at_fault.error = error
        at_fault.end()

    def _back(self, jobs: list[_Job]) -> None:
        """Do these again, before all others."""
        for one in jobs:
            one.error = one.outcome = None
        with self._lock:
            self._waiting.extendleft(reversed(jobs))


def _failure(error: Exception | None) -> str | None:
    """What kept a job from being done, in a word; a refusal is an answer."""
    return None if error is None or isinstance(error, StatusError) else type(error).__name__


def _is_of_database(error: BaseException) -> bool:
    return isinstance(error, sqlalchemy.exc.SQLAlchemyError) or faults.of_value(error)


def _is_race(error: BaseException) -> bool:
    """Whether another process has just written the same row."""
    return isinstance(error, sqlalchemy.exc.IntegrityError)


def _is_own(error: BaseException) -> bool:
    """Whether an error is the job's own, and the transaction goes on."""
    return not isinstance(error, sqlalchemy.exc.SQLAlchemyError) or _is_race(error) or faults.of_value(error)
