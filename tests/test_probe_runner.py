"""The examiner's runner: what makes a verdict, what is skipped, what is the tool's trouble, what waits for calls."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from made_docs import is_current

from mm7zeep import DeliveryReportReq, Mm7Error, MmscClient, Number, Retry, ShortCode
from mm7zeep.probe.accept import OK, REF
from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.cases import ALL
from mm7zeep.probe.common import COMMON
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.listener import Listener, Script
from mm7zeep.probe.matching import about
from mm7zeep.probe.replies import closes, fault, rsp
from mm7zeep.probe.results import Level, Reason, Result, Role
from mm7zeep.probe.runner import dry_answer, dry_run, run
from mm7zeep.probe.settings import Account, Numbers, Settings, from_mapping, from_toml, with_account
from mm7zeep.probe.wire import Refused
from mm7zeep.profiles import NAMESPACE_PREFIX

Run = Callable[[Lab], None]


@contextmanager
def peer(reply: Callable[[bytes], bytes | None]) -> Iterator[Settings]:
    """A server that answers each request with what ``reply`` makes of it; None closes."""
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            data = b""
            while b"</soap-env:Envelope>" not in data:
                got = connection.recv(65536)
                if not got:
                    return
                data += got
            answer = reply(data)
            if answer is None:
                ended.wait(5)
                return
            with suppress(OSError):  # the examiner goes when it has read enough
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):  # closing with octets unread would reset what was sent
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def run_it() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                connection.settimeout(30)
                threading.Thread(target=serve, args=(connection,)).start()

        thread = threading.Thread(target=run_it)
        thread.start()
        try:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/mm7"
            yield Settings(
                url=url,
                numbers=Numbers(good=("+15550001",)),
                timeout=0.5,
                patience=0.3,
                window=0.3,
                authenticated=False,
            )
        finally:
            ended.set()
            thread.join()


def yes(request: bytes) -> bytes:
    """Accepts."""
    body = dry_answer(request).body
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def made(run: Run, level: Level = "MUST", id: str = "area/one", needs: tuple[str, ...] = ()) -> Case:
    """A case of these."""
    return case(id, level, "8.7.1", "It holds.", needs=needs)(run)


def asks(lab: Lab) -> None:
    """Wants a submit to be accepted."""
    lab.expect(lab.ask(lab.submit()), OK)


def wants_refusal(lab: Lab) -> None:
    """Wants a submit to be refused."""
    lab.expect(lab.ask(lab.submit()), REF(2004))


def one(run_: Run, settings: Settings, **fields: object) -> Result:
    """The result of one case."""
    return run([made(run_, **fields)], settings).results[0]  # type: ignore[arg-type]


def test_clauses_name_their_document() -> None:
    """No clause of a case or of what is asked of every answer is a bare number."""
    assert [one.id for one in (*ALL, *COMMON) if any(part[:1].isdigit() for part in one.clause.split("; "))] == []


@pytest.mark.parametrize(
    ("run_", "level", "verdict"),
    [
        (asks, "MUST", "PASS"),
        (wants_refusal, "MUST", "FAIL"),
        (wants_refusal, "SHOULD", "WARN"),
        (wants_refusal, "INFO", "INFO"),
        (lambda lab: lab.any(lab.ask(lab.submit()), REF(2004)), "INFO", "FAIL"),
        (lambda lab: lab.note("worth telling"), "MUST", "INFO"),
        (lambda lab: lab.skip("not here"), "MUST", "SKIP"),
        (lambda lab: lab.require(False, "broken", level="SHOULD"), "MUST", "WARN"),
        (lambda lab: {}["nothing"], "MUST", "ERROR"),
    ],
)
def test_verdicts(run_: Run, level: Level, verdict: str) -> None:
    """What a case finds makes its verdict, by its level; what breaks in the tool is ERROR."""
    with peer(yes) as settings:
        assert one(run_, settings, level=level).verdict == verdict


def test_the_answer_of_a_request_that_comes_later_is_foreign_too() -> None:
    """Of two at once it is chance which is answered first: the other's TransactionID is one fault, not two."""
    first, second = "t-first", "t-second"

    def swapped(request: bytes) -> bytes:
        old, new = (first, second) if first.encode() in request else (second, first)
        return yes(request.replace(old.encode(), new.encode()))

    def both(lab: Lab) -> None:
        for name in (first, second):
            lab.ask(lab.submit().transaction(name, name))

    with peer(swapped) as settings:
        found = {result.id: result for result in run([made(both)], settings).results}
    assert len(found["answer/foreign"].reasons) == 2
    assert found["answer/transaction-id"].verdict == "PASS"


