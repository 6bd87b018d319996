"""TwiML: what a webhook answers to a message that came in is sent, once, as if it had been posted."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from far_side import CLOSE, FarSide, http
from gateway_room import OTHER, TNN, Room
from twilio.twiml.messaging_response import MessagingResponse

from mm7zeep.gateway.api.twilio import twiml
from mm7zeep.gateway.api.twilio.resources import message_resource
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.opt_out import OptOut
from mm7zeep.gateway.config.parties import Twilio
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store.rows import MessageRow

SID, TOKEN = "AC" + "0" * 32, "token-of-tnn"
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


class Script:
    """A product whose script answers messages, the gateway that calls it, and what came of one message."""

    def __init__(self, folder: Path, far: FarSide, **options: Any) -> None:
        self.far = far
        own = Twilio(account_sid=SID, auth_token=TOKEN, incoming=f"{far.url.removesuffix('/mm7')}/apps/sms?x=1")
        self.room = Room(folder, replace(TNN, twilio=own, opt_out=OptOut()), OTHER, **options)

    def hear(self, text: str = "hello") -> MessageRow:
        """A handset's message, and all that follows at once."""
        call = self.room.gateway.simulator.send_mo("tnn", "+61499", "111122", content=text)
        self.room.gateway.run_pending()
        return self.row(call.message_id)

    def row(self, id: str) -> MessageRow:
        """A message as it is now."""
        return next(one for one in self.room.messages if one.id == id)

    @property
    def replies(self) -> list[tuple[str | None, str, list[bytes]]]:
        """Sender, recipient and texts of each message that was sent."""
        sent = [one for one in self.room.messages if one.direction == "mt"]
        return [(one.sender, self.room.copies(one.id)[0].address, self.room.texts(one.id)) for one in sent]

    def callback(self, id: str) -> Any:
        """The call about a message."""
        return next(one for one in self.room.outbox() if one.message_id == id and one.kind == "webhook")


@contextmanager
def script(folder: Path, *answers: Any, **options: Any) -> Iterator[Script]:
    """A script that answers by ``answers``, the last of which repeats."""
    with FarSide(*answers) as far:
        made = Script(folder, far, **options)
        try:
            yield made
        finally:
            made.room.gateway.close()


def answer(body: str | bytes, content_type: str = "text/xml", status: int = 200, **fields: str) -> list[bytes]:
    """One answer of a script."""
    return [http(status, body, content_type, **fields)]


def told(message: MessageRow) -> list[tuple[str, str, str]]:
    """Id, place and detail of each finding of a message."""
    return [(one["id"], one["where"], one["detail"]) for one in json.loads(message.findings)]


def says(*texts: str) -> str:
    """TwiML with a Message for each text, as Twilio's own package writes it."""
    made = MessagingResponse()
    for one in texts:
        made.message(one)
    return str(made)


def test_reply_is_sent(tmp_path: Path) -> None:
    """What the script says goes to whom it heard, from the number that was called; the message heard is Delivered."""
    with script(tmp_path, answer(says("Thank you ü"))) as made:
        heard = made.hear()
        assert made.replies == [("111122", "+61499", ["Thank you ü".encode()])]
        assert told(heard) == []
        assert made.room.states(heard.id) == ["Delivered"]
        [sent] = [one for one in made.room.messages if one.direction == "mt"]
        assert heard.field["replies"] == {"0": sent.id}
        assert message_resource(SID, sent, made.room.copies(sent.id), 0.0)["direction"] == "outbound-reply"


@pytest.mark.parametrize("kind", ["text/xml", "application/xml; charset=utf-8", "text/html; charset=UTF-8", "TEXT/XML"])
def test_media_types_of_twiml(tmp_path: Path, kind: str) -> None:
    """TwiML is read under each media type that Twilio reads it as; Flask says text/html."""
    with script(tmp_path, answer(says("x"), kind)) as made:
        made.hear()
        assert [texts for _, _, texts in made.replies] == [[b"x"]]


