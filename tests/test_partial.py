"""A message taken in part: who was left out is named, as far as the answer tells, by the clients and by the command."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from click.testing import CliRunner
from far_side import FarSide, Request, http, saying
from hypothesis import given
from hypothesis import strategies as st

from mm7zeep.cli import main
from mm7zeep.client import AsyncVaspClient, Submitted, VaspClient
from mm7zeep.client.partial import left_out
from mm7zeep.errors import AuthError, Mm7Error, StatusError, TransportError
from mm7zeep.messages import CancelRsp, RSErrorRsp, Status, SubmitRsp, addresses

TO = ("+49301", "+49302", "+493012", "a.b@ferry.example")
N = '<Number xmlns="urn:carrier">'

# what the answer says -> who was left out of TO, by place
SAID: dict[str, tuple[Status, tuple[int, ...]]] = {
    "one": (Status(1100, None, f"{N}+49302</Number>"), (1,)),
    "two": (Status(1100, None, f"{N}+49302</Number><Mail>a.b@ferry.example</Mail>"), (1, 3)),
    "nested": (Status(1100, None, "<Failed><Recipients><To>+49301</To><To>+493012</To></Recipients></Failed>"), (0, 2)),
    "without plus": (Status(1100, None, f"{N}49301</Number>"), (0,)),
    "as carriers write numbers": (Status(1100, None, "<r>+49302/TYPE=PLMN</r>"), (1,)),
    "attribute": (Status(1100, None, '<recipient number="+49302" reason="unknown"/>'), (1,)),
    "text": (Status(1100, None, "+49301, +49302"), (0, 1)),
    "text with words": (Status(1100, None, "not delivered to a.b@ferry.example."), (3,)),
    "status text": (Status(1100, "Partial success: +49302 is unknown"), (1,)),
    "finer code": (Status(1102, "Some failed", "<r>+49302</r>"), (1,)),
    "code beside each": (
        Status(1100, None, "".join(f"<r><n>{to}</n><StatusCode>{code}</StatusCode></r>"
               for to, code in zip(TO, (1000, 2003, 1000, 2002), strict=True))), (1, 3),
    ),
    "word beside each": (
        Status(1100, None, '<r to="+49301" state="accepted"/><r to="+49302" state="not accepted"/>'), (1,),
    ),
    "two lists": (
        Status(1100, None, "<Accepted><n>+49301</n><n>+493012</n></Accepted><NotAccepted><n>+49302</n></NotAccepted>"),
        (1,),
    ),
    "only the good ones": (Status(1100, None, "<Delivered><n>+49301</n></Delivered>"), ()),
    "good ones in text": (Status(1100, None, "accepted: +49301"), ()),
    "good ones in the status text": (Status(1100, "sent to +49301"), ()),
    "neutral status text": (Status(1100, "Partial success +49301"), ()),
    "everybody": (Status(1100, None, "".join(f"<n>{to}</n>" for to in TO)), ()),
    "nobody": (Status(1100), ()),
    "a stranger": (Status(1100, None, "<n>+4930</n><n>+493021</n><n>xa.b@ferry.example</n>"), ()),
    "broken": (Status(1100, None, "<n>+49302"), (1,)),
    "entity": (Status(1100, None, "<n>&x;+49302</n>"), (1,)),
    "success in full": (Status(1000, None, "<n>+49302</n>"), ()),
    "a vendor's success": (Status(1500, None, "<n>+49302</n>"), ()),
}  # fmt: skip


@pytest.mark.parametrize(("status", "places"), SAID.values(), ids=SAID)
def test_who_was_left_out(status: Status, places: tuple[int, ...]) -> None:
    """An address of the request is named where the answer says that it was left out, and only there."""
    assert left_out(addresses(TO), status) == addresses([TO[place] for place in places])


@given(st.text(), st.text())
def test_whatever_is_said(text: str, details: str) -> None:
    """No text makes it fail, or name somebody whom it does not hold."""
    for named in left_out(addresses(TO), Status(1100, text, details)):
        assert named.bare.removeprefix("+").lower() in (text + details).casefold()


def test_many_recipients() -> None:
    """A thousand recipients in as many elements are looked up, not searched for one by one."""
    many = addresses([f"+4930{n:06}" for n in range(2000)])
    details = "".join(f"<r><n>{one}</n><c>{1000 if n % 2 else 2003}</c></r>" for n, one in enumerate(many))
    assert left_out(many, Status(1100, None, details)) == many[::2]


def sent(style: str, url: str, *to: str, **options: Any) -> Submitted:
    """A submit to these, in either style."""
    if style == "sync":
        with VaspClient(url, **options) as client:
            return client.submit(to, "Hello")

    async def main() -> Submitted:
        async with AsyncVaspClient(url, **options) as client:
            return await client.submit(to, "Hello")

    return asyncio.run(main())


BOTH = pytest.mark.parametrize("style", ["sync", "async"])
PARTLY = SubmitRsp(status=Status(1100, None, f"{N}+49302</Number>"), message_id="m-1")


@BOTH
def test_answer_that_names_one(style: str) -> None:
    """An answer of 1100 gives its MessageID, and the recipient that it names."""
    with FarSide(saying(PARTLY)) as far:
        found = sent(style, far.url, *TO)
    assert (found.message_id, found.partial, found.each) == ("m-1", True, ())
    assert found.failed == addresses("+49302")


@BOTH
def test_answer_in_full(style: str) -> None:
    """A success in full names nobody."""
    with FarSide() as far:
        found = sent(style, far.url, *TO)
    assert (found.partial, found.failed) == (False, ())


def refusing(*numbers: str) -> Any:
    """Refuses these recipients, accepts all others."""

    def answer(request: Request) -> Any:
        [to] = request.unpack().message.recipients  # type: ignore[attr-defined]
        status = Status(2003) if to.value in numbers else Status(1000)
        return saying(SubmitRsp(status=status, message_id=None if not status.ok else f"m{to.value}"))(request)

    return answer


@BOTH
def test_split_names_those_with_an_error(style: str) -> None:
    """A split message names the recipients that were refused, and the others keep their MessageIDs."""
    with FarSide(*[refusing("+49302", "a.b@ferry.example")] * 4) as far:
        found = sent(style, far.url, *TO, split=True)
    assert (found.status.code, found.partial) == (1100, True)
    assert found.failed == addresses(["+49302", "a.b@ferry.example"])
    assert [one.accepted.message_id if one.accepted else None for one in found.each] == [
        "m+49301",
        None,
        "m+493012",
        None,
    ]
    with FarSide(*[refusing()] * 4) as far:
        assert sent(style, far.url, *TO, split=True).failed == ()


@BOTH
def test_split_with_an_answer_in_part(style: str) -> None:
    """Where the answer for one recipient is 1100, the whole was not a success in full."""
    with FarSide(refusing(), saying(SubmitRsp(status=Status(1100), message_id="m"))) as far:
        found = sent(style, far.url, *TO[:2], split=True)
    assert (found.status.code, found.partial, found.failed) == (1100, True, ())


@BOTH
def test_split_that_nobody_got(style: str) -> None:
    """Where nobody was accepted the error that is raised tells of each."""
    with FarSide(*[refusing(*TO)] * 4) as far, pytest.raises(StatusError) as caught:
        sent(style, far.url, *TO, split=True)
    assert [one.recipient for one in caught.value.each] == list(addresses(TO))
    assert {type(one.error) for one in caught.value.each} == {StatusError}
    with FarSide([http(401, "no")]) as far, pytest.raises(AuthError) as denied:
        sent(style, far.url, *TO, split=True)
    assert len(denied.value.each) == len(TO)


def test_other_operations_tell_partial() -> None:
    """A cancel of a message that some have already is partial, too."""
    with FarSide(saying(CancelRsp(status=Status(1100)))) as far, VaspClient(far.url) as client:
        assert client.cancel("m-1").partial
    assert Mm7Error.each == TransportError("x", maybe_accepted=False).each == ()


# --- the command ------------------------------------------------------------------------------------------------------


def command(url: str, *words: str) -> tuple[int, str]:
    """Exit status and output of ``mm7zeep send`` to all of TO."""
    to = [word for one in TO for word in ("--to", one)]
    done = CliRunner().invoke(main, ["send", url, *to, "--text", "Hello", *words])
    return done.exit_code, done.stdout


def test_command_names_who_was_left_out() -> None:
    """Partial success ends with 1; who was left out is named in text and JSON, or that nobody was named."""
    with FarSide(*[saying(PARTLY)] * 2) as far:
        status, text = command(far.url)
        assert (status, "  failed          +49302\n" in text, "1100 Partial success" in text) == (1, True, True)
        status, text = command(far.url, "--json")
        said = json.loads(text)
    assert (status, said["status_code"], said["message_id"], said["failed"]) == (1, 1100, "m-1", ["+49302"])
    assert "+49302" in said["details"]
    with FarSide(saying(SubmitRsp(status=Status(1100), message_id="m"))) as far:
        status, text = command(far.url)
    assert (status, "the answer does not say which" in text) == (1, True)


def test_command_of_a_split_message() -> None:
    """The recipients of a split message are listed with MessageID or error; 1 where some, or all, were refused."""
    with FarSide(*[refusing("+49302")] * 4, *[refusing(*TO)] * 4, *[refusing()] * 4) as far:
        split = ("--profile", "optus")
        status, text = command(far.url, *split)
        assert (status, "  failed          +49302\n" in text) == (1, True)
        assert "  +49302          2003 Address Not Found" in text
        assert "  +49301          m+49301" in text
        status, text = command(far.url, *split, "--json")
        assert (status, [one["error"] for one in json.loads(text)["recipients"]]) == (1, ["2003 Address Not Found"] * 4)
        status, text = command(far.url, *split, "--json")
        assert (status, "failed" in json.loads(text)) == (0, False)


def test_refusal_is_still_a_refusal() -> None:
    """A fault ends with 1 and has no list."""
    with FarSide(saying(RSErrorRsp(status=Status(4001)))) as far:
        status, text = command(far.url)
    assert (status, "failed" in text) == (1, False)
