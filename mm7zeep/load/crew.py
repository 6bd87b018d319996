"""The sender processes, and what they tell while they run.

Each sender is a process of its own, so that neither the terminal nor the callbacks take time from it. They start
together, at a moment on the clock that all processes share (``time.monotonic``). Refuses to leave a process behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import selectors
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

from mm7zeep.errors import LocalError, Mm7Error
from mm7zeep.load import answers
from mm7zeep.load.answers import Answer
from mm7zeep.load.ledger import Ledger
from mm7zeep.load.plan import Plan
from mm7zeep.load.sender import Sender
from mm7zeep.load.tally import Tally

_BETWEEN = 0.2  # seconds between two things that a sender tells
_AHEAD = 0.1  # seconds from when all are ready to the start
_READY = 60.0  # seconds that a process may take to be ready, on a machine that is busy
_SELECTED = 256  # connections that select looks at without much cost; it takes file descriptors below 1024
_AFTER = 1.0  # seconds in which a report that came once may come again
_END = 5.0  # seconds that a process may take to end once it has told its tally


@dataclass(slots=True)
class News:
    """What one sender tells of the time since it last told something, and of itself so far."""

    number: int
    sent: int = 0
    answered: int = 0
    failed: int = 0
    accepted: list[tuple[str, tuple[str, ...], bool]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    tally: Tally | None = None
    """Everything, once it has ended."""
    error: str | None = None


def warm_up() -> None:
    """Load what judges answers, which takes half a second the first time."""
    body = (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><TransactionID xmlns='
        b'"http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4">t</TransactionID></e:Header>'
        b'<e:Body><SubmitRsp xmlns="http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4">'
        b"<MM7Version>6.8.0</MM7Version><Status><StatusCode>1000</StatusCode></Status><MessageID>m</MessageID>"
        b"</SubmitRsp></e:Body></e:Envelope>"
    )
    answer = Answer(200, b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n", b"text/xml", body, False)
    answers.judge(answer, "SubmitReq", "t")


def work(plan: Plan, number: int, pipe: Pipe) -> None:
    """The life of one sender process: ready, start, news, tally. Ends when the other side of the pipe is gone."""
    try:
        with asyncio.Runner(loop_factory=lambda: _loop(plan)) as runner:
            runner.run(_work(plan, number, pipe))
    except Mm7Error as error:
        pipe.send(News(number, error=str(error)))
    except (EOFError, BrokenPipeError):
        return  # nobody is left to tell


def _loop(plan: Plan) -> asyncio.AbstractEventLoop:
    """A loop whose timers are good to some 0.1 ms where it can be: epoll and kqueue wait for whole milliseconds, select
    for microseconds, but for few connections only.
    """
    if plan.connections / plan.processes <= _SELECTED:
        return asyncio.SelectorEventLoop(selectors.SelectSelector())
    return asyncio.new_event_loop()


async def _work(plan: Plan, number: int, pipe: Pipe) -> None:
    loop = asyncio.get_running_loop()
    news = News(number)
    sender = Sender(
        plan,
        number,
        on_accepted=lambda *what: news.accepted.append(what),
        on_cancelled=lambda message_id: news.cancelled.append(message_id),
    )
    warm_up()
    pipe.send(News(number))

    def told() -> None:
        try:
            word = pipe.recv()
        except EOFError:
            word = "abandon"
            loop.remove_reader(pipe.fileno())
        sender.abandon() if word == "abandon" else sender.stop()

    start = await loop.run_in_executor(None, pipe.recv)
    loop.add_reader(pipe.fileno(), told)
    running = asyncio.create_task(sender.run(start))
    while not running.done():
        await asyncio.wait((running,), timeout=_BETWEEN)
        sending, news = news, News(number)
        sending.sent, sending.answered, sending.failed = sender.tally.sent, sender.tally.answered, sender.tally.failed
        sending.tally = running.result() if running.done() else None
        await loop.run_in_executor(None, pipe.send, sending)
    loop.remove_reader(pipe.fileno())


class Crew:
    """The processes of one run. ``watch`` is called with each piece of news, ``tally`` is there when all have ended.

    A context: at its end no process is left.
    """

    def __init__(self, plan: Plan, ledger: Ledger | None = None, watch: Callable[[News], None] | None = None) -> None:
        self.plan, self.tally, self.started = plan, Tally(), 0.0
        self.interrupts = 0
        self._ledger, self._watch = ledger, watch
        self._pipes: dict[Pipe, BaseProcess] = {}
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Crew:
        context = multiprocessing.get_context("spawn")
        # Inherited: an interrupt from the terminal reaches no process before it can leave it to the first.
        self._before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN)}
        try:
            for number in range(self.plan.processes):
                ours, theirs = context.Pipe()
                process = context.Process(target=work, args=(self.plan, number, theirs), daemon=True)
                process.start()
                theirs.close()
                self._pipes[ours] = process
        except BaseException:
            self.__exit__()
            raise
        for one in (signal.SIGINT, signal.SIGTERM):
            self._before.setdefault(one, signal.signal(one, self._interrupt))
        return self

    def __exit__(self, *exc_info: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._pipes.values():
            process.join(_END)
            if process.is_alive():
                process.kill()
                process.join()
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def run(self) -> Tally:
        """Start all together, take their news, and give what all have counted.

        Raises ``LocalError`` for requests that cannot be written, ``RuntimeError`` for a process that ended by itself.
        """
        for pipe in self._pipes:
            if not pipe.poll(_READY):
                raise RuntimeError(f"a sender process was not ready within {_READY:.0f} s")
            self._read(pipe)
        start = time.monotonic() + _AHEAD
        for pipe in self._pipes:
            pipe.send(start)
        self.started = start
        if self.interrupts:
            self._tell("stop")
        left = set(self._pipes)
        while left:
            for pipe in [one for one in wait(list(left)) if isinstance(one, Pipe)]:
                news = self._read(pipe)
                if news.tally is not None:
                    self.tally.merge(news.tally)
                    left.remove(pipe)
        return self.tally

    def _read(self, pipe: Pipe) -> News:
        try:
            news: News = pipe.recv()
        except (EOFError, ConnectionResetError) as error:
            self._pipes[pipe].join(_END)
            raise RuntimeError(f"a sender process ended by itself ({self._pipes[pipe].exitcode})") from error
        if news.error is not None:
            raise LocalError(news.error)
        if self._ledger is not None:
            for message_id, recipients, in_part in news.accepted:
                self._ledger.accept(message_id, recipients, in_part=in_part)
            for message_id in news.cancelled:
                self._ledger.cancel(message_id)
        if self._watch is not None:
            self._watch(news)
        return news

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """SIGINT and SIGTERM end the run in order; a second one waits for no answer and no report."""
        self.interrupts += 1
        self._tell("stop" if self.interrupts == 1 else "abandon")

    def settle(self, ledger: Ledger, seconds: float, on_wait: Callable[[float], None] | None = None) -> None:
        """Wait until all reports have come, or ``seconds`` are over, or somebody interrupts; then a little longer, for
        what comes twice. After a second interrupt nothing is waited for.

        ``on_wait`` is called a few times a second with the seconds that are left at most.
        """
        known, until = self.interrupts, time.monotonic() + seconds
        if known > 1:
            return

        def goes_on() -> bool:
            left = until - time.monotonic()
            if on_wait is not None:
                on_wait(max(left, 0.0))
            return self.interrupts == known and left > 0

        while goes_on() and ledger.outstanding():
            time.sleep(_BETWEEN)
        until = min(time.monotonic() + _AFTER, max(until, time.monotonic() + _BETWEEN))
        while goes_on():
            time.sleep(_BETWEEN / 4)

    def _tell(self, word: str) -> None:
        if not self.started:
            return  # said once they have started
        for pipe in self._pipes:
            with contextlib.suppress(BrokenPipeError):  # it has ended
                pipe.send(word)
