"""A large part over loopback: streamed out of its file and into another, in two processes, octet by octet the same."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mm7zeep import exchange
from mm7zeep.client import AsyncVaspClient, VaspClient
from mm7zeep.messages import SubmitReq

SIZE = 20 * 1024 * 1024
MOST = 4 * 1024 * 1024  # octets that Python may allocate for the call; with C libraries and buffers 16 MiB are promised

# One request is read with the codec as it comes, in pieces; then the answer is given.
RECEIVER = """
import resource, socket, sys
from mm7zeep import exchange, mime
from mm7zeep.messages import SubmitRsp

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
stream = connection.makefile("rb")
head = [line for line in iter(lambda: stream.readline().strip(), b"")]
fields = [(name.decode(), value.decode().strip()) for name, _, value in (line.partition(b":") for line in head[1:])]
due = int(dict((name.lower(), value) for name, value in fields)["content-length"])
idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reader = mime.Reader(fields, mime.Limits(body=due))
while due:
    piece = stream.read1(min(due, 65536))
    assert piece, "cut short"
    due -= len(piece)
    reader.feed(piece)
package = reader.finish()
request = exchange.unpack(exchange.Wire(headers=tuple(fields), body=b""), policy="strict", package=package)
answer = exchange.pack(SubmitRsp(message_id=request.parts[0].sha256()), reply_to=request)
body = answer.read()
head = "HTTP/1.1 200 OK\\r\\nContent-Type: text/xml; charset=utf-8\\r\\nContent-Length: {}\\r\\n\\r\\n"
connection.sendall(head.format(len(body)).encode() + body)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle, flush=True)
"""


@contextmanager
def receiver() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The other process, and where it listens."""
    path = os.pathsep.join(one for one in sys.path if one)
    environment = {**os.environ, "PYTHONPATH": path}
    with subprocess.Popen(
        [sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/mm7", process
        finally:
            process.kill()


def submit(style: str, url: str, content: Any) -> str | None:
    """One submit in either style; the MessageID."""
    if style == "sync":
        with VaspClient(url, vaspid="v", vasid="s") as client:
            return client.submit("+491", content).message_id

    async def awaited() -> str | None:
        async with AsyncVaspClient(url, vaspid="v", vasid="s") as client:
            return (await client.submit("+491", content)).message_id

    return asyncio.run(awaited())


@pytest.mark.parametrize("style", ["sync", "async"])
def test_large_part_costs_no_memory_to_speak_of(style: str, tmp_path: Path) -> None:
    """20 MiB out of a file: the same SHA-256 there, and a peak that does not depend on the size, on both sides."""
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(1024 * 1024) * (SIZE // 1024 // 1024))
    with path.open("rb") as stream:
        expected = hashlib.file_digest(stream, "sha256").hexdigest()
    exchange.unpack(exchange.pack(SubmitReq(to="+491", vaspid="v")))  # the schemas are loaded once for all calls
    with receiver() as (url, process):
        tracemalloc.start()
        try:
            message_id = submit(style, url, path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert process.stdout is not None
        theirs = int(process.stdout.readline()) * 1024
    assert message_id == expected
    assert peak < MOST
    assert theirs < 16 * 1024 * 1024
