"""``/readyz`` of the listeners for applications: what a load balancer is told, and what nobody is."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from gateway_room import Make, Room, rooms

from mm7zeep.gateway.server.listener import serve_in_thread

LISTENERS: dict[str, Callable[[Room], Any]] = {
    "mm7": lambda room: room.gateway.asgi,
    "api": lambda room: room.gateway.api,
}


@pytest.fixture(params=LISTENERS.values(), ids=LISTENERS.keys())
def listener(request: pytest.FixtureRequest) -> Callable[[Room], Any]:
    """Each of the listeners that applications use."""
    found: Callable[[Room], Any] = request.param
    return found


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Make]:
    """What makes gateways."""
    with rooms(tmp_path) as make:
        yield make


def asked(app: Any, *methods: str) -> list[httpx.Response]:
    """The answers at ``/readyz``."""

    async def main() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mmsc") as client:
            return [await client.request(one, "/readyz") for one in methods]

    return asyncio.run(main())


def test_it_says_no_more_than_whether(room: Make, listener: Callable[[Room], Any]) -> None:
    """Ready as long as messages are taken; why they are not stays with the operator."""
    one = room()
    got, head = asked(listener(one), "GET", "HEAD")
    assert (got.status_code, got.text, head.status_code, head.content) == (200, "ready\n", 200, b"")
    assert got.headers["cache-control"] == "no-store"
    assert head.headers["content-length"] == "6"
    one.gateway.admission.full = ("too many calls wait in the outbox",)
    refused, head = asked(listener(one), "GET", "HEAD")
    assert (refused.status_code, refused.text, head.status_code) == (503, "not ready\n", 503)
    one.gateway.admission.full = ()
    one.gateway.dispatcher.stop()
    assert asked(listener(one), "GET")[0].text == "not ready\n"


def test_other_methods(room: Make, listener: Callable[[Room], Any]) -> None:
    """A POST there is no submit, and nothing of it is read."""
    for answer in asked(listener(room()), "POST", "PUT", "DELETE", "OPTIONS"):
        assert (answer.status_code, answer.headers["allow"], answer.text) == (405, "GET, HEAD", "GET or HEAD\n")


def test_it_asks_the_database_nothing(room: Make, listener: Callable[[Room], Any]) -> None:
    """However often it is asked: what it says was found before, and a database that is gone holds nobody up."""
    one = room()
    app = listener(one)
    one.gateway.database.close()
    assert {answer.text for answer in asked(app, *["GET"] * 100)} == {"ready\n"}


def test_one_connection(room: Make, listener: Callable[[Room], Any]) -> None:
    """By the real listener: many times on one connection, HEAD among them."""
    with (
        serve_in_thread(listener(room())) as url,
        closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection,
    ):
        for method in ("GET", "HEAD", "GET"):
            connection.request(method, "/readyz")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"" if method == "HEAD" else b"ready\n")
        assert connection.sock is not None
