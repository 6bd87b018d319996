"""Clients remember what zeep and xmlschema said of a shape: the same octets leave, and the same answer is given."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import zeep.plugins
from far_side import FarSide, proper, saying

from mm7zeep import schema
from mm7zeep.client import Accepted, AsyncMmscClient, AsyncVaspClient, MmscClient, VaspClient
from mm7zeep.errors import LocalError, StatusError
from mm7zeep.exchange import plans
from mm7zeep.messages import DeliverReq, DeliveryReportReq, Part, ReadReplyReq, Status, SubmitReq, SubmitRsp
from mm7zeep.transport import AsyncSwaTransport, SwaTransport, ValidationPlugin

TIMES = 8
LEARNT = 2  # sent so often, a shape has its plan
WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
VASP = {"vaspid": "TNN", "vasid": "News"}


def report(n: int) -> DeliveryReportReq:
    """A report as the gateway sends them: another number, message and date each time."""
    return DeliveryReportReq(
        message_id=f"message-{n}",
        recipient=f"+6149157{n:04}",
        sender="111122",
        mm_status="Retrieved",
        date=datetime(2026, 3, 4, 5, 6, n, n, tzinfo=UTC),
    )


def read(n: int) -> ReadReplyReq:
    """A read reply."""
    return ReadReplyReq(message_id=f"m-{n}", recipient="+1", sender="1", mm_status="Read", time_stamp=WHEN)


MESSAGES: dict[str, tuple[str, Callable[[int], Any]]] = {
    "submit": ("vasp", lambda n: SubmitReq(to=f"+6149157{n:04}", subject=f"News {n}", parts=[Part(body=b"x" * n)])),
    "no class": ("vasp", lambda n: SubmitReq(to=f"+6149157{n:04}", subject=f"<&> é {n}", **VASP)),
    "deliver": ("mmsc", lambda n: DeliverReq(sender=f"+6149157{n:04}", to="111122", parts=[Part(body=b"x" * n)])),
    "report": ("mmsc", report),
    "read": (
        "mmsc",
        read,
    ),
}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Plans of this test alone, never compared: what is counted is what they save."""
    reading, writing = plans.Plans(checked=0), plans.WritePlans(checked=0)
    monkeypatch.setattr(plans, "shared_for_answers", lambda: reading)
    monkeypatch.setattr("mm7zeep.client.sending.shared_for_writing", lambda: writing)
    plans.plans_are_on.cache_clear()
    yield
    monkeypatch.undo()
    plans.plans_are_on.cache_clear()


def run(style: str, role: str, url: str, do: Callable[[Any, int], Any], **options: Any) -> list[Accepted[Any]]:
    """What ``do`` gives for the numbers 1 to ``TIMES``, by one client."""
    if style == "sync":
        made: Any = (VaspClient if role == "vasp" else MmscClient)(url, **options)
        with made as client:
            return [do(client, n) for n in range(1, TIMES + 1)]

    async def asked() -> list[Accepted[Any]]:
        async with (AsyncVaspClient if role == "vasp" else AsyncMmscClient)(url, **options) as client:
            return [await do(client, n) for n in range(1, TIMES + 1)]

    return asyncio.run(asked())


def octets(body: bytes) -> bytes:
    """A request's body without what is made fresh for each: boundaries and Content-IDs."""
    return re.sub(rb"[0-9a-f]{16,}", b"*", body)


