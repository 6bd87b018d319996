"""What a type checker sees of the library, as its users run it: mistakes are caught, the README's examples are clean.

Also what shells and ``help()`` see: every option has its name in the signature.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from test_readme import PYTHON

import mm7zeep
from mm7zeep import messages
from mm7zeep.client import fields as keywords
from mm7zeep.client import styles
from mm7zeep.transport import SwaTransport

EXAMPLES = {
    name: next(block.text for block in PYTHON if mark in block.text)
    for name, mark in {
        "send": "mmsc.submit(", "receive": "@receiver.on_deliver", "zeep": "zeep_client(", "offline": "unpack(wire",
    }.items()
}  # fmt: skip

MORE = """
import queue

from mm7zeep import (
    AsyncMmscClient, AsyncVaspClient, DeliveryReportReq, DeliverReq, DeliverRsp, Message, MmscClient, Number,
    ReadReplyReq, Received, Receiver, Status, SubmitReq, VaspClient,
)
from mm7zeep.receiver import BasicAuth


async def send(content: list[str | bytes]) -> str | None:
    async with AsyncVaspClient("https://mmsc.example/mm7", auth=("a", "b"), policy="strict", split=True) as mmsc:
        sent = await mmsc.submit("+61412345678", content, cc=Number("1"), bcc=["2", "a@b.example"], priority="High")
        await mmsc.cancel(sent.message_id or "", vasid="News")
        await mmsc.replace("m", b"GIF89a", read_reply=True)
        print([(one.recipient.value, one.error) for one in sent.each])
        return sent.message_id


def report(message: DeliveryReportReq, given: MmscClient) -> Status:
    return given.delivery_report(message).status


mo = DeliverReq(sender="+61412345678", to="111122", cc=["1", Number("2")], parts=[])
addressed: tuple[str, ...] = tuple(one.value for one in (*mo.to, mo.sender) if one is not None)
kept: list[Message] = []
waiting: queue.Queue[Message] = queue.Queue()
first, second = Receiver(auth=("optus", "secret")), Receiver(BasicAuth({"optus": "secret"}), profile="optus")


class Handlers:
    async def deliver(self, message: DeliverReq, received: Received) -> DeliverRsp:
        return DeliverRsp(service_code=received.transaction_id)


@first.on_delivery_report
async def told(message: DeliveryReportReq) -> None: ...


@first.on_read_reply
def read(message: ReadReplyReq, *, received: Received) -> Status | None: ...


@second.on_submit
def submitted(message: SubmitReq) -> str:
    return "m-1"


first.on_deliver(Handlers().deliver)
second.on_deliver(kept.append)
second.on_read_reply(waiting.put_nowait)
"""

# (file, what is planted where) -> what mypy has to say, and nothing else
PLANTED: Mapping[str, tuple[tuple[str, str], str, str]] = {
    "keyword": (("auth=(", "authh=("), "send", 'Unexpected keyword argument "authh" for "VaspClient"'),
    "profile": (('profile="optus"', "profile=3"), "send", 'Argument "profile" to "VaspClient"'),
    "span": (("timedelta(days=2)", '"2d"'), "send", 'Argument "expiry_date" to "submit" of "VaspClient"'),
    "recipients": (('["+61412345678"]', "5"), "send", 'Argument "to" to "submit" of "VaspClient"'),
    "field": (("subject=", "subjet="), "send", 'Unexpected keyword argument "subjet" for "submit"'),
    "attribute": (("sent.message_id", "sent.mesage_id"), "send", '"Submitted" has no attribute "mesage_id"'),
    "handler": (("message: SubmitReq)", "message: DeliverReq)"), "more", 'Value of type variable "OnSubmit"'),
    "no message": (("def read(message: ReadReplyReq, ", "def read("), "more", 'Value of type variable "OnRead"'),
    "result": (('str:\n    return "m-1"', "float:\n    return 1.5"), "more", 'Value of type variable "OnSubmit"'),
    "receiver auth": (('{"optus": "secret"}', '["optus", "secret"]'), "receive", 'Argument "auth" to "Receiver"'),
    "zeep": (("auth=(", "authh=("), "zeep", 'Unexpected keyword argument "authh" for "zeep_client"'),
    "async": (("priority=", "priorty="), "more", 'Unexpected keyword argument "priorty" for "submit"'),
    "async option": (("split=True", "spilt=True"), "more", 'Unexpected keyword argument "spilt" for "AsyncVaspClient"'),
    "message": (('to="111122"', "to=5"), "more", 'Argument "to" to "DeliverReq"'),
    "coroutine": (("async def told(message: DeliveryReportReq", "async def told(message: ReadReplyReq"), "more",
                  'Value of type variable "OnReport"'),
}  # fmt: skip


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What ``mypy --strict`` says of each file, in one run: the examples, and each with one mistake planted."""
    folder = tmp_path_factory.mktemp("user")
    texts = {**EXAMPLES, "more": MORE}
    texts |= {f"planted_{n}": _planted(texts[name], change) for n, (change, name, _) in enumerate(PLANTED.values())}
    changes = {change: name for change, name, _ in list(PLANTED.values())[:3]}
    text = texts["send"]
    for change in changes:
        text = _planted(text, change)
    texts["three"] = text
    for name, source in texts.items():
        folder.joinpath(f"{name}.py").write_text(source, encoding="utf-8")
    package = Path(str(mm7zeep.__file__)).parent.parent
    environment = dict(os.environ)
    if package.name not in ("site-packages", "dist-packages"):  # a checkout: mypy finds no editable installation
        environment["MYPYPATH"] = str(package)
    command = [sys.executable, "-P", "-m", "mypy", "--strict", "--follow-imports=silent", "--no-error-summary"]
    done = subprocess.run(
        [*command, "--hide-error-context", "--no-color-output", "--config-file=", *(f"{name}.py" for name in texts)],
        capture_output=True, text=True, timeout=300, check=False, cwd=folder, env=environment,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, list[str]] = {name: [] for name in texts}
    for line in done.stdout.splitlines():
        if match := re.match(r"(\w+)\.py:\d+: error: (.*)", line):
            found[match[1]].append(match[2])
    return found


