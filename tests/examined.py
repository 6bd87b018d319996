"""Our own gateway and our own VASP as the examiner meets them: in a thread, with all that its settings can name.

``gateway`` gives the settings for role mmsc, ``vasp`` those for role vasp. As a program it runs cases and prints what
came: ``python tests/examined.py [--role vasp] [--show] [ID or prefix ...]``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

from postgres_server import held_port

from mm7zeep import Mm7Error, Retry, VaspClient
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.config.load import load
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.messages import DeliverReq, DeliveryReportReq, ReadReplyReq
from mm7zeep.probe.cases import ALL
from mm7zeep.probe.results import Report
from mm7zeep.probe.runner import run
from mm7zeep.probe.settings import Account, Numbers, Settings
from mm7zeep.receiver import BasicAuth, HttpLimits, Receiver

BODY_LIMIT = 2_000_000
"""Octets of a request that our gateway refuses beyond, so that a case can be over it."""

CONFIG = """
[gateway]
mm7 = "127.0.0.1:0"
admin = "127.0.0.1:0"
database = "{database}"
allow_internal = true
poll = "50ms"
connections_per_address = 500
relay_id = "mm7zeep"

[limits]
body = {body}

{more}
[delivery]
waits = ["300ms", "300ms", "300ms", "300ms"]
spread = 0.0
timeout = "3s"

[[application]]
name = "probe"
password = "probe-password"
vaspid = "PROBE"
vasids = ["Tests"]
short_codes = ["7777", "7778", "7779"]
duplicates = "{duplicates}"

[application.callback]
deliver = "http://127.0.0.1:{port}/mo"
username = "mmsc"
password = "callback-password"

[[application]]
name = "other"
password = "other-password"
vaspid = "OTHER"
vasids = ["Trials"]
short_codes = ["8888"]
media = "listed"

[[application]]
name = "older"
password = "older-password"
vaspid = "OLDER"
short_codes = ["9999"]

[application.callback]
deliver = "http://127.0.0.1:{port}/mo"
username = "mmsc"
password = "callback-password"
namespace = "REL-5-MM7-1-2"

[[handset]]
prefix = "+155501"
outcome = "Expired"
delay = "200ms"
read = false

[[handset]]
prefix = "+155502"
outcome = "Rejected"
read = false

[[handset]]
prefix = "+155503"
outcome = "Forwarded"
read = false

[[handset]]
prefix = "+155504"
outcome = "Retrieved"
delay = "1h"
read = false

[[handset]]
prefix = "+155505"
read = false
"""


Around = Callable[[Any], Any]
"""Makes an ASGI application of another."""


def _as_it_is(application: Any) -> Any:
    return application


@contextmanager
def gateway(
    folder: Path,
    database: str | None = None,
    duplicates: str = "0s",
    more: str = "",
    *,
    around: Around = _as_it_is,
    config: str = CONFIG,
) -> Iterator[Settings]:
    """A gateway, and the settings to examine it with.

    ``database`` is by default an SQLite file in ``folder``; ``more`` are further tables of its configuration.
    ``around`` and ``config`` are for those who break it (``breaks``).
    """
    with ExitStack() as stack:
        holder = stack.enter_context(held_port())
        port = holder.getsockname()[1]
        file = folder / "gateway.toml"
        file.touch(mode=0o600)
        url = database or f"sqlite:///{folder / 'gateway.db'}"
        file.write_text(
            config.format(database=url, port=port, body=BODY_LIMIT, duplicates=duplicates, more=more), encoding="utf-8"
        )
        # a body that stops coming is waited for no longer than a case waits
        made = Gateway(replace(load(file), http=HttpLimits(idle=5.0)))
        stack.callback(made.close)
        base = stack.enter_context(serve_in_thread(around(made.asgi)))
        stack.enter_context(made.working())
        admin = stack.enter_context(serve_in_thread(admin_app(made)))
        yield Settings(
            url=base + Gateway.PATH,
            account=Account(username="probe", password="probe-password", vaspid="PROBE", vasid="Tests"),
            second=Account(
                username="other",
                password="other-password",
                vaspid="OTHER",
                vasid="Trials",
                refuses="application/vnd.symbian.install",
            ),
            numbers=Numbers(
                good=("+15550010001", "+15550010002", "+15550010003", "+15550010004"),
                many="+15550050000",
                off="+15550400001",
                barred="+15550200001",
                unknown="+15550200002",
                forwarded="+15550300001",
                mail="someone@example.com",
                sender="7777",
                loop="7779",
                older="9999",
                others="8888",
                unread="+15550500001",
            ),
            listen=f"127.0.0.1:{port}",
            timeout=10.0,
            patience=60.0,
            window=4.0,
            state=(sys.executable, "-I", "-S", "-c", STATE.format(admin=admin)),
            limits=MappingProxyType({"message": BODY_LIMIT}),
        )


STATE = """
import json, os, time, urllib.request
url = {admin!r} + "/api/v1/messages/" + os.environ["MM7ZEEP_PROBE_MESSAGE_ID"]
wanted = os.environ["MM7ZEEP_PROBE_STATE"]
if wanted == "deleted":
    said = json.dumps({{"recipient": os.environ["MM7ZEEP_PROBE_RECIPIENTS"], "status": "Deleted"}}).encode()
    asked = urllib.request.Request(url + "/read", said, {{"Content-Type": "application/json"}})
    urllib.request.urlopen(asked, timeout=10)
    raise SystemExit
