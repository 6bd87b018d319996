"""``SwaTransport`` and ``ValidationPlugin`` in a plain zeep.Client, without any client of ours."""

from __future__ import annotations

import asyncio
import copy
import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from far_side import FarSide, echoing, http, saying
from lxml import etree

from mm7zeep import exchange, samples, schema
from mm7zeep.errors import AuthError, EnvelopeError, LocalError, SchemaError, TransportError
from mm7zeep.findings import Finding
from mm7zeep.messages import Part, RSErrorRsp, Status, SubmitReq
from mm7zeep.profiles import NAMESPACE_PREFIX
from mm7zeep.schema import files
from mm7zeep.transport import AsyncMm7Client, AsyncSwaTransport, SwaTransport, ValidationPlugin, attach, zeep_client

NEWEST = NAMESPACE_PREFIX + "REL-6-MM7-1-4"
PICTURE = Part(body=samples.saturn_png(), content_type="image/png")
TEXT = Part(body=b"hello\r\n", content_type="text/plain")
HEADER = {"TransactionID": {"_value_1": "t-1", "mustUnderstand": True}}
SUBMIT: dict[str, Any] = {
    "MM7Version": "6.8.0",
    "SenderIdentification": {"VASPID": "v", "VASID": "s"},
    "Recipients": {"_value_1": [{"To": {"_value_1": [{"Number": "+491"}]}}]},
    "_soapheaders": HEADER,
}
CONTENT = {"Content": {"href": "cid:all%2Dparts@x"}}


@pytest.fixture
def wsdl(tmp_path: Path) -> str:
    """The WSDL as a user has it: a file beside its schemas."""
    for name in ("mm7.wsdl", "REL-6-MM7-1-4.xsd", "soap-envelope.xsd"):
        (tmp_path / name).write_bytes(files.load(f"{files.BASE}REL-6-MM7-1-4/{name}"))
    return str(tmp_path / "mm7.wsdl")


def plain(wsdl: str, **options: Any) -> zeep.Client:
    """A zeep.Client with our two pieces."""
    return zeep.Client(wsdl=wsdl, transport=SwaTransport(**options), plugins=[ValidationPlugin()])


def service(client: zeep.Client, url: str) -> Any:
    """The MMSC's operations at ``url``."""
    return client.create_service("{urn:mm7zeep:wsdl}MmscBinding", url)


def test_plain_client_sends_parts(wsdl: str) -> None:
    """``attach`` gives one call its parts, under the name that the call's Content gives."""
    with FarSide() as far, plain(wsdl) as client:
        answer = service(attach(client, [TEXT, PICTURE]), far.url).submit(**SUBMIT, **CONTENT)
        bare = service(client, far.url).submit(**SUBMIT)
        first, second = (one.unpack() for one in far.requests)
    assert answer.body.MessageID == bare.body.MessageID == "m-1"
    assert answer.header.TransactionID["_value_1"] == "t-1"
    assert isinstance(first.message, SubmitReq)
    assert first.message.content_href == "cid:all%2Dparts@x"
    assert [part.content_type for part in first.parts] == ["application/smil", "text/plain", "image/png"]
    assert [part.read() for part in first.parts][1:] == [TEXT.body, PICTURE.body]
    assert (first.findings, second.findings, second.parts) == ((), (), ())


def test_one_part_stands_beside_the_envelope(wsdl: str) -> None:
    """A single part takes the name of the Content itself."""
    with FarSide() as far, plain(wsdl) as client:
        service(attach(client, [PICTURE]), far.url).submit(**SUBMIT, **CONTENT)
        [part] = far.requests[0].unpack().parts
    assert (part.content_id, part.read()) == ("all-parts@x", PICTURE.body)


def test_parts_without_content_element_are_refused(wsdl: str) -> None:
    """Nobody could find them at the other side."""
    with FarSide() as far, plain(wsdl) as client:
        with pytest.raises(LocalError, match="Content"):
            service(attach(client, [PICTURE]), far.url).submit(**SUBMIT)
        assert far.connections == 0


def test_attach_needs_our_transport(wsdl: str) -> None:
    """Zeep's own transport cannot carry parts."""
    with zeep.Client(wsdl=wsdl, transport=zeep.Transport()) as client, pytest.raises(LocalError, match="SwaTransport"):
        attach(client, [PICTURE])
    client.transport.session.close()


def test_invalid_message_does_not_leave(wsdl: str) -> None:
    """Zeep lets a wrong enumeration pass; xmlschema does not."""
    with FarSide() as far, plain(wsdl) as client:
        with pytest.raises(LocalError, match="Priority"):
            service(client, far.url).submit(**SUBMIT, Priority="urgent")
        assert far.connections == 0


def test_prefix_and_must_understand_are_finished(wsdl: str) -> None:
    """The namespace prefix is the plugin's, mustUnderstand is 1 and not true."""
    with FarSide() as far, plain(wsdl) as client:
        service(client, far.url).submit(**SUBMIT)
        body = far.requests[0].body
    assert b"<mm7:SubmitReq" in body
    assert b'mustUnderstand="1"' in body


