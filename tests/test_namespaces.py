"""Namespace names that libxml2 takes for no URIs cost no message, wherever XML is parsed; nothing else passes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from captures import dump
from envelopes import SCHEMA, fault, sent, uri, wire
from far_side import FarSide, echoing
from gateway_room import basic, rooms
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from mm7zeep import exchange, namespaces, smil
from mm7zeep.client import AsyncVaspClient, VaspClient
from mm7zeep.conformance import rules, verdict
from mm7zeep.conformance.input import capture
from mm7zeep.errors import EnvelopeError, MimeError, RemoteError, SchemaError
from mm7zeep.messages import Message
from mm7zeep.profiles import NAMESPACES, SOAP_NAMESPACE
from mm7zeep.receiver import Receiver

ODD = [
    "urn:my app", "urn:app ", " urn:app", "urn:app&#10;", "urn:app\n", "urn:\n  app", "http://x.example/{tenant}/v1",
    "http://例え.example/ns", "http://x.example:port/", "http://[x", "%zz", ":app", "1:app", "urn:a|b", "urn:a&lt;b",
    "urn:a&quot;b&amp;c", "\u00a0urn:app", "app name", "urn:mm7zeep:name:a b",
]  # fmt: skip
"""What stands between the quotes of a declaration."""
BLANKS = ["{} ", " {}", "{}\n", "{}&#10;", "\t{}", "  {}  ", "{}\u00a0"]
MM7 = uri(SCHEMA)


def parser() -> etree.XMLParser:
    """A parser without entities or network, as the doors have them."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def ids(found: exchange.Received | RemoteError) -> list[str]:
    """The ids of the findings."""
    return [one.id for one in found.findings]


def of_rules(root: str, policy: Any = "interop") -> exchange.Received:
    """The message with all that ``check`` would find in it."""
    return exchange.unpack(wire(root), policy=policy, rules=rules.of)


# --- the parser -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_document_is_read_whole(name: str, quote: str) -> None:
    """Elements, attributes, values and lines stand in the tree as any other reader has them; the name is told."""
    name = name.replace('"', "&quot;")
    text = (
        f"<r xmlns:q='urn:q' note='xmlns:p=\"urn:my app\"'>\n"
        f"<p:a xmlns:p = {quote}{name}{quote} p:b='1' b='p:x' >\n<p:c xmlns:p='urn:ok'/>p:d</p:a\n>&lt;xmlns='a b'</r>"
    )
    root = namespaces.parse(text.encode(), parser())
    first = root[0]
    named = first.nsmap["p"]
    meant = etree.fromstring(f"<r a='{name}'/>").get("a")  # as an attribute, its white space is made blanks likewise
    assert namespaces.as_sent(named) == meant or name == "%zz"
    assert (first.tag, dict(first.attrib)) == (f"{{{named}}}a", {f"{{{named}}}b": "1", "b": "p:x"})
    assert (first[0].tag, first[0].tail, first.tail) == ("{urn:ok}c", "p:d", "<xmlns='a b'")
    assert root.get("note") == 'xmlns:p="urn:my app"'
    assert first[0].sourceline == 3 + name.count("\n")
    assert etree.fromstring(etree.tostring(root)).tag == "r"  # and libxml2 reads it, once it is written


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<a xmlns:p="a b"><b></a>', "mismatch"),
        ('<a xmlns:p="a b" p:x="1" p:x="2"/>', "redefined"),
        ('<a xmlns:p="a b" xmlns:q="a b" p:x="1" q:x="2"/>', "redefined"),
        ('<a xmlns="a b" xmlns="a b"/>', "redefined"),
        ('<a xmlns:p="a b"><q:b/></a>', "not defined"),
        ("<a>" + '<b xmlns="a b"/>' * 200 + "<q:b/></a>", "not defined"),
        ('<a xmlns:p="a b"', "construct error"),
        ('<a xmlns:p="a b">&x;</a>', "not defined"),
        ('<a xmlns:xml="a b"/>', "xml namespace"),
        ('<a xmlns:xmlns="a b"/>', "xmlns"),
        ('<a xmlns:p="a b"/><b/>', "Extra content"),
        ('<a xmlns:p="a < b"/>', "<"),
    ],
)
def test_nothing_else_is_let_pass(text: str, reason: str) -> None:
    """What is not well-formed besides is refused, for its own reason and not for the name."""
    with pytest.raises(etree.XMLSyntaxError, match=reason):
        namespaces.parse(text.encode(), parser())


def test_two_names_stay_two() -> None:
    """A name is never taken for another one that is written as its %-encoding would be."""
    root = namespaces.parse(b'<a xmlns:p="a b" xmlns:q="a%20b" p:x="1" q:x="2"/>', parser())
    assert len(root.attrib) == 2
    assert sorted(map(namespaces.as_sent, root.nsmap.values())) == ["a b", "a b"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20))
