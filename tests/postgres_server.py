"""A PostgreSQL server of our own for tests: made in a temporary folder, as an unprivileged user, on loopback.

``PostgresServer`` can be stopped, killed and started again under a test's hands. The fixtures give each test a fresh
database: of the server that MM7ZEEP_TEST_POSTGRES names, else of one started here. Refuses to touch a database that it
did not make.
"""

from __future__ import annotations

import functools
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self

import needed
import psutil
import pytest

Mode = Literal["smart", "fast", "immediate"]

SERVER = "MM7ZEEP_TEST_POSTGRES"
"""Names an SQLAlchemy URL of a server where databases may be made, in the environment."""

_SIGNALS = MappingProxyType({"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT})
_PORTS = range(20_000, 32_000)  # below those that the system gives to outgoing connections, so that one can be kept
_START, _STOP = 30.0, 30.0  # seconds
_ABSENT = "needs PostgreSQL: install the Debian package postgresql, or name a server in MM7ZEEP_TEST_POSTGRES"


@functools.cache
def programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``: on PATH, else Debian's newest; None where there is none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: float(one.parent.name), reverse=True)
    return next((one for one in folders if (one / "initdb").exists() and (one / "postgres").exists()), None)


def available() -> bool:
    """Whether a server can be started here."""
    return programs() is not None


def held_port() -> socket.socket:
    """A socket that keeps a free port of loopback, which is its own until it is closed: nobody else who asks gets it.

    A server can bind the port nevertheless, as often as it is started, since the socket does not listen and says
    SO_REUSEADDR. It says so after its own bind, which therefore fails where another holds the port.
    """
    for port in random.sample(_PORTS, 100):
        holder = socket.socket()
        try:
            holder.bind(("127.0.0.1", port))
        except OSError:
            holder.close()
            continue
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return holder
    raise RuntimeError("no free port among a hundred")


class PostgresServer:
    """One cluster in a temporary folder; a context that starts it and removes it.

    ``settings`` go to ``postgres -c``. What is committed is on disk (fsync is on) unless they say otherwise. Raises
    ``RuntimeError`` with the server's own words if it does not come up.
    """

    def __init__(self, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        self.settings = dict(settings)
        self._holder = held_port()
        self._password = secrets.token_hex(12)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="mm7zeep-postgres-"))
        self._log = self._folder / "log"
        try:
            self._make()
            self.start()
        except BaseException:
            shutil.rmtree(self._folder)
            self._holder.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder)
        self._holder.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        number: int = self._holder.getsockname()[1]
        return number

    def url(self, database: str = "postgres") -> str:
        """Where a database of this server stands, for SQLAlchemy."""
        return f"postgresql+psycopg://postgres:{self._password}@127.0.0.1:{self.port}/{database}"

    @property
    def log(self) -> str:
        """What the server wrote so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it on its port, which it keeps for life, and wait until it takes connections."""
        for attempt in range(5):
            words = ["postgres", "-D", str(self._folder / "data"), "-p", str(self.port), *self._options()]
            with self._log.open("ab") as log:
                self._process = self._spawn(words, stdout=log, stderr=log)
            if self._wait_ready():
                return
            self.kill()
            if "Address already in use" not in self.log or attempt == 4:
                break
            self._holder.close()
            self._holder = held_port()
        raise RuntimeError(f"PostgreSQL did not start:\n{self.log}")

    def stop(self, mode: Mode = "fast") -> None:
        """End it: ``smart`` waits for its clients, ``fast`` closes them, ``immediate`` is a crash that recovers."""
        if self._process is None:
            return
        family = self._family()
        if self._process.poll() is None:
            self._process.send_signal(_SIGNALS[mode])
        self._process.wait(_STOP)
        psutil.wait_procs(family, _STOP)
        self._process = None

    def kill(self) -> None:
        """SIGKILL all its processes."""
        if self._process is None:
            return
        family = self._family()
        if self._process.poll() is None:
            self._process.kill()
        for one in family:
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue  # it went with its parent
        self._process.wait(_STOP)
        psutil.wait_procs(family, _STOP)
        self._process = None

    def _family(self) -> list[psutil.Process]:
        assert self._process is not None
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def _options(self) -> list[str]:
        fixed = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "log_min_messages": "warning"}
        return [word for name, value in (fixed | self.settings).items() for word in ("-c", f"{name}={value}")]

    def _make(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self._password, encoding="ascii")
        if owner := server_owner():
            for path in (self._folder, secret):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        # initdb's own sync only guards against a crash of the machine during the test
        words = ["initdb", "-D", str(self._folder / "data"), "-U", "postgres", "-A", "scram-sha-256"]
        words += [f"--pwfile={secret}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        with self._log.open("ab") as log:
            failed = self._spawn(words, stdout=log, stderr=log).wait(60)
        if failed:
            raise RuntimeError(f"initdb failed:\n{self.log}")

    def _spawn(self, words: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        folder = programs()
        if folder is None:
            raise RuntimeError(_ABSENT)
        if owner := server_owner():  # PostgreSQL refuses to run as root
            options |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        return subprocess.Popen(
            [str(folder / words[0]), *words[1:]],
            stdin=subprocess.DEVNULL,
            cwd=self._folder,
            start_new_session=True,  # an interrupt of the test run leaves the stopping to us
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            **options,
        )

    def _wait_ready(self) -> bool:
        """As pg_ctl does it: the eighth line of postmaster.pid says when connections are taken."""
        assert self._process is not None
        state, until = self._folder / "data" / "postmaster.pid", time.monotonic() + _START
        while time.monotonic() < until and self._process.poll() is None:
            lines = state.read_text(encoding="ascii").splitlines() if state.exists() else []
            if len(lines) > 7 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                return True
            time.sleep(0.02)
        return False


def server_owner() -> pwd.struct_passwd | None:
    """Whom the server runs as where we are root; None where we are somebody already."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URL of a new, empty database on the server of that URL; it is dropped afterwards, whoever still uses it."""
    import psycopg
    from sqlalchemy.engine import make_url

    url = make_url(server)
    name = f"mm7zeep_test_{secrets.token_hex(6)}"
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def require() -> None:
    """Skip the running test where no server can be started; fail instead where all has to be there (``needed``)."""
    if not available():
        needed.absent(_ABSENT)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server where databases may be made: the one in the environment, else our own, one a process."""
    if given := os.environ.get(SERVER):
        yield given
        return
    require()
    with PostgresServer() as server:
        yield server.url()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database for one test."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server for one test alone, which may stop, kill and start it."""
    require()
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_databases(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases, each gone with the test; gives the URL."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(fresh_database(postgres_server))