def test_two_messages_with_media_and_a_status(tmp_path: Path) -> None:
    """Each Message is sent, with its Body, its Media by a relative URL, its own numbers and its statusCallback."""
    response = MessagingResponse()
    first = response.message(status_callback="/status")
    first.body("look")
    first.media("../cat.gif")
    response.message("to you", to="+61411", from_="111122", action="http://127.0.0.1:9/a", method="POST")

    def serve(request: Any) -> list[bytes]:
        target = request.line.split(" ")[1]
        if target == "/cat.gif":
            return [http(200, GIF, "image/gif")]
        return answer(str(response)) if target == "/apps/sms?x=1" else [http(204)]

    with script(tmp_path, serve) as made:
        heard = made.hear()
        assert told(heard) == []
        assert [(to, texts) for _, to, texts in made.replies] == [("+61499", [b"look"]), ("+61411", [b"to you"])]
        one, two = (row for row in made.room.messages if row.direction == "mt")
        assert [
            part.read() for part in made.room.gateway.simulator.retrieved(one.id) if part.content_type == "image/gif"
        ] == [GIF]
        assert two.field["api"]["status_callback"] == "http://127.0.0.1:9/a"
        lines = [one.line.split(" ")[1] for one in made.far.requests]
        assert lines[0] == "/apps/sms?x=1"
        assert sorted(lines[1:]) == ["/cat.gif", "/status"]


@pytest.mark.parametrize("body", [EMPTY, "<Response></Response>", "", " \n", "<Response><!-- nothing --></Response>"])
def test_nothing_to_say(tmp_path: Path, body: str) -> None:
    """An empty Response, or no body at all, is fine: nothing is sent, nothing is told."""
    with script(tmp_path, answer(body)) as made:
        heard = made.hear()
        assert (made.replies, told(heard), made.room.states(heard.id)) == ([], [], ["Delivered"])


# --- once -------------------------------------------------------------------------------------------------------------


def test_call_that_comes_again_sends_once(tmp_path: Path) -> None:
    """Only the call that is done sends: not one that failed before it, whatever that said."""
    answers = (answer(says("broken"), status=500), answer(says("once")))
    with script(tmp_path, *answers) as made:
        heard = made.hear()
        assert (made.replies, len(made.far.requests)) == ([], 1)
        made.room.clock.move(minutes=5)
        made.room.gateway.run_pending()
        assert [texts for _, _, texts in made.replies] == [[b"once"]]
        assert made.room.states(heard.id) == ["Delivered"]


def test_claim_that_was_lost_sends_nothing(tmp_path: Path) -> None:
    """Where a process slept through its lease, the answer that it read is not sent beside that of its successor."""
    with script(tmp_path, answer(says("hi"))) as made:
        made.room.gateway.simulator.send_mo("tnn", "+61499", "111122", content="hello")
        _, [slow] = made.room.gateway.dispatcher.run_once()
        outcome = made.room.gateway._caller.make(slow)
        assert outcome.reply is not None
        made.room.clock.move(hours=1)  # its lease is over
        made.room.gateway.dispatcher._took_effect([slow], [], [])
        made.room.gateway.run_pending()
        made.room.settle([slow], outcome)
        made.room.gateway.run_pending()
        assert [texts for _, _, texts in made.replies] == [[b"hi"]]


def test_transaction_that_fails_keeps_nothing(tmp_path: Path) -> None:
    """Where the end of a call cannot be kept, nothing of its answer is; both are kept together by the next turn."""
    with script(tmp_path, answer(says("hi"))) as made:
        call = made.room.gateway.simulator.send_mo("tnn", "+61499", "111122", content="hello")
        _, [claimed] = made.room.gateway.dispatcher.run_once()
        outcome = made.room.gateway._caller.make(claimed)
        assert outcome.reply is not None
        with pytest.raises(RuntimeError, match="the machine went away"):
            _recorded(made, claimed, outcome)
        assert (made.replies, made.room.states(call.message_id)) == ([], ["Pending"])
        made.room.settle([claimed], outcome)
        made.room.gateway.run_pending()
        assert [texts for _, _, texts in made.replies] == [[b"hi"]]


def _recorded(made: Script, call: Any, outcome: Outcome) -> None:
    """The end of a call, in a transaction that does not come to its end."""
    with made.room.gateway.database.write() as connection:
        made.room.gateway.dispatcher._recorder.record(connection, call, outcome, made.room.clock())
        raise RuntimeError("the machine went away")


def test_replayed_call_sends_what_was_not_sent(tmp_path: Path) -> None:
    """A call that an operator makes again sends nothing twice, and what it could not send before."""
    response = MessagingResponse()
    response.message("one")
    response.message("two", from_="333")  # another's short code
    answers = (answer(str(response)), answer(says("one", "two")))
    with script(tmp_path, *answers) as made:
        heard = made.hear()
        assert [texts for _, _, texts in made.replies] == [[b"one"]]
        assert [(id, where) for id, where, _ in told(heard)] == [("twiml/refused", "Message[2]")]
        assert made.room.gateway.replay(id=made.callback(heard.id).id) == 1
        made.room.gateway.run_pending()
        assert len(made.far.requests) == 2
        assert [texts for _, _, texts in made.replies] == [[b"one"], [b"two"]]
        sent = {n: one.id for n, one in enumerate(one for one in made.room.messages if one.direction == "mt")}
        assert made.row(heard.id).field["replies"] == {str(n): id for n, id in sent.items()}
        assert told(made.row(heard.id))[1:] == [("twiml/again", "Message[1]", sent[0])]


