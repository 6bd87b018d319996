"""Attacks on the HTTP edge of a whole gateway, with what they cost it and what a good client gets meanwhile.

Each is bounded in time and stays on loopback. Figures are printed (``-s``); those marked ``processes`` are a short form
of the same, which asserts counts and memory alone.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import trustme
from attackers import Attack, Memory, Served, Streams, address, connected, pushed, steady
from gateway_process import AUTH, OTHER_AUTH, GatewayProcess, eventually
from load import Connection, Prepared, ask, head_of, percentile

from mm7zeep import exchange
from mm7zeep.gateway.security.password_hash import hashed
from mm7zeep.messages import DeliverReq, Number, Part, ShortCode, SubmitReq

KIB = 1024
BRIEF = pytest.mark.parametrize(
    "seconds",
    [pytest.param(2.0, marks=pytest.mark.processes), pytest.param(12.0, marks=pytest.mark.attack)],
    ids=["brief", "whole"],
)
WARM = 30  # submits before anything is measured


def is_whole(seconds: float) -> bool:
    """Whether times are judged, too."""
    return seconds > 5


@pytest.fixture
def prepared() -> Prepared:
    """A small submit."""
    return Prepared(vaspid="TNN", vasid="News", size=3000, delivery_report=False)


@contextmanager
def gateway(folder: Path, prepared: Prepared, **gateway_table: Any) -> Iterator[GatewayProcess]:
    """A gateway that is warm."""
    try:
        with GatewayProcess(folder, tables={"gateway": {"poll": 0.1, **gateway_table}}) as made:
            for n in range(WARM):
                assert ask(made.url, AUTH, prepared, 900_000 + n).code == 1000
            yield made
    except OSError as error:  # macOS has 127.0.0.1 alone
        if "assign requested address" in str(error):
            pytest.skip("no other address of loopback can be used here")
        raise


def tell(what: str, *figures: object) -> None:
    """Print figures, and how busy the machine was besides."""
    busy = "/".join(f"{one:.1f}" for one in psutil.getloadavg())
    sys.stdout.write(f"\n{what}: {'; '.join(map(str, figures))}; load {busy}\n")


def no_traceback(made: GatewayProcess) -> None:
    """Nothing went wrong inside."""
    assert "Traceback" not in made.errors
    assert "Exception in" not in made.errors


async def kept_open(streams: Streams, seconds: float = 60.0) -> str:
    """Read slowly until the other side has enough."""
    try:
        async with asyncio.timeout(seconds):
            while await streams[0].read(1000):  # noqa: ASYNC110  slowly, on purpose
                await asyncio.sleep(0.2)
    finally:
        streams[1].transport.abort()
    return "ended"


# --- requests that come together --------------------------------------------------------------------------------------

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
PIPELINES = {
    "mm7": (400, GET * (256 * KIB // len(GET))),
    "admin": (120, GET * (256 * KIB // len(GET))),
    "authenticated": (3, None),
    "authenticated-many": (60, None),
}


@BRIEF
@pytest.mark.parametrize("kind", PIPELINES)
def test_pipelining(kind: str, seconds: float, prepared: Prepared, tmp_path: Path) -> None:
    """Requests that come together cost 64 MiB at most, and others are served."""
    count, octets = PIPELINES[kind]
    with gateway(tmp_path, prepared) as made:
        if octets is None:
            body = prepared.body(5)
            one = head_of(made.url, OTHER_AUTH, prepared.headers) + b"%d\r\n\r\n" % len(body) + body
            octets = one * (2048 * KIB // len(one))
        port = made.admin_port if kind == "admin" else made.port

        async def deed(n: int) -> str:
            streams = await connected(port, address(n))
            await pushed(streams, octets, 5.0)
            return await kept_open(streams)

        with Memory(made.server()) as memory, Attack(count, deed) as attack:
            served = steady(made.url, AUTH, prepared, seconds=seconds, first=1000)
        tell(f"pipelining {kind}, {count} connections", served, f"{memory.grown:.0f} MiB more", dict(attack.seen))
        assert memory.grown < 64
        assert served.latencies
        assert not served.others
        if is_whole(seconds):
            assert percentile(served.latencies, 0.99) < 1.0
        no_traceback(made)


@BRIEF
def test_pipelining_to_listen(seconds: float, tmp_path: Path) -> None:
    """``mm7zeep listen`` keeps the same bounds."""
    import subprocess

    words = [sys.executable, "-u", "-c", "from mm7zeep.cli import main; main()", "listen", "--bind", "127.0.0.1:0"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tmp_path)
    assert process.stderr is not None
    try:
        found = re.search(rb"http://127\.0\.0\.1:(\d+)", process.stderr.readline())
        assert found is not None
        port = int(found[1])
        octets = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" * 5000

        async def deed(n: int) -> str:
            streams = await connected(port, address(n))
            await pushed(streams, octets, 5.0)
            return await kept_open(streams)

        wire = exchange.pack(DeliverReq(sender=Number("+6141"), to=(ShortCode("1"),), subject="s"))
        for _ in range(3):  # its schemas are read
            said = requests.post(f"http://127.0.0.1:{port}/", data=wire.read(), headers=dict(wire.headers), timeout=60)
            assert b">1000<" in said.content
        with Memory(psutil.Process(process.pid)) as memory, Attack(400, deed) as attack:
            time.sleep(seconds)
        tell("pipelining to listen, 400 connections", f"{memory.grown:.0f} MiB more", dict(attack.seen))
        assert memory.grown < 64
    finally:
        process.kill()
        process.wait(10)
        process.stderr.close()


# --- places -----------------------------------------------------------------------------------------------------------


@BRIEF
@pytest.mark.parametrize("addresses", [1, 200])
def test_idle_sockets(addresses: int, seconds: float, prepared: Prepared, tmp_path: Path) -> None:
    """700 idle sockets that are opened again and again take nobody's place, from one address or from many."""
    with gateway(tmp_path, prepared) as made:

        async def deed(n: int) -> str:
            return await kept_open(await connected(made.port, address(n % addresses)))

        with Attack(700, deed) as attack:
            served = steady(made.url, AUTH, prepared, seconds=seconds, first=1000)
        tell(f"700 idle sockets of {addresses} addresses", served, dict(attack.seen))
        assert served.latencies
        assert not served.others
        no_traceback(made)
        lines = made.errors.count("too many")
        assert lines <= seconds + 10