for _ in range(200):
    found = json.load(urllib.request.urlopen(url, timeout=10))
    states = sorted(one["state"] for one in found["recipients"])
    if states == (["Pending"] if wanted == "notified" else ["Pending", "Retrieved"]):
        raise SystemExit
    time.sleep(0.05)
raise SystemExit(f"the message is not {{wanted}}: {{states}}")
"""

SEEN = """
import json, os, pathlib
kept = pathlib.Path({folder!r}) / os.environ["MM7ZEEP_PROBE_MARK"]
print(kept.read_text() if os.environ["MM7ZEEP_PROBE_MARK"] and kept.exists() else "null")
"""


TRIGGER = """
import os, urllib.request
url = {control!r} + "?port=" + os.environ["MM7ZEEP_PROBE_LISTEN"]
print(urllib.request.urlopen(url, timeout=60).read().decode())
"""


Submit = Callable[[str], int | None]
"""Has a VASP submit to a URL; the code that its application is told, None where it is told of a failure without."""


def submit(url: str) -> int | None:
    """Have our VaspClient submit."""
    retry = Retry(times=4, first=0.3)
    with VaspClient(url, vaspid="PROBE", vasid="Tests", auth=("vasp", "secret"), retry=retry) as client:
        try:
            return client.submit(to="+15550010001", subject="Probe", content="Hello").status.code
        except Mm7Error as error:
            status = getattr(error, "status", None)
            return status.code if status is not None else None


@contextmanager
def submitting(submits: Submit) -> Iterator[str]:
    """A server that, asked by GET, has a VASP submit to the port that the query names; where it stands."""

    class Submitting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = submits(f"http://127.0.0.1:{self.path.rpartition('=')[2]}/mm7")
            body = json.dumps({"status": told}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Submitting) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


STATE_OF_VASP = """
import os, pathlib
down = pathlib.Path({folder!r}) / "down"
down.touch() if os.environ["MM7ZEEP_PROBE_STATE"] == "down" else down.unlink(missing_ok=True)
"""


@contextmanager
def vasp(folder: Path, *, around: Around = _as_it_is, submits: Submit = submit) -> Iterator[Settings]:
    """A Receiver that keeps what it gets, and the settings to examine it with.

    ``around`` and ``submits`` are for those who break it (``breaks``).
    """
    kept = folder / "kept"
    kept.mkdir()
    receiver = Receiver(auth=BasicAuth({"mmsc": "callback-password"}))

    @receiver.on_deliver
    def deliver(message: DeliverReq) -> None:
        if (folder / "down").exists():
            raise RuntimeError("the application is down, as the case wants it")
        words = (message.subject or "").split()
        if len(words) > 1:
            parts = [hashlib.sha256(one.read()).hexdigest() for one in message.parts]
            (kept / words[1]).write_text(json.dumps({"parts": parts, "subject": message.subject}), encoding="utf-8")

    @receiver.on_delivery_report
    def report(message: DeliveryReportReq) -> None:
        """Takes every report."""

    @receiver.on_read_reply
    def read(message: ReadReplyReq) -> None:
        """Takes every read reply."""

    with ExitStack() as stack:
        holder = stack.enter_context(held_port())
        base = stack.enter_context(serve_in_thread(around(receiver.asgi)))
        control = stack.enter_context(submitting(submits))
        yield Settings(
            url=f"{base}/mm7",
            role="vasp",
            account=Account(username="mmsc", password="callback-password", vaspid="PROBE", vasid="Tests"),
            numbers=Numbers(good=("+15550010001", "+15550010002"), sender="7777"),
            listen=f"127.0.0.1:{holder.getsockname()[1]}",
            timeout=10.0,
            window=4.0,
            trigger=(sys.executable, "-I", "-S", "-c", TRIGGER.format(control=control)),
            state=(sys.executable, "-I", "-S", "-c", STATE_OF_VASP.format(folder=str(folder))),
            seen=(sys.executable, "-I", "-S", "-c", SEEN.format(folder=str(kept))),
        )


def chosen(role: str, wanted: list[str]) -> list[Any]:
    """The cases of a role that are named, or whose ids begin so; all without a name."""
    return [one for one in ALL if one.role == role and (not wanted or any(one.id.startswith(word) for word in wanted))]


def told(report: Report, *, show: bool = False) -> str:
    """A report for people who write cases."""
    lines = []
    for one in report.results:
        if one.verdict == "PASS" and not show:
            continue
        lines.append(f"{one.verdict:5} {one.id} [{one.level}] {one.why} ({one.took:.1f} s)")
        lines += [f"        {reason.level} {reason.text} | expected {reason.expected}" for reason in one.reasons[1:6]]
        if show:
            for exchange in one.transmissions:
                sent, got = exchange.sent[:3000], exchange.received[:3000]
                lines += [f"--- {exchange.by} sent, {exchange.took:.2f} s", sent.decode("utf-8", "replace")]
                lines += [f"--- received ({exchange.ended})", got.decode("utf-8", "replace")]
    count = Counter(one.verdict for one in report.results)
    return "\n".join([*lines, f"{dict(count)} in {report.took:.1f} s"])


def main() -> None:
    """Run cases against our own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", choices=("mmsc", "vasp"), default="mmsc")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("ids", nargs="*")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, {"mmsc": gateway, "vasp": vasp}[said.role](Path(folder)) as settings:
        report = run(chosen(said.role, said.ids), replace(settings, parallel=said.parallel))
    sys.stdout.write(told(report, show=said.show) + "\n")


if __name__ == "__main__":
    main()