@settings(max_examples=300, deadline=None)
def test_any_name(name: str) -> None:
    """Whatever is a namespace name to expat, a message with it is read."""
    quoted = name.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    forbidden = name in ("", "http://www.w3.org/2000/xmlns/", "http://www.w3.org/XML/1998/namespace")
    if not forbidden:
        root = namespaces.parse(f'<a xmlns:p="{quoted}" p:b="c"/>'.encode(), parser())
        assert list(root.attrib.values()) == ["c"]


def test_hostile_declarations_are_bounded() -> None:
    """A document of nothing but odd names, each its own, is refused as it was."""
    text = "<a>" + "".join(f'<b xmlns="a {n}"/>' for n in range(2000)) + "</a>"
    with pytest.raises(etree.XMLSyntaxError, match="not a valid URI"):
        namespaces.parse(text.encode(), parser())


# --- the envelope -----------------------------------------------------------------------------------------------------


PLACES = {
    "unused": lambda name: sent("SubmitReq").replace("<env:Envelope", f'<env:Envelope xmlns:app="{name}"'),
    "a header block": lambda name: sent("SubmitReq").replace(
        "<env:Header>", f'<env:Header><app:Trace xmlns:app="{name}" app:n="1">x</app:Trace>'
    ),
    "an attribute": lambda name: sent("SubmitReq").replace("<env:Body>", f'<env:Body xmlns:app="{name}" app:n="1">'),
    "on the message": lambda name: sent("SubmitReq").replace("<SubmitReq", f'<SubmitReq xmlns:app="{name}"'),
}


@pytest.mark.parametrize("policy", ["interop", "strict", "lenient"])
@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("place", PLACES)
def test_foreign_declarations_cost_no_message(place: str, name: str, policy: str) -> None:
    """A foreign or unused name is told, once, and neither refuses nor hides anything."""
    if place == "an attribute" and policy == "strict":
        policy = "interop"  # the SOAP schema lets any attribute stand in Body; nothing is stricter there
    received = of_rules(PLACES[place](name), policy)
    assert received.transaction_id == "t-1"
    assert [one.id for one in received.findings if one.id.startswith(("xml/", "ns/", "soap/env"))] == [
        "xml/relative-namespace"
    ]


@pytest.mark.parametrize("name", ODD)
def test_a_vendor_element_is_kept(name: str) -> None:
    """An element of a vendor's odd namespace is an extension as any other, and goes out again."""
    received = exchange.unpack(wire(sent("SubmitReq", more=f'<v:Extra xmlns:v="{name}" v:a="1">x</v:Extra>')))
    assert [one.name for one in received.message.extensions] == ["Extra"]
    again = exchange.unpack(exchange.pack(received.message, profile=NAMESPACES[MM7]))
    assert again.message.extensions == received.message.extensions


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize(
    ("named", "kind"),
    [
        (MM7, {"ns/alias"}),
        (SOAP_NAMESPACE, {"soap/envelope-namespace"}),
        (MM7.replace("http:", "https:"), {"ns/alias"}),
        (SOAP_NAMESPACE.replace("http:", "https:"), {"soap/namespace-alias"}),
    ],
)
@pytest.mark.parametrize("operation", ["SubmitReq", "DeliverReq", "DeliveryReportReq", "SubmitRsp"])
def test_a_blank_makes_an_alias(operation: str, named: str, kind: set[str], blank: str) -> None:
    """SOAP's and MM7's own name with stray blanks is an alias, told; strict refuses it by TransactionID."""
    root = sent(operation)
    plain = named.replace("https:", "http:")
    odd = root.replace(f'"{plain}"', f'"{blank.format(named)}"')
    received = exchange.unpack(wire(odd))
    assert received.message == exchange.unpack(wire(root)).message
    told = {one for one in ids(received) if one.startswith(("ns/", "soap/envelope", "soap/namespace"))}
    assert told >= kind
    assert received.transaction_id == "t-1"
    with pytest.raises(RemoteError) as caught:
        exchange.unpack(wire(odd), policy="strict")
    assert caught.value.transaction_id == "t-1"
    assert kind <= set(ids(caught.value))


def test_a_wrapped_name() -> None:
    """A line break and blanks within the name, as an editor wraps it, are the same."""
    odd = sent("SubmitReq").replace(MM7, MM7.replace("23.140", "\n   23.140"))
    assert ids(exchange.unpack(wire(odd))) == ["ns/alias"]


def test_an_unknown_release_with_a_blank() -> None:
    """It is read as unknown releases are, and the blank does not count."""
    plain = sent("SubmitReq").replace("REL-5-MM7-1-3", "REL-7-MM7-1-0")
    assert ids(exchange.unpack(wire(plain.replace("1-0", "1-0 ")))) == ids(exchange.unpack(wire(plain)))


def test_a_fault_with_a_blank() -> None:
    """A Fault, and the error in it, is read."""
    inner = sent("RSErrorRsp").partition("<env:Body>")[2].partition("</env:Body>")[0]
    root = sent("SubmitRsp").partition("<env:Body>")[0] + f"<env:Body>{fault(inner)}</env:Body></env:Envelope>"
    odd = root.replace(f'"{MM7}"', f'"{MM7} "')
    assert exchange.unpack(wire(odd)).message == exchange.unpack(wire(root)).message


