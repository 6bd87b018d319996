"""The same message in the many forms that the texts allow: encodings, XML spellings, HTTP framings.

All are right. A reader that takes the usual form only refuses them.
"""

from __future__ import annotations

from collections.abc import Iterator

from mm7zeep.vectors.building import (
    NOTE,
    SUBMIT,
    SUBMITTED,
    bent,
    every,
    field,
    octets,
    packed,
    post,
    submit,
    without,
)
from mm7zeep.vectors.operations import Made

_ALL = bytes(range(256))
_SOAP_HEAD = b"Content-Type: text/xml; charset=utf-8\r\nContent-ID: <soap@kiosk.example>\r\n\r\n"
_TIDE = submit("<Subject>Högt vatten</Subject>")
_LATIN = '<?xml version="1.0" encoding="iso-8859-1"?>' + _TIDE
_WIDE = '<?xml version="1.0" encoding="UTF-16"?>' + _TIDE


def forms() -> Iterator[Made]:
    """Every form of the envelope, then of the HTTP message around it."""
    yield from _of_xml()
    yield from _of_http()


def _of_xml() -> Iterator[Made]:
    yield from _of_encodings()
    yield from _of_texts()
    yield from _of_markup()
    yield from _of_types()
    yield from _of_headers()
    yield from _of_lists_and_attributes()


def _of_encodings() -> Iterator[Made]:
    """The encodings of XML, declared and labelled."""
    yield Made("xml/utf-8-bom", "UTF-8 with a byte order mark", post(b"\xef\xbb\xbf" + octets(_TIDE)))
    yield Made(
        "xml/iso-8859-1",
        "ISO-8859-1, declared and labelled",
        post(_LATIN.encode("latin-1"), "text/xml; charset=iso-8859-1"),
    )
    yield Made(
        "xml/utf-16-be",
        "UTF-16, big end first",
        post(b"\xfe\xff" + _WIDE.encode("utf-16-be"), "text/xml; charset=utf-16"),
    )
    yield Made(
        "xml/utf-16-le",
        "UTF-16, little end first",
        post(b"\xff\xfe" + _WIDE.encode("utf-16-le"), "text/xml; charset=utf-16"),
    )
    yield Made(
        "xml/us-ascii-references",
        "us-ascii with character references",
        post(_TIDE.replace("ö", "&#xF6;"), "text/xml; charset=us-ascii"),
    )
    yield Made(
        "xml/declaration-in-apostrophes",
        "an XML declaration in apostrophes",
        post("<?xml version='1.0' encoding='utf-8' standalone='yes'?>" + _TIDE),
    )


def _of_texts() -> Iterator[Made]:
    """Ways to write a text."""
    yield Made("xml/cdata", "a Subject in CDATA", post(submit("<Subject><![CDATA[High & <low>]]></Subject>")))
    yield Made("xml/entities", "the five entities of XML", post(submit("<Subject>&lt;&amp;&gt;&quot;&apos;</Subject>")))
    yield Made(
        "xml/emoji-reference",
        "a character beyond the first 65,536, as a reference",
        post(submit("<Subject>&#x1F30A;</Subject>")),
    )
    yield Made(
        "xml/emoji", "a character beyond the first 65,536, as such", post(submit("<Subject>\U0001f30a</Subject>"))
    )
    yield Made(
        "xml/comments",
        "comments between the elements, and in a value",
        post(submit("<!-- a --><Subject>High<!-- b --> water</Subject>")),
    )
    yield Made(
        "xml/blanks-around-subject", "blanks that belong to the value", post(submit("<Subject>  High water </Subject>"))
    )
    yield Made("xml/empty-subject", "an element without text", post(submit("<Subject/>")))


def _of_markup() -> Iterator[Made]:
    """Blanks, comments and namespaces around the elements."""
    yield Made("xml/indented", "an indented envelope", post(_TIDE.replace("><", ">\n  <")))
    yield Made("xml/comment-before-envelope", "a comment before the envelope", post("<!-- tide -->" + _TIDE))
    yield Made("xml/prefixed-elements", "a prefix for the MM7 elements", post(_prefixed(_TIDE)))
    yield Made("xml/default-soap-namespace", "SOAP in the default namespace", post(_default_soap(_TIDE)))
    yield Made("xml/unused-namespaces", "namespaces that nothing uses", _NAMESPACES)


def _of_types() -> Iterator[Made]:
    """Ways to write a value of a type of XML Schema."""
    yield Made(
        "xml/boolean-digits",
        "1 and 0 for true and false",
        post(submit("<DeliveryReport>1</DeliveryReport><ReadReply>0</ReadReply>")),
    )
    yield Made(
        "xml/date-with-offset",
        "a time with an offset and a fraction",
        post(submit("<TimeStamp>2026-03-01T12:00:00.250+05:30</TimeStamp>")),
    )
    yield Made(
        "xml/duration-all-fields",
        "a duration with all its fields",
        post(submit("<ExpiryDate>P0Y0M1DT2H3M4.5S</ExpiryDate>")),
    )


