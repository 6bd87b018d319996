"""``mm7zeep demo``: the main job with nothing set up, over real HTTP on this machine.

An MMSC and a VASP's receiver start on loopback; a message goes out, its report comes back, an answer arrives. Each step
is checked, pictures by SHA-256. Exit status 0 only if all of it happened in time, else 1 with the step that did not.
"""

from __future__ import annotations

import queue
import secrets
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from mm7zeep.cli import COULD_NOT_RUN, samples
from mm7zeep.cli.demo_steps import (
    LIMIT,
    NAME,
    NUMBER,
    PASSWORD,
    SHORT_CODE,
    VASPID,
    Failed,
    end,
    keep_up,
    run,
    same,
    wait,
)

if TYPE_CHECKING:
    from mm7zeep.client import Submitted
    from mm7zeep.gateway.delivery.events import Event
    from mm7zeep.gateway.gateway import Gateway
    from mm7zeep.messages import Message
    from mm7zeep.receiver import Receiver

T = TypeVar("T")


@dataclass
class Stage:
    """What the steps share: where both sides stand, what they report, and until when."""

    gateway: Gateway
    url: str
    receiver_url: str
    events: queue.Queue[Event]
    received: queue.Queue[Message]
    picture: bytes
    deadline: float
    sent: Submitted | None = None

    def wait(self, source: queue.Queue[Any], wanted: Callable[[Any], bool], what: str) -> Any:
        """The first of ``source`` that is wanted. Raises ``Failed`` when time is up."""
        return wait(source, wanted, what, self.deadline, LIMIT)


@click.command("demo")
@click.option("--json", "in_json", is_flag=True, help="By a program that sends JSON and hears by webhook.")
@click.option("--keep", is_flag=True, help="Leave both sides running, and print a curl command for the MMSC.")
def command(in_json: bool, keep: bool) -> None:
    """Send a message there and back on this machine: submit, retrieve, delivery report, answer.

    With --json a program sends it as JSON to one gateway, which submits it to another by MM7; what became of it, and
    the answer, come back as webhooks.

    Exit status: 0 all of it happened, 1 a step did not in time, 2 wrong usage, 3 the servers did not start.
    """
    if in_json:
        from mm7zeep.cli import demo_json

        demo_json.run(keep=keep)
        return
    with ExitStack() as stack:
        stage = run(STEPS, lambda: _start(stack))
        if keep:
            _keep(stage)


def _start(stack: ExitStack) -> Stage:
    """Bring both sides up. Raises ``Failed``."""
    from mm7zeep.gateway.config.parties import Application, Callback
    from mm7zeep.gateway.config.settings import Settings
    from mm7zeep.gateway.gateway import Gateway
    from mm7zeep.gateway.mm7.listener import PATH
    from mm7zeep.gateway.server.listener import serve_in_thread
    from mm7zeep.receiver import Receiver
    from mm7zeep.samples import saturn_png

    events: queue.Queue[Event] = queue.Queue()
    received: queue.Queue[Message] = queue.Queue()
    secret = secrets.token_urlsafe(12)
    receiver = Receiver(auth={"mmsc": secret})
    _hand_over(receiver, received)
    try:
        receiver_url = stack.enter_context(serve_in_thread(receiver.asgi))
        callback = Callback(deliver=f"{receiver_url}/mm7", username="mmsc", password=secret)
        application = Application(
            name=NAME, password=PASSWORD, vaspid=VASPID, short_codes=(SHORT_CODE,), callback=callback
        )
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mm7zeep-demo-"))
        database = f"sqlite:///{Path(folder) / 'demo.db'}"
        gateway = Gateway(
            Settings(applications=(application,), database=database, allow_internal=True), observe=events.put
        )
        stack.callback(gateway.close)
        url = stack.enter_context(serve_in_thread(gateway.asgi)) + PATH
        stack.enter_context(gateway.working())
    except (OSError, RuntimeError) as error:
        end(f"the servers did not start: {error}", COULD_NOT_RUN)
    return Stage(
        gateway=gateway,
        url=url,
        receiver_url=f"{receiver_url}/mm7",
        events=events,
        received=received,
        picture=saturn_png(),
        deadline=time.monotonic() + LIMIT,
    )


def _hand_over(receiver: Receiver, received: queue.Queue[Message]) -> None:
    for on in (receiver.on_deliver, receiver.on_delivery_report, receiver.on_read_reply):
        on(received.put_nowait)


# --- the steps --------------------------------------------------------------------------------------------------------


def _told_start(stage: Stage) -> list[str]:
    return [f"MMSC      {stage.url}", f"VASP      {stage.receiver_url}"]


