"""What a gateway's log says of calls made again, refused requests and wrong passwords: who, where, why, what next."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from gateway_room import CALLED, ONE, OTHER, Make, rooms

from mm7zeep.errors import TransportError
from mm7zeep.gateway import logs
from mm7zeep.gateway.config.parties import Callback


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What ``serve`` would print on standard error, as text."""
    kept = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).level) for name in logs._LOGGERS}
    stream = io.StringIO()
    logs.set_up("text", show_numbers=False, stream=stream)
    yield stream
    for name, (handlers, level) in kept.items():
        logger = logging.getLogger(name)
        logger.handlers[:], logger.propagate = handlers, True
        logger.setLevel(level)


def lines(log: io.StringIO, word: str) -> list[str]:
    """The lines that hold ``word``, without their time."""
    return [one.partition(" ")[2] for one in log.getvalue().splitlines() if word in one]


# --- calls that are made again ----------------------------------------------------------------------------------------


def test_call_that_is_made_again(room: Make, log: io.StringIO) -> None:
    """Each attempt that is to be repeated is a line: which call, to where, why, which attempt, when the next one is."""
    secret = Callback(deliver="http://tnn/mo?token=hunter2", username="x", password="y")
    made = room(replace(CALLED, callback=secret), OTHER)
    made.calls.refuse = TransportError("connection refused by the peer", maybe_accepted=False)
    made.gateway.send_mo("tnn", "+61412345678", "111122")
    made.gateway.run_pending()
    [first] = lines(log, "is made again")
    [row] = made.outbox()
    which = f"the deliver call {row.id} of {row.message_id}"
    assert f"INFO    mm7zeep.gateway: {which} to tnn http://tnn/mo?token=*** is made again: " in first
    assert "attempt 1 failed: TransportError: connection refused by the peer" in first
    assert "next attempt at 2026-03-01T12:0" in first
    assert first.endswith("Z")
    assert "hunter2" not in log.getvalue()
    made.clock.move(minutes=10)
    made.gateway.run_pending()
    assert ["attempt 2 failed" in one for one in lines(log, "is made again")] == [False, True]


def test_call_that_succeeds_or_is_given_up(room: Make, log: io.StringIO) -> None:
    """No line promises another attempt where there is none."""
    made = room()
    made.submitted(ONE)
    made.gateway.send_mo("tnn", "+61412345678", "111122")
    made.gateway.run_pending()
    made.calls.refuse = TransportError("no such page", maybe_accepted=False, http_status=404)
    made.gateway.send_mo("tnn", "+61412345678", "111122")
    made.gateway.run_pending()
    assert lines(log, "is made again") == []
    assert len(lines(log, "is given up")) == 1