@pytest.mark.postgres
def test_once_on_postgresql(tmp_path: Path, postgres_databases: Callable[[], str]) -> None:
    """So it is there: sent with the end of its call, and not again by a replay."""
    with script(tmp_path, answer(says("one", "two")), database=postgres_databases()) as made:
        heard = made.hear()
        assert [texts for _, _, texts in made.replies] == [[b"one"], [b"two"]]
        assert made.room.gateway.replay(id=made.callback(heard.id).id) == 1
        made.room.gateway.run_pending()
        assert (len(made.replies), len(made.far.requests)) == (2, 2)
        assert [id for id, _, _ in told(made.row(heard.id))] == ["twiml/again", "twiml/again"]


def test_answer_that_breaks_off_is_asked_for_again(tmp_path: Path) -> None:
    """What is not whole is no answer: the call is made again, and its answer is sent once."""
    [whole] = answer(says("whole"))
    with script(tmp_path, [whole[:-10], CLOSE], [whole]) as made:
        heard = made.hear()
        assert (made.replies, made.room.states(heard.id)) == ([], ["Pending"])
        made.room.clock.move(minutes=5)
        made.room.gateway.run_pending()
        assert [texts for _, _, texts in made.replies] == [[b"whole"]]


def test_nothing_can_be_taken(tmp_path: Path) -> None:
    """While the API would answer 503, the script is asked again later; what it says then is sent."""
    with script(tmp_path, answer(says("hi"))) as made:
        made.room.gateway.admission.full = ("there is too little room on the disk",)
        heard = made.hear()
        call = made.callback(heard.id)
        assert (made.replies, call.state) == ([], "ready")
        assert "cannot be kept now: there is too little room on the disk" in call.reason
        made.room.gateway.admission.full = ()
        made.room.clock.move(minutes=5)
        made.room.gateway.run_pending()
        assert [texts for _, _, texts in made.replies] == [[b"hi"]]


# --- refused, unread, left out ----------------------------------------------------------------------------------------

