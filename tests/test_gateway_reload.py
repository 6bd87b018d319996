"""A gateway that goes on: SIGHUP reads the settings again without a request lost, a worker that hangs is replaced."""

from __future__ import annotations

import signal
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import trustme
from callback_sink import CallbackSink
from far_side import FarSide
from gateway_process import AUTH, OTHER_AUTH, GatewayProcess, eventually
from load import Load, Prepared, ask

pytestmark = pytest.mark.processes


@pytest.fixture
def sink() -> Iterator[CallbackSink]:
    """An application that takes every call."""
    with CallbackSink() as running:
        yield running


def reload(gateway: GatewayProcess, count: int, patience: float = 60.0) -> None:
    """Have the settings read again, and wait until they count."""
    gateway.signal(signal.SIGHUP)
    eventually(
        lambda: gateway.errors.count("the configuration was reloaded") >= count, f"reload {count}", timeout=patience
    )


def change(gateway: GatewayProcess, old: str, new: str) -> None:
    """Change the configuration file."""
    text = gateway.config.read_text(encoding="utf-8")
    assert old in text
    gateway.config.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("workers", [1, 2])
def test_reload_changes_what_is_served(tmp_path: Path, workers: int) -> None:
    """After SIGHUP the new passwords count and the old ones do not; no process but the first has to be the same."""
    prepared = Prepared(size=4_000)
    with GatewayProcess(tmp_path, workers=workers) as gateway:
        server = gateway.server().pid
        assert ask(gateway.url, AUTH, prepared, 0).code == 1000
        change(gateway, f'password = "{AUTH[1]}"', 'password = "another"')
        reload(gateway, 1)
        assert gateway.server().pid == server
        eventually(lambda: ask(gateway.url, AUTH, prepared, 1).status == 401, "the old password is refused")
        assert ask(gateway.url, (AUTH[0], "another"), prepared, 2).code == 1000
        other = Prepared(size=4_000, vaspid="ABC", vasid=None)
        assert ask(gateway.url, OTHER_AUTH, other, 3).code == 1000
        assert gateway.stop() == 0


def test_reload_turns_opt_outs_on_and_off(tmp_path: Path) -> None:
    """After SIGHUP opt-outs are heard and count; after another one they are kept, and count no more."""
    with GatewayProcess(tmp_path, callback="http://127.0.0.1:9/mm7") as gateway:

        def code(n: int) -> int | None:
            return ask(gateway.url, AUTH, Prepared(size=4_000), n).code  # under a TransactionID of its own

        def kept(n: int) -> int:
            """How many opt-outs there are after another STOP."""
            body = {"application": AUTH[0], "from": f"+61{n:09d}", "to": "111122", "text": "STOP"}
            requests.post(f"{gateway.admin}/api/v1/deliver", json=body, timeout=10).raise_for_status()
            return len(gateway.get("/api/v1/opt-outs").json()["opt_outs"])

        assert (kept(1), code(1)) == (0, 1000)
        password = f'password = "{AUTH[1]}"'
        change(gateway, password, f"{password}\nopt_out = true")
        reload(gateway, 1)
        eventually(lambda: kept(2) == 1, "a STOP is heard")
        eventually(lambda: code(2) == 2610, "who has opted out is not sent anything")
        assert code(1) == 1000
        change(gateway, "opt_out = true", "opt_out = false")
        reload(gateway, 2)
        eventually(lambda: code(2) == 1000, "nobody is refused any more")
        assert kept(2) == 1
        assert gateway.stop() == 0