def test_it_is_shown_as_it_was_sent() -> None:
    """``check`` says which name was sent, in the namespace, the finding and the line that it shows."""
    root = sent("SubmitReq").replace(f'"{MM7}"', f'"{MM7} "')
    [captured] = capture.messages("x", dump(wire(root)))
    judged = verdict.judge(captured)
    assert judged.judgement.sketch.namespace == f"{MM7} "
    [found] = [one for one in judged.findings if one.id == "ns/alias"]
    assert found.detail == repr(f"{MM7} ")


# --- the parties ------------------------------------------------------------------------------------------------------

ODD_SUBMIT = [
    sent("SubmitReq").replace(f'"{MM7}"', f'"{MM7} "'),
    sent("SubmitReq").replace(SOAP_NAMESPACE, f"{SOAP_NAMESPACE} "),
    PLACES["unused"]("urn:my app"),
    PLACES["a header block"]("http://x.example/{tenant}"),
]


@pytest.mark.parametrize("root", ODD_SUBMIT)
def test_the_gateway_answers(root: str, tmp_path: Path) -> None:
    """The gateway takes the message, and answers in names that every reader takes."""
    root = root.replace("<VASPID>Kiosk</VASPID><VASID>Tides</VASID>", "<VASPID>TNN</VASPID><VASID>News</VASID>")
    with rooms(tmp_path) as make:
        room = make()
        request = wire(root)
        answer = room.gateway.answer(replace(request, headers=(*request.headers, basic("tnn"))), peer=None)
        received = exchange.unpack(answer, policy="strict")
    assert (received.message.status.code, received.transaction_id) == (1000, "t-1")  # type: ignore[attr-defined]
    assert received.namespace == MM7


@pytest.mark.parametrize("policy", ["interop", "strict"])
@pytest.mark.parametrize(
    "root",
    [
        sent("DeliverReq").replace(f'"{MM7}"', f'"{MM7} "'),
        sent("DeliverReq").replace(SOAP_NAMESPACE, f"{SOAP_NAMESPACE} "),
        sent("DeliverReq").replace("<env:Envelope", '<env:Envelope xmlns:app="urn:my app"'),
    ],
)
def test_the_receiver_answers(root: str, policy: Any) -> None:
    """A VASP gets the message, or refuses it with its TransactionID, in names that every reader takes."""
    seen: list[Message] = []
    receiver = Receiver(policy=policy)
    receiver.on_deliver(lambda message: seen.append(message))
    received = exchange.unpack(receiver.answer(wire(root)), policy="strict")
    assert received.transaction_id == "t-1"
    strictly = policy == "strict" and "app" not in root
    assert (received.operation, len(seen)) == (("Fault", 0) if strictly else ("DeliverRsp", 1))


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("odd", ["blank", "foreign"])
def test_the_client_reads(odd: str, asynchronous: bool) -> None:
    """No MessageID is lost for a name in the answer."""
    plain = sent("SubmitRsp", schema="REL-6-MM7-1-4").replace(">t-1<", ">{tid}<").replace("5.3.0", "6.8.0")
    named = uri("REL-6-MM7-1-4")
    answer = plain.replace(f'"{named}"', f'"{named}\n"') if odd == "blank" else plain.replace(
        "<env:Envelope", '<env:Envelope xmlns:app="urn:my app"'
    )  # fmt: skip
    with FarSide(echoing(answer)) as far:
        if asynchronous:

            async def submit() -> Any:
                async with AsyncVaspClient(far.url, vaspid="v") as client:
                    return await client.submit("+49", "x")

            sent_ = asyncio.run(submit())
        else:
            with VaspClient(far.url, vaspid="v") as client:
                sent_ = client.submit("+49", "x")
    assert sent_.message_id == "m-1"
    assert ("ns/alias" in [one.id for one in sent_.findings]) == (odd == "blank")


# --- the presentation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ODD)
def test_a_presentation(name: str) -> None:
    """SMIL with an odd name, its own or a foreign one, is read; what is broken besides is not."""
    show = f'<smil xmlns="{name}" xmlns:v="{name}"><body><par><img src="cid:a" v:x="1"/></par></body></smil>'
    assert smil.references(show.encode()) == ("cid:a",)
    assert len(smil.parse(show.encode()).slides) == 1
    with pytest.raises(MimeError):
        smil.references(show.replace("</par>", "").encode())


def test_a_doctype_stays_refused() -> None:
    """An odd name opens no door for entities."""
    with pytest.raises(EnvelopeError):
        exchange.unpack(wire('<!DOCTYPE a [<!ENTITY x "y">]>' + PLACES["unused"]("urn:my app")))


def test_strict_names_the_alias() -> None:
    """The refusal of a strict reader says what is wrong."""
    with pytest.raises(SchemaError, match="ns/alias"):
        exchange.unpack(wire(ODD_SUBMIT[0]), policy="strict")
