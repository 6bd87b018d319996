"""Media of messages for whoever was given their URL in an event: no credentials, but a signature that expires.

Refuses, with ``Problem``, what was not signed here (403), before anything is looked up, and what has expired (410).
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from mm7zeep.gateway.api.inputs import MediaKey
from mm7zeep.gateway.api.messages import served_part
from mm7zeep.gateway.api.problems import Problem
from mm7zeep.gateway.api.request import ApiRequest
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.store import messages as store


async def media(asked: ApiRequest[MediaKey, Nothing]) -> Response:
    """One part of a message, decoded."""
    key, services = asked.parameters, asked.services
    expires, signature = key.expires, key.signature
    if expires is None or signature is None or not services.media.is_ours(key.id, key.n, expires, signature):
        words = "this is no URL that an event has told; take it from there as it stands, with its query"
        raise Problem("media-url-wrong", words)
    if asked.client is not None:
        asked.client.recognised()
    async with services.shares.threads.of(None):
        return await run_in_threadpool(lambda: _served(asked, expires))


def _served(asked: ApiRequest[MediaKey, Nothing], expires: int) -> Response:
    id, n = asked.parameters.id, asked.parameters.n
    with asked.services.database.read() as connection:
        if asked.services.clock.now(connection) > expires:
            words = f"this URL has expired; with credentials, GET /v1/messages/{id}/parts/{n} has the same"
            raise Problem("media-url-expired", words)
        message = store.message(connection, id)
        raw = store.raw(connection, id, message.content) if message is not None else None
    if message is None:
        raise Problem("message-not-found", "the message was deleted since this URL was told")
    answer = served_part(message, raw, n)
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # a page of the application's may show it
    return answer
