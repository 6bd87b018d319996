"""The gateway calls applications and upstreams whose answers are odd or slow: each call has its own answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from far_side import FarSide, Request, Steps, http, proper, saying
from gateway_room import ONE, TNN, Make, Room, rooms

from mm7zeep.gateway.config.parties import Callback, Route, Upstream
from mm7zeep.gateway.config.settings import Delivery
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.messages import DeliveryReportRsp, Message, Status, SubmitRsp

HEAD = b"HTTP/1.1 %d Status\r\n\r\n"


def whole(request: Request) -> bytes:
    """The proper answer as octets."""
    return b"".join(one for one in proper(request) if isinstance(one, bytes))


# what the first attempt of the first call is answered, and whether that is an acceptance
ODD: dict[str, tuple[Callable[[Request], Steps], bool]] = {
    "102": (lambda request: [HEAD % 102, whole(request)], True),
    "103": (lambda request: [HEAD % 103, whole(request)], True),
    "200 empty": (lambda request: [http(200), whole(request)], False),
    "202 empty": (lambda request: [http(202), whole(request)], False),
    "204": (lambda request: [HEAD % 204, whole(request)], False),
    "500 empty": (lambda request: [http(500), whole(request)], False),
    "twice": (lambda request: [whole(request) * 2], True),
}
REFUSALS: dict[str, Message] = {
    "callback": DeliveryReportRsp(status=Status(2005)),
    "upstream": SubmitRsp(status=Status(2005)),
}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, closed at the end."""
    with rooms(tmp_path) as make:
        yield make


def calling(room: Make, which: str, url: str, **options: Any) -> Room:
    """A gateway that calls ``url`` for real: an application's callback, or an upstream."""
    if which == "callback":
        application = replace(TNN, callback=Callback(deliver=url, username="x", password="y"))
        made = room(application, **options)
        made.gateway._caller._deliver = None
        return made
    upstream = Upstream(name="far", url=url, vaspid="WE", vasid="us")
    return room(TNN, upstreams=(upstream,), routes=(Route(prefix="+614", via="far"),), **options)


def calls(one: Room, which: str) -> list[CallRow]:
    """The calls that are looked at, the oldest first."""
    return [call for call in one.outbox() if call.kind == {"callback": "report", "upstream": "submit"}[which]]


@pytest.mark.parametrize("which", ["callback", "upstream"])
@pytest.mark.parametrize("name", ODD)
def test_refused_call_is_not_done(name: str, which: str, room: Make) -> None:
    """The call after an odd answer is refused and dead, not done; the accepted one is done, and not made again."""
    odd, accepted = ODD[name]
    seen: list[str] = []

    def answer(request: Request) -> Steps:
        seen.append(request.transaction_id)
        if len(seen) == 1:
            return odd(request)
        return proper(request) if request.transaction_id == seen[0] else saying(REFUSALS[which])(request)

    with FarSide(answer) as far:
        one = calling(room, which, far.url)
        for _ in range(2):
            one.submitted(replace(ONE, delivery_report=which == "callback"))
            one.gateway.run_pending()
        first, second = calls(one, which)
        assert first.transaction_id == seen[0]
        assert first.state == ("done" if accepted else "ready"), first
        assert second.state == "dead", second
        assert "2005" in (second.reason or "")
        one.clock.move(minutes=1)
        one.gateway.run_pending()
        assert [call.state for call in calls(one, which)] == ["done", "dead"]
        assert seen == [first.transaction_id, second.transaction_id] + [first.transaction_id] * (not accepted)


@pytest.mark.parametrize("which", ["callback", "upstream"])
@pytest.mark.parametrize("drip", ["head", "interim answers"])
def test_attempt_ends_in_time(drip: str, which: str, room: Make) -> None:
    """However slowly an answer drips, the attempt ends, is tried again later, and the work comes to rest."""
    steps = {"head": [b"HTTP/1.1 200 OK\r\nX: ", *([b"x", 0.05] * 400)], "interim answers": [HEAD % 102, 0.05] * 400}
    with FarSide(steps[drip]) as far:
        one = calling(room, which, far.url, delivery=Delivery(timeout=0.5))
        started = time.monotonic()
        with one.gateway.working():
            one.submitted(replace(ONE, delivery_report=which == "callback"))
            while not far.requests and time.monotonic() < started + 20:
                time.sleep(0.01)
            asked = time.monotonic()
        took = time.monotonic() - asked  # leaving waits for what is under way
        assert took < 0.5 + 4  # on a busy machine; the answer drips for 20 s
        [call] = calls(one, which)
    assert (call.state, call.attempts) == ("ready", 1)
    assert "time" in (call.reason or "")
