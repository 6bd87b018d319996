"""docs/guarantees.md: its numbers are the code's, the tests it names exist, and other pages lead to it."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")
from gateway_room import ONE, Make, rooms

from mm7zeep.envelope.door import XmlLimits
from mm7zeep.errors import AuthError, TransportError
from mm7zeep.gateway.api.twilio import twiml
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.settings import Retention, Settings
from mm7zeep.gateway.delivery import download, webhook_caller
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.mm7.validation import lengths, recipients
from mm7zeep.gateway.server import http_protocol, supervisor
from mm7zeep.gateway.store import clock, database, endpoints, outbox, readiness, remote_parts
from mm7zeep.messages import DeliveryReportReq, Message, ReadReplyReq
from mm7zeep.transport import inbound

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT.joinpath("docs", "guarantees.md").read_text(encoding="utf-8")
UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2, "s": 1, "min": 60, "h": 3600, "d": 86400}
ROWS = re.findall(r"(?m)^\| ([^|]+) \| (?:`([a-z_.]+)`|fixed) \| ([\d,.]+) ?(KiB|MiB|s|min|h|d|) \|$", PAGE)
FIXED = {
    "depth of XML": XmlLimits().depth,
    "elements": XmlLimits().elements,
    "recipients": recipients.MOST_RECIPIENTS,
    "characters of a text": lengths.LONGEST_TEXT,
    "characters of an unknown element": lengths.LONGEST_EXTENSION,
    "characters of an address": recipients.LONGEST_ADDRESS,
    "parts of a message that are fetched": remote_parts.MOST,
    "characters of a media_url": remote_parts.LONGEST,
    "redirects of a media_url": download.MOST_REDIRECTS,
    "endpoints that an application's fetches share": endpoints.SHARED,
    "octets of one connection that wait behind a request": http_protocol.READ,
    "wait for a lock of the database": database.LOCK_WAIT,
    "write that shows readiness": readiness.PATIENCE,
    "jump of the clock": clock.JUMP,
    "steady time that confirms it": clock.STEADY,
    "worker without a heartbeat, before it is killed": supervisor._HUNG,
    "octets of an answer that a dead letter keeps": outbox.KEPT,
    "TwiML of an answer": webhook_caller.MOST_TWIML,
    "messages of it": twiml.MOST,
    "head of an answer": inbound.HEAD,
    "fields of an answer's head": inbound.FIELDS,
}
HOURS = {"retention.duplicates"}
"""Settings that are counted in hours."""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Make]:
    """Makes gateways."""
    with rooms(tmp_path) as make:
        yield make


def default(name: str) -> float:
    """The default of a setting, by its name in the configuration; durations in seconds."""
    found: object = Settings()
    for step in name.split("."):
        found = getattr(found, step)
    assert isinstance(found, int | float)
    return found * 3600 if name in HOURS else found


@pytest.mark.parametrize(("limit", "setting", "number", "unit"), ROWS, ids=[row[0] for row in ROWS])
def test_numbers_are_the_defaults(limit: str, setting: str, number: str, unit: str) -> None:
    """Each number of the limits is the default of its setting, or what the code has."""
    shown = float(number.replace(",", "")) * UNITS[unit]
    assert shown == (default(setting) if setting else FIXED[limit])


def test_every_limit_is_compared() -> None:
    """No row of the table has a form that the comparison overlooks, and none is missing."""
    table = PAGE.partition("| Limit | Setting | Default |\n|---|---|---|\n")[2].partition("\n\n")[0]
    assert len(table.splitlines()) == len(ROWS)
    assert {limit for limit, setting, *_ in ROWS if not setting} == FIXED.keys()


def test_waits_are_the_defaults() -> None:
    """The waits between attempts, and how much they are changed, are those of the settings."""
    said = re.search(r"retried after (.+?), each changed by up to (\d+) %", PAGE)
    assert said is not None
    waits = re.findall(r"(\d+) (s|min|h)\b", said[1])
    assert tuple(int(number) * UNITS[unit] for number, unit in waits) == Settings().delivery.waits
    assert int(said[2]) / 100 == Settings().delivery.spread


def test_named_tests_exist() -> None:
    """Each test that the page names is a function of that file, and each tox environment exists."""
    named = set(re.findall(r"`(test_\w+)::(test_\w+)`", PAGE))
    assert len(named) > 80
    functions = {
        file: {
            node.name
            for node in ast.parse(ROOT.joinpath("tests", f"{file}.py").read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        for file in {file for file, _ in named}
    }
    assert sorted(f"{file}::{name}" for file, name in named if name not in functions[file]) == []
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    environments = set(re.findall(r"`tox -e (\w+)`", PAGE))
    assert environments <= {section.removeprefix("testenv:") for section in tox.sections()}
    assert {"attack", "plans", "services", "soak", "storm"} == environments


def test_every_promise_names_its_test() -> None:
    """Each row of a table of promises names at least one test."""
    rows = [row for row in PAGE.splitlines() if row.startswith("| ") and not re.match(r"\| (Promise|Area|Limit) ", row)]
    promises = [row for row in rows if not re.search(r"\| [\d,.]+ ?(KiB|MiB|s|min|h|d|) \|$", row)]
    assert len(promises) > 40
    assert [row for row in promises if "::" not in row.rsplit(" | ", 1)[1]] == []


@pytest.mark.parametrize("page", ["README.md", "docs/gateway.md"])
def test_other_pages_lead_to_it(page: str) -> None:
    """README and the gateway's page link to this one."""
    assert "guarantees.md)" in ROOT.joinpath(page).read_text(encoding="utf-8")


