"""The load generator against servers that answer well, late, wrongly or not at all, and reports that come or do not."""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from click.testing import CliRunner, Result
from gateway_process import AUTH, GatewayProcess, eventually
from load_site import Asked, Site, Told, response, well
from load_site import http as http_answer
from postgres_server import held_port

from mm7zeep import exchange
from mm7zeep.cli import main
from mm7zeep.cli.load import _progress
from mm7zeep.load import Plan, Schedule
from mm7zeep.load.callbacks import listening
from mm7zeep.load.crew import Crew, News
from mm7zeep.load.ledger import Ledger
from mm7zeep.load.sender import Sender
from mm7zeep.load.tally import Tally
from mm7zeep.messages import (
    DeliverReq,
    DeliveryReportReq,
    Fault,
    Message,
    Number,
    ReadReplyReq,
    RSErrorRsp,
    ShortCode,
    Status,
)

NUMBERS = ("+447700900001", "+447700900002", "+447700900003")


def plan(url: str, rate: float, duration: float, **changes: Any) -> Plan:
    """A plan for a site on loopback."""
    given: dict[str, Any] = {"numbers": NUMBERS, "connections": 8, "timeout": 5.0, "max_late": 5.0, "every": 10}
    schedule = Schedule(rate=rate, duration=duration, ramp=changes.pop("ramp", 0.0))
    return Plan(url=url, address="127.0.0.1", schedule=schedule, **(given | changes))


def sent(site: Site, rate: float, duration: float, **changes: Any) -> Tally:
    """What one sender counts, in this process."""
    return asyncio.run(Sender(plan(site.url, rate, duration, **changes)).run())


# --- one sender -------------------------------------------------------------------------------------------------------


def test_everything_is_sent_once() -> None:
    """As many requests as are due, each with a TransactionID of its own, drawn from the numbers, all succeed."""
    with Site() as site:
        tally = sent(site, 500, 0.36, ramp=0.08, recipients=2, vaspid="V", authorization="Bearer b", reports=True)
        asked = list(site.asked)
    assert len(asked) == tally.sent == tally.answered == tally.succeeded == 160
    assert not tally.errors
    assert not tally.late
    assert not tally.unsent
    assert tally.codes == {("submit", 1000): 160}
    assert tally.latency.count == tally.delay.count == 160
    assert sum(one.sent for one in tally.slots.values()) == sum(one.answered for one in tally.slots.values()) == 160
    assert len({one.transaction_id for one in asked}) == 160
    assert {one for each in asked for one in each.numbers} == set(NUMBERS)
    assert all(len(set(one.numbers)) == 2 for one in asked)
    assert all(b"\r\nAuthorization: Bearer b\r\n" in one.head for one in asked)
    assert tally.full == 16
    assert not tally.overruled
    assert tally.octets == sum(len(one.head) + len(one.body) for one in asked)


def test_connections_are_kept() -> None:
    """No more connections than were asked for are opened, and they serve all requests."""
    with Site() as site:
        sent(site, 300, 0.15, connections=3)
        assert 1 <= site.connections <= 3


def test_a_server_that_stalls_is_charged_for_all_that_waited() -> None:
    """No coordinated omission: with one connection, one answer that takes 0.3 s makes some 30 requests late."""

    def stall(asked: Asked) -> Told:
        return Told(http_answer(response(asked)), delay=0.3 if asked.number == 20 else 0.0)

    with Site(stall) as site:
        tally = sent(site, 100, 0.6, connections=1)
    assert tally.succeeded == 60
    assert tally.latency.max >= 0.3
    slow = sum(count for low, _, count in tally.latency.buckets() if low >= 0.1)
    assert slow >= 18  # those due in the first 0.2 s of the stall; 1, if latency began with the sending
    assert tally.delay.quantile(0.9) >= 0.05


FAULT = Fault(fault_code="Server", fault_string="no", error=RSErrorRsp(status=Status(3000)))


def trouble(asked: Asked) -> Told:
    """The first answers are as they should not be, each in its own way."""
    good = http_answer(response(asked))
    fault = exchange.pack(FAULT, transaction_id=asked.transaction_id).read()
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = response(asked)
    return {
        0: Told(http_answer(b"<html>", 500, "text/html")),
        1: Told(http_answer(response(asked, 2002))),
        2: Told(http_answer(fault, 500)),
        3: Told(http_answer(response(asked, transaction_id="another"))),
        4: Told(None, cut=True),
        5: Told(good[:-40], cut=True),
        6: Told(chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)),
        7: Told(good, delay=10.0),
        8: Told(b"220 smtp ready\r\n"),
        9: Told(http_answer(response(asked, 1100))),
        10: Told(good + good),
        11: Told(http_answer(response(asked).replace(b"</StatusText>", b"</StatusTxt>"))),
    }.get(asked.number, Told(good))