def test_reload_changes_a_rate(tmp_path: Path) -> None:
    """Two workers send together what the day leaves; after SIGHUP the new amount counts for what waits already."""
    prepared = Prepared(size=4_000)
    near = GatewayProcess(tmp_path / "near", workers=2)
    with GatewayProcess(tmp_path / "far") as far:
        there = f'url = "{far.url}"\nusername = "{AUTH[0]}"\npassword = "{AUTH[1]}"\nvaspid = "TNN"\nvasid = "News"'
        tables = f'[[upstream]]\nname = "far"\n{there}\n[[route]]\nprefix = ""\nvia = "far"\n'
        tables += '[[rate]]\nname = "day"\nnumbers = ["*"]\nper_day = 3\n'
        change(near, "[gateway]", f"{tables}[gateway]")
        with near:
            for n in range(8):
                assert ask(near.url, AUTH, prepared, n).code == 1000

            def calls(state: str) -> list[str]:
                rows = near.get("/api/v1/callbacks", state=state, limit=100).json()["callbacks"]
                return [str(row["reason"]) for row in rows if row["kind"] == "submit"]

            eventually(lambda: len(calls("done")) == 3 and len(calls("ready")) == 5, "three are sent")
            assert all(reason.startswith("waits for the rate day of ") for reason in calls("ready"))
            change(near, "per_day = 3", "per_day = 5")
            reload(near, 1)
            eventually(lambda: len(calls("done")) == 5, "two more are sent")
            time.sleep(1.0)
            assert (len(calls("done")), len(calls("ready"))) == (5, 3)
            assert near.stop() == 0


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('vaspid = "TNN"', 'vaspit = "TNN"', "vaspit: is not known"),
        ("[gateway]", "[gateway", "is no TOML"),
        ("[gateway]", '[gateway]\nrelay_id = "x"\nadmin = "127.0.0.1:1"', ""),
        ("[gateway]", '[gateway]\ncert = "nowhere.pem"\nkey = "nowhere.pem"', "nowhere.pem"),
    ],
    ids=["unknown setting", "no TOML", "overridden by the command line", "no certificate"],
)
def test_bad_configuration_is_reported(tmp_path: Path, workers: int, old: str, new: str, words: str) -> None:
    """A configuration that cannot be used is logged with what is wrong, and the old one stays in force."""
    prepared = Prepared(size=4_000)
    with GatewayProcess(tmp_path, workers=workers) as gateway:
        change(gateway, old, new)
        if not words:  # --admin on the command line goes before the file: there is nothing wrong with it
            reload(gateway, 1)
        else:
            gateway.signal(signal.SIGHUP)
            eventually(lambda: "the old one stays" in gateway.errors, "the complaint", timeout=30)
            assert words in gateway.errors
            assert "was reloaded" not in gateway.errors
        assert ask(gateway.url, AUTH, prepared, 0).code == 1000
        assert gateway.ready()
        if words:
            change(gateway, new, old)
            reload(gateway, 1)
            assert ask(gateway.url, AUTH, prepared, 1).code == 1000
        assert gateway.stop() == 0


def test_database_needs_a_new_start(tmp_path: Path) -> None:
    """What a running gateway cannot change is named, and nothing changes."""
    with GatewayProcess(tmp_path) as gateway:
        change(gateway, "[gateway]", "[gateway]\nworkers = 3")
        gateway.signal(signal.SIGHUP)
        # the command line names one worker, which goes before the file
        eventually(lambda: "was reloaded" in gateway.errors, "the reload")
        assert len(gateway.children()) == 0


def steady_load(gateway: GatewayProcess, sink: CallbackSink, *, reloads: int, requests: int) -> None:
    """Reload so often under load: no request may fail, and each is reported."""
    prepared = Prepared(size=4_000)
    with Load(gateway.url, AUTH, prepared, count=None, concurrency=8, timeout=30) as load:
        for n in range(1, reloads + 1):
            wanted = len(load.accepted) + requests // (reloads + 1)
            eventually(lambda wanted=wanted: len(load.accepted) >= wanted, "requests", timeout=120)  # type: ignore[misc]
            reload(gateway, n)
        eventually(lambda: len(load.accepted) >= requests, "all requests", timeout=300)
        load.stop()
        assert load.join(60)
    assert set(load.outcomes) == {"1000"}, load.outcomes
    wanted_reports = set(load.accepted.values())
    eventually(lambda: {one.message_id for one in sink.kept()} >= wanted_reports, "the reports", timeout=120)


