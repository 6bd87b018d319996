"""One sender: requests when they are due, over kept connections, each answer counted.

Open loop: ``_pump`` sends whatever is due as soon as a connection is free, and latency counts from when it was due, so
that a server that stalls is charged for all that waited meanwhile (no coordinated omission). One request at a time is
on a connection. Nothing is sent again. Runs in one event loop; touches no signal and no other process.
"""

from __future__ import annotations

import asyncio
import errno
import random
import ssl
import time
from collections import deque
from collections.abc import Callable, Coroutine
from urllib.parse import urlsplit

from mm7zeep import credentials
from mm7zeep.load.answers import Answer, Said, judge, scan
from mm7zeep.load.connection import Connection, Request
from mm7zeep.load.plan import Plan
from mm7zeep.load.tally import NO_ID, NOT_ASKED, Tally
from mm7zeep.load.templates import Requests
from mm7zeep.transport import reasons

SUCCESS, PARTIAL = 1000, 1100
_ELEMENTS = {"submit": "SubmitReq", "cancel": "CancelReq", "replace": "ReplaceReq"}
_LOOK = 0.05  # seconds between two looks for what has waited too long, at most


class Sender:
    """The share ``number`` of ``plan.processes`` of a plan; ``run`` sends it all and gives the tally.

    ``on_accepted`` gets MessageID, recipients and whether it was in part, of each submit that was accepted;
    ``on_cancelled`` the MessageID of each that was taken back.

    Raises ``LocalError`` for requests that cannot be written.
    """

    def __init__(
        self,
        plan: Plan,
        number: int = 0,
        *,
        on_accepted: Callable[[str, tuple[str, ...], bool], None] | None = None,
        on_cancelled: Callable[[str], None] | None = None,
    ) -> None:
        self.plan, self.tally = plan, Tally()
        self._on_accepted, self._on_cancelled = on_accepted, on_cancelled
        self._requests = Requests(plan)
        self._random = random.Random(f"{plan.seed} {number}")  # noqa: S311  a mix, no secret
        self._operations, self._operation_weights = zip(*plan.mix, strict=True)
        self._sizes, self._size_weights = zip(*plan.sizes, strict=True)
        self._next, self._step = number, plan.processes
        self._total = plan.schedule.total
        places = plan.connections // plan.processes + (number < plan.connections % plan.processes)
        self._free: deque[Connection | None] = deque([None] * places)  # None: to be opened when it is needed
        self._busy: dict[Request, Connection | asyncio.Task[None]] = {}
        self._held: deque[str] = deque()  # MessageIDs that a cancel or replace may name
        self._replaced: deque[str] = deque()
        self._start, self._stopped_at = 0.0, float("inf")
        self._number, self._judged, self._tidied = number, 0, 0
        self._tidying = self._abandoned = False
        self._timer: asyncio.TimerHandle | None = None
        self._all_done: asyncio.Future[None] | None = None
        target = urlsplit(plan.url)
        self._place = plan.address, target.port or (443 if target.scheme == "https" else 80)
        self._tls = credentials.tls(plan.ca_file, plan.client_cert) if target.scheme == "https" else None
        self._name = target.hostname if self._tls is not None else None

    # --- its course ---------------------------------------------------------------------------------------------------

    async def run(self, start: float | None = None) -> Tally:
        """Send everything, from ``start`` (seconds of ``time.monotonic``; None: now) on."""
        loop = asyncio.get_running_loop()
        self._start = start if start is not None else loop.time()
        used, began = time.process_time(), time.monotonic()
        looking = self._task(self._look())
        loop.set_exception_handler(lambda loop, context: self._broke(context.get("exception")))
        try:
            for tidying in (False, True):
                self._tidying = tidying
                self._all_done = loop.create_future()
                self._pump()
                await self._all_done
        finally:
            loop.set_exception_handler(None)
            looking.cancel()
            for one in self._free:
                if one is not None:
                    one.close()
        await asyncio.sleep(0)
        self.tally.processor.append((time.process_time() - used) / max(time.monotonic() - began, 1e-9))
        return self.tally

    def stop(self) -> None:
        """Send nothing that is due later; what was sent is still answered."""
        self._stopped_at = min(self._stopped_at, time.monotonic() - self._start)
        self._pump()

    def abandon(self) -> None:
        """Wait for nothing any more: what is not answered yet is counted as abandoned."""
        self._abandoned = True
        self.stop()
        self._drop_rest()
        for request in list(self._busy):
            self._give_up(request, "abandoned")
        self._pump()

    def _task(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run ``work``; what goes wrong in it ends the run."""
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(lambda done: None if done.cancelled() else self._broke(done.exception()))
        return task

    def _broke(self, error: BaseException | None) -> None:
        """A fault of ours in a callback or task: ``run`` raises it."""
        if error is not None and self._all_done is not None and not self._all_done.done():
            self._all_done.set_exception(error)

    def _pump(self) -> None:
        """Send what is due while a connection is free; then come back when the next is due."""
        if self._all_done is None or self._all_done.done():
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._free:
            now = time.monotonic()
            request = self._tidy_up(now) if self._tidying else self._take(now)
            if request is None:
                break
            self._send(request, now)
        if not self._busy and self._timer is None and self._finished():
            self._all_done.set_result(None)

    def _take(self, now: float) -> Request | None:
        """The next request if it is due; where it is not, a timer is set for when it will be."""
        since = now - self._start
        if self._next >= self._total:
            return None
        due = self.plan.schedule.due(self._next)
        if due > self._stopped_at:
            return None
        if since > min(self.plan.schedule.duration, self._stopped_at) + self.plan.max_late:
            self._drop_rest()
            return None
        if due > since:
            self._timer = asyncio.get_running_loop().call_later(due - since, self._pump)
            return None
        number, self._next = self._next, self._next + self._step
        return self._made(number, self._start + due)

    def _drop_rest(self) -> None:
        """Send nothing more of the schedule: what was due counts as unsent."""
        upto = self.plan.schedule.due_by(min(self._stopped_at, self.plan.schedule.duration))
        self.tally.unsent += len(range(self._next, upto, self._step))
        self._next = self._total

    def _finished(self) -> bool:
        if self._tidying:
            return self._abandoned or not (self._held or self._replaced)
        return self._next >= self._total or self.plan.schedule.due(self._next) > self._stopped_at

    def _tidy_up(self, now: float) -> Request | None:
        """A cancel of a message that is still held, so that it reaches nobody later; it is no part of the figures."""
        waiting = self._held or self._replaced
        if not waiting or self._abandoned:
            return None
        self._tidied += 1
        request = Request(self._tidied, "cancel", now)
        request.message_id, request.tidying = waiting.popleft(), True
        return request

    def _made(self, number: int, due: float) -> Request:
        """A request as the mix and the sizes want it: a cancel or replace without a message to name is a submit."""
        choose = self._random
        operation = choose.choices(self._operations, self._operation_weights)[0]
        if operation != "submit" and not self._held:
            operation, held = "submit", True
        else:
            held = operation == "submit" and self.plan.held > choose.random()
        request = Request(number, operation, due)
        request.size = choose.choices(self._sizes, self._size_weights)[0]
        request.held = held
        if operation == "submit":
            numbers, count = self.plan.numbers, self.plan.recipients
            request.recipients = (choose.choice(numbers),) if count == 1 else tuple(choose.sample(numbers, count))
        else:
            request.message_id = self._held.popleft()
        return request

    def transaction_id(self, request: Request) -> str:
        """The TransactionID of a request: that of the run, and its number."""
        tidying = f"tidy{self._number}-" if request.tidying else ""
        return f"{self.plan.run}-{tidying}{request.number}"

    def _octets(self, request: Request) -> bytes:
        name = self.transaction_id(request)
        if request.operation == "submit":
            return self._requests.submit(name, request.recipients, request.size, held=request.held)
        if request.operation == "cancel":
            return self._requests.cancel(name, request.message_id)
        return self._requests.replace(name, request.message_id, request.size)

    def _send(self, request: Request, now: float) -> None:
        octets = self._octets(request)
        request.sent = now
        if not request.tidying:
            delay = now - request.due
            self.tally.sent += 1
            self.tally.last_sent = now - self._start
            self.tally.octets += len(octets)
            self.tally.delay.add(delay)
            self.tally.late += delay > self.plan.max_late
            self.tally.slot(self._slot(now)).sent += 1
        connection = self._free.popleft()
        if connection is not None and connection.usable:
            self._busy[request] = connection
            connection.send(request, octets)
        else:
            self._busy[request] = self._task(self._open(request, octets))

    async def _open(self, request: Request, octets: bytes) -> None:
        """Open a connection and send a request on it."""
        loop = asyncio.get_running_loop()
        connection = Connection(self)
        try:
            await loop.create_connection(lambda: connection, *self._place, ssl=self._tls, server_hostname=self._name)
        except asyncio.CancelledError:
            connection.close()
            raise
        except ssl.SSLError as error:
            why = reasons.of(error, self.plan.url, files=reasons.Files(self.plan.ca_file, self.plan.client_cert))
            self.failed(None, request, f"TLS: {why.words}" if why is not None else "TLS")
        except ConnectionRefusedError:
            self.failed(None, request, "refused")
        except ConnectionResetError:
            self.failed(None, request, "reset")
        except OSError as error:
            self.failed(None, request, f"connect: {errno.errorcode.get(error.errno or 0, 'unreachable')}")
        else:
            self._busy[request] = connection
            connection.send(request, octets)

    async def _look(self) -> None:
        """Give up what has waited too long; a look now and then costs less than a timer for each."""
        while True:
            await asyncio.sleep(min(_LOOK, self.plan.timeout / 4))
            overdue = time.monotonic() - self.plan.timeout
            for request in list(self._busy):
                if request.sent <= overdue:
                    self._give_up(request, "timeout")
            self._pump()

    def _give_up(self, request: Request, kind: str) -> None:
        where = self._busy[request]
        if isinstance(where, Connection):
            where.close()
        else:
            where.cancel()
        self.failed(None, request, kind)

    # --- what comes back ----------------------------------------------------------------------------------------------

    def answered(self, connection: Connection, request: Request, answer: Answer) -> None:
        """An answer came."""
        now = time.monotonic()
        said = self._said(request, answer)
        self._release(request, connection)
        if said.error is None and said.code is not None:
            self._count(request, said, now)
        else:
            self._count_failure(request, said.error or "unparsable", now)
        self._pump()

    def failed(self, connection: Connection | None, request: Request | None, kind: str) -> None:
        """A request got no answer that can be read; None: octets came that nobody had asked for."""
        if request is None:
            self.tally.errors[NOT_ASKED] += 1
            return
        self._release(request, None)
        self._count_failure(request, kind, time.monotonic())
        self._pump()

    def _release(self, request: Request, connection: Connection | None) -> None:
        del self._busy[request]
        self._free.append(connection if connection is not None and connection.usable else None)

    def _said(self, request: Request, answer: Answer) -> Said:
        """What an answer says: by the scan, and by the full reader where it looks odd, and now and then."""
        element, name = _ELEMENTS[request.operation], self.transaction_id(request)
        light = scan(answer, element, name)
        self._judged += 1
        if light is not None and self._judged % self.plan.every:
            return light
        full = judge(answer, element, name)
        self.tally.full += 1
        self.tally.overruled += light is not None and light != full
        return full

    def _count(self, request: Request, said: Said, now: float) -> None:
        """An MM7 answer, of whatever status."""
        done = said.code in (SUCCESS, PARTIAL)
        if request.tidying:
            self.tally.left_waiting += said.code != SUCCESS
        else:
            self.tally.answered += 1
            self.tally.codes[request.operation, said.code or 0] += 1
            self._time(request, now)
            slot = self.tally.slot(self._slot(now))
            slot.answered += 1
            if said.code == SUCCESS:
                self.tally.succeeded += 1
            else:
                self.tally.errors[f"MM7 {said.code}"] += 1
                slot.failed += 1
        if request.operation == "submit" and done:
            self._accepted(request, said)
        elif request.operation == "cancel" and said.code == SUCCESS and self._on_cancelled is not None:
            self._on_cancelled(request.message_id)
        elif request.operation == "replace":
            self._replaced.append(request.message_id)

    def _accepted(self, request: Request, said: Said) -> None:
        if not said.message_id:
            if self.plan.reports or request.held:
                self.tally.errors[NO_ID] += 1
        elif request.held:
            self._held.append(said.message_id)
        elif self.plan.reports and self._on_accepted is not None:
            self._on_accepted(said.message_id, request.recipients, said.code == PARTIAL)

    def _count_failure(self, request: Request, kind: str, now: float) -> None:
        if request.tidying:
            self.tally.left_waiting += 1
            return
        self.tally.errors[kind] += 1
        self.tally.unanswered_submits += request.operation == "submit" and kind != "refused"
        self.tally.slot(self._slot(now)).failed += 1
        if kind != "abandoned":
            self._time(request, now)
        if request.operation != "submit":
            self._replaced.append(request.message_id)

    def _time(self, request: Request, now: float) -> None:
        latency = now - request.due
        self.tally.latency.add(latency)
        self.tally.slot(self._slot(request.due)).latency.add(latency)

    def _slot(self, moment: float) -> int:
        return int((moment - self._start) / self.plan.width)
