"""Keeping a message that a program sends, made in the event loop or in a thread and kept together with others; and
taking one back.

Refuses what ``submission`` and ``Recall`` refuse, and, with ``Refusal`` (503), while nothing can be kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool

from mm7zeep.gateway.api.bodies import SMALL
from mm7zeep.gateway.api.inputs import NewMessage
from mm7zeep.gateway.api.request import Services
from mm7zeep.gateway.api.submissions import Submission, submission
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.store.messages import Kept
from mm7zeep.messages import CancelReq

_FEW = 20  # recipients of a message that is made in the event loop
_NONE: Mapping[str, Any] = MappingProxyType({})


class Sent(NamedTuple):
    """The id of a message, and its rows; these are None where the same request had been kept before."""

    id: str
    kept: Kept | None


async def keep(
    services: Services,
    application: Application,
    body: NewMessage,
    files: Mapping[int, bytes] = MappingProxyType({}),
    own: Mapping[str, Any] = _NONE,
) -> Sent:
    """Keep a message; it is on the disk when this returns. ``own`` is kept with it beside its ``reference``.

    Raises ``Problem``, ``StatusError``, ``Refusal`` (503), ``StoreError``.
    """
    job = await _made(services, application, body, files, own)
    async with services.shares.in_hand.of(application.name):
        if services.admission.full:  # since it was admitted, while it waited for its turn
            raise services.admission.refusal(services.admission.full[0])
        done = await asyncio.wrap_future(services.group.submit(job.task, lambda done: done))
    if body.idempotency_key is not None:
        services.repeated(job.task.request, done)
    services.wake()
    services.tracing.current().set({"mm7.message_id": done.answer["id"]})
    return Sent(done.answer["id"], None if done.repeated else job.keeping.kept)


def take_back(services: Services, application: Application, id: str) -> None:
    """Take back a message from all who have not got it yet. Raises ``StatusError``: 2005, 3001, 4006."""
    there = services.recall.ask_upstreams(application, id, CancelReq(message_id=""))
    with services.database.write() as connection:
        services.recall.cancel(connection, application, id, there, services.clock.now(connection))
    services.wake()


async def _made(
    services: Services,
    application: Application,
    body: NewMessage,
    files: Mapping[int, bytes],
    own: Mapping[str, Any],
) -> Submission:
    """The submission, made here where it is small, otherwise in a thread."""
    traced = services.tracing.current().kept

    def made() -> Submission:
        return submission(body, files, application, services.settings, services.handsets.in_force, own, traced)

    size = sum(len(one.text or one.data or "") for one in body.parts) + sum(map(len, files.values()))
    if size <= SMALL and len(body.to) <= _FEW:
        return made()
    async with services.shares.threads.of(application.name):
        return await run_in_threadpool(made)