# --- differences ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [0, 1])
def test_window_ends_by_itself(hours: float, room: Make) -> None:
    """A request that comes again after its window is another message, whether or not a sweep came between."""
    one = room(retention=Retention(duplicates=hours))
    first = one.submitted(transaction_id="t-1")
    one.clock.move(hours=hours, seconds=1)
    assert one.submitted(transaction_id="t-1") != first


def test_reused_id_is_no_identity(room: Make) -> None:
    """A TransactionID that was used for two requests recognises neither of them again."""
    one = room()
    first = one.submitted(transaction_id="t-1")
    one.submitted(replace(ONE, subject="other"), transaction_id="t-1")
    assert one.submitted(transaction_id="t-1") != first


def test_report_before_read_reply(room: Make) -> None:
    """The read reply waits for a report that has to be made again."""
    told: list[type[Message]] = []

    def deliver(url: str, message: Message, transaction_id: str) -> None:
        told.append(type(message))
        if len(told) == 1:
            raise TransportError("not now", maybe_accepted=False, http_status=503)

    one = room(handsets=(Handset(outcome="Retrieved", read=True),))
    with closing(Gateway(one.settings, deliver=deliver, clock=one.clock)) as gateway:
        one.submitted(replace(ONE, delivery_report=True, read_reply=True))
        for _ in range(3):
            gateway.run_pending()
            one.clock.move(minutes=1)
    assert told == [DeliveryReportReq, DeliveryReportReq, ReadReplyReq]


@pytest.mark.parametrize("paused_before", [True, False])
def test_pause_of_an_earlier_attempt(room: Make, paused_before: bool) -> None:
    """An attempt that was begun before its endpoint was resumed does not pause it again; the next one does."""
    one, states = room(), []

    def deliver(url: str, message: Message, transaction_id: str) -> None:
        with one.gateway.database.write() as connection:
            states.append([row.paused for row in endpoints.listed(connection)])
            if len(states) == 1:  # as another attempt would, and then the operator
                [call] = outbox.listed(connection, limit=2)
                if paused_before:
                    assert endpoints.pause(connection, call.endpoint, "401", one.clock(), generation=call.generation)
                assert endpoints.resume(connection, call.endpoint, one.clock()) == paused_before
        raise AuthError("the server answered 401", http_status=401)

    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    with closing(Gateway(one.settings, deliver=deliver, clock=one.clock)) as gateway:
        for _ in range(4):
            gateway.run_pending()
    assert states == [[], [False]]
    [call] = one.outbox(state="paused")
    assert call.attempts == 0
