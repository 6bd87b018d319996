"""The gateway as an MMSC under test: suite A of the conformance catalogue, case by case, over real sockets.

Each case is one row of the catalogue under its id, with what the catalogue accepts; whatever is answered is held
against the common assertions as well. Captures of real VASPs are posted too, where the corpus is at hand.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import envelopes as env
import httpx
import pytest
from envelopes import TO, VERSION, WHO
from far_side import RESET, FarSide, Request, http, proper
from suite_a import (
    CASES,
    ENTITY,
    GIF,
    LIMIT,
    NEW,
    OK,
    OLD,
    SMIL,
    SUBJECT,
    case,
    due,
    moment,
    recipients,
    release_6,
    sent_to,
)
from vasp_side import OTHER, Answer, Post, Vasp, accepted, change, enveloped, owed, packed, submit

from mm7zeep import exchange, mime
from mm7zeep.conformance.input import capture
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.admin.views import message as shown_message
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Application, Callback
from mm7zeep.gateway.config.settings import Delivery, Settings
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.store import messages
from mm7zeep.gateway.store.rows import MessageRow, RecipientRow
from mm7zeep.messages import DeliveryReportReq, DeliveryReportRsp, ReadReplyReq, Status
from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES, SOAP_NAMESPACE
from mm7zeep.receiver import HttpLimits

SHARED = Path(__file__).parents[2] / "shared"


# --- the gateway ------------------------------------------------------------------------------------------------------

WORD = "gulls"
REPORTS = {  # what the reports on a recipient are answered with, by its number
    "+4681": [(200, 4006), (500, 4006), (200, 1000)],
    "+4682": [(200, 4005)],
    "+4683": [(0, 0), (200, 1000)],
}


class Told:
    """The applications' side: remembers what it is told, and answers as the recipient's number says."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.told: list[tuple[Request, Any]] = []

    def __call__(self, request: Request) -> Any:
        received = request.unpack()
        with self.lock:
            before = len(self.about(received.message.recipient.value))  # type: ignore[attr-defined]
            self.told.append((request, received))
        answers = REPORTS.get(received.message.recipient.value, [(200, 1000)])  # type: ignore[attr-defined]
        status, code = answers[min(before, len(answers) - 1)]
        if code == 0:
            return [RESET]
        if code == 1000:
            return proper(request)
        wire = exchange.pack(DeliveryReportRsp(status=Status(code)), reply_to=received)
        return [http(status, wire.read(), wire.header("Content-Type"))]

    def about(self, recipient: str) -> list[Any]:
        """What was told of a recipient."""
        return [one for _, one in self.told if one.message.recipient.value == recipient]


@dataclass
class House:
    """A gateway with what is around it."""

    gateway: Gateway
    vasp: Vasp
    callback: Told

    def ask(self, post: Post, transaction: str) -> Answer:
        """As ``Vasp.ask``."""
        return self.vasp.ask(post, transaction)

    def taken(self, post: Post, transaction: str) -> str:
        """The MessageID of a request that is accepted."""
        answer = self.ask(post, transaction)
        assert accepted(answer, "OK"), answer
        return answer.message_id

    def kept(self, message_id: str) -> tuple[MessageRow, list[RecipientRow]]:
        """What is kept of a message."""
        with self.gateway.database.read() as connection:
            row = messages.message(connection, message_id)
            assert row is not None
            return row, messages.recipients(connection, message_id)

    def parts(self, message_id: str) -> list[tuple[str | None, str, int, str]]:
        """Content-ID, type, size and digest of what came with a message."""
        row, _ = self.kept(message_id)
        listed = json.loads(row.parts)
        return [(one["content_id"], one["content_type"], one["size"], one["sha256"]) for one in listed]


