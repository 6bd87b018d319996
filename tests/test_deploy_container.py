"""The Containerfile, carried out step by step, and compose.yaml's gateway run from it on a PostgreSQL of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import socketserver
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import build_check
import containerfile
import psycopg
import pytest
import yaml
from containerfile import Container, Engine, Image
from executed import commands, masked
from fenced import blocks
from gateway_process import eventually
from postgres_server import PostgresServer
from sqlalchemy.engine import make_url

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "docs" / "deploy"
STEPS = containerfile.read(DEPLOY.joinpath("Containerfile").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load(DEPLOY.joinpath("compose.yaml").read_text(encoding="utf-8"))
IMAGE = containerfile.image_of(STEPS)
PASSWORD = "only-for-this-test"

pytestmark = [pytest.mark.once, pytest.mark.postgres]


class _Through(socketserver.BaseRequestHandler):
    """Passes octets on, both ways, to where ``server.target`` says."""

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as other:  # type: ignore[attr-defined]
            back = threading.Thread(target=_copy, args=(other, self.request), daemon=True)
            back.start()
            _copy(self.request, other)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while octets := source.recv(65536):
            target.sendall(octets)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # one of them is gone: so is the other
        for one in (source, target):
            one.close()


@contextmanager
def forwarded(url: str) -> Iterator[Callable[[int], None]]:
    """What brings connections to port 5432 in a container's network to the server of a URL."""
    servers = []

    def begin(pid: int) -> None:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 5432), _Through, bind_and_activate=False)
        server.socket.close()
        server.socket, server.daemon_threads = containerfile.listening_in(pid, 5432), True
        server.target = (make_url(url).host, make_url(url).port)  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)

    try:
        yield begin
    finally:
        for server in servers:
            server.shutdown()
            server.socket.close()


def as_composed(folder: Path) -> dict[str, Any]:
    """How compose.yaml has its gateway run, as ``Engine.run`` takes it; every key is obeyed or named here."""
    folder = Path(tempfile.mkdtemp(dir=folder))
    service = dict(COMPOSE["services"]["gateway"])
    for elsewhere in ("image", "build", "depends_on", "ports", "stop_grace_period", "restart"):
        del service[elsewhere]
    assert service.pop("read_only") is True
    assert service.pop("cap_drop") == ["ALL"]
    assert service.pop("security_opt") == ["no-new-privileges:true"]
    binds: dict[str, Path] = {}
    for volume in service.pop("volumes"):
        source, place, *how = volume.split(":")
        if source.startswith("./"):
            assert how == ["ro"]
            binds[place] = DEPLOY / source
        else:
            assert source in COMPOSE["volumes"]
    for name in service.pop("secrets"):
        secret = folder / name
        secret.write_text(f"password-of-{name}\n", encoding="ascii")
        os.chown(secret, *map(int, IMAGE.user.split(":")))  # as docs/deploy.md says
        secret.chmod(0o400)
        binds[f"/run/secrets/{name}"] = secret
    [(variable, value)] = service.pop("environment").items()
    assert value.startswith("${POSTGRES_PASSWORD:?")
    tmpfs = [place.partition(":")[0] for place in service.pop("tmpfs")]
    assert not service, f"what is meant by {service}?"
    return {"binds": binds, "tmpfs": tmpfs, "environment": {variable: PASSWORD}, "hosts": ["db"]}


def healthy(container: Container, image: Image) -> bool:
    """Whether the image's own check says so."""
    return container.exec(*image.health_check).returncode == 0


