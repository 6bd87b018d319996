"""docs/deploy/nginx.conf and Caddyfile, run by the real nginx and Caddy before a real gateway."""

from __future__ import annotations

import base64
import http.client
import os
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import needed
import pytest
import requests
import trustme
from fenced import blocks
from gateway_process import AUTH, GatewayProcess, eventually
from gateway_room import ONE
from postgres_server import held_port
from viewer_client import token

from mm7zeep.client import VaspClient
from mm7zeep.exchange import pack
from mm7zeep.messages import Part

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "docs" / "deploy"
MIB = 1024 * 1024
BOUND = ("bound", "bound-password")
"""Who may call from 127.0.0.2 alone."""
OPERATOR = ("operator", "operator-password")

pytestmark = pytest.mark.processes

_NGINX = """
daemon off;
pid {folder}/pid;
error_log {folder}/errors;
user root root;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/client;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/mm7zeep.conf;
}}
"""
_CADDY = """
{{
    admin off
    auto_https disable_redirects
    skip_install_trust
    default_bind 127.0.0.1
    grace_period 1s
    storage file_system {folder}
}}
"""


class Front(NamedTuple):
    """A proxy that runs before a gateway, and how it is reached: under two names on one port."""

    gateway: GatewayProcess
    port: int
    ca_file: str

    def url(self, path: str, *, operator: bool = False) -> str:
        """A URL at the name for everybody, or that for operators."""
        return f"https://{'127.0.0.1' if operator else 'localhost'}:{self.port}{path}"

    def ask(self, method: str, path: str, *, source: str = "127.0.0.9", **options: object) -> tuple[int, bytes]:
        """Status and body of one request at the name for everybody, from an address of loopback."""
        context = ssl.create_default_context(cafile=self.ca_file)
        connection = http.client.HTTPSConnection(
            "localhost", self.port, context=context, source_address=(source, 0), timeout=30
        )
        try:
            connection.request(method, path, **options)  # type: ignore[arg-type]
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def substituted(text: str, changes: dict[str, str]) -> str:
    """``text`` with what a test has elsewhere; each has to be there."""
    for old, new in changes.items():
        assert re.search(old, text), f"the example has no {old}"
        text = re.sub(old, lambda _, new=new: new, text)  # type: ignore[misc]
    return text