def test_silence_is_hang() -> None:
    """No answer in time is HANG at any level, with what was sent."""
    with peer(lambda request: None) as settings:
        found = one(asks, settings, level="SHOULD")
        after = one(lambda lab: lab.alive(), settings)
    assert (found.verdict, found.transmissions[0].ended) == ("HANG", "timeout")
    assert after.verdict == "HANG"
    assert b"SubmitReq" in found.transmissions[0].sent


def test_an_answer_that_is_too_large_is_a_failure_and_no_hang() -> None:
    """A MUST at any level, told as what it is, by the case and by the assertion that judges lengths."""
    with peer(lambda request: b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 20_000_000) as settings:
        found = {
            result.id: result for result in run([made(asks, level="SHOULD")], replace(settings, timeout=20)).results
        }
    assert (found["area/one"].verdict, found["answer/length"].verdict) == ("FAIL", "FAIL")
    assert "the answer is larger than 16,777,216 octets" in found["area/one"].why
    assert "the answer is larger than 16,777,216 octets" in found["answer/length"].why


def test_nobody_there_is_an_error_and_a_dead_server_a_failure() -> None:
    """Nobody there ends the run before it begins; a connection that comes to be no more after an answer is the peer's
    failure, and one that a case never had is nobody's.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    gone = Settings(url=url, numbers=Numbers(good=("1",)))
    with pytest.raises(Refused, match="no connection to"):
        run([made(asks)], gone)

    def elsewhere(lab: Lab) -> None:
        lab.place = urlsplit(url)
        asks(lab)

    with peer(yes) as settings:
        assert one(elsewhere, settings).verdict == "ERROR"

    def kills(lab: Lab) -> None:
        asks(lab)
        lab.place = lab.place._replace(netloc=url.partition("//")[2].strip("/"))
        asks(lab)

    with peer(yes) as settings:
        found = one(kills, settings)
    assert found.verdict == "FAIL"
    assert found.why.startswith("the endpoint takes connections no more: ")


def test_no_way_to_the_endpoint_is_never_blamed_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where our own end has no sockets left, though the endpoint answered before."""

    def no_sockets(*args: object, **kwargs: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    def runs_dry(lab: Lab) -> None:
        asks(lab)
        monkeypatch.setattr("mm7zeep.probe.wire.socket.create_connection", no_sockets)
        asks(lab)

    with peer(yes) as settings:
        found = one(runs_dry, settings)
    assert (found.verdict, "Too many open files" in found.why) == ("ERROR", True)


def test_a_common_assertion_that_breaks_costs_no_other_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ERROR, with its place."""

    def breaks(exchange: object) -> Iterator[Reason]:
        raise KeyError("of the tool")

    monkeypatch.setattr("mm7zeep.probe.runner.COMMON", (replace(COMMON[0], check=breaks), COMMON[1]))
    with peer(yes) as settings:
        found = {result.id: result for result in run([made(asks)], settings).results}
    assert found["area/one"].verdict == found[COMMON[1].id].verdict == "PASS"
    assert found[COMMON[0].id].verdict == "ERROR"
    assert "test_probe_runner.py" in found[COMMON[0].id].why


@pytest.mark.parametrize("need", ["listen", "second", "trigger", "numbers.barred", "limits.rate", "can.cancel"])
def test_what_is_not_given_is_skipped(need: str) -> None:
    """With the reason, and without a request."""
    with peer(yes) as settings:
        found = one(asks, replace(settings, unsupported=frozenset({"cancel"})), needs=(need,))
    assert found.verdict == "SKIP"
    assert need.partition(".")[2] in found.skipped or need in found.skipped
    assert not found.transmissions


def test_a_stopped_run_judges_what_was_begun() -> None:
    """No further case is begun."""
    stop = threading.Event()

    def stops(lab: Lab) -> None:
        asks(lab)
        stop.set()

    heard: list[Result] = []
    asked: list[str] = []
    with peer(yes) as settings:
        report = run(
            [made(stops, id="area/first"), made(asks, id="area/second")],
            replace(settings, parallel=1),
            on_result=heard.append,
            on_asked=lambda case: asked.append(case.id),
            stop=stop,
        )
    assert [one.id for one in report.results if not one.common] == ["area/first"]
    assert asked == ["area/first"]
    assert [one.id for one in heard] == [one.id for one in report.results]


def test_cases_of_another_role_are_refused() -> None:
    """A mistake of the caller."""
    with pytest.raises(ValueError, match="role vasp"):
        run([next(one for one in ALL if one.role == "vasp")], Settings(url="http://127.0.0.1:1/"))


def test_a_seed_repeats_the_words() -> None:
    """The same TransactionIDs and marks with the same seed, others with another."""
    with peer(yes) as settings:
        sent = [one(asks, replace(settings, seed=seed)).transmissions[0].sent for seed in (1, 1, 2)]
    ids = [part.split(b"</TransactionID>")[0] for part in (octets.split(b'mustUnderstand="1">')[1] for octets in sent)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("script", "verdict", "why"),
    [
        ("echo '{}'", "PASS", ""),
        ("sleep 60 & echo $! > LEFT; echo '{}'", "PASS", ""),  # which nobody waits for
        ("echo nothing of the kind", "ERROR", "prints one JSON object or null"),
        ("echo 'no such host' >&2; exit 3", "ERROR", "ended with 3: no such host"),
    ],
)
def test_commands_that_drive_a_peer(script: str, verdict: str, why: str, tmp_path: Path) -> None:
    """What one says is taken as it ends, whatever it leaves running; its trouble is the tool's."""
    left = tmp_path / "left"
    command = ("/bin/sh", "-c", script.replace("LEFT", str(left)))
    began = time.monotonic()
    with peer(yes) as settings:
        found = one(lambda lab: lab.require(lab.trigger() == {}, "it says more"), replace(settings, trigger=command))
    if left.exists():
        os.kill(int(left.read_text()), signal.SIGKILL)
    assert time.monotonic() - began < 25
    assert found.verdict == verdict
    assert why in found.why


def test_commands_get_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of our own variables they have those of the case alone; all others they have as we do."""
    for name in ("PROBE_USER", "PROBE_CASE", "SEND_AUTH", "LOAD_BEARER", "GATEWAY_DATABASE", "UPSTREAM_1_HEADERS"):
        monkeypatch.setenv(f"MM7ZEEP_{name}", "quiet:whisper")
    monkeypatch.setenv("OF_THE_DRIVER", "its own")
    shows = (sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))")
    told: list[Mapping[str, Any]] = []
    with peer(yes) as settings:
        found = one(lambda lab: told.append(lab.trigger(what="it")), replace(settings, trigger=shows))
    assert found.verdict == "PASS"
    ours = {name: value for name, value in told[0].items() if name.startswith("MM7ZEEP_")}
    assert ours == {"MM7ZEEP_PROBE_WHAT": "it", "MM7ZEEP_PROBE_CASE": "area/one"}
    assert (told[0]["OF_THE_DRIVER"], told[0]["PATH"]) == ("its own", os.environ["PATH"])
    assert "whisper" not in str(told)


# --- what arrives at the callback -------------------------------------------------------------------------------------


def test_listener_answers_as_the_scripts_say() -> None:
    """In turn, the last one again; by default 1000."""
    report = DeliveryReportReq(
        message_id="m-1", recipient=Number("+1555"), sender=ShortCode("7777"), mm_status="Retrieved"
    )
    with (
        Listener("127.0.0.1:0") as listener,
        MmscClient(f"http://127.0.0.1:{listener.port}/", retry=Retry(times=0)) as client,
    ):
        script = Script(about("m-1"), (rsp(4006), fault(2004), rsp(1000)))
        assert client.delivery_report(report).status.code == 1000
        listener.add(script)
        seen = []
        for _ in range(4):
            try:
                seen.append(client.delivery_report(report).status.code)
            except Mm7Error as error:
                seen.append(error.status.code if error.status else 0)
        assert seen == [4006, 2004, 1000, 1000]
        assert [one.operation for one in listener.all()] == ["DeliveryReportReq"] * 5


def test_listener_closes_for_a_while() -> None:
    """Its port takes no connections, and then does again."""
    with Listener("127.0.0.1:0") as listener:
        port = listener.port
        with listener.closed(), pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)
        assert listener.port == port
        listener.add(Script(lambda one: True, (closes,)))
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
            assert connection.recv(100) == b""
        assert listener.wait(lambda one: one.raw.endswith(b"ab"), 1, 5)[0].operation == ""


def test_listener_ends_what_was_open_when_it_closes() -> None:
    """A client that keeps its connection cannot go on as if the port were open, and no thread waits for it."""
    with (
        Listener("127.0.0.1:0") as listener,
        socket.create_connection(("127.0.0.1", listener.port), 5) as connection,
    ):
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
        assert connection.recv(100)
        with listener.closed():
            assert connection.recv(100) == b""


def test_what_the_listener_cannot_answer_is_the_tools() -> None:
    """The request is kept, and nothing that fails to come after it is held against the peer."""

    def waits(lab: Lab) -> None:
        def breaks(arrived: Arrived) -> bytes | None:
            raise KeyError("of the tool")

        assert lab.bench.listener is not None
        with lab.answering(lambda one: True, breaks):
            with socket.create_connection(("127.0.0.1", lab.bench.listener.port), 5) as connection:
                connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
                assert connection.recv(100) == b""
            assert lab.calls(lambda one: one.raw.endswith(b"ab"))
            lab.call(lambda one: one.operation == "DeliverReq", "MM7_deliver")

    with peer(yes) as settings:
        found = one(waits, replace(settings, listen="127.0.0.1:0"))
    assert (found.verdict, "the tool's listener failed: KeyError" in found.why) == ("ERROR", True)


def test_what_was_accepted_once_may_arrive_though_its_repetition_is_refused() -> None:
    """And what was never answered is a HANG alone."""
    delivered, answers = threading.Event(), iter([True, False])

    def once(request: bytes) -> bytes | None:
        return yes(request) if next(answers) else yes(request).replace(b">1000<", b">2007<")

    def repeats(lab: Lab) -> None:
        sent = lab.submit()
        lab.must(lab.ask(sent), OK)
        lab.must(lab.ask(sent), REF(2007))
        assert lab.bench.listener is not None
        message = lab.deliver(mark=sent.mark)
        with socket.create_connection(("127.0.0.1", lab.bench.listener.port), 5) as connection:
            connection.sendall(message.octets(lab.place))
            assert connection.recv(100)
        delivered.set()

    with peer(once) as settings:
        found = one(repeats, replace(settings, listen="127.0.0.1:0"))
    assert delivered.is_set()
    assert (found.verdict, found.reasons) == ("PASS", ())


def test_calls_that_still_come_are_waited_for() -> None:
    """The window begins anew with each call, and ends with our patience."""
    with Listener("127.0.0.1:0") as listener:
        now = time.monotonic()
        assert listener.quiet(5.0, now + 60) <= 0
        with socket.create_connection(("127.0.0.1", listener.port), 5) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
            assert listener.wait(lambda one: True, 1, 5)
        assert 4.0 < listener.quiet(5.0, now + 60) <= 5.0
        assert listener.quiet(5.0, now) <= 0


def test_what_may_never_come_is_looked_for_until_it_would_have() -> None:
    """Where it would come later than the window, it is waited for, and no longer than until it comes."""
    settling = threading.Event()

    def cancels(lab: Lab) -> None:
        assert lab.bench.listener is not None
        port = lab.bench.listener.port

        def post() -> None:
            assert settling.wait(30)
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
                assert connection.recv(100)

        posting = threading.Thread(target=post)
        posting.start()
        lab.later(settling.set)
        lab.no_call(lambda one: one.raw.endswith(b"ab"), "it", until=time.monotonic() + 30)
        lab.later(posting.join)

    with peer(yes) as settings:
        found = one(cancels, replace(settings, listen="127.0.0.1:0"))
    assert (found.verdict, found.why) == ("FAIL", "it came, which must not")


@pytest.mark.parametrize(("window", "due"), [(0.5, b">PT2S<"), (5.0, b">PT5S<"), (59.5, b">PT1M<")])
def test_a_message_to_be_cancelled_is_due_after_the_window(window: float, due: bytes) -> None:
    """An MMSC that is far away has a chance to be asked for the cancel before."""
    sent: list[bytes] = []
    chosen = [one for one in ALL if one.id == "cancel/nothing-after"]
    dry_run(chosen, replace(EVERYTHING, window=window), lambda id, octets: sent.append(octets))
    assert [due in octets for octets in sent] == [True, False]


def test_what_is_refused_may_not_arrive_and_what_is_accepted_must() -> None:
    """Both are judged when all cases have asked."""

    def accepts_and_loses(lab: Lab) -> None:
        lab.expect(lab.ask(lab.submit()), OK)

    with peer(yes) as settings:
        looped = replace(settings, listen="127.0.0.1:0", numbers=replace(settings.numbers, loop="7779"))
        found = one(accepts_and_loses, looped)
    assert (found.verdict, found.why) == ("FAIL", "accepted, and it never arrived at the callback")


# --- all cases --------------------------------------------------------------------------------------------------------

EVERYTHING = Settings(
    url="http://127.0.0.1:1/mm7",
    account=Account(username="a", password="b"),
    second=Account(username="c", password="d", vaspid="OTHER", refuses="application/x-probe"),
    numbers=Numbers(good=("+15550001", "+15550002", "+15550004"), many="+15551000", sender="7777",
                    **dict.fromkeys(("loop", "older", "others"), "7779"),
                    **dict.fromkeys(("off", "unread", "barred", "unknown", "forwarded"), "+15550003"),
                    mail="a@example.com"),
    listen="127.0.0.1:0",
    trigger=("x",), state=("x",), seen=("x",), limits={"message": 100_000, "rate": 5},
)  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("role", ["mmsc", "vasp"])
def test_a_dry_run_makes_every_request(role: str) -> None:
    """Each case makes its requests without a peer, and nothing is sent."""
    chosen = [one for one in ALL if one.role == role]
    sent: dict[str, int] = {}
    dry_run(chosen, replace(EVERYTHING, role=role), lambda id, octets: sent.__setitem__(id, len(octets)))  # type: ignore[arg-type]
    silent = {one.id for one in chosen} - sent.keys()
    driven = {one.id for one in chosen if "trigger" in one.needs}  # the peer asks there
    assert silent - driven == set(), "these ask nothing"


def test_ids_are_unique_and_levels_are_the_catalogue_s() -> None:
    """Each case is named once for a role; there are as many as were promised."""
    count = {role: sum(one.role == role for one in ALL) for role in ("mmsc", "vasp")}
    assert count["mmsc"] >= 220
    assert count["vasp"] >= 90
    assert len({(one.role, one.id) for one in ALL}) == len(ALL)


def test_page_of_the_cases() -> None:
    """docs/cases.md is what its program makes."""
    assert is_current("make_cases"), "run docs/make_cases.py"


@pytest.mark.parametrize(("namespace", "verdict"), [("REL-5-MM7-1-0", "PASS"), ("REL-6-MM7-1-4", "FAIL")])
def test_no_message_id_where_the_namespace_has_none(namespace: str, verdict: str) -> None:
    """A submit is examined in every namespace; only where there is no MessageID, none is asked for."""

    def nameless(request: bytes) -> bytes:
        body = dry_answer(request).body.replace(b"<MessageID>dry</MessageID>", b"")
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    [minimal] = [one for one in ALL if one.id == "submit/minimal"]
    with peer(nameless) as settings:
        found = run([minimal], replace(settings, namespace=NAMESPACE_PREFIX + namespace)).results[0]
    assert found.verdict == verdict


@pytest.mark.parametrize(("id", "role"), [("report/multipart", "vasp"), ("cancel/multipart", "mmsc")])
def test_multipart_without_content_is_not_asked_of_who_does_not_take_it(id: str, role: Role) -> None:
    """Declared as not supported, it is skipped with that reason, and nothing is sent."""
    [chosen] = [one for one in ALL if (one.id, one.role) == (id, role)]
    unsupported = frozenset({"multipart-in-reports"})
    with peer(yes) as settings:
        found = run([chosen], replace(settings, role=role, unsupported=unsupported)).results[0]
    assert (found.verdict, found.transmissions) == ("SKIP", ())
    assert found.skipped == "declared as not supported: requests without content as multipart/related"


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ({}, "url: is missing"),
        ({"url": "ftp://x/"}, "url: 'ftp://x/' is no http"),
        ({"url": "http://u:p@x/"}, "url: holds a user"),
        ({"url": "http://x/", "colour": 1}, "colour: there is no such setting"),
        ({"url": "http://x/", "timeout": 0}, "timeout: more than 0"),
        ({"url": "http://x/", "timeout": "5s"}, "timeout: is a number of seconds"),
        ({"url": "http://x/", "parallel": 0}, "parallel: 1 to 64"),
        ({"url": "http://x/", "role": "hlr"}, "role: is mmsc or vasp"),
        ({"url": "http://x/", "namespace": "REL-9"}, "namespace: 'REL-9' is none"),
        ({"url": "http://x/", "numbers": {"good": "1"}}, "numbers.good: is a list of texts"),
        ({"url": "http://x/", "account": {"user": "1"}}, "account.user: there is no such setting"),
        ({"url": "http://x/", "account": "a"}, "account: is a table"),
        ({"url": "http://x/", "unsupported": ["flying"]}, "unsupported: 'flying' is none of"),
        ({"url": "http://x/", "limits": {"message": 0}}, "limits: message is at least 1"),
        ({"url": "http://x/", "authenticated": 1}, "authenticated: is true or false"),
    ],
)
def test_settings_that_cannot_be(said: dict[str, object], trouble: str) -> None:
    """Each is refused with its name and what would be right."""
    with pytest.raises(ValueError, match=trouble):
        from_mapping(said)


def test_settings_of_a_file(tmp_path: Path) -> None:
    """TOML, replaced by what the command line says; the file is named where it is wrong."""
    file = tmp_path / "probe.toml"
    file.write_text('url = "http://x/"\ntimeout = 3\nunsupported = ["replace"]\n[account]\nusername = "a"\n')
    found = with_account(from_toml(file, timeout=5.0, window=None), password="p")
    assert (found.timeout, found.window, found.account.username, found.account.password) == (5.0, 5.0, "a", "p")
    assert "password='p'" not in repr(found)
    file.write_text("url = ")
    with pytest.raises(ValueError, match=r"probe\.toml: "):
        from_toml(file)
