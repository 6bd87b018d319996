"""``mm7zeep demo --json``: a program, a gateway that it sends JSON to, and another one behind that, by MM7.

The message goes out by JSON and MM7, the handset of the second gateway retrieves it, and what became of it comes back
as a webhook; so does the handset's answer, whose picture is fetched. Each step is checked, as in ``mm7zeep demo``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import queue
import secrets
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mm7zeep.cli import COULD_NOT_RUN, demo_steps
from mm7zeep.cli.demo_steps import LIMIT, NAME, NUMBER, PASSWORD, SHORT_CODE, Failed, end, keep_up, same, wait

if TYPE_CHECKING:
    import requests

    from mm7zeep.gateway.config.settings import Settings
    from mm7zeep.gateway.delivery.events import Event
    from mm7zeep.gateway.gateway import Gateway

_TIMEOUT = 10.0  # seconds that an answer of a gateway may take


@dataclass
class Stage:
    """What the steps share: the gateways, where they stand, and what the program has heard."""

    near: Gateway
    far: Gateway
    api: str
    mm7: str
    webhook: str
    secret: str
    events: queue.Queue[Event]
    heard: queue.Queue[tuple[dict[str, str], bytes]]
    picture: bytes
    deadline: float
    id: str = ""


def run(*, keep: bool) -> None:
    """Do all of it, and tell it; ends the program with 1 at the first step that does not happen."""
    with ExitStack() as stack:
        stage = demo_steps.run(STEPS, lambda: _start(stack))
        if keep:
            _keep(stage)


class _Later:
    """An ASGI application that is known only once it is known where it stands."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class _Places(NamedTuple):
    """Where the program's web server and the listeners of both gateways stand."""

    webhook: str
    near_mm7: str
    near_api: str
    far_mm7: str


def _start(stack: ExitStack) -> Stage:
    """Bring the gateways and the program's own web server up. Ends the program where they do not start."""
    from mm7zeep.gateway.gateway import Gateway
    from mm7zeep.gateway.mm7.listener import PATH
    from mm7zeep.gateway.server.listener import serve_in_thread
    from mm7zeep.samples import saturn_png

    events: queue.Queue[Event] = queue.Queue()
    heard: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    to_far, to_near = (secrets.token_urlsafe(12) for _ in range(2))  # the passwords between the gateways
    near_mm7, near_api, far_mm7 = _Later(), _Later(), _Later()
    try:
        urls = [stack.enter_context(serve_in_thread(one)).rstrip("/") for one in (near_mm7, near_api, far_mm7)]
        webhook = stack.enter_context(serve_in_thread(_web_server(heard))) + "/events"
        places = _Places(webhook, urls[0] + PATH, urls[1], urls[2] + PATH)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mm7zeep-demo-")))
        near = Gateway(_near(places, secret, to_far, to_near, f"sqlite:///{folder / 'near.db'}"))
        stack.callback(near.close)
        far = Gateway(_far(places, to_far, to_near, f"sqlite:///{folder / 'far.db'}"), observe=events.put)
        stack.callback(far.close)
        near_mm7.app, near_api.app, far_mm7.app = near.asgi, near.api, far.asgi
        stack.enter_context(near.working())
        stack.enter_context(far.working())
    except (OSError, RuntimeError) as error:
        end(f"the servers did not start: {error}", COULD_NOT_RUN)
    return Stage(
        near=near,
        far=far,
        api=f"{places.near_api}/v1",
        mm7=places.far_mm7,
        webhook=webhook,
        secret=secret,
        events=events,
        heard=heard,
        picture=saturn_png(),
        deadline=time.monotonic() + LIMIT,
    )


def _near(places: _Places, secret: str, to_far: str, to_near: str, database: str) -> Settings:
    """The gateway that the program sends JSON to, with the other one behind it."""
    from mm7zeep.gateway.config.parties import Application, Route, Upstream, Webhook
    from mm7zeep.gateway.config.settings import Place, Settings

    program = Application(
        name=NAME,
        password=PASSWORD,
        short_codes=(SHORT_CODE,),
        webhook=Webhook(url=places.webhook, secret=secret),
    )
    upstream = Upstream(
        name="far",
        url=places.far_mm7,
        username="near",
        password=to_far,
        callback_username="far",
        callback_password=to_near,
    )
    return Settings(
        applications=(program,),
        upstreams=(upstream,),
        routes=(Route(prefix="+", via="far"),),
        api=Place("127.0.0.1", 0),
        api_url=places.near_api,
        database=database,
        allow_internal=True,
    )


def _far(places: _Places, to_far: str, to_near: str, database: str) -> Settings:
    """The gateway that plays the carrier, whose handset retrieves and answers."""
    from mm7zeep.gateway.config.parties import Application, Callback
    from mm7zeep.gateway.config.settings import Settings

    callback = Callback(deliver=places.near_mm7, username="far", password=to_near)
    vasp = Application(name="near", password=to_far, short_codes=(SHORT_CODE,), callback=callback)
    return Settings(applications=(vasp,), database=database, allow_internal=True)