def test_fault_is_zeeps_own(wsdl: str) -> None:
    """A refusal arrives as zeep.exceptions.Fault, with its detail."""
    far = FarSide(saying(RSErrorRsp(status=Status(2002))))
    with far, plain(wsdl) as client, pytest.raises(zeep.exceptions.Fault) as info:
        service(client, far.url).submit(**SUBMIT)
    assert info.value.code.endswith("Client")
    assert info.value.detail.findtext(".//{*}StatusCode") == "2002"


REPLY = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="{ns}"><e:Header><m:TransactionID>{tid}'
    "</m:TransactionID></e:Header><e:Body><m:SubmitRsp><m:MM7Version>5.3.0</m:MM7Version><m:Status><m:StatusCode>1000"
    "</m:StatusCode><m:StatusText/></m:Status><m:MessageID>m-é</m:MessageID></m:SubmitRsp></e:Body></e:Envelope>"
)


@pytest.mark.parametrize("release", ["REL-6-MM7-1-4", "REL-5-MM7-1-0", "REL-5-MM7-1-4"])
def test_answer_in_another_namespace_is_read(wsdl: str, release: str) -> None:
    """The plugin gives zeep what it expects, whatever release the far side speaks."""
    with FarSide(echoing(REPLY.replace("{ns}", NAMESPACE_PREFIX + release))) as far, plain(wsdl) as client:
        assert service(client, far.url).submit(**SUBMIT).body.MessageID == "m-é"


def test_findings_include_the_package_around_the_envelope(wsdl: str) -> None:
    """MIME, charset and XML deviations of an answer are told once, together."""
    told: list[Sequence[Finding]] = []
    plugin = ValidationPlugin(on_findings=told.append)
    reply = REPLY.replace("{ns}", NEWEST.replace("http:", "https:"))
    far = FarSide(echoing(reply, content_type="application/xml; charset=us-ascii"))
    with far, zeep.Client(wsdl=wsdl, transport=SwaTransport(), plugins=[plugin]) as client:
        assert service(client, far.url).submit(**SUBMIT).body.MessageID == "m-é"
    [findings] = told
    assert sorted(one.id for one in findings) == sorted(
        ["mime/root-is-xml", "xml/charset-agrees", "ns/alias", "soap/transaction-mu"]
    )


@pytest.mark.parametrize("content_type", ["text/xml; charset=utf-8", "text/html"])
def test_strict_plugin_judges_the_package_too(wsdl: str, content_type: str) -> None:
    """What a strict reader of a request refuses, it refuses in an answer."""
    reply = REPLY.replace("{ns}", NEWEST).replace("<m:TransactionID>", '<m:TransactionID e:mustUnderstand="1">')
    far = FarSide(echoing(reply, content_type=content_type))
    with far, zeep.Client(wsdl=wsdl, transport=SwaTransport(), plugins=[ValidationPlugin("strict")]) as client:
        if content_type == "text/html":
            with pytest.raises(SchemaError, match="strict"):
                service(client, far.url).submit(**SUBMIT)
        else:
            assert service(client, far.url).submit(**SUBMIT).body.MessageID == "m-é"


def test_strict_refusal_of_an_answer_names_envelope_and_package(wsdl: str) -> None:
    """The strict verdict is formed once, over the envelope and the package around it, and names the faults of both."""
    reply = REPLY.replace("{ns}", NEWEST.replace("http:", "https:"))
    far = FarSide(echoing(reply, content_type="text/html"))
    client = zeep.Client(wsdl=wsdl, transport=SwaTransport(), plugins=[ValidationPlugin("strict")])
    with far, client, pytest.raises(SchemaError) as caught:
        service(client, far.url).submit(**SUBMIT)
    assert "ns/alias at " in str(caught.value)
    assert "mime/root-is-xml at " in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ([http(401)], AuthError),
        ([http(500, "<html>")], TransportError),
        ([http(200)], TransportError),
        ([http(202)], TransportError),
        ([http(302, Location="/")], TransportError),
        (echoing("<a xmlns='x'/>"), TransportError),
        (echoing("<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'/>"), EnvelopeError),
    ],
)
def test_only_our_errors_leave(wsdl: str, answer: Any, error: type[Exception]) -> None:
    """Neither requests nor urllib3 nor lxml shows."""
    with FarSide(answer) as far, plain(wsdl) as client, pytest.raises(error):
        service(client, far.url).submit(**SUBMIT)


