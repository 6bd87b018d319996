"""Reports of a run, built by hand and full of what no peer should get away with; a far side that answers as told."""

from __future__ import annotations

import base64
import gzip
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mm7zeep.probe.results import Level, Reason, Report, Result, Transmission, Word
from mm7zeep.probe.settings import Account, Numbers, Settings

PASSWORD, USER, NUMBER, MAIL = "whisper&7", "quiet", "+41791234567", "jo.quiet@ferry.example"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SETTINGS = Settings(
    url="http://127.0.0.1:8080/mm7",
    account=Account(username=USER, password=PASSWORD, vaspid="FERRY", vasid="Times"),
    numbers=Numbers(good=(NUMBER,), mail=MAIL),
)
STRANGER = base64.b64encode(b"hidden:meaning").decode()
EVIL = "</pre></code><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>\x1b]0;x\x07\u202e\x9b"

_HEAD = f"POST /mm7 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Basic {BASIC}\r\n"
_TELLING = f"<Number>{NUMBER}</Number><a>{MAIL}</a><b>{PASSWORD.replace('&', '&amp;')}</b> {PASSWORD}"


def request(body: bytes, *fields: str) -> bytes:
    """A request with ``body``, credentials and these further header fields."""
    head = _HEAD + "".join(f"{one}\r\n" for one in fields)
    return f"{head}Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def answer(body: bytes, *fields: str) -> bytes:
    """An answer with ``body`` and these header fields."""
    return "".join(f"{one}\r\n" for one in ("HTTP/1.1 200 OK", *fields, "")).encode() + body


def telling() -> dict[str, bytes]:
    """Octets that hold the password, the number and the address, each in another wrapping, by its name."""
    text = _TELLING.encode()
    half = len(text) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (text[:half], text[half:], b"0"[:0]))
    lines = base64.encodebytes(b"A picture before it. " * 5 + text)
    return {
        "plain": request(text),
        "chunked": answer(chunks + b"\r\n", "Transfer-Encoding: chunked"),
        "digits in chunks": answer(
            b"".join(b"1\r\n%c\r\n" % one for one in text) + b"0\r\n\r\n", "Transfer-Encoding: chunked"
        ),
        "base64": request(b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines + b"--b--\r\n"),
        "base64 at a broken place": request(b"encodedbase64\n" + lines),
        "large base64 at a broken place": request(
            b"encodedbase64\n" + base64.encodebytes(b"A picture before it. " * 500 + text)
        ),
        "in groups": request(b"+41 79 123 45 67"),
        "folded header of a stranger": answer(b"", "Authorization: Basic\r\n " + STRANGER),
        "base64 in one line": request(b"<x>" + base64.b64encode(text) + b"</x>"),
        "base64 for URLs": request(base64.urlsafe_b64encode(b"\xfb\xff\xfe" * 9 + text)),
        "base64 twice": request(base64.b64encode(base64.b64encode(text))),
        "gzip": answer(gzip.compress(text), "Content-Encoding: gzip"),
        "gzip that is cut": answer(gzip.compress(text * 20)[:-9], "Content-Encoding: gzip"),
        "brotli": answer(b"\x0b\x02\x80" + text, "Content-Encoding: br"),
        "gzip as a part": request(b"--b\r\n\r\n" + gzip.compress(text) + b"\r\n--b--"),
        "gzip in base64": request(base64.encodebytes(gzip.compress(text))),
        "UTF-16": request(_TELLING.encode("utf-16")),
        "UTF-16, big end first": request(_TELLING.encode("utf-16-be")),
        "references": request("".join(f"&#{ord(one)};" for one in NUMBER[1:]).encode()),
        "quoted-printable": request(b"41791=\r\n23456=37 " + PASSWORD.encode()),
        "percent": request(f"to={NUMBER.replace('+', '%2B')}&x=whisper%267".encode()),
        "folded header": request(b"", f"Proxy-Authorization: Basic\r\n {BASIC}"),
        "echoed": answer(f"no: {USER}:{PASSWORD} {BASIC}".encode(), f"X-Seen: {PASSWORD}", f"Server: {NUMBER}"),
        "hex": answer(PASSWORD.encode().hex().encode()),
        "among pictures": request(b"\xff\xd8\xff\0\1\2" * 50 + b"\0" + text + b"\0" + b"\xf0\x9f\x00" * 50),
        "no HTTP": text,
        "two requests": request(text) + request(text),
    }


