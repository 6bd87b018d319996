"""The gateway inside a test, as people use it to test their VASP: the fixture ``mm7_gateway`` and what it gives."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest

from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.testing import Trial
from mm7zeep.messages import DeliverReq, DeliveryReportReq, Message
from mm7zeep.receiver import Receiver


def test_there_and_back(mm7_gateway: Trial) -> None:
    """A submit is found by its recipient with its parts; its report and an MO reach the receiver of the test."""
    seen: list[Message] = []
    done = threading.Semaphore(0)
    receiver = Receiver(auth={"mmsc": "secret"})

    def keep(message: Any) -> None:
        seen.append(message)
        done.release()

    receiver.on_deliver(keep)
    receiver.on_delivery_report(keep)
    with serve_in_thread(receiver.asgi) as listening:
        mm7_gateway.start(callback=listening, handsets=[Handset(prefix="+4930", outcome="Rejected")], profile="optus")
        with mm7_gateway.client(profile="optus") as client:
            sent = client.submit("+4930123", ["Hello"], subject="Greeting", delivery_report=True)
        linked = mm7_gateway.deliver("+4930123", "Re: Greeting", "Hello back")
        assert [done.acquire(timeout=10) for _ in range(2)] == [True, True]
        found = mm7_gateway.wait(to="+4930123", subject="greet", state="Rejected")
    assert found.id == sent.message_id
    assert [one.state for one in mm7_gateway.recipients(found.id)] == ["Rejected"]
    assert [part.read() for part in mm7_gateway.parts(found.id) if part.content_type == "text/plain"] == [b"Hello"]
    report, answer = sorted(seen, key=lambda message: type(message).__name__, reverse=True)
    assert isinstance(report, DeliveryReportReq)
    assert isinstance(answer, DeliverReq)
    assert (report.message_id, report.mm_status) == (sent.message_id, "Rejected")
    assert (answer.linked_id, answer.subject) == (linked, "Re: Greeting")
    assert {call.kind for call in mm7_gateway.calls()} == {"deliver", "report"}


def test_nothing_came(mm7_gateway: Trial) -> None:
    """Waiting in vain ends with what was waited for; without a callback there is nobody to send an MO to."""
    with pytest.raises(TimeoutError, match=r"no message with .*\+1.* came within 0\.05 s"):
        mm7_gateway.wait(to="+1", timeout=0.05)
    with pytest.raises(ValueError, match="no callback"):
        mm7_gateway.deliver("+1")
    with pytest.raises(RuntimeError, match="runs already"):
        mm7_gateway.start()


def test_asking_for_the_url_starts_it(mm7_gateway: Trial) -> None:
    """The URL is that of a running gateway, though nothing was used before."""
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*/mm7", mm7_gateway.url)
    with pytest.raises(RuntimeError, match="runs already"):
        mm7_gateway.start()


def test_each_test_has_its_own(mm7_gateway: Trial) -> None:
    """A gateway begins empty; settings are those of ``Settings``."""
    mm7_gateway.start(handsets=[Handset(delay=timedelta(hours=1))], relay_id=None)
    assert mm7_gateway.messages() == []
    with mm7_gateway.client() as client:
        client.submit("+1", "x")
    assert [one.state for one in mm7_gateway.recipients(mm7_gateway.wait().id)] == ["Pending"]
