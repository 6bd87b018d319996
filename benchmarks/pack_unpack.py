"""How much ``pack`` and ``unpack`` cost, as ratios to the stock recipe and to the floor, in one interleaved run.

The stock recipe is what one writes with the same libraries by hand: zeep serializes or deserializes, xmlschema validates the whole
envelope, stdlib ``email`` composes or parses the multipart. The floor does the least that could be called the same job: lxml builds
or parses the envelope, libxml2 validates it, bytes are joined or split. All three handle the same SubmitReq with a text and a picture.

Two more readings: of a message that is read only after repairs of its shape, and of one with 1,000 recipients.

    python -m benchmarks --only pack_unpack
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.generator import BytesGenerator
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.parser import BytesParser
from email.policy import HTTP
from io import BytesIO

import zeep.helpers
from lxml import etree

from benchmarks.figures import Figure, interleaved, ratios
from mm7zeep import envelope, exchange, profiles, samples, schema
from mm7zeep.messages import Number, Part, SubmitReq

PROFILE = profiles.REL_5_MM7_1_3
PICTURE = samples.saturn_png()
TEXT = b"Science news, new Saturn pictures..."
PARTS = (
    Part(body=TEXT, content_type="text/plain", parameters=(("charset", "utf-8"),), content_id="text@bench"),
    Part(body=PICTURE, content_type="image/png", content_id="saturn@bench"),
)
MESSAGE = SubmitReq(
    vaspid="TNN",
    vasid="News",
    to="+61412345678",
    subject="News for today",
    expiry_date=timedelta(days=2),
    delivery_report=True,
)
VALUES = {
    "MM7Version": "5.3.0",
    "SenderIdentification": {"VASPID": "TNN", "VASID": "News"},
    "Recipients": {"_value_1": [{"To": {"_value_1": [{"Number": "+61412345678"}]}}]},
    "ExpiryDate": "P2D",
    "DeliveryReport": True,
    "Subject": "News for today",
    "Content": {"href": "cid:content@bench"},
}
DOCUMENT = schema.wsdl(PROFILE.namespace)
OPERATION = next(iter(DOCUMENT.bindings.values())).get("submit")
VALIDATOR = schema.validator(PROFILE.namespace)


def _libxml2() -> etree.XMLSchema:
    base = schema.wsdl_location(PROFILE.namespace).removesuffix("mm7.wsdl")

    class Bundled(etree.Resolver):
        def resolve(self, url: str, public_id: str, context: object) -> object:
            return self.resolve_string(schema.load(base + url.rpartition("/")[2]), context)

    parser = etree.XMLParser()
    parser.resolvers.add(Bundled())
    head = (
        '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f'<xsd:import namespace="{profiles.SOAP_NAMESPACE}" schemaLocation="soap-envelope.xsd"/>'
        f'<xsd:import namespace="{PROFILE.namespace}" schemaLocation="{PROFILE.schema}.xsd"/></xsd:schema>'
    )
    return etree.XMLSchema(etree.fromstring(head, parser))


LIBXML2 = _libxml2()


# --- out --------------------------------------------------------------------------------------------------------------


def pack_ours() -> bytes:
    return exchange.pack(MESSAGE, PARTS, profile=PROFILE, transaction_id="t1").read()


def pack_stock() -> bytes:
    headers = {"TransactionID": {"_value_1": "t1", "mustUnderstand": True}}
    tree = OPERATION.create(**VALUES, _soapheaders=headers).content
    tree[0][0].set(f"{{{profiles.SOAP_NAMESPACE}}}mustUnderstand", "1")
    if next(iter(VALIDATOR.iter_errors(tree)), None) is not None:
        raise ValueError("not valid")
    outer = MIMEMultipart("related", boundary="outer-0123456789", type="text/xml", start="<root@bench>", policy=HTTP)
    root = MIMENonMultipart("text", "xml", charset="utf-8", policy=HTTP)
    root["Content-ID"] = "<root@bench>"
    root.set_payload(etree.tostring(tree, xml_declaration=True, encoding="UTF-8").decode())
    inner = MIMEMultipart("mixed", boundary="inner-0123456789", policy=HTTP)
    inner["Content-ID"] = "<content@bench>"
    picture = MIMEImage(PICTURE, "png", policy=HTTP)  # base64: email writes no raw binary
    picture["Content-ID"] = "<saturn@bench>"
    inner.attach(MIMEText(TEXT.decode(), policy=HTTP))
    inner.attach(picture)
    outer.attach(root)
    outer.attach(inner)
    out = BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=HTTP).flatten(outer)
    return out.getvalue()


def pack_floor() -> bytes:
    soap, own = f"{{{profiles.SOAP_NAMESPACE}}}", f"{{{PROFILE.namespace}}}"
    tree = etree.Element(f"{soap}Envelope", nsmap={"env": profiles.SOAP_NAMESPACE})
    header = etree.SubElement(tree, f"{soap}Header")
    transaction = etree.SubElement(header, f"{own}TransactionID", nsmap={"mm7": PROFILE.namespace})
    transaction.text = "t1"
    transaction.set(f"{soap}mustUnderstand", "1")
    message = etree.SubElement(
        etree.SubElement(tree, f"{soap}Body"), f"{own}SubmitReq", nsmap={"mm7": PROFILE.namespace}
    )
    etree.SubElement(message, f"{own}MM7Version").text = "5.3.0"
    who = etree.SubElement(message, f"{own}SenderIdentification")
    etree.SubElement(who, f"{own}VASPID").text = "TNN"
    etree.SubElement(who, f"{own}VASID").text = "News"
    to = etree.SubElement(etree.SubElement(message, f"{own}Recipients"), f"{own}To")
    etree.SubElement(to, f"{own}Number").text = "+61412345678"
    for name, value in (("ExpiryDate", "P2D"), ("DeliveryReport", "true"), ("Subject", "News for today")):
        etree.SubElement(message, own + name).text = value
    etree.SubElement(message, f"{own}Content").set("href", "cid:content@bench")
    if not LIBXML2.validate(tree):
        raise ValueError("not valid")
    return b"".join((
        b'--outer-0123456789\r\nContent-Type: text/xml; charset="utf-8"\r\nContent-ID: <root@bench>\r\n\r\n',
        etree.tostring(tree, xml_declaration=True, encoding="UTF-8"),
        b'\r\n--outer-0123456789\r\nContent-Type: multipart/mixed; boundary="inner-0123456789"\r\nContent-ID: <content@bench>\r\n\r\n',
        b"--inner-0123456789\r\nContent-Type: text/plain\r\nContent-ID: <text@bench>\r\n\r\n", TEXT,
        b"\r\n--inner-0123456789\r\nContent-Type: image/png\r\nContent-ID: <saturn@bench>\r\n\r\n", PICTURE,
        b"\r\n--inner-0123456789--\r\n--outer-0123456789--\r\n",
    ))  # fmt: skip


# --- in ---------------------------------------------------------------------------------------------------------------

WIRE = exchange.pack(MESSAGE, PARTS, profile=PROFILE, transaction_id="t1")
BODY = WIRE.read()
HEAD = (*WIRE.headers,)
RAW_HEAD = b"".join(f"{name}: {value}\r\n".encode() for name, value in HEAD) + b"\r\n"
FLOOR_BODY = pack_floor()


def unpack_ours() -> object:
    received = exchange.unpack(exchange.Wire(headers=HEAD, body=BODY))
    return received.message.to, received.parts[-1].read()


def unpack_stock() -> object:
    package = BytesParser(policy=HTTP).parsebytes(RAW_HEAD + BODY)
    root, content = package.get_payload()
    tree = etree.fromstring(root.get_payload(decode=True), etree.XMLParser(resolve_entities=False, no_network=True))
    if next(iter(VALIDATOR.iter_errors(tree)), None) is not None:
        raise ValueError("not valid")
    value = zeep.helpers.serialize_object(OPERATION.input.deserialize(tree).body, dict)
    return value["Recipients"], content.get_payload()[-1].get_payload(decode=True)


def split_floor(body: bytes) -> object:
    """The floor of reading: parsed, validated by libxml2, split at its delimiters."""
    pieces = body.split(b"--outer-0123456789")
    tree = etree.fromstring(
        pieces[1].partition(b"\r\n\r\n")[2].rstrip(), etree.XMLParser(resolve_entities=False, no_network=True)
    )
    if not LIBXML2.validate(tree):
        raise ValueError("not valid")
    inner = pieces[2].partition(b"\r\n\r\n")[2].split(b"--inner-0123456789")
    return tree[1][0].find(f"{{{PROFILE.namespace}}}Recipients"), inner[2].partition(b"\r\n\r\n")[2][:-2]


def unpack_floor() -> object:
    return split_floor(FLOOR_BODY)


# what many senders write: an element's name in small letters, and a start without brackets
REPAIRED = exchange.Wire(
    headers=tuple((name, value.replace('start="<', 'start="').replace('>"', '"')) for name, value in HEAD),
    body=BODY.replace(b"Subject>", b"subject>"),
)


def unpack_repaired() -> object:
    return exchange.unpack(REPAIRED)


MANY = 1000
_MANY_WIRE = exchange.pack(
    replace(MESSAGE, to=tuple(Number(f"+61{n:09d}") for n in range(MANY))), PARTS, profile=PROFILE, transaction_id="t1"
)
MANY_BODY = _MANY_WIRE.read()
FLOOR_MANY = FLOOR_BODY.replace(
    b"<mm7:Number>+61412345678</mm7:Number>", b"".join(b"<mm7:Number>+61%09d</mm7:Number>" % n for n in range(MANY))
)


def unpack_many() -> object:
    return exchange.unpack(exchange.Wire(headers=_MANY_WIRE.headers, body=MANY_BODY))


def unpack_many_floor() -> object:
    return split_floor(FLOOR_MANY)


def measure(rounds: int = 200) -> list[Figure]:
    """The figures. Raises ``SystemExit`` where the three do not agree."""
    pictures = [one[1] for one in (unpack_ours(), unpack_stock(), unpack_floor())]  # type: ignore[index]
    if any(picture != PICTURE for picture in pictures):
        raise SystemExit("the three readers do not agree")
    if schema.violations(envelope.parse(unpack_root(pack_stock())), PROFILE.namespace):
        raise SystemExit("the stock recipe makes an invalid envelope")
    if FLOOR_MANY.count(b"Number>") != 2 * MANY or len(exchange.unpack(REPAIRED).findings) < 2:
        raise SystemExit("the messages are not what they are to be")
    packs = interleaved(rounds, ours=pack_ours, stock=pack_stock, floor=pack_floor)
    unpacks = interleaved(rounds, ours=unpack_ours, stock=unpack_stock, floor=unpack_floor, repaired=unpack_repaired)
    many = interleaved(max(20, rounds // 10), ours=unpack_many, floor=unpack_many_floor)
    return [
        Figure.of("pack, 30 kB: against the floor", ratios(packs["ours"], packs["floor"]), "x", "less", 2),
        Figure.of("pack, 30 kB: faster than the stock recipe", ratios(packs["stock"], packs["ours"]), "x", "more", 12),
        Figure.of("pack, 30 kB", [one * 1000 for one in packs["ours"]], "ms", "less"),
        Figure.of("unpack, 30 kB: against the floor", ratios(unpacks["ours"], unpacks["floor"]), "x", "less", 2),
        Figure.of(
            "unpack, 30 kB: faster than the stock recipe", ratios(unpacks["stock"], unpacks["ours"]), "x", "more", 12
        ),
        Figure.of("unpack, 30 kB", [one * 1000 for one in unpacks["ours"]], "ms", "less"),
        Figure.of(
            "unpack after repairs: against the floor", ratios(unpacks["repaired"], unpacks["floor"]), "x", "less", 4
        ),
        Figure.of(
            f"unpack, {MANY:,} recipients: against the floor", ratios(many["ours"], many["floor"]), "x", "less", 3
        ),
    ]


def unpack_root(body: bytes) -> bytes:
    """The envelope that the stock recipe wrote, without its declaration."""
    root = body.split(b"--outer-0123456789")[1].partition(b"\r\n\r\n")[2].strip()
    return root.partition(b"?>")[2]