REFUSED = {
    "nothing": ("<Message/>", "21619: "),
    "no number": ("<Message to='hello'>x</Message>", "21211: "),
    "another's code": ("<Message from='333'>x</Message>", "21606: "),
    "too much": (f"<Message>{'x' * 1601}</Message>", "21617: "),
    "two bodies": ("<Message><Body>a</Body><Body>b</Body></Message>", "20006: Body is there 2 times"),
    "many media": (f"<Message>{'<Media>https://a.example/x</Media>' * 11}</Message>", "21623: "),
    "media that are none": ("<Message><Media>ftp://a.example/x</Media></Message>", "21620: "),
    "media of a broken URL": ("<Message><Media>http://[/</Media></Message>", "21620: "),
    "media from a file": ("<Message><Media>file:///etc/passwd</Media></Message>", "21620: "),
    "a callback that is none": ("<Message statusCallback='ftp://a.example/'>x</Message>", "21609: "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_the_api_would(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """What the API would refuse is not sent; the code stands in the log and in the message that came in."""
    message, said = REFUSED[name]
    with script(tmp_path, answer(f"<Response>{message}<Message>fine</Message></Response>")) as made:
        with caplog.at_level(logging.WARNING, "mm7zeep.gateway"):
            heard = made.hear()
        assert [texts for _, _, texts in made.replies] == [[b"fine"]]
        [(id, where, detail)] = told(heard)
        assert (id, where) == ("twiml/refused", "Message[1]")
        assert detail.startswith(said)
        assert made.room.states(heard.id) == ["Delivered"]
    assert f"the answer of tnn to {heard.id}: twiml/refused: Message[1]: {said}" in caplog.text


def test_opted_out(tmp_path: Path) -> None:
    """Who has opted out is answered nothing, as by the API."""
    with script(tmp_path, answer(says("You are out."))) as made:
        heard = made.hear("STOP")
        assert made.replies == []
        assert [(id, detail[:6]) for id, _, detail in told(heard)] == [("twiml/refused", "21610:")]


INSIDE = (
    "<Media>http://127.0.0.1:{port}/x</Media>",
    "<Media>/x</Media>",
    "<Media>http://169.254.169.254/latest</Media>",
)


@pytest.mark.parametrize("media", INSIDE)
def test_media_inside_are_not_fetched(tmp_path: Path, media: str) -> None:
    """What an answer names inside is refused as a MediaUrl inside is: nobody is asked for it."""
    with FarSide([http(200, GIF, "image/gif")]) as inside, script(tmp_path, [http(204)]) as made:
        port = inside.url.split(":")[2].split("/")[0]
        text = f"<Response><Message>{media.replace('{port}', port)}</Message></Response>"
        made.room.gateway.close()
        settings = replace(made.room.settings, allow_internal=False)
        made.room.gateway = Gateway(settings, deliver=made.room.calls, clock=made.room.clock)
        call = made.room.gateway.simulator.send_mo("tnn", "+61499", "111122", content="hello")
        _, [claimed] = made.room.gateway.dispatcher.run_once()
        with made.room.gateway.database.read():
            reply = _reply_to(made, claimed, text)
        made.room.settle([claimed], Outcome(verdict="done", reply=reply))
        made.room.gateway.run_pending()
        [(id, _, detail)] = told(made.row(call.message_id))
        assert (id, detail[:6]) == ("twiml/refused", "21620:")
        assert (made.replies, inside.connections) == ([], 0)


def _reply_to(made: Script, call: Any, text: str) -> Any:
    """What is made of an answer to a call that the guard would not let out."""
    from mm7zeep.transport.short_answer import ShortAnswer

    webhooks = made.room.gateway._caller._webhooks
    [application] = [one for one in made.room.settings.applications if one.name == "tnn"]
    return webhooks._answered(
        application, call, {"From": "+61499", "To": "111122"}, ShortAnswer("text/xml", None, text.encode())
    )


UNREAD = {
    "a word": (answer("ok", "text/html"), "it is no XML"),
    "a page": (answer("<html><body/></html>", "text/html"), "its root element is html, not Response"),
    "a namespace": (answer("<Response xmlns='urn:x'/>"), "its root element is {urn:x}Response, not Response"),
    "plain text": (
        answer("OK", "text/plain"),
        "it came as text/plain; send it as text/xml, without a Content-Encoding",
    ),
    "JSON": (answer('{"a": 1}', "application/json"), "it came as application/json"),
    "no type": (
        [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"],
        "it came without a Content-Type; send it as text/xml",
    ),
    "gzip": (
        answer(b"\x1f\x8b\x08\x00", Content_Encoding="gzip"),
        "it came as text/xml; send it as text/xml, without a Content-Encoding",
    ),
    "broken": (answer("<Response><Message>x</Response>"), "it is no XML"),
    "a DOCTYPE": (answer("<!DOCTYPE Response><Response><Message>x</Message></Response>"), "it has a DOCTYPE"),
    "an entity": (
        answer('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Response><Message>&x;</Message></Response>'),
        "it has a DOCTYPE",
    ),
    "a bomb": (
        answer('<!DOCTYPE a [<!ENTITY a "xxxx"><!ENTITY b "&a;&a;&a;">]><Response><Message>&b;</Message></Response>'),
        "it has a DOCTYPE",
    ),
    "an undeclared entity": (answer("<Response><Message>&nbsp;</Message></Response>"), "it is no XML"),
    "depth": (answer("<Response>" + "<a>" * 20 + "</a>" * 20 + "</Response>"), "it is too large: depth"),
    "attributes": (answer("<Response " + " ".join(f"a{n}='x'" for n in range(20)) + "/>"), "it is too large"),
    "size": (answer(says("x" * 70_000)), "it has more than 65536 octets"),
    "another charset": (
        answer(b"<Response><Message>\xff\xfe\xfd</Message></Response>", "text/xml; charset=utf-8"),
        "it is in no charset",
    ),
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_no_twiml(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of it is sent, and the message is Delivered all the same; the log and a finding say why."""
    given, said = UNREAD[name]
    with script(tmp_path, given) as made:
        with caplog.at_level(logging.WARNING, "mm7zeep.gateway"):
            heard = made.hear()
        assert (made.replies, made.room.states(heard.id), len(made.far.requests)) == ([], ["Delivered"], 1)
        [(id, _, detail)] = told(heard)
        assert id == "twiml/unread"
        assert detail.startswith(said)
    assert f"the answer of tnn to {heard.id}: twiml/unread: {said}" in caplog.text


def test_endless_answer_is_read_no_further(tmp_path: Path) -> None:
    """An answer that does not end is read up to the limit alone."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 9999999999\r\n\r\n"
    with script(tmp_path, [head, b"<Response>" + b" " * 80_000, CLOSE]) as made:
        [(id, _, detail)] = told(made.hear())
        assert (id, detail) == ("twiml/unread", "it has more than 65536 octets")


def test_what_is_left_out_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Other verbs, children and attributes have no effect, and are told; the messages beside them are sent."""
    text = (
        "<Response>words<Say>hi</Say><Message action='http://a.example/' statusCallback='http://b.example/' size='2'>"
        "<Body bold='1'>x<b/></Body><Poll/></Message><Redirect>/other</Redirect><Redirect/></Response>"
    )
    left_out = (
        "text in Response, Say, action of Message, size of Message, bold of Body, b in Body, Poll in Message, Redirect"
    )
    with script(tmp_path, answer(text)) as made:
        with caplog.at_level(logging.WARNING, "mm7zeep.gateway"):
            heard = made.hear()
        assert [texts for _, _, texts in made.replies] == [[b"x"]]
        assert told(heard) == [("twiml/left-out", "", left_out)]
    assert "twiml/left-out: text in Response, Say" in caplog.text


def test_many_messages(tmp_path: Path) -> None:
    """Of one answer so many messages are sent, and no more."""
    with script(tmp_path, answer(says(*map(str, range(twiml.MOST + 3))))) as made:
        heard = made.hear()
        assert [texts for _, _, texts in made.replies] == [[str(n).encode()] for n in range(twiml.MOST)]
        assert told(heard) == [("twiml/left-out", "", "Message after the first 10")]


def test_many_equals_signs(tmp_path: Path) -> None:
    """What is within 64 KiB is read whatever it is made of; a Body that is too long is refused by itself."""
    with script(tmp_path, answer(says("=" * 2100, "a=b"))) as made:
        heard = made.hear()
        assert [texts for _, _, texts in made.replies] == [[b"a=b"]]
        assert [id for id, _, _ in told(heard)] == ["twiml/refused"]


@pytest.mark.parametrize("who", ["itself", "a handset"])
def test_answers_to_answers_end(tmp_path: Path, who: str) -> None:
    """Who answers what came of its own answer, without end, is ended after five of them."""
    handsets = () if who == "itself" else (Handset(prefix="+61499", reply="ok"),)
    response = MessagingResponse()
    response.message("again", **({"to": "111122"} if who == "itself" else {}))
    with script(tmp_path, answer(str(response)), handsets=handsets) as made:
        made.hear()
        for _ in range(30):
            made.room.clock.move(minutes=1)
            made.room.gateway.run_pending()
        assert len(made.replies) == 5
        ends = [one for row in made.room.messages for one in told(row) if one[0] == "twiml/refused"]
        assert [detail for _, _, detail in ends] == [
            "5 answers in a row were sent, each to what came of the one before; this would be another"
        ]


def test_answer_to_a_state_counts_by_its_status(tmp_path: Path) -> None:
    """What a StatusCallback answers is not read: only a message that came in is answered."""
    asked = '<Response><Message statusCallback="/status">first</Message></Response>'
    with script(tmp_path, answer(asked), answer(says("again"))) as made:
        heard = made.hear()
        assert [texts for _, _, texts in made.replies] == [[b"first"]]
        assert len(made.far.requests) == 2
        assert told(heard) == []


# --- read -------------------------------------------------------------------------------------------------------------

READ = {
    "direct": (" hi\n", {"Body": ["hi"]}),
    "cdata": ("<![CDATA[a < b]]>", {"Body": ["a < b"]}),
    "mixed": ("hi<Media>https://a.example/x</Media>", {"Body": ["hi"], "MediaUrl": ["https://a.example/x"]}),
    "processing instruction": ("a<?x y?>b<!-- c -->d", {"Body": ["abd"]}),
    "relative": ("<Media>x?y=2</Media>", {"MediaUrl": ["http://h.example/a/x?y=2"]}),
}


@pytest.mark.parametrize("name", READ)
def test_read(name: str) -> None:
    """Texts and URLs, however they are written."""
    inner, wanted = READ[name]
    text = f"<Response><Message>{inner}</Message></Response>"
    assert twiml.read(text.encode(), None, "http://h.example/a/b?c=1") == twiml.Twiml(messages=(wanted,), left_out=())


@pytest.mark.parametrize("charset", [None, "utf-8", "iso-8859-1"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("declared", ["", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="{}"?>\n'])
def test_charsets(charset: str | None, mark: str, declared: str) -> None:
    """A text is read by its mark, by what its Content-Type or its declaration says, else as UTF-8."""
    named = "utf-8" if mark or charset is None else charset
    text = f"{mark}{declared.format(named)}<Response><Message>ü</Message></Response>"
    found = twiml.read(text.encode(named), charset, "http://h.example/")
    assert found.messages == ({"Body": ["ü"]},)