def until(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """What ``condition`` gives as soon as it gives something."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"nothing came within {seconds} s"
        time.sleep(0.005)
    return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway with two applications and handsets of every kind, at work."""
    callback = Told()
    with ExitStack() as stack:
        far = stack.enter_context(FarSide(callback))
        back = Callback(deliver=far.url, username="u", password="p")
        settings = Settings(
            applications=(
                Application(name="kiosk", password="tides", vaspid="Kiosk", vasids=("Tides",), callback=back),
                Application(name="ferry", password=WORD, vaspid="Ferry", media="listed"),
                Application(name="ärte", password=WORD, vaspid="Ärte"),
            ),
            handsets=(
                Handset(prefix="+4671", outcome="Deferred"),
                Handset(prefix="+4672", outcome="Rejected"),
                Handset(prefix="+4673", outcome="Forwarded"),
            ),
            database=f"sqlite:///{tmp_path_factory.mktemp('house') / 'mm7.db'}",
            allow_internal=True,
            limits=mime.Limits(body=LIMIT),
            http=HttpLimits(idle=0.5),
            delivery=Delivery(waits=(0.05,) * 5, spread=0),
        )
        gateway = Gateway(settings)
        stack.callback(gateway.close)
        url = stack.enter_context(serve_in_thread(gateway.asgi))
        stack.enter_context(gateway.working())
        yield House(gateway, Vasp(url), callback)


@pytest.mark.parametrize("id", CASES)
def test_request(id: str, house: House) -> None:
    """One request, and what the catalogue takes for an answer to it."""
    post, words = CASES[id]
    answer = house.ask(post, id.replace("/", "."))
    assert accepted(answer, words), answer


@pytest.mark.parametrize("schema", [one.schema for one in NAMESPACES.values()])
def test_namespaces(schema: str, house: House) -> None:
    """ns/rel5-1-0 and so on: each namespace is served with its newest version; so is each version that it lists
    (version/each-listed).
    """
    versions = NAMESPACES[NAMESPACE_PREFIX + schema].versions
    to = TO.replace("+", "") if schema in OLD else TO
    for version in versions:
        post = case("<Priority>High</Priority>", schema=schema, stated=version, to=to)
        message_id = house.ask(post, f"{schema}.{version}")
        assert accepted(message_id, "OK"), message_id


# --- cases of several steps -------------------------------------------------------------------------------------------

Flow = Callable[[House], None]
FLOWS: dict[str, Flow] = {}


def flow(*ids: str) -> Callable[[Flow], Flow]:
    """Makes a function the case of these ids."""

    def kept(function: Flow) -> Flow:
        FLOWS["+".join(ids)] = function
        return function

    return kept


def pieces(house: House, id: str, *octets: bytes, words: str = "OK", post: Post = OK) -> Answer:
    """The answer to a request that comes in these pieces."""
    with house.vasp.line() as line:
        for one in octets:
            line.send(one)
        answer = line.answer()
    owed(answer, post, id)
    assert accepted(answer, words), answer
    return answer


@flow("http/chunked")
def chunks(house: House) -> None:
    """Chunks of odd sizes, one of which ends within the boundary."""
    body = OK.content("chunked")
    at = [0, 1, 8, body.index(b"--cut-here", 10) + 5, len(body) - 3, len(body)]
    cut = [body[a:b] for a, b in itertools.pairwise(at)]
    head = OK.octets("chunked", "Transfer-Encoding: chunked").removesuffix(body)
    pieces(house, "chunked", head, *(b"%X\r\n%s\r\n" % (len(one), one) for one in cut), b"0\r\n\r\n")


@flow("http/expect-continue")
def expected(house: House) -> None:
    """Who asks first is told to go on."""
    octets = OK.but(fields=("Expect: 100-continue",)).octets("expect")
    body = OK.content("expect")
    with house.vasp.line() as line:
        line.send(octets.removesuffix(body))
        assert line.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        line.send(body)
        assert accepted(line.answer(), "OK")


@flow("http/keep-alive", "http/pipelined")
def several(house: House) -> None:
    """Three submits one after the other on one connection, then two at once."""
    with house.vasp.line() as line:
        for id in ("k-1", "k-2", "k-3"):
            line.send(OK.octets(id))
            answer = line.answer()
            owed(answer, OK, id)
            assert accepted(answer, "OK"), answer
        line.send(OK.octets("k-4") + OK.octets("k-5"))
        assert [line.answer().transaction_id for _ in range(2)] == ["k-4", "k-5"]


@flow("http/connection-close", "auth/challenge-form")
def closing(house: House) -> None:
    """Who wants the connection closed gets that, also where he is not let in; and then is told of which realm."""
    assert house.ask(OK, "closing").closed
    refused = house.ask(OK.but(auth=None), "closing-2")
    assert refused.closed
    assert re.search(r'^Basic realm="[^"]+"', refused.field("WWW-Authenticate") or "")


@flow("http/length-short")
def length_too_small(house: House) -> None:
    """A Content-Length that is too small by one line: what is left over is no request."""
    body = OK.content("short")
    told = f"Content-Length: {len(body) - len(b'--cut-here--') - 4}"
    post = OK.but(echo=None)
    pieces(house, "short", OK.octets("short", told), words="4004 2007 2004 H400 ~OK", post=post)


@flow("http/length-long", "http/slow-body")
def too_slow(house: House) -> None:
    """A body that ends before its length, and one that comes octet by octet: neither is waited for."""
    with house.vasp.line() as long, house.vasp.line() as slow:
        long.send(OK.octets("long", "Content-Length: 5000"))
        octets = OK.octets("slow")
        slow.send(octets[:300])
        for at in itertools.count(300):
            if slow.hears(0.05):
                break
            slow.send(octets[at : at + 1])
            assert at < 600
        assert accepted(slow.answer(), "H408")
        assert accepted(long.answer(), "H408 H400")


@flow("http/length-conflict")
def two_lengths(house: House) -> None:
    """A Content-Length and chunks together are refused, and the connection ends."""
    with house.vasp.line() as line:
        line.send(OK.octets("conflict", "Content-Length: 5", "Transfer-Encoding: chunked"))
        assert accepted(line.answer(), "H400")
        assert line.ended()


@flow("http/parallel", "throttle/burst", "submit/message-id-unique")
def many(house: House) -> None:
    """A hundred submits on ten connections at a time: all are taken, under as many ids."""
    with ThreadPoolExecutor(10) as threads:
        ids = list(threads.map(lambda n: house.taken(OK, f"many-{n}"), range(100)))
    assert len(set(ids)) == 100


@flow("soap/entity-external")
def fetched(house: House) -> None:
    """An external entity is neither fetched nor told."""
    with socket.create_server(("127.0.0.1", 0)) as tool:
        tool.settimeout(0.05)
        root = ENTITY.format(f"http://127.0.0.1:{tool.getsockname()[1]}/x") + submit(header=env.transaction("&e;"))
        answer = house.ask(OK.but(root=root, echo=None, schema=""), "entity")
        assert accepted(answer, "FAULT 4004 2007"), answer
        with pytest.raises(TimeoutError):
            tool.accept()


@flow("soap/txid-repeated", "submit/message-id-on-refusal")
def repeated(house: House) -> None:
    """One TransactionID for two different submits makes two messages; a refused one is named by no Fault."""
    assert house.taken(OK, "again") != house.taken(case(SUBJECT.format("other")), "again")
    assert house.ask(sent_to("<Number>a|b</Number>"), "refused").text("MessageID") is None


@flow("submit/subject/utf8", "submit/subject/entities")
def subjects(house: House) -> None:
    """A Subject is kept as it was meant, whatever its script and however it was written."""
    meant = "Привет 🌊 \u202b\u05e9\u05dc\u05d5\u05dd\u202c"
    assert house.kept(house.taken(case(SUBJECT.format(meant)), "s-1"))[0].subject == meant
    written = "&amp;amp; &lt; <![CDATA[<b>&amp;]]> &#233; &#x1F30A;"
    assert house.kept(house.taken(case(SUBJECT.format(written)), "s-2"))[0].subject == "&amp; < <b>&amp; é 🌊"


@flow("soap/utf16", "soap/latin1")
def intact(house: House) -> None:
    """A Subject survives the encoding of its envelope."""
    for id in ("soap/utf16", "soap/latin1"):
        message_id = house.taken(CASES[id][0], f"intact-{id[5:]}")
        assert house.kept(message_id)[0].subject == "Ångström"


@flow("content/parts")
def parts(house: House) -> None:
    """Parts are kept octet by octet, decoded from what carried them."""

    def digests(id: str) -> list[tuple[int, str]]:
        kept = house.parts(house.taken(CASES[id][0], f"parts-{id[8:]}"))
        return [(size, digest) for _, _, size, digest in kept]

    def row(octets: bytes) -> tuple[int, str]:
        return len(octets), hashlib.sha256(octets).hexdigest()

    assert digests("content/binary") == [row(GIF)]
    assert digests("content/qp") == [row("Køge!".encode())]
    assert digests("content/related-smil") == [row(SMIL.encode()), row(GIF), row(b"High water 06:12")]
    assert digests("content/empty-part") == [row(b"")]


# --- cancel and replace -----------------------------------------------------------------------------------------------

TOMORROW = due("P1D")
EXTENDED = {"cancel": ("extendedCancelReq", "CancelID"), "replace": ("extendedReplaceReq", "ReplaceID")}


def cancel(message_id: str, **said: Any) -> Post:
    """A cancel."""
    root = change("CancelReq", f"<MessageID>{message_id}</MessageID>", who=said.pop("who", WHO))
    return Post(**{"root": root, "parts": None, "operation": "Cancel", **said})


def replacing(message_id: str, options: str = "", content: str | None = None, **said: Any) -> Post:
    """A replace."""
    inner = f"<MessageID>{message_id}</MessageID>{options}{env.content() if content is None else content}"
    root = change("ReplaceReq", inner, who=said.pop("who", WHO))
    return Post(**{"root": root, "operation": "Replace", **said})


AS_FERRY = {"who": WHO.replace("Kiosk", "Ferry"), "auth": f"Authorization: Basic {OTHER}"}


@flow("cancel/scheduled", "cancel/twice", "replace/cancelled")
def cancelled(house: House) -> None:
    """What waits can be cancelled, once."""
    message_id = house.taken(TOMORROW, "c-0")
    assert accepted(house.ask(cancel(message_id), "c-1"), "OK")
    assert accepted(house.ask(cancel(message_id), "c-2"), "2005 3001")
    assert accepted(house.ask(replacing(message_id), "c-3"), "2005 3001")
    assert [one.state for one in house.kept(message_id)[1]] == ["Cancelled"]


@flow("cancel/other-vasp", "replace/other-vasp")
def of_others(house: House) -> None:
    """Another VASP changes nothing, by its own name or by that of the owner."""
    message_id = house.taken(TOMORROW, "o-0")
    words = "4007 4001 2001 2005"
    assert accepted(house.ask(cancel(message_id, **AS_FERRY), "o-1"), words)
    assert accepted(house.ask(cancel(message_id, auth=AS_FERRY["auth"]), "o-2"), words)
    assert accepted(house.ask(replacing(message_id, **AS_FERRY), "o-3"), words)
    assert [one.state for one in house.kept(message_id)[1]] == ["Pending"]


@flow("cancel/delivered", "replace/delivered")
def too_late(house: House) -> None:
    """What was retrieved can neither be cancelled nor replaced."""
    message_id = house.taken(OK, "l-0")
    until(lambda: [one.state for one in house.kept(message_id)[1]] == ["Retrieved"])
    assert accepted(house.ask(cancel(message_id), "l-1"), "3001 2005")
    assert accepted(house.ask(replacing(message_id), "l-2"), "OK 3001 2005")


@flow("cancel/notified", "replace/notified", "cancel/partly-delivered")
def notified(house: House) -> None:
    """What a handset was told of but has not fetched can still be changed; what another one has stays there."""
    to = recipients("<To><Number>+46710</Number><Number>+46741</Number></To>")
    message_id = house.taken(to, "n-0")
    until(lambda: [one.state for one in house.kept(message_id)[1]] == ["Deferred", "Retrieved"])
    assert accepted(house.ask(replacing(message_id), "n-1"), "OK 1100 3001")
    assert accepted(house.ask(cancel(message_id), "n-2"), "OK 1100 3001")


@flow("cancel/no-charset", "cancel/multipart")
def cancels_as_written(house: House) -> None:
    """A cancel may come without a charset, or as the only part of a package."""
    one = cancel(house.taken(TOMORROW, "w-0"), type="text/xml")
    assert accepted(house.ask(one, "w-1"), "OK")
    assert accepted(house.ask(cancel(house.taken(TOMORROW, "w-2"), parts=()), "w-3"), "OK")


@flow("replace/scheduled", "replace/dates-only", "replace/recipients")
def replaced_later(house: House) -> None:
    """What waits gets new content and another time, or only the one; its recipients stay."""
    message_id = house.taken(TOMORROW, "r-0")
    later = "<EarliestDeliveryTime>P2D</EarliestDeliveryTime>"
    post = replacing(message_id, later, parts=(env.part(text="Low water").encode(),))
    assert accepted(house.ask(post, "r-1"), "OK")
    assert house.kept(message_id)[0].excerpt == "Low water"
    assert accepted(house.ask(replacing(message_id, later, "", parts=None), "r-2"), "OK")
    assert house.kept(message_id)[0].excerpt == "Low water"
    assert accepted(
        house.ask(replacing(message_id, "<Recipients><To><Number>+1</Number></To></Recipients>"), "r-3"), "4004 OK"
    )
    assert [one.address for one in house.kept(message_id)[1]] == ["+4670000001"]


@flow("extended-cancel/basic", "extended-replace/basic")
def extended(house: House) -> None:
    """The extended operations of 6/1-4 are served."""
    message_id = house.taken(TOMORROW, "x-0")
    said = {"parts": None, "schema": NEW}
    inner = f"{VERSION}<VASPID>Kiosk</VASPID><VASID>Tides</VASID><ReplaceID>{message_id}</ReplaceID>"
    replace = enveloped(env.message("extendedReplaceReq", inner + "<ExpiryDate>P3D</ExpiryDate>", NEW), schema=NEW)
    assert accepted(house.ask(Post(root=replace, operation="extendedReplace", **said), "x-1"), "OK 4003 4004")  # type: ignore[arg-type]
    drop = change("extendedCancelReq", f"<CancelID>{message_id}</CancelID>", schema=NEW)
    assert accepted(house.ask(Post(root=drop, operation="extendedCancel", **said), "x-2"), "OK 4003 4004")  # type: ignore[arg-type]


# --- side effects -----------------------------------------------------------------------------------------------------

WANTED = "<DeliveryReport>true</DeliveryReport>"


def wanting(*addresses: str, options: str = WANTED, **said: Any) -> Post:
    """A submit to these numbers that asks for reports."""
    to = "".join(f"<Number>{one}</Number>" for one in addresses)
    return case(options, to=f"<Recipients><To>{to}</To></Recipients>", **said)


def reported(house: House, *addresses: str, **said: Any) -> list[str]:
    """The states that are reported of a message to these numbers; the reports name the message."""
    message_id = house.taken(wanting(*addresses, **said), f"report-{addresses[0]}")
    told = [until(lambda one=one: final(house.callback.about(one))) for one in addresses]  # type: ignore[misc]
    assert {(type(one), one.message_id) for one in told} == {(DeliveryReportReq, message_id)}
    return [one.mm_status for one in told]


def final(told: list[Any]) -> Any:
    """The message that says how it ended; None while none does."""
    return next((one.message for one in told if one.message.mm_status != "Deferred"), None)


@flow("report/delivered", "report/per-recipient", "report/transaction-unique", "report/once", "report/no-retry-1000")
def delivered(house: House) -> None:
    """Each recipient is reported once, under a TransactionID of its own."""
    numbers_ = ("+46751", "+46752", "+46753")
    assert reported(house, *numbers_) == ["Retrieved"] * 3
    time.sleep(0.15)  # three times as long as a second attempt would take
    told = [one for number in numbers_ for one in house.callback.about(number)]
    assert len({one.transaction_id for one in told}) == len(told) == 3


@flow("report/expired", "report/rejected", "report/forwarded")
def not_delivered(house: House) -> None:
    """What does not reach its handset is reported as what became of it."""
    assert reported(house, "+46711", options="<ExpiryDate>PT0.1S</ExpiryDate>" + WANTED) == ["Expired"]
    assert reported(house, "+46721") == ["Rejected"]
    assert reported(house, "+46731") == ["Forwarded"]


@flow("expired/at-once")
def expired_at_once(house: House) -> None:
    """submit/expiry/past, negative and before-earliest: taken, and reported as Expired at once or when it would be."""
    past = f"<ExpiryDate>{moment(hours=-1)}</ExpiryDate>"
    assert reported(house, "+46761", options=past + WANTED) == ["Expired"]
    assert reported(house, "+46762", options="<ExpiryDate>-PT60S</ExpiryDate>" + WANTED) == ["Expired"]
    early = "<EarliestDeliveryTime>PT2H</EarliestDeliveryTime><ExpiryDate>PT0.1S</ExpiryDate>"
    assert reported(house, "+46763", options=early + WANTED) == ["Expired"]


@flow("submit/earliest/effect")
def not_before(house: House) -> None:
    """What is due later waits, whatever its time is; what was due has been delivered."""
    whens = {
        "PT60S": "Pending",
        moment(minutes=10): "Pending",
        "9038-01-01T00:00:00Z": "Pending",
        "9999-12-31T23:59:59-14:00": "Pending",
        "P10000Y": "Pending",  # after the year 9999
        moment(minutes=-2): "Retrieved",
        "-P10000Y": "Retrieved",
    }
    ids = {when: house.taken(due(when), f"when-{n}") for n, when in enumerate(whens)}
    until(lambda: house.kept(ids["-P10000Y"])[1][0].state == "Retrieved")
    assert {when: house.kept(id)[1][0].state for when, id in ids.items()} == whens
    shown = [shown_message(*house.kept(id)).as_dict() for id in ids.values()]
    assert [one["earliest_at"][:4] for one in shown[2:5]] == ["9038", "9999", "9999"]


@flow("submit/expiry/effect")
def never_or_at_once(house: House) -> None:
    """An ExpiryDate beyond any calendar is its end: then it has not expired yet, or long since."""
    late, early = (f"<ExpiryDate>{one}P10000Y</ExpiryDate>" + WANTED for one in ("", "-"))
    assert reported(house, "+46764", options=late) == ["Retrieved"]
    assert reported(house, "+46765", options=early) == ["Expired"]


@flow("report/none", "submit/recipients/display-only/report")
def unasked(house: House) -> None:
    """Nothing is reported that was not asked for, and nothing of who is only displayed."""
    house.taken(wanting("+46771", options="<DeliveryReport>false</DeliveryReport>"), "none-1")
    shown = '<To><Number displayOnly="true">+46772</Number><Number>+46773</Number></To>'
    post = release_6(WANTED, to=f"<Recipients>{shown}</Recipients>")
    house.taken(post, "none-2")
    until(lambda: house.callback.about("+46773"))
    time.sleep(0.1)
    assert house.callback.about("+46771") == house.callback.about("+46772") == []


@flow("report/namespace")
def same_namespace(house: House) -> None:
    """A report is written in the namespace and version of the submit."""
    for number, schema, version in (("+46781", env.SCHEMA, "5.3.0"), ("+46782", NEW, "6.8.0")):
        assert reported(house, number, schema=schema, stated=version) == ["Retrieved"]
        [told] = house.callback.about(number)
        assert (told.namespace, told.mm7_version) == (env.uri(schema), version)


@flow("report/retry-4006", "report/no-retry-4005", "report/retry-refused")
def again(house: House) -> None:
    """4006 is tried again, 4005 is not; nor is anything lost where a connection to the callback is."""
    assert reported(house, "+4681") == ["Retrieved"]
    assert reported(house, "+4682") == ["Retrieved"]
    assert reported(house, "+4683") == ["Retrieved"]
    until(lambda: len(house.callback.about("+4683")) == 2)
    until(lambda: len(house.callback.about("+4681")) == 3)
    assert len({one.transaction_id for one in house.callback.about("+4681")}) == 1
    time.sleep(0.15)
    assert (len(house.callback.about("+4681")), len(house.callback.about("+4682"))) == (3, 1)


@flow("read/read", "read/deleted")
def read(house: House) -> None:
    """A read reply tells what became of a message that was retrieved."""
    asking = "<ReadReply>true</ReadReply>"
    message_id = house.taken(wanting("+46791", options=asking), "read-1")
    [first] = until(lambda: house.callback.about("+46791"))
    assert (type(first.message), first.message.mm_status) == (ReadReplyReq, "Read")
    assert house.gateway.simulator.read(message_id, "+46791", "Deleted")
    until(lambda: len(house.callback.about("+46791")) == 2)
    assert house.callback.about("+46791")[1].message.mm_status == "Deleted"


@pytest.mark.parametrize("id", FLOWS)
def test_flow(id: str, house: House) -> None:
    """Several requests, or one that is sent in an odd way."""
    FLOWS[id](house)


# --- what real VASPs send ---------------------------------------------------------------------------------------------

CORPUS = SHARED / "corpus"
GOLD: dict[str, Any] = {}
if (CORPUS / "gold.json").is_file():
    GOLD = {
        name: one
        for name, one in json.loads((CORPUS / "gold.json").read_text(encoding="utf-8")).items()
        if re.search("-(submit|cancel|replace)req-", name)
    }
REFUSED = {  # by what an MMSC can say of them; those that people accept and no MMSC can, too
    "internib-submitreq-1.http": "4004",
    "lgt-submitreq-1.http": "4004 2004",
    "mbuni-submitreq-3.http": "2007 4004",
    "prestd-submitreq-1.xml": "4002 2007 4004",
    "savon-submitreq-3.http": "2004 2007 4004",
    "turkcell-submitreq-1.xml": "4004 2007",
    # an envelope without its HTTP message: what its Content names does not come
    "sinch-submitreq-1.xml": "2004",
}


LABELS = ("content_id", "content_type", "size", "sha256")


@dataclass
class Street:
    """A gateway that knows the VASPs of the corpus, by their VASPID, and its admin listener."""

    vasp: Vasp
    admin: str

    def shown(self, message_id: str) -> Any:
        """A message as the REST API shows it."""
        answer = httpx.get(f"{self.admin}/api/v1/messages/{message_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """That gateway; nothing happens to what it keeps."""
    vaspids = sorted({one["vaspid"] for one in GOLD.values() if one["vaspid"]} | {"Kiosk"})
    with ExitStack() as stack:
        settings = Settings(
            applications=tuple(Application(name=f"v{n}", password="p", vaspid=one) for n, one in enumerate(vaspids)),
            database=f"sqlite:///{tmp_path_factory.mktemp('street') / 'mm7.db'}",
        )
        gateway = Gateway(settings)
        stack.callback(gateway.close)
        url = stack.enter_context(serve_in_thread(gateway.asgi))
        admin = stack.enter_context(serve_in_thread(admin_app(gateway)))
        vasp = Vasp(url)
        vasp.users = {one: f"v{n}" for n, one in enumerate(vaspids)}
        yield Street(vasp, admin)


def posted(street: Street, name: str, gold: Any) -> Answer:
    """The answer to a capture: its body as it is, under its Content-Type and the credentials of its VASP."""
    [captured] = capture.messages(name, (CORPUS / name).read_bytes())
    wire = captured.wire
    kind = " ".join((wire.header("Content-Type") or "text/xml; charset=utf-8").split())
    schema = gold["namespace"] if gold["namespace"] is not None and gold["verdict"] == "accept" else ""
    soap = _ALIAS if "soap-namespace-alias" in gold["topics"] else SOAP_NAMESPACE
    user = base64.b64encode(f"{street.vasp.users.get(gold['vaspid'], 'v0')}:p".encode()).decode()
    post = Post(
        body=wire.read(),
        type=kind,
        auth=f"Authorization: Basic {user}",
        schema=schema,
        soap=soap,
        version=gold["mm7_version"],
        echo=gold["transaction_id"],
    )
    return street.vasp.ask(post, "")


@pytest.mark.parametrize("name", GOLD or [pytest.param("", marks=pytest.mark.skip(reason="the corpus is not here"))])
def test_capture(name: str, street: Street) -> None:
    """What people accept is accepted, and kept as they read it; what they refuse is refused with a status that fits."""
    gold = GOLD[name]
    answer = posted(street, name, gold)
    if name in REFUSED or gold["verdict"] != "accept":
        assert accepted(answer, REFUSED[name]), answer
        return
    assert accepted(answer, "OK 1100"), answer
    # REL-5-MM7-1-0 has no place for it in its SubmitRsp
    kept = street.shown("latest" if str(gold["namespace"]).endswith(OLD[0]) else answer.message_id)
    assert {place: kept[place] for place in ("to", "cc", "bcc")} == gold["recipients"]
    assert (kept["subject"], kept["from"], kept["transaction_id"]) == (
        gold["subject"],
        gold["sender"],
        gold["transaction_id"],
    )
    assert (kept["namespace"], kept["mm7_version"]) == (gold["namespace"], gold["mm7_version"])
    assert kept["delivery_report"] == bool(gold["delivery_report"])
    for field in ("vaspid", "vasid", "service_code", "priority", "linked_id", "content_href"):
        assert kept["fields"].get(field) == gold[field], field
    parts = [[one[label] for label in LABELS] for one in kept["parts"] if not one["generated"]]
    wanted = [[one[label] for label in LABELS] for one in gold["parts"]]
    for mine, theirs in zip(parts, wanted, strict=True):
        if theirs[0] is None and len(parts) > 1:  # a presentation that is made here needs a name for each part
            mine[0] = None
    assert parts == wanted


# A carrier's manual shows requests of this shape, and the curl command that sends them
MANUAL = "https://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-5-MM7-1-3"
_ALIAS = SOAP_NAMESPACE.replace("http:", "https:")
CURL = (
    "POST /mm7 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {user}\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
    "Connection: keep-alive\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/related; type="text/xml"; start="<s1.1.Fw.msg>"; boundary=_boundary_20_15_F_s_bd79\r\n'
    "X-Mbuni-TransactionID: Mbuni-msg.1759.x9.99.16\r\nContent-Length: {length}\r\n\r\n"
)
MANUAL_ENVELOPE = f"""<?xml version="1.0" ?>
<env:Envelope xmlns:env="{_ALIAS}">
<env:Header>
<mm7:TransactionID xmlns:mm7="{MANUAL}" env:mustUnderstand="1">
tides00001-sub
</mm7:TransactionID>
</env:Header>
<env:Body>
<SubmitReq xmlns="{MANUAL}">
<MM7Version>5.3.0</MM7Version>
<SenderIdentification>
<VASPID>Kiosk</VASPID>
<VASID>Tides</VASID>
</SenderIdentification>
<Recipients>
<To>
<Number>4670000001</Number>
</To>
</Recipients>
<TimeStamp>2020-03-01T06:00:00+01:00</TimeStamp>
<ExpiryDate>{moment(days=2)}</ExpiryDate>
<DeliveryReport>true</DeliveryReport>
<Subject>Tides of today</Subject>
<Priority>Normal</Priority>
<Content href="cid:HarbourPics-0103@tides.kiosk.example" allowAdaptations="true"/>
</SubmitReq>
</env:Body>
</env:Envelope>"""
MANUAL_CONTENT = (
    b'Content-Type: multipart/mixed; boundary="TidesParts 745 84 2002-77645"\r\n'
    b"Content-ID:<HarbourPics-0103@tides.kiosk.example>\r\n\r\n"
    b'--TidesParts 745 84 2002-77645\r\nContent-Type: text/plain; charset="us-ascii"\r\n\r\nHigh water at six\r\n'
    b"--TidesParts 745 84 2002-77645\r\nContent-Type: image/gif;\r\nContent-ID:<harbour.gif>\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(GIF) + b"\r\n"
    b"--TidesParts 745 84 2002-77645--"
)


def test_as_the_manual_shows(street: Street) -> None:
    """What curl sends of a body like the manual's is accepted, answered in kind, and kept whole."""
    head = 'Content-Type:text/xml; charset="utf-8"\r\nContent-ID: <s1.1.Fw.msg>'
    body = packed(MANUAL_ENVELOPE.encode(), MANUAL_CONTENT, head=head, boundary="_boundary_20_15_F_s_bd79")
    user = base64.b64encode(f"{street.vasp.users['Kiosk']}:p".encode()).decode()
    with street.vasp.line() as line:
        line.send(CURL.format(host="mmsc.example", user=user, length=len(body)).encode() + body)
        answer = line.answer()
    owed(answer, Post(schema=MANUAL, soap=_ALIAS, version="5.3.0", echo="tides00001-sub"), "")
    assert accepted(answer, "OK"), answer
    kept = street.shown(answer.message_id)
    assert (kept["to"], kept["subject"], kept["fields"]["vasid"]) == (["4670000001"], "Tides of today", "Tides")
    sizes = [(one["content_type"], one["size"]) for one in kept["parts"] if not one["generated"]]
    assert sizes == [("text/plain", 17), ("image/gif", len(GIF))]


CATALOGUE = SHARED / "conformance.md"
ELSEWHERE = ("ns/rel5-1-0 … ns/rel6-1-4", "version/each-listed")
"""Rows that ``test_namespaces`` sees to."""


@pytest.mark.skipif(not CATALOGUE.is_file(), reason="the catalogue is not here")
def test_every_row_has_its_case() -> None:
    """No row of suite A is left out."""
    suite = CATALOGUE.read_text(encoding="utf-8").partition("# Suite A")[2].partition("# Suite B")[0]
    rows = [row.split("|")[1].strip() for row in suite.splitlines() if row.startswith("| ") and " id " not in row[:6]]
    wanted: list[str] = []
    for row in rows:
        first, *others = re.split(r",\s*", row)
        wanted += [
            first,
            *(f"{first.rpartition('/')[0]}/{one.lstrip('/')}" if one.startswith("/") else one for one in others),
        ]
    assert len(wanted) > 220
    mine = {*CASES, *(id for ids in FLOWS for id in ids.split("+")), *ELSEWHERE}
    assert [one for one in wanted if not any(id == one or id.startswith(f"{one}/") for id in mine)] == []