def test_each_kind_of_error_is_counted() -> None:
    """Every answer that is none is counted under its kind, and the rest is not touched by it."""
    with Site(trouble) as site:
        tally = sent(site, 100, 0.3, timeout=1.2, every=1)
    assert tally.errors == {
        **dict.fromkeys(("HTTP 500", "MM7 1100", "MM7 2002", "MM7 3000", "reset", "cut", "timeout"), 1),
        "wrong TransactionID": 1,
        "unparsable": 3,
    }
    assert tally.overruled == 1  # what is no XML, and looks well to the scan
    assert tally.sent == 30
    assert tally.succeeded + tally.failed == 30
    assert tally.codes["submit", 1000] == tally.succeeded
    assert tally.latency.count == 30
    assert tally.unanswered_submits == tally.failed - 3


def test_what_is_no_request_is_no_failed_request() -> None:
    """Octets that nobody asked for, and acceptances without a MessageID, are told beside the requests that failed."""

    def odd(asked: Asked) -> Told:
        body = response(asked)
        begin, end = body.index(b"<MessageID>"), body.index(b"</MessageID>") + len(b"</MessageID>")
        return Told(http_answer(body[:begin] + body[end:] if asked.number % 2 else body))

    with Site(odd) as site:
        sender = Sender(plan(site.url, 100, 0.1, reports=True, every=1000))
        sender.failed(None, None, "unparsable")  # on a connection whose requests were answered
        tally = asyncio.run(sender.run())
    assert tally.errors == {"accepted without a MessageID": 5, "octets without a request": 1}
    assert (tally.sent, tally.succeeded, tally.failed) == (10, 10, 0)


def test_nobody_listens() -> None:
    """A refused connection is an error of its own kind, and no submit may have been accepted."""
    with held_port() as holder:
        url = f"http://127.0.0.1:{holder.getsockname()[1]}/mm7"
        tally = asyncio.run(Sender(plan(url, 50, 0.2)).run())
    assert tally.errors == {"refused": 10}
    assert tally.unanswered_submits == 0


def test_tls(tmp_path: Path) -> None:
    """Over TLS with a certificate that is trusted all is well; with one that is not, nothing is sent."""
    authority, served = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with Site(tls=served) as site:
        assert sent(site, 100, 0.1, ca_file=str(tmp_path / "ca.pem")).succeeded == 10
        assert len(site.asked) == 10
        [(kind, times)] = sent(site, 100, 0.02).errors.items()
        assert times == 2
        assert kind.startswith("TLS: the server's certificate is signed by an unknown authority: pass")
        assert len(site.asked) == 10


def test_a_rate_that_cannot_be_held() -> None:
    """A server that never answers on the only connection: what was not sent in time is counted, and the run ends."""
    with Site(lambda asked: Told(None)) as site:
        began = time.monotonic()
        tally = sent(site, 100, 0.2, connections=1, timeout=0.2, max_late=0.1)
        assert time.monotonic() - began < 5
    assert tally.late + tally.unsent >= 10
    assert tally.sent + tally.unsent == 20
    assert tally.errors == {"timeout": tally.sent}


async def ended(sender: Sender, end: Callable[[Sender], None]) -> Tally:
    """What is counted where the run is ended after some requests."""
    running = asyncio.create_task(sender.run())
    while sender.tally.sent < 5:  # noqa: ASYNC110  a sender tells nobody of a single request
        await asyncio.sleep(0.01)
    end(sender)
    return await running


def test_stop_and_abandon() -> None:
    """After a stop what was sent is still answered; after an abandon nothing is waited for."""
    with Site(lambda asked: Told(http_answer(response(asked)), delay=0.2)) as site:
        tally = asyncio.run(ended(Sender(plan(site.url, 50, 60)), Sender.stop))
        assert 5 <= tally.sent < 100
        assert tally.succeeded == tally.sent
        assert not tally.unsent
    with Site(lambda asked: Told(None)) as site:
        mixed = plan(site.url, 50, 60, mix=(("submit", 1.0), ("cancel", 1.0)))
        tally = asyncio.run(ended(Sender(mixed), Sender.abandon))
        assert tally.errors == {"abandoned": tally.sent}