def _of_headers() -> Iterator[Made]:
    """The header of the envelope: blocks of others, and TransactionIDs."""
    yield Made(
        "xml/foreign-header",
        "a header block of somebody else that need not be understood",
        post(_TIDE.replace("</env:Header>", '<k:Pier xmlns:k="urn:k" env:mustUnderstand="0">3</k:Pier></env:Header>')),
    )
    yield Made(
        "xml/foreign-header-first",
        "a header block of somebody else before the TransactionID",
        post(
            _TIDE.replace(
                "<env:Header>", '<env:Header><k:Pier xmlns:k="urn:k"><TransactionID>other</TransactionID></k:Pier>'
            )
        ),
    )
    yield Made(
        "xml/transaction-id-markup",
        "a TransactionID with characters that XML escapes",
        every(SUBMIT, ">t-1<", '>a&amp;b&lt;c&gt; "d"<'),
    )
    yield Made(
        "xml/transaction-id-long", "a TransactionID of 300 characters", every(SUBMIT, ">t-1<", f">{'0123456789' * 30}<")
    )


def _of_lists_and_attributes() -> Iterator[Made]:
    """Recipients, children in another order, attributes."""
    yield Made("xml/recipients-many", "100 recipients in three lists", post(submit(to=_crowd())))
    yield Made("xml/recipients-lists-mixed", "Bcc before To, and To twice", post(submit(to=_MIXED)))
    yield Made("xml/status-any-order", "the children of Status in another order", _other_order())
    yield Made(
        "xml/attributes-in-apostrophes",
        "attributes in apostrophes",
        packed(submit("<Content allowAdaptations='false' href='cid:note@kiosk.example'/>"), NOTE),
    )


_MIXED = (
    "<Recipients><Bcc><Number>+1</Number></Bcc><To><Number>+2</Number></To>"
    "<To><ShortCode>77</ShortCode></To></Recipients>"
)
_NAMESPACES = post(
    _TIDE.replace(
        "<env:Envelope",
        '<env:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"',
    )
)


def _other_order() -> bytes:
    """A SubmitRsp with StatusText before StatusCode."""
    return bent(
        SUBMITTED,
        b"<StatusCode>1000</StatusCode><StatusText>Success</StatusText>",
        b"<StatusText>Success</StatusText><StatusCode>1000</StatusCode>",
    )


def _crowd() -> str:
    lists = {"To": range(60), "Cc": range(60, 90), "Bcc": range(90, 100)}
    held = "".join(
        f"<{name}>{''.join(f'<Number>+46700001{n:03}</Number>' for n in which)}</{name}>"
        for name, which in lists.items()
    )
    return f"<Recipients>{held}</Recipients>"


def _prefixed(text: str) -> str:
    start = text.index("<SubmitReq")
    head, body, tail = text[:start], *text[start:].partition("</SubmitReq>")[::2]
    body = (body + "</SubmitReq>").replace("xmlns=", "xmlns:mm7=")
    for name in (
        "SubmitReq",
        "MM7Version",
        "SenderIdentification",
        "VASPID",
        "VASID",
        "Recipients",
        "To",
        "Number",
        "Subject",
    ):
        body = (
            body.replace(f"<{name}>", f"<mm7:{name}>")
            .replace(f"</{name}>", f"</mm7:{name}>")
            .replace(f"<{name} ", f"<mm7:{name} ")
        )
    return head + body + tail


def _default_soap(text: str) -> str:
    return (
        text.replace("<env:", "<")
        .replace("</env:", "</")
        .replace("xmlns:env=", 'xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns=', 1)
    )


def _of_http() -> Iterator[Made]:
    body = octets(_TIDE)
    head = without(post(_TIDE), "Content-Length").partition(b"\r\n\r\n")[0] + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = b"".join(
        b"%X;tide=low\r\n%s\r\n" % (len(body[at : at + 100]), body[at : at + 100]) for at in range(0, len(body), 100)
    )
    yield Made("http/chunked", "chunks with an extension, sizes in capitals", head + pieces + b"0\r\n\r\n")
    yield Made("http/trailer", "a field after the last chunk", head + pieces + b"0\r\nX-Tide: low\r\n\r\n")
    yield Made(
        "http/field-names-in-capitals",
        "field names in capitals",
        SUBMIT.replace(b"Content-Type:", b"CONTENT-TYPE:").replace(b"Content-Length:", b"content-length:"),
    )
    yield Made(
        "http/no-blank-after-colon",
        "no blank after the colon",
        SUBMIT.replace(b"Host: ", b"Host:").replace(b"Content-Type: ", b"Content-Type:\t"),
    )
    yield Made("http/charset-unquoted", "charset without quotes", bent(SUBMIT, b'charset="utf-8"', b"charset=UTF-8"))
    yield Made(
        "http/absolute-target",
        "a request target in absolute form",
        bent(SUBMIT, b" /mm7 ", b" https://mmsc.example/mm7?a=b "),
    )
    yield Made("http/one-dot-nought", "HTTP/1.0", bent(SUBMIT, b"HTTP/1.1", b"HTTP/1.0"))
    yield Made(
        "http/many-fields",
        "fields of proxies",
        field(field(SUBMIT, "Via: 1.1 pier"), "X-Forwarded-For: 192.0.2.7, 198.51.100.9"),
    )
    yield Made("http/no-reason", "a status line without reason", _without_reason())


def _without_reason() -> bytes:
    """A SubmitRsp whose status line ends with the blank."""
    return bent(SUBMITTED, b"200 Reason", b"200 ")