def _planted(text: str, change: tuple[str, str]) -> str:
    assert text.count(change[0]) >= 1, change
    return text.replace(*change, 1)


@pytest.mark.once
@pytest.mark.parametrize("name", [*EXAMPLES, "more"])
def test_example_is_clean(said: dict[str, list[str]], name: str) -> None:
    """The examples of the README, and what else a user may rightly write, pass."""
    assert said[name] == []


@pytest.mark.once
def test_three_planted_mistakes(said: dict[str, list[str]]) -> None:
    """Three mistakes in one example are three errors, and no more."""
    wanted = [error for _, _, error in list(PLANTED.values())[:3]]
    assert len(said["three"]) == 3
    assert all(line.startswith(start) for line, start in zip(said["three"], wanted, strict=True)), said["three"]


@pytest.mark.once
@pytest.mark.parametrize("name", PLANTED)
def test_planted_mistake(said: dict[str, list[str]], name: str) -> None:
    """A misspelt option, a value of a wrong type, a function for another message: each is one error."""
    [line] = said[f"planted_{list(PLANTED).index(name)}"]
    assert line.startswith(PLANTED[name][2])


# --- names in signatures ----------------------------------------------------------------------------------------------

MADE: list[Callable[..., Any]] = [
    mm7zeep.VaspClient, mm7zeep.AsyncVaspClient, mm7zeep.MmscClient, mm7zeep.AsyncMmscClient, mm7zeep.zeep_client,
    mm7zeep.Receiver, mm7zeep.SwaTransport, mm7zeep.ValidationPlugin, mm7zeep.pack, mm7zeep.unpack, mm7zeep.attach,
]  # fmt: skip
SIDES = (mm7zeep.VaspClient, mm7zeep.AsyncVaspClient, mm7zeep.MmscClient, mm7zeep.AsyncMmscClient)
METHODS = [method for side in SIDES for name, method in inspect.getmembers(side, callable) if not name.startswith("_")]


@pytest.mark.parametrize("made", [*MADE, *METHODS], ids=lambda made: made.__qualname__)
def test_every_option_has_a_name(made: Callable[..., Any]) -> None:
    """No signature hides options behind ``**``, and each option says its type."""
    parameters = inspect.signature(made).parameters.values()
    assert [one.name for one in parameters if one.kind is one.VAR_KEYWORD] == []
    assert [one.name for one in parameters if one.annotation in (one.empty, "Any") and one.name != "self"] == []


@pytest.mark.parametrize(
    ("client", "sender"),
    [(mm7zeep.VaspClient, styles.SyncSender), (mm7zeep.AsyncVaspClient, styles.AsyncSender)],
    ids=["sync", "async"],
)
def test_client_has_every_option_of_its_sender(client: type, sender: type) -> None:
    """A VASP's client takes what every sender takes, with the same defaults, and its own three."""
    theirs, ours = inspect.signature(sender).parameters, inspect.signature(client).parameters
    assert {name: ours[name] for name in theirs} == dict(theirs)
    assert {*ours} - {*theirs} == {"vaspid", "vasid", "split"}


def test_zeep_client_has_every_option_of_its_transport() -> None:
    """``zeep_client`` takes what ``SwaTransport`` takes, with the same defaults, and its own."""
    theirs, ours = inspect.signature(SwaTransport).parameters, inspect.signature(mm7zeep.zeep_client).parameters
    assert {name: ours[name] for name in theirs} == dict(theirs)
    assert {*ours} - {*theirs} == {"url", "profile", "role", "transport", "plugin"}


@pytest.mark.parametrize("name", ["Submit", "Replace", "Cancel", "ExtendedReplace", "ExtendedCancel"])
def test_keywords_are_the_fields(name: str) -> None:
    """A request's keywords are the fields of its message, but those that the method names itself or a reader fills."""
    message = getattr(messages, f"{name}Req")
    own = {"to", "parts", "message_id", "cancel_id", "replace_id", "content_href", "unparsed"}
    assert set(getattr(keywords, f"{name}Fields").__annotations__) == {one.name for one in fields(message)} - own