def test_cancels_and_replaces_name_messages_that_wait() -> None:
    """Each names the MessageID of a submit that waits, none twice in the schedule, and none is left at the end."""
    mix = (("submit", 6.0), ("cancel", 2.0), ("replace", 2.0))
    with Site() as site:
        tally = sent(site, 450, 0.4, mix=mix, sizes=((0, 1.0), (3000, 1.0)))
        asked = list(site.asked)
    waiting = {f"m{one.number}" for one in asked if b"<EarliestDeliveryTime>" in one.body and one.operation == "Submit"}
    cancelled = [one.message_id for one in asked if one.operation == "Cancel"]
    replaced = [one.message_id for one in asked if one.operation == "Replace"]
    assert tally.codes["cancel", 1000] >= 10
    assert tally.codes["replace", 1000] == len(replaced) >= 10
    assert tally.succeeded == 180
    assert sorted(cancelled) == sorted(waiting)
    assert len(set(replaced)) == len(replaced)
    assert set(replaced) <= waiting
    assert not tally.left_waiting
    assert len({one.transaction_id for one in asked}) == len(asked)


def test_a_fault_of_ours_ends_the_run() -> None:
    """What goes wrong in a callback is raised, and not lost in the event loop."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with Site() as site:
        sender = Sender(plan(site.url, 50, 60, reports=True), on_accepted=broken)
        with pytest.raises(ZeroDivisionError):
            asyncio.run(sender.run())


# --- the command ------------------------------------------------------------------------------------------------------


def run(*words: str) -> Result:
    """The command, in this process; its senders are processes of their own."""
    return CliRunner().invoke(main, ["load", *words])


MOMENT = datetime(2026, 5, 1, tzinfo=UTC)
MO = DeliverReq(sender=Number(NUMBERS[0]), to=ShortCode("1"), time_stamp=MOMENT)
READ = ReadReplyReq(
    message_id="m1", recipient=Number(NUMBERS[0]), sender=ShortCode("1"), time_stamp=MOMENT, mm_status="Read"
)


class Reporter:
    """Reports what was submitted to a site, as ``faults`` say: numbers of submits that get none, or two."""

    def __init__(self, port: int, *, missing: int = -1, doubled: int = -1) -> None:
        self.port, self.missing, self.doubled = port, missing, doubled
        self.statuses: list[int] = []
        self._threads: list[threading.Thread] = []

    def answer(self, asked: Asked) -> Told:
        """Answer well, and report soon."""
        thread = threading.Thread(target=self._report, args=(asked,))
        thread.start()
        self._threads.append(thread)
        return well(asked)

    def join(self) -> None:
        """Wait until all is reported."""
        for one in self._threads:
            one.join(20)

    def _report(self, asked: Asked) -> None:
        times = 0 if asked.number == self.missing else 2 if asked.number == self.doubled else 1
        for _ in range(times):
            self.post(
                DeliveryReportReq(
                    message_id=f"m{asked.number}", recipient=Number(asked.numbers[0]), sender=ShortCode("1"),
                    date=datetime.now(UTC), mm_status="Retrieved",
                )
            )  # fmt: skip

    def post(self, message: Message) -> None:
        """Call the listener."""
        wire = exchange.pack(message)
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            shown = "Basic " + base64.b64encode(b"mmsc:pass").decode()
            connection.request("POST", "/", body=wire.read(), headers=dict(wire.headers) | {"Authorization": shown})
            self.statuses.append(connection.getresponse().status)


def test_reports_are_held_against_what_was_accepted() -> None:
    """A report that does not come, and one that comes twice, are found; read replies and messages are taken, too."""
    ledger = Ledger()
    with listening(ledger, "127.0.0.1", 0, ("mmsc", "pass")) as url:
        reporter = Reporter(int(url.rpartition(":")[2]), missing=3, doubled=5)
        with Site(reporter.answer) as site:
            loaded = plan(site.url, 100, 0.2, reports=True)
            sender = Sender(loaded, on_accepted=lambda name, to, part: ledger.accept(name, to, in_part=part))
            asyncio.run(sender.run())
            reporter.join()
        for message in (MO, READ):
            reporter.post(message)
    account = ledger.account()
    assert (account.accepted, account.awaited, account.reported, account.missing) == (20, 20, 19, 1)
    assert (account.doubled, account.repeated, account.unknown, account.delivered) == (1, 0, 0, 1)
    assert set(reporter.statuses) == {200}


@pytest.mark.processes
def test_exactly_once_and_the_page(tmp_path: Path) -> None:
    """A report that is missing and one that came twice are found, and told by the terminal, JSON, page and status."""
    page = tmp_path / "load.html"
    holder = held_port()
    reporter = Reporter(holder.getsockname()[1], missing=3, doubled=5)
    with holder, Site(reporter.answer) as site:
        done = run(
            site.url, "--rate", "40", "--duration", "0.5s", "--processes", "2", "--json",
            "--listen", f"127.0.0.1:{reporter.port}",
            "--settle", "4s", "--html", str(page), "--vaspid", "TNN", "--vasid", "News", "--max-late", "30",
        )  # fmt: skip
        reporter.join()
    assert done.exit_code == 1, done.output
    said = json.loads(done.stdout)
    assert said["requests"]["succeeded"] == 20
    once = said["exactly_once"]
    assert (once["accepted"], once["awaited"], once["missing"], once["doubled"], once["unknown"]) == (20, 20, 1, 1, 0)
    assert len(said["faults"]) == 2
    assert "m3" in "".join(once["examples"])
    assert set(reporter.statuses) == {200}
    assert "1 of 20 final reports did not come" in page.read_text()
    assert len(said["processor"]) == 2


@pytest.mark.processes
def test_all_well_on_the_terminal() -> None:
    """A run without a fault ends with 0 and says what was measured."""
    with Site() as site:
        done = run(site.url, "--rate", "50", "--duration", "0.2", "--max-late", "30")
    assert done.exit_code == 0, done.output
    assert "sent       10 in 0.2 s" in done.stdout
    assert "10 x 1000 Success" in done.stdout
    assert done.stdout.rstrip().endswith("ok")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["http://192.0.2.1/mm7"], "--allow-send"),
        (["http://192.0.2.1/mm7", "--allow-send", "+15550100", "--to", "+15550101"], "not among the numbers"),
        (["http://127.0.0.1:9/", "--ramp", "20s"], "ramp"),
        (["http://127.0.0.1:9/", "--duration", "soon"], "--duration"),
        (["http://127.0.0.1:9/", "--mix", "read"], "'read' is none of submit, cancel, replace"),
        (["http://127.0.0.1:9/", "--sizes", "big"], "--sizes"),
        (["http://127.0.0.1:9/", "--auth", "u:hunter2", "--bearer", "hunter2"], "give one of them"),
        (["http://u:hunter2@127.0.0.1:9/"], "holds credentials"),
        (["http://127.0.0.1:9/", "--to", "@/nowhere/numbers"], "--to"),
        (["http://127.0.0.1:9/", "--to", "Peter"], "numbers are digits"),
        (["http://127.0.0.1:9/", "--html", "/nowhere/page.html"], "--html"),
        (["http://127.0.0.1:9/", "--listen-auth", "u:p"], "--listen"),
        (["http://127.0.0.1:9/", "--profile", "nonsense"], "nonsense"),
        (["http://127.0.0.1:9/", "--processes", "40"], "connections"),
    ],
)
def test_wrong_usage(words: list[str], told: str) -> None:
    """What cannot be run, or may not, is told with what to do, and nothing is sent; the exit status is 2."""
    done = run(*words)
    assert done.exit_code == 2, done.output
    assert told in " ".join(done.stderr.split())
    assert "hunter2" not in done.output


@pytest.mark.processes
def test_refused_report_is_told() -> None:
    """What the listener of a run refuses is told as said by this command."""
    holder = held_port()
    port = holder.getsockname()[1]

    def stranger(asked: Asked) -> Told:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("POST", "/", body=b"", headers={"Content-Type": "text/xml"})
            assert connection.getresponse().status == 401
        return well(asked)

    with holder, Site(stranger) as site:
        done = run(
            site.url, "--rate", "1", "--duration", "0.1", "--max-late", "30", "--settle", "0.1s",
            "--listen", f"127.0.0.1:{port}", "--listen-auth", "mmsc:pass",
        )  # fmt: skip
    [_, refused] = done.stderr.splitlines()
    assert refused.startswith("mm7zeep load: refused ")
    assert refused.endswith("answered HTTP 401")


def test_listener_that_cannot_be() -> None:
    """An address that somebody has is told; the exit status is 3, and nothing was sent."""
    with Site() as site, socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(site.url, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        assert site.asked == []
    assert done.exit_code == 3
    assert "mm7zeep load: " in done.stderr


@pytest.mark.processes
def test_interrupt_ends_in_order() -> None:
    """Ctrl-C, which the terminal sends to all processes, ends the run, and what was sent is reported."""
    words = [sys.executable, "-c", "from mm7zeep.cli import main; main(prog_name='mm7zeep')", "load"]
    with Site() as site:
        command = [*words, site.url, "--rate", "100", "--duration", "10m", "--json", "--max-late", "60"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as ours:
            try:
                eventually(lambda: len(site.asked) >= 10 or ours.poll() is not None, "requests", 60)
                os.killpg(ours.pid, signal.SIGINT)
                out, err = ours.communicate(timeout=30)
            finally:
                ours.kill()
    assert ours.returncode == 0, err
    said = json.loads(out)
    assert said["interrupted"] is True
    assert said["requests"]["sent"] == said["requests"]["succeeded"] == len(site.asked)
    assert said["requests"]["unsent"] == 0
    assert err == ""


def test_second_interrupt_waits_for_no_report() -> None:
    """Who has interrupted twice is not kept waiting for a report that is still to come; who has once is."""
    ledger, crew = Ledger(), Crew(plan("http://127.0.0.1:9/", 10, 1, reports=True))
    ledger.accept("m1", NUMBERS[:1])
    took = []
    for crew.interrupts in (2, 1):
        began = time.monotonic()
        crew.settle(ledger, 1.0 if crew.interrupts == 1 else 60.0)
        took.append(time.monotonic() - began)
    assert took[0] < 30
    assert took[1] >= 1


def test_live_line_goes_on_while_reports_are_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts the reports that come, and says for how many more it waits; at last, that all are there."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "160")
    waited = plan("http://127.0.0.1:9/", 10, 1, reports=True)
    ledger, crew = Ledger(), Crew(waited)
    for name in ("m1", "m2"):
        ledger.accept(name, NUMBERS[:1])
    shown: list[str] = []
    with _progress(waited, ledger) as live:
        assert live is not None
        live.watch(News(0, sent=10, answered=9, failed=1))

        def waits(seconds: float) -> None:
            live.waits(seconds)
            shown.append(live.said)
            ledger.report(f"m{min(len(shown), 2)}", NUMBERS[0], "Retrieved")

        crew.settle(ledger, 30, waits)
    assert shown[0].startswith("9 answered, 1 failed, 0 reported; waiting up to 30 s for 2 more")
    assert shown[1].startswith("9 answered, 1 failed, 1 reported; waiting up to ")
    assert shown[1].endswith(" s for 1 more")
    assert shown[-1] == "9 answered, 1 failed, 2 reported; all are there; waiting for what comes twice"
    assert shown[-1] in terminal.getvalue()


@pytest.mark.processes
def test_process_that_dies_is_told() -> None:
    """A sender process that ends by itself is no result."""
    with Site() as site, Crew(plan(site.url, 10, 60)) as crew:
        [victim] = crew._pipes.values()
        killer = threading.Thread(target=lambda: (eventually(lambda: site.asked, "requests", 60), victim.kill()))
        killer.start()
        with pytest.raises(RuntimeError, match="ended by itself"):
            crew.run()
        killer.join()
    assert not victim.is_alive()


@pytest.mark.processes
def test_a_real_gateway(tmp_path: Path) -> None:
    """``mm7zeep serve`` under a mix of operations and sizes: all succeed, and every report comes once."""
    holder = held_port()
    port = holder.getsockname()[1]
    mix = ("--mix", "submit=8,cancel=1,replace=1", "--sizes", "text=3,30k=1", "--recipients", "2")
    with holder, GatewayProcess(tmp_path, callback=f"http://127.0.0.1:{port}/") as gateway:
        done = run(
            gateway.url, "--rate", "60", "--duration", "4s", "--ramp", "1s", *mix, "--auth", ":".join(AUTH),
            "--vaspid", "TNN", "--listen", f"127.0.0.1:{port}", "--listen-auth", "mmsc:mmsc-password", "--json",
            "--max-late", "20", "--every", "5",
        )  # fmt: skip
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["requests"]["succeeded"] == said["requests"]["sent"] == 210
    assert set(said["status_codes"]) == {"submit 1000", "cancel 1000", "replace 1000"}
    assert said["exactly_once"]["awaited"] == said["exactly_once"]["reported"] > 100
    assert not said["exactly_once"]["broken"]
    assert said["full_reader"]["judged"] > 40
    assert said["full_reader"]["overruled"] == 0