def nginx(folder: Path, gateway: GatewayProcess, port: int, cert: tuple[Path, Path]) -> list[str]:
    """Write nginx's files; its command."""
    text = substituted(
        DEPLOY.joinpath("nginx.conf").read_text(encoding="utf-8"),
        {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            r"server_name mms\.example": "server_name localhost",
            r"server_name mms-admin\.example": "server_name 127.0.0.1",
            "/etc/ssl/mm7zeep/chain.pem": str(cert[0]),
            "/etc/ssl/mm7zeep/key.pem": str(cert[1]),
            **listeners(gateway),
        },
    )
    folder.joinpath("mm7zeep.conf").write_text(text, encoding="utf-8")
    folder.joinpath("nginx.conf").write_text(_NGINX.format(folder=folder), encoding="utf-8")
    return ["nginx", "-p", str(folder), "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, gateway: GatewayProcess, port: int, cert: tuple[Path, Path]) -> list[str]:
    """Write Caddy's file; its command."""
    tls = f" {{\n\ttls {cert[0]} {cert[1]}"
    text = substituted(
        DEPLOY.joinpath("Caddyfile").read_text(encoding="utf-8"),
        {
            r"(?m)^mms\.example \{": f"https://localhost:{port}{tls}",
            r"(?m)^mms-admin\.example \{": f"https://127.0.0.1:{port}{tls}",
            **listeners(gateway),
        },
    )
    folder.joinpath("Caddyfile").write_text(_CADDY.format(folder=folder) + text, encoding="utf-8")
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def listeners(gateway: GatewayProcess) -> dict[str, str]:
    """Where the examples have the gateway, and where it is."""
    places = {"8007": gateway.port, "8008": gateway.admin_port, "8010": gateway.api_port}
    return {rf"127\.0\.0\.1:{known}\b": f"127.0.0.1:{port}" for known, port in places.items()}


Write = Callable[[Path, GatewayProcess, int, tuple[Path, Path]], list[str]]


@pytest.fixture(params=[nginx, caddy], ids=lambda one: str(one.__name__), scope="module")
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Each proxy of the examples before a gateway that trusts it."""
    write: Write = request.param
    needed.program(write.__name__)
    folder = tmp_path_factory.mktemp(write.__name__)
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    cert = folder / "chain.pem", folder / "key.pem"
    leaf.cert_chain_pems[0].write_to_path(str(cert[0]))
    leaf.private_key_pem.write_to_path(str(cert[1]))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    settings = {
        "trusted_proxies": ["127.0.0.1"],
        "admin_username": OPERATOR[0],
        "admin_password": OPERATOR[1],
    }
    gateway = GatewayProcess(folder / "gateway", tables={"gateway": settings})
    with gateway.config.open("a", encoding="utf-8") as config:
        config.write(f'[[application]]\nname = "{BOUND[0]}"\npassword = "{BOUND[1]}"\nvaspid = "BOUND"\n')
        config.write('allow = ["127.0.0.2"]\n')
    holder = held_port()
    port = holder.getsockname()[1]
    with holder, gateway, running(write(folder, gateway, port, cert), folder):
        found = Front(gateway, port, str(folder / "ca.pem"))
        eventually(lambda: _answers(found), write.__name__, 60)
        yield found


@contextmanager
def running(words: list[str], folder: Path) -> Iterator[None]:
    """A program until the end; what it wrote is shown where it did not come up."""
    environment = os.environ | {"XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=folder
        )
    try:
        yield
        assert process.poll() is None, log.read_text(encoding="utf-8")
    finally:
        process.terminate()
        process.wait(30)


def _answers(front: Front) -> bool:
    try:
        return front.ask("GET", "/")[0] == 404
    except OSError:
        return False


def basic(auth: tuple[str, str]) -> dict[str, str]:
    """The field that shows name and password."""
    return {"Authorization": "Basic " + base64.b64encode(":".join(auth).encode()).decode()}


def submit(front: Front, auth: tuple[str, str], vaspid: str, source: str, **headers: str) -> int:
    """The HTTP status of a submit from an address."""
    wire = pack(replace(ONE, vaspid=vaspid, vasid=None))
    given = dict(wire.headers) | basic(auth)
    return front.ask("POST", "/mm7", source=source, body=wire.read(), headers=given | headers)[0]


def test_submits(front: Front) -> None:
    """A submit is accepted through the proxy, by TLS, also one of nearly all that the gateway takes."""
    picture = Part(body=b"GIF89a" + bytes(9 * MIB), content_type="image/gif", content_id="p@x")
    with VaspClient(front.url("/mm7"), auth=AUTH, vaspid="TNN", ca_file=front.ca_file) as mmsc:
        for content in (["Hello"], [picture]):
            assert mmsc.submit("+61491570156", content).status.code == 1000


def test_too_large(front: Front) -> None:
    """What is larger than the gateway would take is refused before it is sent."""
    for path, limit, kind in (
        ("/mm7", 10 * MIB, 'multipart/related; boundary=b; type="text/xml"'),
        ("/v1/messages", 14 * MIB, "application/json"),
    ):
        head = {"Content-Length": str(limit + 1), "Expect": "100-continue", "Content-Type": kind}
        assert front.ask("POST", path, headers=head | basic(AUTH))[0] == 413


def test_addresses(front: Front) -> None:
    """An application that is bound to an address is known by its own, and not by what it says of itself."""
    assert submit(front, BOUND, "BOUND", "127.0.0.2") == 200
    assert submit(front, BOUND, "BOUND", "127.0.0.3") == 401
    assert submit(front, BOUND, "BOUND", "127.0.0.3", **{"X-Forwarded-For": "127.0.0.2"}) == 401


def test_paths(front: Front) -> None:
    """The JSON API and Twilio's form are reached; pages, metrics and REST API are not under the name for everybody."""
    for path in ("/v1/messages", "/2010-04-01/Accounts/AC0/Messages.json"):
        status, body = front.ask("GET", path)
        assert (status, body[:1]) == (401, b"{")  # the gateway's own words
    assert front.ask("GET", "/v1/openapi.json")[0] == 200
    for path in ("/", "/login", "/metrics", "/readyz", "/api/v1/messages", "/mm7/more", "/v12"):
        assert front.ask("GET", path)[0] == 404


def test_operator(front: Front) -> None:
    """The viewer can be logged in to, and metrics and REST API be asked for, under the name for operators."""
    with requests.Session() as browser:
        browser.verify, browser.trust_env = front.ca_file, False
        assert browser.get(front.url("/readyz", operator=True)).json() == {"status": "ready"}
        assert browser.get(front.url("/metrics", operator=True)).status_code == 401
        assert b"mm7_answers" in browser.get(front.url("/metrics", operator=True), auth=OPERATOR).content
        login = front.url("/login", operator=True)
        fields = {"csrf": token(browser.get(login).text), "name": OPERATOR[0], "password": OPERATOR[1]}
        here = {"Origin": front.url("", operator=True)}
        answer = browser.post(login, data=fields, headers=here, allow_redirects=False)
        assert answer.status_code == 303
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "Inbox" in browser.get(front.url("/", operator=True)).text


def test_events_are_not_held_back(front: Front) -> None:
    """An open page hears of a new message while its stream goes on: no proxy gathers some KiB first."""
    with requests.get(
        front.url("/events", operator=True), auth=OPERATOR, verify=front.ca_file, stream=True, timeout=60
    ) as events:
        lines = events.iter_lines(chunk_size=1)
        assert next(line for line in lines if line.startswith(b"data: "))
        with VaspClient(front.url("/mm7"), auth=AUTH, vaspid="TNN", ca_file=front.ca_file) as mmsc:
            mmsc.submit("+61491570156", ["Hello"])
        assert next(line for line in lines if line.startswith(b"data: "))


@pytest.mark.parametrize("page", ["gateway", "viewer"])
def test_locations_of_pages(page: str, tmp_path: Path) -> None:
    """The locations that the pages show are taken by nginx, within a server."""
    needed.program("nginx")
    shown = [
        one.text for one in blocks(ROOT.joinpath("docs", f"{page}.md").read_text("utf-8")) if one.language == "nginx"
    ]
    text = "".join(shown)
    assert "proxy_pass http://127.0.0.1:80" in text
    tmp_path.joinpath("mm7zeep.conf").write_text(f"server {{\n{text}}}\n", encoding="utf-8")
    tmp_path.joinpath("nginx.conf").write_text(_NGINX.format(folder=tmp_path), encoding="utf-8")
    command = ["nginx", "-t", "-p", str(tmp_path), "-e", str(tmp_path / "errors"), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
