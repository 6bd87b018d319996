"""A web site on this machine for tests: a handler of ``http.server`` on a free port of loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answers(BaseHTTPRequestHandler):
    """What answers a request, without a line about it."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self, status: int, octets: bytes, **fields: str) -> None:
        """An answer with a body; ``fields`` have a "_" where the name has a "-"."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(octets)))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(octets)


@contextmanager
def served(answers: type[Answers]) -> Iterator[str]:
    """Serve until the end; the URL, without a path."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