@pytest.mark.parametrize("workers", [1, 2])
def test_reload_under_load(tmp_path: Path, sink: CallbackSink, workers: int) -> None:
    """Three reloads under load: of a thousand requests none fails, and all are reported."""
    with GatewayProcess(tmp_path, callback=sink.url, workers=workers) as gateway:
        steady_load(gateway, sink, reloads=3, requests=1000)
        assert gateway.stop() == 0


@pytest.mark.attack
@pytest.mark.parametrize("workers", [1, 2])
def test_twenty_reloads_under_load(tmp_path: Path, sink: CallbackSink, workers: int) -> None:
    """Twenty reloads under load: of 10,000 requests none fails, and all are reported."""
    with GatewayProcess(tmp_path, callback=sink.url, workers=workers) as gateway:
        steady_load(gateway, sink, reloads=20, requests=10_000)
        assert gateway.stop() == 0


def test_hung_worker_is_replaced(tmp_path: Path) -> None:
    """A worker that is stopped is killed, and another serves in its place."""
    prepared = Prepared(size=4_000)
    with GatewayProcess(tmp_path, workers=2) as gateway:
        victim, other = gateway.children()
        begun = time.monotonic()
        victim.suspend()
        eventually(lambda: not victim.is_running(), "the hung worker is gone", timeout=60)
        eventually(lambda: len({one.pid for one in gateway.children()} - {victim.pid}) == 2, "another", timeout=60)
        taken = time.monotonic() - begun
        assert other.is_running()
        assert "has not been alive" in gateway.errors
        assert ask(gateway.url, AUTH, prepared, 0).code == 1000
        assert gateway.stop() == 0
    assert taken > 2  # it is not taken for hung at every pause


@pytest.mark.attack
def test_hung_worker_is_replaced_within_ten_seconds(tmp_path: Path) -> None:
    """From its last sign of life to the start of another it takes 10 seconds at most."""
    with GatewayProcess(tmp_path, workers=2) as gateway:
        victim, _ = gateway.children()
        begun = time.monotonic()
        victim.suspend()
        eventually(
            lambda: len({one.pid for one in gateway.children()} - {victim.pid}) == 2, "another", timeout=10, pause=0.05
        )
        assert time.monotonic() - begun < 10


def test_stopped_as_a_whole(tmp_path: Path) -> None:
    """Where supervisor and workers are stopped together, as a debugger or a hypervisor does, none is replaced."""
    with GatewayProcess(tmp_path, workers=2) as gateway:
        family = gateway.all_processes()
        before = sorted(one.pid for one in family)
        for one in family:
            one.suspend()
        time.sleep(8)
        for one in family:
            one.resume()
        time.sleep(2)
        assert sorted(one.pid for one in gateway.all_processes()) == before
        assert gateway.stop() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_reload_names_an_authority(tmp_path: Path, workers: int) -> None:
    """An upstream whose certificate nobody trusted is called once SIGHUP has brought its ``ca_file``; no bad one is."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "text.pem").write_text("nothing\n", encoding="utf-8")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    gateway, prepared = GatewayProcess(tmp_path / "near", workers=workers), Prepared(size=4_000)
    with FarSide(tls=context) as far:
        tables = f'[[upstream]]\nname = "far"\nurl = "{far.url}"\n[[route]]\nprefix = ""\nvia = "far"\n'
        change(gateway, "[gateway]", f"{tables}[gateway]")
        with gateway:
            assert ask(gateway.url, AUTH, prepared, 0).code == 1000

            def reasons() -> list[str]:
                return [str(row["reason"]) for row in gateway.get("/api/v1/callbacks").json()["callbacks"]]

            eventually(lambda: any("as ca_file in [[upstream]] far" in one for one in reasons()), "the reason")
            change(gateway, "[[route]]", f'ca_file = "{tmp_path}/text.pem"\n[[route]]')
            gateway.signal(signal.SIGHUP)
            eventually(lambda: "holds no certificate in PEM" in gateway.errors, "the complaint", timeout=30)
            assert far.requests == []
            change(gateway, "text.pem", "ca.pem")
            reload(gateway, 1)
            assert ask(gateway.url, AUTH, prepared, 1).code == 1000
            eventually(lambda: len(far.requests) >= 1, "the upstream is called")
            assert gateway.stop() == 0
