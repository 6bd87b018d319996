"""Suite A of the conformance catalogue, as far as a case is one request: the requests, and what may be answered.

The ids are those of the catalogue. Behind ``~`` stands an answer that it does not list and that is right all the same.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import envelopes as env
from envelopes import TO, VERSION, WHO
from vasp_side import NOTE, OTHER, ROOT_HEAD, TYPE, USER, Post, T, change, enveloped, numbers, packed, submit

from mm7zeep.profiles import NAMESPACE_PREFIX, SOAP_NAMESPACE

LIMIT = 400_000  # octets of a body
NEW = "REL-6-MM7-1-4"
OLD = ("REL-5-MM7-1-0", "REL-5-MM7-1-1")
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
SOAP_TYPO = "http://schemas.xmlsoap.org/soap/soap-envelope"
NOW = datetime.now(UTC)


def moment(**span: float) -> str:
    """A point in time, so far from now."""
    return (NOW + timedelta(**span)).isoformat(timespec="seconds")


# --- cases of one request ---------------------------------------------------------------------------------------------

OK = Post(root=submit(), version="5.3.0")


def case(options: str = "", **said: Any) -> Post:
    """A SubmitReq; ``said`` are parameters of ``submit`` and fields of ``Post``."""
    spoken = {name: said.pop(name) for name in ("who", "to", "last", "header", "name", "soap") if name in said}
    if "stated" in said:
        spoken["version"] = f"<MM7Version>{said['stated']}</MM7Version>" if said["stated"] is not None else ""
        said["version"] = said.pop("stated")
    schema = said.get("schema", env.SCHEMA)
    return Post(**{"root": submit(options, **{"schema": schema, **spoken}), "version": "5.3.0", **said})


def release_6(options: str = "", **said: Any) -> Post:
    """The same in the newest namespace."""
    return case(options, **{"schema": NEW, "stated": "6.8.0", **said})


def recipients(inner: str, **said: Any) -> Post:
    """A submit to these."""
    return case(to=f"<Recipients>{inner}</Recipients>", **said)


def sent_to(address: str, **said: Any) -> Post:
    """A submit to one address."""
    return recipients(f"<To>{address}</To>", **said)


def sent_by(address: str, **said: Any) -> Post:
    """A submit with a SenderAddress."""
    return case(who=WHO.replace("</SenderId", f"<SenderAddress>{address}</SenderAddress></SenderId"), **said)


def carrying(*parts: bytes | str, href: str = "cid:note@kiosk.example", **said: Any) -> Post:
    """A submit with these parts."""
    octets = tuple(one.encode() if isinstance(one, str) else one for one in parts)
    return case(**{"last": env.content(href), "parts": octets, **said})


def typed(type: str, **said: Any) -> Post:
    """A submit whose package is labelled so."""
    return OK.but(type=type, **said)


def whole(body: bytes, **said: Any) -> Post:
    """A request with this body."""
    return OK.but(body=body, **said)


def headed(header: str, **said: Any) -> Post:
    """A submit with another Header."""
    return case(header=header, **said)


def transaction(value: str = T, **said: Any) -> Post:
    """A submit with another TransactionID; the answer names it without blanks."""
    return headed(env.transaction(value), **said)


def inner(kind: str, *parts: bytes | str, mark: str = "inner", more: str = "") -> bytes:
    """A multipart as one part."""
    octets = [one.encode() if isinstance(one, str) else one for one in parts]
    head = f'Content-Type: multipart/{kind}; boundary="{mark}"{more}\r\nContent-ID: <note@kiosk.example>\r\n\r\n'
    return head.encode() + b"".join(b"--%s\r\n%s\r\n" % (mark.encode(), one) for one in octets) + f"--{mark}--".encode()


def bent(old: str, new: str, post: Post = OK, **said: Any) -> Post:
    """A submit whose envelope was changed in one place."""
    assert isinstance(post.root, str)
    assert old in post.root
    return post.but(root=post.root.replace(old, new), **said)


def unread(root: str) -> Post:
    """A request that is refused before its TransactionID and namespace are known."""
    return OK.but(root=root, echo=None, schema="")


ENVELOPE = submit().encode()
WHOLE = packed(ENVELOPE, NOTE)
DECLARED = '<?xml version="1.0" encoding="{}"?>'
SUBJECT = "<Subject>{}</Subject>"
MU = '<x:block xmlns:x="urn:x" env:mustUnderstand="{}"{}/>'
ENTITY = '<!DOCTYPE a [<!ENTITY e SYSTEM "{}">]>'
BAD_ENTITIES = '<!DOCTYPE a [<!ENTITY a0 "aaaaaaaaaa">' + "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
)
SMIL = '<smil><body><par><img src="cid:map@kiosk.example"/><text src="cid:tides@kiosk.example"/></par></body></smil>'
SMIL_PART = "Content-Type: application/smil; charset=utf-8\r\nContent-ID: <p@kiosk.example>\r\n\r\n" + SMIL
GIF = b"GIF89a\r\n--cut\r\n--\r\n\x00\xff--cut-her\r\n\r\n--inne\r\n;"
GIF_PART = (
    b"Content-Type: image/gif\r\nContent-ID: <map@kiosk.example>\r\nContent-Transfer-Encoding: binary\r\n\r\n" + GIF
)
TEXT_PART = env.part("<tides@kiosk.example>")
LONG_BOUNDARY = "a=_?:/ ()" + "x" * 61
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
BAD_XML = "4004 2007 FAULT:Client H400"
HTML = "<html><body>Hello</body></html>"

HTTP: dict[str, tuple[Post, str]] = {
    "http/get": (OK.but(line="GET /mm7 HTTP/1.1", body=b""), "H405"),
    "http/content-type-missing": (typed("", echo=None), "H400 H415 4004 2007"),
    "http/content-type-foreign": (typed("application/json", echo=None, schema=""), "H415 H400 4004"),
    "http/content-type-text-xml-submit": (
        typed("text/xml; charset=utf-8", echo=None, schema=""),
        "H400 H415 4004 2007",
    ),
    "http/soapaction-empty": (OK.but(action='SOAPAction: ""'), "OK"),
    "http/soapaction-missing": (OK.but(action=None), "ANY"),
    "http/soapaction-bare": (OK.but(action="SOAPAction:"), "ANY"),
    "http/soapaction-other": (OK.but(action=f'SOAPAction: "{env.uri(env.SCHEMA)}"'), "OK"),
    "http/version-10": (OK.but(line="POST /mm7 HTTP/1.0", host=None), "OK"),
    "http/body-empty": (whole(b"", echo=None, schema=""), "H400 4004 2000 ~2007"),
    "http/header-case/lower": (
        OK.but(host="host: mmsc.example", auth=f"authorization: Basic {USER}", action='soapaction: ""'),
        "OK",
    ),
    "http/header-case/upper": (
        OK.but(host="HOST: mmsc.example", auth=f"AUTHORIZATION: Basic {USER}", action='SOAPACTION: ""'),
        "OK",
    ),
    "http/content-type-order": (
        typed('Multipart/RELATED ;  START="<soap@kiosk.example>" ;Type="text/xml";   BOUNDARY="cut-here"'),
        "OK",
    ),
    "http/unknown-headers": (OK.but(fields=("X-Kiosk-Id: 1", "Accept-Language: de, en;q=0.5", "Accept: */*")), "OK"),
    "http/content-encoding": (OK.but(fields=("Content-Encoding: gzip",)), "OK H415"),
    "http/too-large": (carrying(NOTE + b"x" * LIMIT), "H413 2004 4004 3002"),
}
AUTH: dict[str, tuple[Post, str]] = {
    "auth/none": (OK.but(auth=None), "H401"),
    "auth/basic-good": (OK, "OK"),
    "auth/basic-wrong": (OK.but(auth="Authorization: Basic a2lvc2s6d3Jvbmc="), "H401"),
    "auth/basic-garbage": (OK.but(auth="Authorization: Basic %%%"), "H400 H401"),
    "auth/basic-utf8": (
        OK.but(auth="Authorization: Basic w6RydGU6Z3VsbHM=", root=submit(who=WHO.replace("Kiosk", "Ärte"))),
        "OK",
    ),
    "auth/scheme-case": (OK.but(auth=f"Authorization: basic {USER}"), "OK"),
    "auth/unknown-scheme": (OK.but(auth="Authorization: Foo x"), "H401"),
    "auth/vaspid-unknown": (case(who=WHO.replace("Kiosk", "Nobody")), "4001 4007 2001"),
    "auth/vasid-unknown": (case(who=WHO.replace("Tides", "Nothing")), "OK 4001 4007 2001"),
    "auth/vaspid-other": (case(who=WHO.replace("Kiosk", "Ferry")), "4001 4007 2001"),
    "auth/sender-not-owned": (sent_by("<ShortCode>99999</ShortCode>"), "ANY"),
    "auth/identification-empty": (case(who="<SenderIdentification/>"), "OK 4001 4004 4007"),
}
MIME: dict[str, tuple[Post, str]] = {
    "mime/type-quoted": (typed(TYPE), "OK"),
    "mime/type-bare": (typed(TYPE.replace('"text/xml"', "text/xml")), "OK"),
    "mime/type-missing": (typed(TYPE.replace('type="text/xml"; ', "")), "OK 4004 H400"),
    "mime/start-missing": (typed(TYPE.partition("; start")[0]), "OK"),
    "mime/root-last": (
        whole(
            b"--cut-here\r\n"
            + NOTE
            + b"\r\n--cut-here\r\n"
            + ROOT_HEAD.encode()
            + b"\r\n\r\n"
            + ENVELOPE
            + b"\r\n--cut-here--\r\n"
        ),
        "OK",
    ),
    "mime/start-dangling": (typed(TYPE.replace("<soap@", "<nothing@")), "OK 4004 2007"),
    "mime/boundary-missing": (typed('multipart/related; type="text/xml"', echo=None), "H400 4004 2007"),
    "mime/boundary-specials": (typed(TYPE.replace("cut-here", LONG_BOUNDARY), boundary=LONG_BOUNDARY), "OK"),
    "mime/boundary-nested-prefix": (carrying(inner("mixed", TEXT_PART, GIF_PART, mark="cut-herex")), "OK"),
    "mime/preamble": (whole(b"a multi-part message\r\n" + WHOLE + b"\r\nthe end\r\n"), "OK"),
    "mime/closing-missing": (
        whole(WHOLE.removesuffix(b"--\r\n").removesuffix(b"--cut-here")),
        "4004 2007 2004 H400 ~OK",
    ),
    "mime/delimiter-blanks": (whole(WHOLE.replace(b"--cut-here\r\n", b"--cut-here \t \r\n")), "OK"),
    "mime/lf-only": (whole(WHOLE.replace(b"\r\n", b"\n")), "ANY"),
    "mime/part-header-case": (
        whole(WHOLE.replace(b"Content-Type:", b"content-type:").replace(b"Content-ID", b"CONTENT-ID")),
        "OK",
    ),
    "mime/part-header-folded": (whole(WHOLE.replace(b"text/plain; ", b"text/plain;\r\n  ")), "OK"),
    "mime/cid-resolves": (OK, "OK"),
    "mime/cid-no-at": (carrying(env.part("<note>"), href="cid:note"), "OK"),
    "mime/cid-escaped": (carrying(env.part("<a%b@c>"), href="cid:a%25b@c"), "OK"),
    "mime/cid-unresolved": (carrying(env.part("<other@x>"), GIF_PART, href="cid:nothing@x"), "2004 2007 4004 2000"),
    "mime/cid-duplicate": (carrying(NOTE, NOTE), "2004 2007 4004 OK"),
    "mime/content-location": (
        carrying(env.part(None, more="Content-Location: http://x.example/note\r\n"), href="http://x.example/note"),
        "ANY",
    ),
    "mime/outer-mixed": (typed(TYPE.replace("related", "mixed")), "OK 4004 H415"),
    "mime/header-multipart-body-xml": (whole(ENVELOPE), "4004 2007 2000 H400 ~2004"),
    "mime/soap-base64": (
        whole(
            packed(
                base64.encodebytes(submit(header=env.transaction("b64")).encode()),
                NOTE,
                head=ROOT_HEAD + "\r\nContent-Transfer-Encoding: BASE64",
            ),
            echo="b64",
        ),
        "OK",
    ),
    "mime/extra-part": (carrying(NOTE, GIF_PART), "OK"),
}
SOAP: dict[str, tuple[Post, str]] = {
    "soap/prefix-free": (
        OK.but(
            root=(
                f'<Envelope xmlns="{SOAP_NAMESPACE}" xmlns:s="{SOAP_NAMESPACE}" xmlns:q="{env.uri(env.SCHEMA)}">'
                "<Header>"
                f'<q:TransactionID s:mustUnderstand="1">{T}</q:TransactionID></Header><Body><q:SubmitReq>'
                + re.sub(r"<(/?)(\w)", r"<\1q:\2", VERSION + WHO + TO + env.content())
                + "</q:SubmitReq></Body></Envelope>"
            )
        ),
        "OK",
    ),
    "soap/txid-echo": (
        transaction(
            "&amp;&lt;" + "!\"#$%'()*+,-./:;=?@[]^_`{|}~" + "x" * 30,
            echo="&<" + "!\"#$%'()*+,-./:;=?@[]^_`{|}~" + "x" * 30,
        ),
        "OK",
    ),
    "soap/txid-whitespace": (transaction(f"\n{T}\n"), "OK"),
    "soap/txid-missing": (headed("", echo=None), "4004 2000"),
    "soap/header-missing": (OK.but(root=re.sub("<env:Header>.*</env:Header>", "", submit()), echo=None), "4004 2000"),
    "soap/txid-empty": (transaction("", echo=None), "4004 2007"),
    "soap/txid-no-mu": (headed(env.transaction(T, attributes="")), "OK"),
    "soap/txid-wrong-namespace": (headed(env.transaction(T, "REL-5-MM7-1-0")), "ANY"),
    "soap/mu-unknown": (headed(env.transaction(T) + MU.format(1, "")), "FAULT:MustUnderstand"),
    "soap/mu-unknown-zero": (headed(env.transaction(T) + MU.format(0, "")), "OK"),
    "soap/mu-other-actor": (headed(env.transaction(T) + MU.format(1, ' env:actor="urn:other"')), "OK"),
    "soap/envelope-12": (case(soap=SOAP_12), "FAULT:VersionMismatch"),
    "soap/envelope-foreign": (case(soap=SOAP_TYPO), "FAULT:VersionMismatch OK"),
    "soap/body-missing": (OK.but(root=re.sub("<env:Body>.*</env:Body>", "", submit()), version=None), "FAULT 4004"),
    "soap/body-empty": (OK.but(root=enveloped(""), version=None), "FAULT 4004 4003"),
    "soap/body-two": (OK.but(root=submit().replace("</env:Body>", '<x xmlns="urn:x"/></env:Body>')), "OK 4004"),
    "soap/operation-unknown": (case(name="xxxSubmitReq"), "4003 4004"),
    "soap/operation-wrong-direction": (Post(root=env.sent("DeliverReq"), parts=None, echo="t-1"), "4003 4004"),
    "soap/response-as-request": (Post(root=env.sent("SubmitRsp"), parts=None, echo="t-1"), "4003 4004 H400"),
    "soap/not-well-formed": (unread(submit().replace("</Recipients>", "")), BAD_XML),
    "soap/dtd": (unread("<!DOCTYPE a>" + submit()), "FAULT 4004"),
    "soap/entity-bomb": (
        unread(f"{BAD_ENTITIES}]>{transaction('&a9;').root}"),
        "FAULT H4xx 4004 2007",
    ),
    "soap/pi": (bent("<Recipients>", "<?x y?><Recipients>"), "ANY"),
    "soap/utf16": (
        OK.but(
            root=b"\xff\xfe" + (DECLARED.format("utf-16") + submit(SUBJECT.format("Ångström"))).encode("utf-16-le"),
            head=ROOT_HEAD.replace("utf-8", "utf-16"),
        ),
        "OK",
    ),
    "soap/latin1": (
        OK.but(
            root=(DECLARED.format("iso-8859-1") + submit(SUBJECT.format("Ångström"))).encode("latin-1"),
            head=ROOT_HEAD.replace("utf-8", "iso-8859-1"),
        ),
        "OK",
    ),
    "soap/charset-conflict": (
        OK.but(root=(DECLARED.format("iso-8859-1") + submit(SUBJECT.format("Ångström"))).encode()),
        "ANY",
    ),
    "soap/bom": (OK.but(root=b"\xef\xbb\xbf" + ENVELOPE), "OK"),
    "soap/deep": (headed(env.transaction(T) + "<x>" * 10_000 + "</x>" * 10_000, echo=None, schema=""), "ANY"),
    "soap/encoding-style": (
        headed(
            env.transaction(
                T, attributes='env:mustUnderstand="1" env:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
            )
        ),
        "OK",
    ),
}
NAMES: dict[str, tuple[Post, str]] = {
    "ns/unknown": (case(schema=f"{NAMESPACE_PREFIX}REL-7-MM7-1-0"), "4002 4004"),
    "ns/missing-digit": (case(schema=f"{NAMESPACE_PREFIX}REL-5-MM7-1"), "ANY"),
    "ns/wrong-host": (case(schema=env.uri(env.SCHEMA).replace(".org", ".com")), "ANY"),
    "ns/unqualified-children": (
        OK.but(
            root=enveloped(
                f'<m:SubmitReq xmlns:m="{env.uri(env.SCHEMA)}">{VERSION}{WHO}{TO}{env.content()}</m:SubmitReq>'
            )
        ),
        "4004 2007 ~OK",
    ),
    "version/missing": (case(stated=None), "4004"),
    "version/nonsense/number": (case(stated="9999.12345.6543"), "4002 4004 OK"),
    "version/nonsense/letters": (case(stated="x.y.z"), "4002 4004 OK"),
    "version/not-of-namespace": (case(stated="6.8.0", schema="REL-5-MM7-1-2"), "ANY"),
    "version/blank": (case(stated=" 5.3.0 "), "ANY"),
}
TWENTY = "".join(numbers(20))
ADDRESSES: dict[str, tuple[Post, str]] = {
    "submit/minimal": (OK, "OK"),
    "submit/recipients/none": (case(to=""), "4004 2002 2007 2000"),
    "submit/recipients/empty": (recipients(""), "4004 2002 2007 2000"),
    "submit/recipients/empty-to": (recipients("<To/><To><Number>+46701</Number></To>"), "4004 2002 2007 OK"),
    "submit/recipients/many-to": (recipients("".join(f"<To>{one}</To>" for one in numbers(20))), "OK 3003"),
    "submit/recipients/many-in-one-to": (recipients(f"<To>{TWENTY}</To>"), "OK 3003"),
    "submit/recipients/thousand": (recipients(f"<To>{''.join(numbers(1000))}</To>"), "OK 1100 3003 2002"),
    "submit/recipients/cc-bcc": (
        recipients("<To><Number>+461</Number></To><Cc><Number>+462</Number></Cc><Bcc><Number>+463</Number></Bcc>"),
        "OK",
    ),
    "submit/recipients/bcc-only": (recipients("<Bcc><Number>+463</Number></Bcc>"), "OK"),
    "submit/recipients/order": (recipients("<Bcc><Number>+463</Number></Bcc><To><Number>+461</Number></To>"), "OK"),
    "submit/recipients/duplicate": (recipients("<To><Number>+461</Number><Number>+461</Number></To>"), "OK"),
    "submit/recipients/display-only": (
        recipients(
            '<To><Number displayOnly="true">+461</Number><Number>+462</Number></To>', schema=NEW, stated="6.8.0"
        ),
        "OK",
    ),
    "submit/recipients/all-display-only": (
        recipients('<To><Number displayOnly="true">+461</Number></To>', schema=NEW, stated="6.8.0"),
        "2002 4004 2000",
    ),
    "submit/address/plus": (sent_to("<Number>+41791234567</Number>"), "OK"),
    "submit/address/plmn": (sent_to("<Number>+41791234567/TYPE=PLMN</Number>"), "OK 2002"),
    "submit/address/mail": (sent_to("<RFC2822Address>lock@kiosk.example</RFC2822Address>"), "OK 2002 2001"),
    "submit/address/mail-in-number": (sent_to("<Number>lock@kiosk.example</Number>"), "2002 2007 2001 OK"),
    "submit/address/shortcode": (sent_to("<ShortCode>4711</ShortCode>"), "OK 2002 2003"),
    "submit/address/illegal-characters": (sent_to("<Number>+46 70|abc</Number>"), "2002 2007 OK"),
    "submit/address/empty": (sent_to("<Number></Number>"), "2002 2007 4004"),
    "submit/address/unknown": (sent_to("<Number>+46999</Number>"), "2003 2002 1100 OK"),
    "submit/address/partial": (recipients("<To><Number>+461</Number><Number>a|b</Number></To>"), "1100 OK"),
    "submit/address/coding": (
        sent_to('<Number addressCoding="encrypted" id="n1">c2VjcmV0</Number>', schema=NEW, stated="6.8.0"),
        "OK 2002",
    ),
    "submit/address/duplicate-id": (
        recipients('<To><Number id="n1">+461</Number><Number id="n1">+462</Number></To>', schema=NEW, stated="6.8.0"),
        "4004 2007",
    ),
    "submit/sender/number": (sent_by("<Number>+4670</Number>"), "OK"),
    "submit/sender/shortcode": (sent_by("<ShortCode>4711</ShortCode>"), "OK"),
    "submit/sender/mail": (sent_by("<RFC2822Address>tides@kiosk.example</RFC2822Address>"), "OK"),
    "submit/sender/text": (sent_by("4711"), "4004 2007 OK"),
    "submit/sender/two": (sent_by("<Number>+4670</Number><ShortCode>4711</ShortCode>"), "4004 2007 2002"),
}


def expiring(when: str) -> Post:
    """A submit with this ExpiryDate."""
    return case(f"<ExpiryDate>{when}</ExpiryDate>")


def due(when: str) -> Post:
    """A submit with this EarliestDeliveryTime."""
    return case(f"<EarliestDeliveryTime>{when}</EarliestDeliveryTime>")


OPTIONS: dict[str, tuple[Post, str]] = {
    "submit/expiry/relative": (expiring("PT1H"), "OK"),
    "submit/expiry/absolute": (expiring(moment(hours=1)), "OK"),
    "submit/expiry/no-zone": (expiring(moment(hours=1)[:19]), "ANY"),
    "submit/expiry/past": (expiring(moment(hours=-1)), "OK 2007 4004 2000"),
    "submit/expiry/negative": (expiring("-PT60S"), "OK 2007 4004"),
    "submit/expiry/far": (expiring("9038-01-01T00:00:00Z"), "OK 2007 4004"),
    "submit/expiry/far/duration": (expiring("P999999999Y"), "OK 2007 4004"),
    "submit/expiry/months": (expiring("P1M2DT3H"), "OK"),
    "submit/expiry/date-only": (expiring("2030-01-01"), "4004 2007"),
    "submit/expiry/garbage/number": (expiring("20"), "4004 2007"),
    "submit/expiry/garbage/word": (expiring("tomorrow"), "4004 2007"),
    "submit/expiry/before-earliest": (
        case("<EarliestDeliveryTime>PT2H</EarliestDeliveryTime><ExpiryDate>PT1H</ExpiryDate>"),
        "ANY",
    ),
    "submit/earliest/relative": (due("PT60S"), "OK"),
    "submit/earliest/absolute": (due(moment(minutes=1)), "OK"),
    "submit/earliest/past": (due(moment(minutes=-2)), "OK"),
    "submit/earliest/far": (due("9038-01-01T00:00:00Z"), "OK 2007 3002"),
    "submit/timestamp/future": (case(f"<TimeStamp>{moment(days=1)}</TimeStamp>"), "ANY"),
    "submit/timestamp/duration": (case("<TimeStamp>PT1H</TimeStamp>"), "4004 2007"),
    "submit/boolean/digits": (case("<DeliveryReport>1</DeliveryReport><ReadReply>0</ReadReply>"), "OK"),
    "submit/boolean/capital": (
        case("<DeliveryReport>True</DeliveryReport><ReadReply>False</ReadReply>"),
        "OK 4004 2007",
    ),
    **{f"submit/priority/each/{one}": (case(f"<Priority>{one}</Priority>"), "OK") for one in ("Normal", "High", "Low")},
    "submit/priority/illegal": (case("<Priority>Urgent</Priority>"), "4004 2007"),
    **{
        f"submit/class/each/{one}": (case(f"<MessageClass>{one}</MessageClass>"), "OK")
        for one in ("Personal", "Informational", "Advertisement", "Auto")
    },
    "submit/class/empty": (case("<MessageClass/>"), "OK"),
    "submit/class/illegal": (case("<MessageClass>Spam</MessageClass>"), "4004 2007"),
    "submit/subject/long": (case(SUBJECT.format("s" * 4000)), "OK 2007 4004"),
    "submit/subject/newline": (case(SUBJECT.format("one\ntwo")), "ANY"),
    "submit/reply-charging": (
        case('<ReplyCharging replyChargingSize="1000" replyDeadline="P1D"/>'),
        "OK 2001 3001 4007",
    ),
    "submit/reply-charging/text": (case("<ReplyCharging>\n </ReplyCharging>"), "ANY"),
    **{
        f"submit/charged-party/each/{one}": (case(f"<ChargedParty>{one}</ChargedParty>"), "OK 2001 4007")
        for one in ("Sender", "Recipient", "Both", "Neither")
    },
    "submit/charged-party/each/ThirdParty": (
        release_6("<ChargedParty>ThirdParty</ChargedParty><ChargedPartyID>+46705</ChargedPartyID>"),
        "OK 2001 4007",
    ),
    "submit/distribution-indicator/true": (case("<DistributionIndicator>true</DistributionIndicator>"), "OK"),
    "submit/distribution-indicator/false": (case("<DistributionIndicator>false</DistributionIndicator>"), "OK"),
    "submit/distribution-indicator/protection": (
        case("<DistributionProtection>true</DistributionProtection>", schema=OLD[0], to=TO.replace("+", "")),
        "OK",
    ),
    "submit/service-code": (case('<ServiceCode x:a="1" xmlns:x="urn:x">gold</ServiceCode>'), "OK"),
    "submit/linked-id/unknown": (case("<LinkedID>never-issued</LinkedID>"), "OK 2006"),
    "submit/allow-adaptations/false": (
        case(last='<Content href="cid:note@kiosk.example" allowAdaptations="false"/>'),
        "OK",
    ),
    "submit/rel6/applic-id": (
        release_6("<ApplicID>a</ApplicID><ReplyApplicID>b</ReplyApplicID><AuxApplicInfo>c</AuxApplicInfo>"),
        "OK 2008 2009 3004 4008",
    ),
    "submit/rel6/content-class": (release_6("<ContentClass>text</ContentClass><DRMContent>true</DRMContent>"), "OK"),
    "submit/rel6/delivery-condition": (release_6("<DeliveryCondition><DC>1</DC></DeliveryCondition>"), "OK"),
    "submit/order": (case(last=env.content() + "<DeliveryReport>true</DeliveryReport>"), "4004 2007 OK"),
    "submit/element-twice": (case(SUBJECT.format("a") + SUBJECT.format("b")), "4004 2007"),
    "submit/element-unknown": (case("<Colour>red</Colour>"), "4004 2007 OK"),
    "submit/element-case": (case("<LinkedId>l-1</LinkedId>"), "4004 2007 OK"),
}


def text(octets: bytes, charset: str) -> Post:
    """A submit with a text in this charset."""
    head = f"Content-Type: text/plain; charset={charset}\r\nContent-ID: <note@kiosk.example>\r\n\r\n"
    return carrying(head.encode() + octets)


def labelled(head: str, octets: bytes = b"octets") -> Post:
    """A submit with a part under these header lines."""
    return carrying(f"{head}\r\nContent-ID: <note@kiosk.example>\r\n\r\n".encode() + octets)


EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
STARTING = '; type="application/smil"; start="<p@kiosk.example>"'
CONTENT: dict[str, tuple[Post, str]] = {
    "content/none": (case(last="", parts=None), "OK 2004 4004 2000"),
    "content/single-part": (OK, "OK"),
    "content/related-smil": (carrying(inner("related", SMIL_PART, GIF_PART, TEXT_PART, more=STARTING)), "OK"),
    "content/mixed": (carrying(inner("mixed", GIF_PART, TEXT_PART)), "OK"),
    "content/alternative": (carrying(inner("alternative", TEXT_PART, GIF_PART)), "OK 2004"),
    "content/smil-dangling": (carrying(inner("related", SMIL_PART, TEXT_PART, more=STARTING)), "OK 2004 2007"),
    "content/text-utf8": (text("Łódź ☃".encode(), "utf-8"), "OK"),
    "content/text-utf16": (text("Łódź ☃".encode("utf-16"), "utf-16"), "OK"),
    "content/text-latin1": (text("Århus".encode("latin-1"), "iso-8859-1"), "OK"),
    "content/qp": (
        labelled(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable", b"K=C3=B8ge=\r\n!"
        ),
        "OK",
    ),
    "content/binary": (carrying(GIF_PART, href="cid:map@kiosk.example"), "OK"),
    "content/base64-broken": (
        labelled("Content-Type: image/gif\r\nContent-Transfer-Encoding: base64", b"R0lG*&ODd"),
        "2004 2007 OK",
    ),
    "content/type-refused": (
        labelled("Content-Type: application/vnd.symbian.install").but(
            root=submit(who=WHO.replace("Kiosk", "Ferry")), auth=f"Authorization: Basic {OTHER}"
        ),
        "2004 3002 2001",
    ),
    "content/virus": (labelled("Content-Type: application/octet-stream", EICAR), "2004 OK"),
    "content/empty-part": (labelled("Content-Type: text/plain", b""), "OK 2004"),
    "content/type-missing": (carrying("Content-ID: <note@kiosk.example>\r\n\r\nHigh water"), "OK 2004 2007"),
    "content/filename-non-ascii/raw": (labelled('Content-Type: image/gif; name="bådar.gif"', GIF), "ANY"),
    "content/filename-non-ascii/rfc2231": (labelled("Content-Type: image/gif; name*=utf-8''b%C3%A5d.gif", GIF), "ANY"),
    "content/big/300k": (labelled("Content-Type: image/gif", GIF + bytes(300_000)), "OK"),
    "content/big/1m": (labelled("Content-Type: image/gif", GIF + bytes(1_000_000)), "H413 2004"),
}
WRONG: dict[str, tuple[Post, str]] = {
    "cancel/unknown-id": (
        Post(root=change("CancelReq", "<MessageID>no-such</MessageID>"), parts=None, operation="Cancel"),
        "2005",
    ),
    "cancel/no-id": (Post(root=change("CancelReq", ""), parts=None, operation="Cancel"), "4004 2005"),
    "replace/unknown-id": (
        Post(root=change("ReplaceReq", f"<MessageID>no-such</MessageID>{env.content()}"), operation="Replace"),
        "2005",
    ),
}
CASES = {**HTTP, **AUTH, **MIME, **SOAP, **NAMES, **ADDRESSES, **OPTIONS, **CONTENT, **WRONG}
