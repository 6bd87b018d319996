"""How a face waits: in its own thread, or in a running asyncio loop.

The pipeline is one coroutine; in the blocking mode it never waits for a loop and is driven to its end in one step.
Refuses, with ``AssertionError``, a pipeline that waits all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple, TypeVar, cast

from mm7zeep.receiver.guard import Client, Gone

Pull = Callable[[], Awaitable[bytes | None]]
"""Gives the next octets of the body, None at its end."""

T = TypeVar("T")


class Mode(NamedTuple):
    """How a face waits.

    ``run`` calls a function that may block, ``apart`` one that others must not wait for, in an executor of its own;
    ``wait`` gives what an awaitable gives, ``result`` what another thread puts into a future.
    """

    run: Callable[..., Awaitable[Any]]
    apart: Callable[..., Awaitable[Any]]
    wait: Callable[[Awaitable[Any]], Awaitable[Any]]
    result: Callable[[Future[Any]], Awaitable[Any]]


def puller(chunks: Iterator[bytes]) -> Pull:
    """A body that is there already, as a ``Pull``."""

    async def pull() -> bytes | None:
        return next(chunks, None)

    return pull


def drive(running: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits for a loop."""
    try:
        running.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    running.close()
    raise AssertionError("the pipeline waited for an event loop in its blocking mode")


async def _call_here(function: Callable[..., T], *arguments: Any) -> T:
    return function(*arguments)


async def _call_here_apart(executor: Executor, function: Callable[..., T], *arguments: Any) -> T:
    return function(*arguments)


async def _call_apart(executor: Executor, function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)


async def _wait_here(awaitable: Awaitable[T]) -> T:
    async def whole() -> T:
        return await awaitable

    return asyncio.run(whole())


async def _wait(awaitable: Awaitable[T]) -> T:
    return await awaitable


async def _result_here(future: Future[T]) -> T:
    return future.result()


async def _result(future: Future[T]) -> T:
    return await asyncio.wrap_future(future)


BLOCKING = Mode(_call_here, _call_here_apart, _wait_here, _result_here)
ASYNCIO = Mode(asyncio.to_thread, _call_apart, _wait, _result)


async def turn_at(waiting: Future[T], mode: Mode, client: Client | None) -> T:
    """What another thread gives us when it is our turn. Raises ``Gone`` where the sender did not wait for it."""
    if client is not None:
        client.when_lost(waiting.cancel)
    try:
        given: T = await mode.result(waiting)
    except asyncio.CancelledError:
        if not waiting.cancelled():
            raise
        raise Gone from None
    finally:
        waiting.cancel()  # where we were cancelled ourselves
    return given