def shown_log() -> list[str]:
    """What docs/deploy.md shows of the log."""
    page = ROOT.joinpath("docs", "deploy.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"(?ms)^\$ docker compose logs gateway\n(.*?)^```$", page)
    return str(shown).splitlines()


def shown_inside() -> list[tuple[str, str]]:
    """The commands that docs/deploy.md gives inside the container, and what it shows below them."""
    page = ROOT.joinpath("docs", "deploy.md").read_text(encoding="utf-8")
    [block] = [one for one in blocks(page) if one.text.startswith("$ id\n")]
    known = block.text.replace("tnn:PASSWORD", "tnn:password-of-tnn")
    return commands(block._replace(text=known.replace("operator:PASSWORD", "operator:password-of-admin")))


@contextmanager
def composed(engine: Engine, image: Image, server: PostgresServer, folder: Path) -> Iterator[Container]:
    """The gateway as compose.yaml has it, once it is healthy."""
    with forwarded(server.url()) as before, engine.run(image, before=before, **as_composed(folder)) as container:
        eventually(lambda: healthy(container, image), "health", 120)
        yield container


@pytest.mark.timeout(900)  # 30 s on a quiet machine, most of it pip
def test_image_is_built_and_composed(tmp_path: Path, own_postgres: PostgresServer) -> None:
    """The steps make an image whose gateway runs without rights on a read-only root, keeps in PostgreSQL what it has
    said 1000 to, ends in order on its stop signal, and has it still when it is started again.
    """
    containerfile.require()
    tmp_path.chmod(0o755)
    database = COMPOSE["services"]["db"]["environment"]
    with psycopg.connect(make_url(own_postgres.url()).set(drivername="postgresql").render_as_string(False)) as server:
        server.autocommit = True
        server.execute(f"CREATE ROLE {database['POSTGRES_USER']} LOGIN PASSWORD '{PASSWORD}'".encode())
        server.execute(f"CREATE DATABASE {database['POSTGRES_DB']} OWNER {database['POSTGRES_USER']}".encode())
    with Engine(tmp_path, ROOT) as engine:
        image = engine.build(STEPS, {"PYTHON": f"{sys.version_info[0]}.{sys.version_info[1]}"})
        [wheel] = engine.stage("build").joinpath("dist").iterdir()
        build_check.compare(wheel.name, found=build_check.held(wheel), wanted=build_check.shipped())
        assert not engine.stage("final").joinpath("src").exists()
        with composed(engine, image, own_postgres, tmp_path) as container:
            _has_no_rights(container, image)
            sent = _says_what_is_shown(container)
            assert container.stop(signal.Signals[image.stop_signal]) == 0
            assert '"event": "stopped"' in container.log
            assert [line for line in shown_log() if line not in container.log.splitlines()] == []
            assert "password-of-" not in container.log
            assert PASSWORD not in container.log
        with composed(engine, image, own_postgres, tmp_path) as container:
            shown = container.exec("mm7zeep", "messages", "--auth", "operator:password-of-admin", "--json")
            [message] = map(json.loads, shown.stdout.splitlines())
            assert f"message id      {message['id']}" in sent


def _says_what_is_shown(container: Container) -> str:
    """The commands of the page come to what it shows; gives what the one that sends a message said."""
    said: dict[str, str] = {}

    def agrees(command: str, shown: str) -> bool:
        done = container.exec("sh", "-c", command)
        said[command] = done.stdout + done.stderr
        return masked(said[command]) == masked(shown)

    for command, shown in shown_inside():
        if " messages " in command:  # until it is retrieved
            eventually(partial(agrees, command, shown), command, 60)
        else:
            assert agrees(command, shown), said[command]
    return next(text for command, text in said.items() if " send " in command)


def _has_no_rights(container: Container, image: Image) -> None:
    """The container can be what it says that it is, and no more."""
    status = container.exec("cat", "/proc/1/status").stdout
    rights = {line.split(":")[0]: line.split(":")[1].split() for line in status.splitlines()}
    user, group = image.user.split(":")
    assert (rights["Uid"], rights["Gid"]) == ([user] * 4, [group] * 4)
    assert {int(rights[name][0], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb")} == {0}
    assert rights["NoNewPrivs"] == ["1"]
    writable = container.exec("find", "/", "-xdev", "-writable", "-type", "f,d").stdout.split()
    assert writable == ["/tmp", *image.volumes]
    assert "Read-only file system" in container.exec("touch", "/opt/mm7zeep/x").stderr
    assert container.exec("touch", "/tmp/x", *(f"{place}/x" for place in image.volumes)).returncode == 0
    assert "No module named pip" in container.exec("python", "-m", "pip").stderr
