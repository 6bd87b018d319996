"""The recipes of docs/frameworks.md, each as it stands, in a process of its own, over a real socket."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import pytest
from test_readme import blocks

from mm7zeep import exchange
from mm7zeep.exchange import Received, Wire
from mm7zeep.messages import DeliverReq, DeliveryReportReq, Message, Number, Part, addresses

PAGE = Path(__file__).resolve().parent.parent.joinpath("docs", "frameworks.md").read_text(encoding="utf-8")
SECTIONS = {
    title: {
        block.text.partition("\n")[0].removeprefix("# "): block.text
        for block in blocks(text)
        if block.language == "python"
    }
    for title, text in (section.split("\n", 1) for section in re.split(r"(?m)^## ", PAGE)[1:])
}
RECIPES = [title for title, files in SECTIONS.items() if files and title != "The receiver"]

WSGI_SERVER = """
from wsgiref.simple_server import make_server
with make_server("127.0.0.1", 0, application) as server:
    print("port", server.server_port, flush=True)
    server.serve_forever()
"""
ASGI_SERVER = """
import socket
import uvicorn
with socket.create_server(("127.0.0.1", 0)) as listener:
    print("port", listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(application, log_level="warning")).run(sockets=[listener])
"""
DJANGO = """
from django.conf import settings
settings.configure(
    ROOT_URLCONF="urls", ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="of a test", MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware", "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)
"""


def program(title: str) -> str:
    """What serves the recipe: its application, behind the server that its interface is for."""
    [name, *_] = SECTIONS[title]
    if title.startswith("Django"):
        kind = "asgi" if "async def" in SECTIONS[title]["views.py"] else "wsgi"
        start = (
            f"{DJANGO}from django.core.{kind} import get_{kind}_application\napplication = get_{kind}_application()\n"
        )
    else:
        kind = "wsgi" if re.search(r"\bwsgi\b", SECTIONS[title][name]) else "asgi"
        start = f"from {name.removesuffix('.py')} import application\n"
    return start + (WSGI_SERVER if kind == "wsgi" else ASGI_SERVER)


class Site:
    """A recipe that runs: where, and what its functions printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        word, _, port = process.stdout.readline().strip().partition(" ")
        assert word == "port", process.stderr.read() if process.stderr else ""
        self.port = int(port)

    def ask(self, method: str, path: str, wire: Wire, password: str | None = "secret") -> tuple[Wire, dict[str, str]]:
        """One request over a connection of its own; the answer, and its head."""
        fields = dict(wire.headers)
        if password is not None:
            fields["Authorization"] = "Basic " + base64.b64encode(f"mmsc:{password}".encode()).decode()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, wire.read() or None, fields)
            answer = connection.getresponse()
            head = tuple(answer.getheaders())
            return Wire(status=answer.status, headers=head, body=answer.read()), {k.lower(): v for k, v in head}
        finally:
            connection.close()

    def printed(self) -> tuple[str, str]:
        """End it; what it wrote to standard output and standard error."""
        self._process.terminate()
        return self._process.communicate(timeout=60)


@contextmanager
def running(title: str, folder: Path) -> Iterator[Site]:
    """The recipe, in a folder with its files and the receiver, served on a free port."""
    for name, text in {**SECTIONS["The receiver"], **SECTIONS[title], "serve.py": program(title)}.items():
        folder.joinpath(name).write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-P", "serve.py"], cwd=folder, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        watch = threading.Timer(120, process.kill)  # whatever hangs, the tests go on
        watch.start()
        try:
            yield Site(process)
        finally:
            watch.cancel()
            process.kill()


PICTURE = Part(body=bytes(range(256)) * 12 * 1024, content_type="image/png", content_id="picture@handset")
TEXT = Part(body=b"Hello\r\n\x00 --x", content_type="text/plain", content_id="text@handset")
MO = DeliverReq(sender=Number("+61491570156"), to=addresses("111122"), subject="Hello", parts=(TEXT, PICTURE))
REPORT = DeliveryReportReq(
    message_id="m-1", recipient=Number("+61491570156"), sender=Number("111122"), mm_status="Retrieved",
    date=datetime(2026, 3, 1, 12, tzinfo=UTC),
)  # fmt: skip
PATHS = ("/mm7", "/mm7/")


def request(message: Message, transaction_id: str) -> Wire:
    """The request, its body in memory."""
    wire = exchange.pack(message, transaction_id=transaction_id)
    return replace(wire, body=wire.read())


class Case(NamedTuple):
    """One request with the answer it gets."""

    message: Message
    rsp: str


def test_page_has_what_is_wanted() -> None:
    """The page has a recipe for each of them, and none is empty."""
    wanted = ["WSGI alone", "ASGI alone", "Flask", "Django", "Django, asynchronous", "Starlette", "FastAPI"]
    assert wanted == RECIPES
    assert len([block for block in blocks(PAGE) if block.language == "python"]) == 10


@pytest.mark.parametrize("title", RECIPES)
def test_recipe(title: str, tmp_path: Path) -> None:
    """Messages and reports arrive octet by octet, with and without the slash; others are refused by HTTP."""
    with running(title, tmp_path) as site:
        for number, path in enumerate(PATHS):
            for message, rsp in (Case(MO, "DeliverRsp"), Case(REPORT, "DeliveryReportRsp")):
                answer, _ = site.ask("POST", path, request(message, f"t-{number}-{rsp}"))
                assert answer.status == 200, answer.read()
                back: Received = exchange.unpack(answer, policy="strict")
                assert (back.operation, back.transaction_id) == (rsp, f"t-{number}-{rsp}")
                assert getattr(back.message, "status").code == 1000  # noqa: B009  of any answer
            for password in ("wrong", None):
                refused, head = site.ask("POST", path, request(REPORT, "t-9"), password)
                assert (refused.status, head["www-authenticate"].split()[0]) == (401, "Basic")
            refused, head = site.ask("GET", path, Wire(body=b""))
            assert (refused.status, head["allow"]) == (405, "POST")
        out, err = site.printed()
    parts = [f"part {one.content_type} {one.size} {one.sha256()}" for one in (TEXT, PICTURE)]
    wanted = ["from +61491570156 Hello", *parts, "report m-1 +61491570156 Retrieved"]
    assert [line for line in out.splitlines() if "application/smil" not in line] == wanted * len(PATHS)
    assert "Traceback" not in err