def test_zeep_client_is_ready_made() -> None:
    """``zeep_client`` is a zeep.Client with both, for either role and any namespace."""
    with FarSide() as far:
        with zeep_client(far.url, profile="REL-6-MM7-1-4") as client:
            assert isinstance(client, zeep.Client)
            assert client.service.submit(**SUBMIT).body.MessageID == "m-1"
            assert attach(client, [PICTURE]).service.submit(**SUBMIT, **CONTENT).body.MessageID == "m-1"
        with zeep_client(far.url, profile="optus", role="vasp", auth=("a", "b")) as client:
            answer = client.service.deliveryReport(
                MM7Version="5.3.0", MessageID="m", Recipient={"Number": "+1"}, Sender={"ShortCode": "1"},
                Date="2026-01-01T00:00:00Z", MMStatus="Retrieved", _soapheaders=HEADER,
            )  # fmt: skip
            assert answer.body.Status.StatusCode == 1000
        assert [type(one.unpack().message).__name__ for one in far.requests][2] == "DeliveryReportReq"


def test_zeep_client_with_pieces_of_ones_own() -> None:
    """Transport and plugin may be given; an address that cannot be is refused."""
    transport, plugin = SwaTransport(), ValidationPlugin("lenient")
    with FarSide() as far, zeep_client(far.url, transport=transport, plugin=plugin) as client:
        assert client.service.submit(**SUBMIT).body.MessageID == "m-1"
        assert (client.transport, client.plugins) == (transport, [plugin])
    with pytest.raises(LocalError, match="URL"):
        zeep_client("mmsc.example")


def test_history_plugin_still_works(wsdl: str) -> None:
    """Plugins of zeep's own see the envelope and the head of the answer."""
    history = zeep.plugins.HistoryPlugin()
    client = zeep.Client(wsdl=wsdl, transport=SwaTransport(), plugins=[history, ValidationPlugin()])
    with FarSide(saying(RSErrorRsp(), Server="x/1")) as far, client, pytest.raises(zeep.exceptions.Fault):
        service(client, far.url).submit(**SUBMIT)
    assert history.last_received is not None
    assert history.last_received["http_headers"]["server"] == "x/1"


# --- transports as objects --------------------------------------------------------------------------------------------


def test_schemas_of_the_package_are_loaded_from_it() -> None:
    """No request for what is here; what is not here is asked for where it is."""
    transport = SwaTransport()
    assert b"<wsdl:definitions" in transport.load(f"{files.BASE}REL-6-MM7-1-4/mm7.wsdl")
    with FarSide([http(200, "<a/>")]) as far:
        assert transport.load(far.url) == b"<a/>"
    transport.close()


def test_session_of_ones_own_is_kept() -> None:
    """Its auth, verify, cert and hooks stay; it is not closed with the transport."""
    seen: list[int] = []
    with requests.Session() as session, FarSide() as far:
        session.auth = ("me", "word")
        session.verify = "/nonexistent"
        session.hooks["response"].append(lambda answer, **_: seen.append(answer.status_code))
        transport = SwaTransport(session=session)
        transport.close()
        assert (session.verify, session.auth) == ("/nonexistent", ("me", "word"))
        with zeep_client(far.url, transport=transport) as client:
            client.service.submit(**SUBMIT)
        assert (far.requests[0].header("Authorization") or "").startswith("Basic ")
    assert seen == [200]


def test_copies_leave_the_connections_to_the_original() -> None:
    """A copy for one call neither closes the session nor outlives it."""
    with FarSide() as far:
        with zeep_client(far.url) as client:
            attach(client, [PICTURE]).service.submit(**SUBMIT, **CONTENT)
            copy.copy(client.transport).close()
            gc.collect()
            client.service.submit(**SUBMIT)
        attach(zeep_client(far.url), [PICTURE]).service.submit(**SUBMIT, **CONTENT)
        gc.collect()
        assert len(far.requests) == 3
        assert far.connections == 2


def test_post_sends_bytes_and_text() -> None:
    """What zeep's bindings call for messages of their own is bounded and counted in the same way."""
    body = exchange.pack(SubmitReq(to="+491"), transaction_id="t").read()
    with FarSide() as far:
        transport = SwaTransport()
        for message in (body, body.decode()):
            answer = transport.post(far.url, message, {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'})
            assert etree.fromstring(answer.content).findtext(".//{*}MessageID") == "m-1"
        transport.close()

        async def awaited() -> Any:
            twin = AsyncSwaTransport()
            try:
                return await twin.post(far.url, body, {"Content-Type": "text/xml", "SOAPAction": '""'})
            finally:
                await twin.aclose()

        assert b"m-1" in asyncio.run(awaited()).content
    with pytest.raises(LocalError, match="URL"):
        transport.post("file:///tmp/x", body, {})


def test_async_client_of_zeep_sends_parts() -> None:
    """The twin for zeep.AsyncClient."""

    async def awaited(url: str) -> Any:
        async with AsyncMm7Client(
            url, role="mmsc", wsdl=schema.wsdl(NEWEST), transport=AsyncSwaTransport(), plugins=[ValidationPlugin()]
        ) as client:
            return await attach(client, [PICTURE]).service.submit(**SUBMIT, **CONTENT)

    with FarSide() as far:
        assert asyncio.run(awaited(far.url)).body.MessageID == "m-1"
        assert far.requests[0].unpack().parts[0].read() == PICTURE.body