def result(id: str, verdict: Word, **more: Any) -> Result:
    """One result that holds together."""
    level: Level = "INFO" if verdict == "INFO" else "SHOULD" if verdict == "WARN" else "MUST"
    if verdict in ("FAIL", "HANG", "WARN", "INFO", "ERROR"):
        texts = {"FAIL": "answered 200", "HANG": "no answer", "WARN": "no charset", "INFO": "noted", "ERROR": "no way"}
        found = Reason(level="INFO" if verdict == "ERROR" else level, text=texts[verdict], hang=verdict == "HANG")
        more.setdefault("reasons", (found,))
    if verdict == "SKIP":
        more.setdefault("skipped", "no second account is given ([second])")
    return Result(
        id=id, role="mmsc", level=level, clause="TS 23.140 8.7.1", requirement="It is so.", verdict=verdict, **more
    )


def exchange(sent: bytes = b"GET / HTTP/1.1\r\n\r\n", received: bytes = b"", **more: Any) -> Transmission:
    """One exchange of ours."""
    return Transmission(**{"by": "tool", "sent": sent, "received": received, "ended": "whole", "took": 0.25, **more})


def report(*results: Result, **more: Any) -> Report:
    """A report of these results."""
    given: dict[str, Any] = {
        "url": SETTINGS.url, "role": "mmsc", "started": "2026-11-28T12:00:00+00:00", "took": 3.25, "seed": 7,
        "version": "0.1.0", "options": {"namespace": SETTINGS.namespace, "unsupported": ""},
    }  # fmt: skip
    return Report(results=results, **(given | more))


def every() -> Report:
    """A report with every verdict, and a common assertion."""
    return report(
        result("http/get", "FAIL", transmissions=(exchange(request(b"<a/>"), answer(b"no", "X: y")),)),
        result("http/slow", "HANG", transmissions=(exchange(request(b"<a/>"), b"", ended="timeout"),)),
        result("submit/a", "PASS", transmissions=(exchange(request(b"<a/>"), answer(b"ok")),)),
        result("submit/b", "WARN"),
        result("submit/c", "INFO"),
        result("auth/other", "SKIP"),
        result("auth/none", "ERROR"),
        result("answer/leak", "FAIL", common=True, seen=4),
    )


def secrets() -> Report:
    """A report that holds what must not be told wherever a report holds anything."""
    text = f"found {PASSWORD} and {NUMBER} of {MAIL} in Authorization: Basic {BASIC}"
    told = Reason(level="MUST", text=text, expected=text, actual=text, exchange=0, offset=20)
    shown = [exchange(data, data, note=text) for data in telling().values()]
    shown += [exchange(data, data, by="peer") for data in telling().values()]
    return report(
        *(result(f"area/{n}", "FAIL", reasons=(told,), transmissions=(one,)) for n, one in enumerate(shown)),
        result("area/skip", "SKIP", skipped=text),
        url=f"http://{USER}:{PASSWORD}@127.0.0.1:8080/mm7?password={PASSWORD}",
        options={"why": text},
    )


def hostile() -> Report:
    """A report in which a peer, and a file that was tampered with, wrote whatever is not to be shown as it is."""
    evil = EVIL.encode("utf-8", "surrogatepass")
    odd = Reason(level="MUST", text=EVIL, expected=EVIL, actual=f"{EVIL}\r\n{EVIL}", exchange=0, offset=30)
    both = exchange(
        b"POST /" + evil + b" HTTP/1.1\r\n\r\n" + evil, answer(evil + b"\0\xff\xfe]]>\n", f"X: {EVIL}"), note=EVIL
    )
    return report(
        result(f"area/{EVIL}", "FAIL", reasons=(odd,), transmissions=(both, both)),
        result("area/\ud800\ufffe", "SKIP", skipped=EVIL),
        url=f"http://127.0.0.1/{EVIL}",
        options={EVIL: EVIL},
        started=EVIL,
    )


@contextmanager
def far_side(said: Callable[[bytes], bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """A server on loopback that answers each request, which has a Content-Length, as ``said`` wants it, and closes.

    Gives its URL, and the requests as they come.
    """
    heard: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return
                head += line
            length = next(
                (int(one[15:]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")), 0
            )
            heard.append(head + self.rfile.read(length))
            self.wfile.write(said(heard[-1]))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/mm7", heard
        finally:
            server.shutdown()
            thread.join()