@pytest.mark.parametrize("style", ["sync", "async"])
@pytest.mark.parametrize("name", MESSAGES)
def test_same_with_plans_and_without(name: str, style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With plans the same octets go out, and the same answers are given, findings and all."""
    role, message = MESSAGES[name]
    seen = []
    for switch in ("1", "0"):
        monkeypatch.setenv(plans.SWITCH, switch)
        plans.plans_are_on.cache_clear()
        with FarSide(proper) as far:
            given = run(style, role, far.url, lambda c, n: c.send(message(n), transaction_id=f"t-{n}"))
            sent = [(one.line, one.header("SOAPAction"), octets(one.body)) for one in far.requests]
        seen.append((sent, [(one.answer, one.findings, one.transaction_id) for one in given]))
    assert len(seen[0][0]) == TIMES
    assert seen[0] == seen[1]


@pytest.mark.parametrize("style", ["sync", "async"])
@pytest.mark.parametrize("name", ["submit", "deliver", "report", "read"])
def test_shape_is_judged_until_it_is_known(name: str, style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Xmlschema judges the first requests and answers of a shape, and none that differ from them in values alone."""
    role, message = MESSAGES[name]
    judged: list[int] = []
    real = schema.violations
    now = [0]

    def counted(*given: Any) -> Any:
        if threading.current_thread() is threading.main_thread():  # the far side judges in its own
            judged.append(now[0])
        return real(*given)

    monkeypatch.setattr(schema, "violations", counted)

    def do(client: Any, n: int) -> Any:
        now[0] = n
        return client.send(message(n))

    with FarSide(proper) as far:
        run(style, role, far.url, do)
    assert 1 in judged
    assert max(judged) <= LEARNT, judged


@pytest.mark.parametrize("style", ["sync", "async"])
def test_refusals_are_told(style: str) -> None:
    """A refusal whose shape is known is raised as the first one was."""
    answer = SubmitRsp(status=Status(2004, "Too large"))

    def do(client: Any, n: int) -> Any:
        return client.send(SubmitReq(to="+1"), transaction_id=f"t-{n}")

    async def later(client: Any, n: int) -> StatusError:
        with pytest.raises(StatusError) as caught:
            await do(client, n)
        return caught.value

    def now(client: Any, n: int) -> StatusError:
        with pytest.raises(StatusError) as caught:
            do(client, n)
        return caught.value

    with FarSide(saying(answer)) as far:
        errors: list[Any] = run(style, "vasp", far.url, now if style == "sync" else later)
    assert [(one.status.code, one.transaction_id) for one in errors] == [(2004, f"t-{n}") for n in range(1, TIMES + 1)]
    assert {(str(one.answer.status), len(one.findings)) for one in errors} == {
        (str(errors[0].answer.status), len(errors[0].findings))
    }


@pytest.mark.parametrize("style", ["sync", "async"])
def test_invalid_value_is_refused_each_time(style: str) -> None:
    """A value that the schema does not allow is no value of a shape that is known."""

    def do(client: Any, n: int) -> Any:
        return client.send(report(n))

    async def later(client: Any, n: int) -> Any:
        return await do(client, n)

    async def refused(client: Any, n: int) -> None:
        with pytest.raises(LocalError, match="MMStatus"):
            await client.send(replace(report(1), mm_status="Eaten"))

    def refused_now(client: Any, n: int) -> None:
        with pytest.raises(LocalError, match="MMStatus"):
            client.send(replace(report(1), mm_status="Eaten"))

    with FarSide(proper) as far:
        run(style, "mmsc", far.url, do if style == "sync" else later)
        run(style, "mmsc", far.url, refused_now if style == "sync" else refused)
        assert len(far.requests) == TIMES


class Watching(zeep.plugins.Plugin):
    """A plugin of a user's own: it sees every envelope, and adds a header field."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def egress(self, envelope: Any, http_headers: Any, operation: Any, binding_options: Any) -> Any:
        """Note it."""
        self.seen.append("out")
        return envelope, {**http_headers, "X-Seen": "yes"}

    def ingress(self, envelope: Any, http_headers: Any, operation: Any) -> Any:
        """Note it."""
        self.seen.append("in")
        return envelope, http_headers


@pytest.mark.parametrize("style", ["sync", "async"])
def test_plugins_of_others_see_everything(style: str) -> None:
    """Who gives the zeep client a plugin, or asks for findings, gets every envelope: no plan stands in between."""
    watching, found = Watching(), []

    def do(client: Any, n: int) -> Any:
        if n == 1:
            client.client.plugins.append(watching)
        return client.send(report(n))

    def told(client: Any, n: int) -> Any:
        if n == 1:
            client.client.plugins[:] = [ValidationPlugin(on_findings=found.append)]
        return client.send(report(n))

    with FarSide(proper) as far:
        run(style, "mmsc", far.url, do)
        assert watching.seen == ["out", "in"] * TIMES
        assert [one.header("X-Seen") for one in far.requests] == ["yes"] * TIMES
        run(style, "mmsc", far.url, told)
    assert len(found) == TIMES


@pytest.mark.parametrize("style", ["sync", "async"])
def test_transport_of_others_posts_everything(style: str) -> None:
    """A transport that changes ``post_xml`` is given every envelope, as the tree that zeep made."""
    seen: list[str] = []

    class Mine(SwaTransport):
        def post_xml(self, address: str, envelope: Any, headers: Any) -> Any:
            seen.append(envelope.findtext(".//{*}TransactionID"))
            return super().post_xml(address, envelope, headers)

    class MineAsync(AsyncSwaTransport):
        async def post_xml(self, address: str, envelope: Any, headers: Any) -> Any:
            seen.append(envelope.findtext(".//{*}TransactionID"))
            return await super().post_xml(address, envelope, headers)

    def do(client: Any, n: int) -> Any:
        client.client.transport.__class__ = Mine if style == "sync" else MineAsync
        return client.send(report(n), transaction_id=f"t-{n}")

    with FarSide(proper) as far:
        run(style, "mmsc", far.url, do)
        assert len(far.requests) == TIMES
    assert seen == [f"t-{n}" for n in range(1, TIMES + 1)]