# --- TLS --------------------------------------------------------------------------------------------------------------


def certified(folder: Path) -> dict[str, str]:
    """Settings of a listener that speaks TLS; ``ca.pem`` in ``folder`` vouches for it."""
    leaf = (authority := trustme.CA()).issue_cert("127.0.0.1")
    cert, key = folder / "cert.pem", folder / "key.pem"
    leaf.cert_chain_pems[0].write_to_path(str(cert))
    leaf.private_key_pem.write_to_path(str(key))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    key.chmod(0o600)
    return {"cert": str(cert), "key": str(key)}


@BRIEF
def test_pipelining_over_tls(seconds: float, prepared: Prepared, tmp_path: Path) -> None:
    """Requests that come together over TLS cost 64 MiB at most, and others are served."""
    tables = {"gateway": {"poll": 0.1, **certified(tmp_path)}}
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    fields = {name: value for name, value in prepared.headers if name.lower() != "content-length"}
    octets = GET * (512 * KIB // len(GET))
    with GatewayProcess(tmp_path / "gateway", tables=tables) as made, requests.Session() as session:
        session.trust_env = False
        session.verify, session.auth = str(tmp_path / "ca.pem"), AUTH

        def submit(n: int) -> float:
            begun = time.monotonic()
            answer = session.post(made.url, data=prepared.body(n), headers=fields, timeout=30)
            assert b">1000<" in answer.content
            return time.monotonic() - begun

        async def deed(n: int) -> str:
            streams = await connected(made.port, address(n), secure=trusting)
            await pushed(streams, octets, 5.0)
            return await kept_open(streams)

        for n in range(WARM):
            submit(n)
        good, until = [], time.monotonic() + 2 * seconds  # the handshakes take some
        with Memory(made.server()) as memory, Attack(400, deed) as attack:
            while time.monotonic() < until:
                good.append(submit(1000 + len(good)))
                time.sleep(0.02)
        tell(
            "pipelining over TLS, 400 connections",
            Served(good, attack.seen),
            f"{memory.grown:.0f} MiB more than {memory.before:.0f}",
        )
        assert memory.grown < 64
        if is_whole(seconds):
            assert percentile(good, 0.99) < 1.0
        no_traceback(made)


@BRIEF
def test_handshakes(seconds: float, prepared: Prepared, tmp_path: Path) -> None:
    """3,000 half-open handshakes have no more descriptors than connections may have, and good ones are made."""
    tables = {"gateway": {"poll": 0.1, **certified(tmp_path)}}
    with GatewayProcess(tmp_path / "gateway", tables=tables) as made, requests.Session() as session:
        session.trust_env = False
        session.verify, session.auth = str(tmp_path / "ca.pem"), AUTH
        fields = {name: value for name, value in prepared.headers if name.lower() != "content-length"}

        async def deed(n: int) -> str:
            streams = await connected(made.port, address(n % 60))
            streams[1].write(b"\x16\x03\x01\x02\x00\x01\x00")
            return await kept_open(streams)

        most, good, until = 0, [], time.monotonic() + seconds
        with Attack(3000 if is_whole(seconds) else 800, deed) as attack:
            while time.monotonic() < until:
                begun = time.monotonic()
                answer = session.post(
                    made.url, data=prepared.body(len(good)), headers={**fields, "Connection": "close"}, timeout=30
                )
                assert b">1000<" in answer.content
                good.append(time.monotonic() - begun)
                most = max(most, made.server().num_fds())
        lines = len(made.errors.splitlines())
        tell("half-open handshakes", Served(good, attack.seen), f"{most} descriptors", f"{lines} lines")
        assert most < 500 + 64 + 200
        assert lines < 3 * seconds + len(good) + 60
        no_traceback(made)


# --- fairness ---------------------------------------------------------------------------------------------------------


def heavy(kind: str) -> exchange.Wire:
    """A request of ABC that is dear to judge."""
    to = tuple(f"+6141{n:07d}" for n in range(1000 if kind == "recipients" else 1))
    subject = "x" * 100_000 if kind == "subject" else "s"
    part = Part(body=b"\xff\xd8\xff" + b"y" * (5_000_000 if kind == "body" else 300), content_type="image/jpeg")
    request = SubmitReq(vaspid="ABC", vasid="News", to=to, subject=subject)  # type: ignore[arg-type]
    wire = exchange.pack(request, (part,), transaction_id="heavy")
    body = wire.read()
    odd = {"unknown": b"<Odd>" + b"x" * 100_000 + b"</Odd>", "unknowns": b"<Odd>x</Odd>" * 8000}.get(kind, b"")
    mark = re.search(rb"<(?:\w+:)?Subject>", body)
    assert mark is not None
    return replace(wire, body=body[: mark.start()] + odd + body[mark.start() :])


@BRIEF
@pytest.mark.parametrize("kind", ["subject", "unknown", "unknowns", "recipients", "body", "small"])
def test_fairness(kind: str, seconds: float, prepared: Prepared, tmp_path: Path) -> None:
    """An application with 16 connections of heavy requests leaves the others their share."""
    wire = heavy(kind)
    body = wire.read()
    with gateway(tmp_path, prepared) as made:
        before = steady(made.url, AUTH, prepared, seconds=seconds / 4)
        connections: dict[int, Connection] = {}

        async def deed(n: int) -> str:
            mine = connections.setdefault(n, Connection(made.url, OTHER_AUTH, wire.headers))
            unique = f"heavy-{n}-{time.monotonic_ns()}".encode()
            answer = await mine.ask(body.replace(b">heavy<", b">" + unique + b"<"))
            return f"{answer.status} {answer.code}"

        with Attack(16, deed) as attack:
            served = steady(made.url, AUTH, prepared, seconds=seconds, first=1000)
            for one in connections.values():
                one.close()
        tell(f"16 connections of {kind}", f"before: {before}", served, dict(attack.seen))
        assert served.latencies
        if kind in ("subject", "unknown", "unknowns"):
            assert {one for one in attack.seen if one[0].isdigit()} == {"500 2007"}
        if is_whole(seconds):
            assert percentile(served.latencies, 0.5) < 0.1


# --- passwords --------------------------------------------------------------------------------------------------------


def authorization(credentials: str) -> dict[str, str]:
    """The field of these."""
    return {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode(), "Content-Type": "text/xml"}


@BRIEF
@pytest.mark.parametrize("sources", [1, 60])
def test_guesses_after_a_restart(sources: int, seconds: float, prepared: Prepared, tmp_path: Path) -> None:
    """While guesses come without end, also after a restart, the right password behind a hash is let in."""
    guess = b"POST /mm7 HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 1\r\n"
    guess += b"Authorization: Basic %s\r\n\r\nx"

    with gateway(tmp_path, prepared) as made:
        written = made.config.read_text(encoding="utf-8")
        plain = f'password = "{AUTH[1]}"'
        assert plain in written
        made.config.write_text(written.replace(plain, f'password_hash = "{hashed(AUTH[1])}"'), encoding="utf-8")

        async def deed(n: int) -> str:
            # of one source: that of the good client itself, at his own name
            streams = await connected(made.port, "127.0.0.1" if sources == 1 else address(n % sources))
            try:
                word = base64.b64encode(f"{AUTH[0]}:{n}-{time.monotonic_ns()}".encode())
                streams[1].write(guess % word)
                async with asyncio.timeout(60):
                    return (await streams[0].readline()).split(b" ")[1].decode() if not streams[0].at_eof() else "end"
            except IndexError:
                return "end"
            finally:
                streams[1].transport.abort()

        with Attack(60 if sources == 1 else 120, deed, pause=0.02) as attack:
            time.sleep(0.5)
            made.stop()
            made.start()
            time.sleep(0.5)
            first, refused = let_in(made, prepared, 50_000)
            before, begun = made.server().cpu_times(), time.monotonic()
            again = [let_in(made, prepared, 60_000 + n) for n in range(10)]
            time.sleep(seconds / 2)
            after, wall = made.server().cpu_times(), time.monotonic() - begun
        share = (after.user + after.system - before.user - before.system) / wall
        worst = max(waited for waited, _ in again)
        tell(
            f"guesses from {sources} address(es)",
            f"let in after {first:.1f} s and {refused} refusals, then after {worst:.2f} s at most",
            f"{share:.0%} of a core",
            dict(attack.seen),
        )
        if is_whole(seconds):
            assert first < 30
            assert worst < 10
        no_traceback(made)


def let_in(made: GatewayProcess, prepared: Prepared, n: int) -> tuple[float, int]:
    """Seconds until the right password is taken, and how often there was no place until then; never is it refused."""
    begun, refused = time.monotonic(), 0
    while time.monotonic() - begun < 60:
        try:
            answer = ask(made.url, AUTH, prepared, n, timeout=60)
        except (OSError, EOFError):  # the refusal was cut off
            refused += 1
            time.sleep(0.1)
            continue
        if answer.code == 1000:
            return time.monotonic() - begun, refused
        assert answer.status == 503
        refused += 1
        time.sleep(0.1)
    raise AssertionError(f"not let in within a minute, after {refused} refusals")


@BRIEF
def test_guesses_at_the_admins_password(seconds: float, prepared: Prepared, tmp_path: Path) -> None:
    """After 70 wrong passwords, and while more come, the right one from the same address is slow at worst."""
    with gateway(tmp_path, prepared, admin_username="ops", admin_password="right") as made:

        def status(password: str) -> int:
            fields = authorization(f"ops:{password}") | {"Connection": "close"}
            return requests.get(f"{made.admin}/api/v1/messages", headers=fields, timeout=60).status_code

        assert {status(f"wrong{n}") for n in range(70)} == {401}
        begun = time.monotonic()
        assert status("right") == 200
        tell("after 70 wrong passwords", f"the right one took {time.monotonic() - begun:.2f} s")
        eventually(lambda: status("right") == 200, "the right password again")
        if is_whole(seconds):
            assert time.monotonic() - begun < 5