def _web_server(heard: queue.Queue[tuple[dict[str, str], bytes]]) -> Callable[..., Any]:
    """The program's own web server, which keeps what it is told."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        heard.put(({name.decode(): value.decode("latin-1") for name, value in scope["headers"]}, body))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


# --- the steps --------------------------------------------------------------------------------------------------------


def _places(stage: Stage) -> list[str]:
    return [f"program   hears at {stage.webhook}", f"gateway   {stage.api}", f"carrier   {stage.mm7}"]


def _send(stage: Stage) -> list[str]:
    message = {
        "to": NUMBER,
        "from": SHORT_CODE,
        "subject": "News for today",
        "parts": [
            {"text": "Science news, new Saturn pictures..."},
            {"data": base64.b64encode(stage.picture).decode(), "content_type": "image/png", "name": "saturn.png"},
        ],
        "delivery_report": True,
        "reference": "order 7",
    }
    made = _request("POST", f"{stage.api}/messages", auth=(NAME, PASSWORD), json=message).json()
    stage.id = made["id"]
    [recipient] = made["recipients"]
    return [f"message   {stage.id}, {recipient['state']} for {recipient['to']}", "reference order 7"]


def _request(method: str, url: str, **options: Any) -> requests.Response:
    """What a gateway answers. Raises ``Failed`` where it is no success."""
    import requests

    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.request(method, url, timeout=_TIMEOUT, **options)
        except requests.RequestException as error:
            raise Failed(f"{url} did not answer: {type(error).__name__}") from error
    if not answer.ok:
        raise Failed(f"{url} answered {answer.status_code}: {answer.text[:200]}")
    return answer


def _retrieved(stage: Stage) -> list[str]:
    found = wait(stage.events, lambda event: event.kind == "handset", "the handset's copy", stage.deadline, LIMIT)
    if found.state != "Retrieved":
        raise Failed(f"the copy of {found.recipient} ended as {found.state}")
    parts = stage.far.simulator.retrieved(found.message_id)
    return [
        f"handset   {found.recipient} retrieved {len(parts)} parts",
        f"picture   {same(parts, stage.picture)}",
    ]


def _delivered(stage: Stage) -> list[str]:
    data = _event(stage, "message.delivered")
    if data["message"]["id"] != stage.id or data["message"]["reference"] != "order 7":
        raise Failed(f"the event is about {data['message']['id']}")
    told = data["recipient"]
    return [f"event     message.delivered, {told['to']}, {told['mm_status']}, reference order 7, signature right"]


def _event(stage: Stage, kind: str) -> Any:
    """The data of the next event of this kind, whose signature is right. Raises ``Failed``."""
    from mm7zeep.gateway.security import webhook_signature

    def wanted(found: tuple[dict[str, str], bytes]) -> bool:
        return bool(json.loads(found[1])["type"] == kind)

    fields, body = wait(stage.heard, wanted, f"the event {kind}", stage.deadline, LIMIT)
    id, timestamp = fields["webhook-id"], int(fields["webhook-timestamp"])
    signed = webhook_signature.headers([stage.secret], id, timestamp, body)
    if signed["webhook-signature"] not in fields["webhook-signature"].split(" "):
        raise Failed(f"the event {kind} has a wrong signature")
    return json.loads(body)["data"]


def _answer(stage: Stage) -> list[str]:
    from mm7zeep.messages import Part

    picture = Part(body=stage.picture, content_type="image/png", name="saturn.png", content_id="saturn.png@handset")
    sent = stage.far.simulator.send_mo("near", NUMBER, SHORT_CODE, "Re: News for today", ["Beautiful!", picture])
    return [f"handset   {NUMBER} to {SHORT_CODE}", f"message   LinkedID {sent.message_id} at the carrier"]


def _arrived(stage: Stage) -> list[str]:
    message = _event(stage, "message.received")["message"]
    urls = [part["url"] for part in message["parts"] if part["content_type"] == "image/png"]
    if message["from"] != NUMBER or len(urls) != 1:
        raise Failed(f"the answer came from {message['from']} with {len(urls)} pictures")
    octets = _request("GET", urls[0]).content
    if octets != stage.picture:
        raise Failed(f"the picture has SHA-256 {hashlib.sha256(octets).hexdigest()}")
    return [
        f"event     message.received, {message['subject']!r} from {message['from']}, signature right",
        f"picture   {len(octets)} octets, SHA-256 {hashlib.sha256(octets).hexdigest()}, as sent",
    ]


STEPS: tuple[tuple[str, Callable[[Stage], list[str]]], ...] = (
    ("A program, its gateway and a carrier's MMSC start on loopback", _places),
    ("The program sends a text and a picture as JSON", _send),
    ("The gateway submits it by MM7, and the handset retrieves it", _retrieved),
    ("What became of it reaches the program as a webhook", _delivered),
    ("The handset answers, with a picture", _answer),
    ("The answer reaches the program as a webhook", _arrived),
)
"""What happens, in order; a step tells lines or raises."""


# --- afterwards -------------------------------------------------------------------------------------------------------


def _keep(stage: Stage) -> None:
    """Leave all of it up until interrupted, and tell what the program hears."""
    curl = f"curl -u {NAME}:{PASSWORD} {stage.api}/messages -F to={NUMBER} -F 'parts=Sent by curl'"
    keep_up(f"All of it stays up; stop with Ctrl-C. Send by curl:\n\n{curl}\n", stage.heard, _line)


def _line(found: tuple[dict[str, str], bytes]) -> str:
    event = json.loads(found[1])
    return f"{event['type']}  message {event['data']['message']['id']}"