def _submit(stage: Stage) -> list[str]:
    from mm7zeep.client import Retry, VaspClient
    from mm7zeep.messages import Part, ShortCode
    from mm7zeep.transport import Timeouts

    picture = Part(body=stage.picture, content_type="image/png", name="saturn.png", content_id="saturn.png@mm7zeep")
    with VaspClient(
        stage.url,
        vaspid=VASPID,
        vasid="News",
        auth=(NAME, PASSWORD),
        timeouts=Timeouts(connect=5.0, read=LIMIT, reply=LIMIT),
        retry=Retry(times=0),
    ) as client:
        sent = client.submit(
            to=NUMBER,
            content=["Science news, new Saturn pictures...", picture],
            subject="News for today",
            sender_address=ShortCode(SHORT_CODE),
            delivery_report=True,
        )
    stage.sent = sent
    return [
        f"status    {sent.status}",
        f"message   {sent.message_id}",
        f"request   TransactionID {sent.transaction_id}",
    ]


def _retrieved(stage: Stage) -> list[str]:
    found = stage.wait(stage.events, lambda event: event.kind == "handset", "the handset's copy")
    if found.state != "Retrieved" or found.message_id != _message_id(stage):
        raise Failed(f"the copy of {found.recipient} ended as {found.state}")
    parts = stage.gateway.simulator.retrieved(found.message_id)
    return [f"handset   {found.recipient} retrieved {len(parts)} parts", f"picture   {same(parts, stage.picture)}"]


def _report(stage: Stage) -> list[str]:
    from mm7zeep.messages import DeliveryReportReq

    found = _received(stage, "report", DeliveryReportReq, "the delivery report")
    if found.message_id != _message_id(stage) or found.mm_status != "Retrieved":
        raise Failed(f"the report says {found.mm_status} of message {found.message_id}")
    return [f"report    {found.mm_status} by {found.recipient}, message {found.message_id}"]


def _answer(stage: Stage) -> list[str]:
    from mm7zeep.messages import Part

    picture = Part(body=stage.picture, content_type="image/png", name="saturn.png", content_id="saturn.png@handset")
    sent = stage.gateway.simulator.send_mo(NAME, NUMBER, SHORT_CODE, "Re: News for today", ["Beautiful!", picture])
    return [f"handset   {NUMBER} to {SHORT_CODE}", f"message   LinkedID {sent.message_id}"]


def _arrived(stage: Stage) -> list[str]:
    from mm7zeep.messages import DeliverReq

    found = _received(stage, "deliver", DeliverReq, "the answer")
    if str(found.sender) != NUMBER or not any(part.content_type == "text/plain" for part in found.parts):
        raise Failed(f"the answer came from {found.sender} with {len(found.parts)} parts")
    return [f"received  {found.subject!r} from {found.sender}", f"picture   {same(found.parts, stage.picture)}"]


def _received(stage: Stage, event: str, kind: type[T], what: str) -> T:
    """What the VASP's receiver got, of that kind, once the MMSC has its acknowledgement. Raises ``Failed``."""
    called = stage.wait(stage.events, lambda found: found.kind == event, what)
    if called.error:
        raise Failed(f"{what} was not accepted: {called.error}")
    return cast(T, stage.wait(stage.received, lambda message: isinstance(message, kind), what))


def _message_id(stage: Stage) -> str | None:
    return stage.sent.message_id if stage.sent is not None else None


STEPS: tuple[tuple[str, Callable[[Stage], list[str]]], ...] = (
    ("An MMSC and a VASP stand on loopback", _told_start),
    ("The VASP submits a text and a picture", _submit),
    ("The handset retrieves it", _retrieved),
    ("The delivery report reaches the VASP", _report),
    ("The handset answers, with a picture", _answer),
    ("The answer reaches the VASP", _arrived),
)
"""What happens, in order; a step tells lines or raises."""


# --- afterwards -------------------------------------------------------------------------------------------------------


def _keep(stage: Stage) -> None:
    """Leave both sides up until interrupted, and tell what comes in."""
    with tempfile.TemporaryDirectory(prefix="mm7zeep-demo-") as folder:
        body = Path(folder) / samples.REQUEST
        wire = samples.request(b"Sent by curl", stage.picture, "image/png", vaspid=VASPID, vasid="News", to=NUMBER)
        body.write_bytes(wire.read())
        curl = samples.curl(wire, body, url=stage.url, auth=f"{NAME}:{PASSWORD}")
        keep_up(f"Both sides stay up; stop with Ctrl-C. Submit by curl:\n\n{curl}\n", stage.events, _line)


def _line(event: Event) -> str:
    reason = f": {event.error}" if event.error else ""
    return f"{event.kind.ljust(8)}  {event.state}  message {event.message_id or '-'}{reason}"
