"""Two gateways on one database behind nginx and behind Caddy, by the files of docs/deploy and of the page
several_machines: one of them is killed while submits come.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import audit
import needed
import pytest
from fenced import blocks
from gateway_process import AUTH, GatewayProcess, eventually
from load import Connection, Load, Prepared
from postgres_server import held_port
from test_deploy_proxies import _CADDY, _NGINX, DEPLOY, ROOT, running, substituted

pytestmark = [pytest.mark.processes, pytest.mark.postgres]

PAGE = ROOT / "docs" / "how-to" / "several_machines.md"
LEARNS = 5.0  # seconds after which a proxy surely knows of a dead gateway
Write = Callable[[Path, list[GatewayProcess], int], list[str]]


def nginx(folder: Path, gateways: list[GatewayProcess], port: int) -> list[str]:
    """Write nginx's files, with a second server in the upstream, and without TLS; its command."""
    first, second = gateways
    text = substituted(
        DEPLOY.joinpath("nginx.conf").read_text(encoding="utf-8"),
        {
            r"#server 10\.0\.0\.2:8007;": f"server 127.0.0.1:{second.port};",
            r"127\.0\.0\.1:8007\b": f"127.0.0.1:{first.port}",
            r"127\.0\.0\.1:8010\b": f"127.0.0.1:{first.api_port}",
            "listen 443 ssl": f"listen 127.0.0.1:{port}",
            r"server_name mms\.example": "server_name 127.0.0.1",
            r"ssl_certificate\S* +\S+;": "",
        },
    )
    folder.joinpath("mm7zeep.conf").write_text(text, encoding="utf-8")
    folder.joinpath("nginx.conf").write_text(_NGINX.format(folder=folder), encoding="utf-8")
    return ["nginx", "-p", str(folder), "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, gateways: list[GatewayProcess], port: int) -> list[str]:
    """Write Caddy's file with what the page shows in the place of the one gateway, and without TLS; its command."""
    [shown] = [one.text for one in blocks(PAGE.read_text(encoding="utf-8")) if one.language == "caddyfile"]
    places = {rf"10\.0\.0\.{n}:8007": f"127.0.0.1:{one.port}" for n, one in enumerate(gateways, 1)}
    text = substituted(
        DEPLOY.joinpath("Caddyfile").read_text(encoding="utf-8"),
        {
            r"(?m)^\t*reverse_proxy 127\.0\.0\.1:8007 \{[^}]*\}[^}]*\}\n": substituted(shown, places),
            r"(?m)^mms\.example \{": f"http://127.0.0.1:{port} {{",
        },
    )
    folder.joinpath("Caddyfile").write_text(_CADDY.format(folder=folder) + text, encoding="utf-8")
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


class Once(Load):
    """A load whose messages are each sent once: whatever else than 1000 comes is left at that."""

    async def _submit(self, connection: Connection, n: int) -> None:
        outcome, message_id = await self._try(connection, self.prepared.body(n))
        self.outcomes[outcome] += 1
        if outcome == "1000":
            self.accepted[n] = message_id or ""
        else:
            await asyncio.sleep(self.pause)


@pytest.fixture(params=[nginx, caddy], ids=lambda one: str(one.__name__))
def write(request: pytest.FixtureRequest) -> Write:
    """Each proxy, by what writes its files."""
    found: Write = request.param
    needed.program(found.__name__)
    return found


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str) -> Iterator[list[GatewayProcess]]:
    """Two gateways on one database, which remember no TransactionID: what comes twice is stored twice."""
    with ExitStack() as stack:
        forgetful = {"retention": {"duplicates": "0s"}}
        yield [
            stack.enter_context(GatewayProcess(tmp_path / name, database=postgres_url, tables=forgetful))
            for name in ("first", "second")
        ]


def submits(gateway: GatewayProcess) -> float:
    """How many submits a gateway has answered since it started."""
    page = gateway.get("/metrics").text
    return sum(map(float, re.findall(r'^mm7_answers_total\{[^}]*operation="SubmitReq"[^}]*\} (\S+)$', page, re.M)))


def is_up(port: int) -> bool:
    """Whether a proxy listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def accepts(load: Load, more: int, what: str) -> None:
    """Wait until so many more are accepted."""
    upto = len(load.accepted) + more
    eventually(lambda: len(load.accepted) >= upto, what, 60)


def test_one_is_killed(write: Write, pair: list[GatewayProcess], tmp_path: Path) -> None:
    """Submits go on by the other gateway: none that was answered 1000 is lost, and none is stored twice, whatever a
    proxy had begun to send. As soon as the proxy knows, no submit meets the dead one.
    """
    folder, prepared = tmp_path / "proxy", Prepared(size=20_000)
    folder.mkdir()
    holder = held_port()
    port = holder.getsockname()[1]
    url = f"http://127.0.0.1:{port}/mm7"
    with holder, running(write(folder, pair, port), folder):
        eventually(lambda: is_up(port), "the proxy is up", 60)
        with Once(url, AUTH, prepared, count=None, first=1000, concurrency=4, pause=0.05) as load:
            accepts(load, 100, "submits by both")
            eventually(lambda: min(map(submits, pair)) > 10, "both have their share")
            pair[0].kill()
            accepts(load, 100, "submits by the other")
            time.sleep(LEARNS)
            before = Counter(load.outcomes)
            accepts(load, 200, "submits while one is known to be dead")
            known = Counter(load.outcomes) - before
            pair[0].start()
            eventually(lambda: submits(pair[0]) > 10, "the first has its share again", 60)
            load.stop()
            assert load.join(30)
    assert "HTTP 502" not in known
    with audit.looking(pair[1].database) as connection:
        wrong = audit.messages(connection, prepared, load.accepted)
    # what the killed one had kept and could not answer any more was not answered 1000
    assert set(wrong.counts) <= {"stored, never answered 1000"}, wrong.lines()
    assert wrong.counts.total() <= load.outcomes.total() - load.outcomes["1000"]
