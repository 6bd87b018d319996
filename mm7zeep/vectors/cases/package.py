"""Examples for the MIME package."""

from __future__ import annotations

import quopri

from mm7zeep.vectors.building import (
    ALL,
    FILE,
    HREF,
    MAP,
    NOTE,
    ONE,
    RELATED,
    SEVEN,
    SHOW,
    SLIDES,
    SUBMIT,
    bend,
    bent,
    every,
    nested,
    octets,
    packed,
    parts,
    post,
    slides,
    submit,
    twins,
)
from mm7zeep.vectors.envelopes import content

_PAIR = (NOTE, NOTE.replace("note@", "more@"))
_TWO = packed(submit(HREF), *_PAIR)
_LONG = "c" * 71
_INNER = nested(slides("cid:note@kiosk.example"), NOTE)
_SHOW_ONE = packed(ALL, _INNER)
_TIDE = NOTE.replace("High", "Högt")
_BASE64 = NOTE.partition("\r\n\r\n")[0] + "\r\nContent-Transfer-Encoding: base64\r\n\r\nSGlnaCB3YXRlcg=="
_QUOTED = NOTE.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
_ROOTED = bent(ONE, b"text/xml; charset=utf-8\r\n", b"text/xml; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n")
_SOAP_HEAD = b"Content-Type: text/xml; charset=utf-8\r\nContent-ID: <soap@kiosk.example>\r\n\r\n"
_EQUAL = 'Content-Type: multipart/mixed; boundary="cut-here"\r\nContent-ID: <all@kiosk.example>\r\n\r\n'
_EXTRA = MAP.replace(b"map@", b"extra@")


def _sized(octet_count: int) -> bytes:
    return packed(submit(HREF), NOTE + "." * octet_count)


CASES = (
    # the boundary
    bend("mime/boundary-present", ONE, 'boundary="cut-here"; ', "", "mime/boundary-present"),
    bend("mime/boundary-used", ONE, 'boundary="cut-here"', 'boundary="elsewhere"'),
    twins("mime/boundary-used", post(submit(), RELATED), SUBMIT, 'boundary="cut-here", body <env:Envelope'),
    twins("mime/boundary-closed", bent(ONE, b"--cut-here--", b""), ONE, "no --cut-here--"),
    twins("mime/boundary-syntax", every(ONE, "cut-here", "cut&here"), ONE, 'boundary="cut&here"'),
    bend("mime/boundary-syntax", ONE, 'boundary="cut-here"', 'boundary="--cut-here"'),
    twins(
        "mime/boundary-length",
        every(ONE, "cut-here", _LONG),
        every(ONE, "cut-here", _LONG[1:]),
        "a boundary of 71 characters",
    ),
    twins(
        "mime/boundary-quoted",
        bent(every(ONE, "cut-here", "cut=here"), b'"cut=here"', b"cut=here"),
        ONE,
        "boundary=cut=here",
    ),
    twins(
        "mime/boundary-near-miss",
        bent(ONE, b"06:12", b"06:12\r\n--cut-hre"),
        bent(ONE, b"06:12", b"06:12\r\n--cut off"),
        "--cut-hre inside a part of --cut-here",
        refused=True,
    ),
    twins(
        "mime/boundary-near-miss",
        bent(ONE, b"--cut-here--", b"--cut-here-"),
        ONE,
        "--cut-here- at the end of --cut-here",
    ),
    twins(
        "mime/delimiter-missing",
        bent(ONE, b"06:12", b"06:12\r\nContent-Type: image/gif\r\n\r\nGIF89a"),
        bent(ONE, b"06:12", b"06:12\r\nContent-Type: the kind of it\r\n\r\nGIF89a"),
        "Content-Type: image/gif and an empty line inside a part",
        refused=True,
    ),
    twins(
        "mime/boundary-nested-equal",
        packed(submit(HREF), _EQUAL, NOTE),
        SHOW,
        'boundary="cut-here" in boundary="cut-here"',
    ),
    bend(
        "mime/delimiter-crlf",
        ONE,
        "--cut-here\r\nContent-Type: text/plain",
        "--cut-here\nContent-Type: text/plain",
        shown="LF alone",
    ),
    bend(
        "mime/delimiter-padding",
        ONE,
        "--cut-here\r\nContent-Type: text/plain",
        "--cut-here \r\nContent-Type: text/plain",
        shown="a blank after --cut-here",
    ),
    twins(
        "mime/outside-text",
        bent(ONE, b"\r\n\r\n--cut", b"\r\n\r\nTides inside\r\n--cut"),
        ONE,
        "text before the first part",
    ),
    # related
    bend("mime/related-type", ONE, 'type="text/xml"; ', ""),
    bend("mime/related-type-quoted", ONE, 'type="text/xml"', "type=text/xml"),
    bend("mime/related-type-root", ONE, 'type="text/xml"', 'type="text/plain"'),
    bend("mime/related-start", ONE, '; start="<soap@kiosk.example>"', ""),
    bend("mime/related-start-resolves", ONE, 'start="<soap@', 'start="<soup@'),
    bend("mime/start-brackets", ONE, '"<soap@kiosk.example>"', '"soap@kiosk.example"'),
    bend("mime/related-type-root", SHOW, 'type="application/smil"', 'type="image/gif"'),
    twins("mime/root-first", post(parts(NOTE, _SOAP_HEAD + submit(HREF).encode()), RELATED), ONE, "the SOAP part last"),
    # the SOAP part
    twins(
        "mime/root-is-xml", post(submit(), "application/xml; charset=utf-8"), SUBMIT, "Content-Type: application/xml"
    ),
    twins(
        "mime/root-cte",
        bent(
            bent(_ROOTED, b"8bit", b"quoted-printable"), octets(submit(HREF)), quopri.encodestring(octets(submit(HREF)))
        ),
        _ROOTED,
        shown="Content-Transfer-Encoding: quoted-printable",
    ),
    bend("mime/root-charset-alias", ONE, "text/xml; charset=utf-8", "text/xml; charset=utf8"),
    twins(
        "mime/xop-outer",
        bent(ONE, b'type="text/xml"', b'type="application/xop+xml"'),
        ONE,
        'type="application/xop+xml"',
        "mime/related-type-root mime/xop-outer",
    ),
    # headers of parts
    bend("mime/type-syntax", ONE, "text/plain; charset=utf-8", "text/plain charset=utf-8"),
    bend("mime/parameter-trailing", ONE, "text/plain; charset=utf-8", "text/plain; charset=utf-8;"),
    bend("mime/part-header-syntax", ONE, "\r\n\r\nHigh", "\r\nHigh", shown="no empty line"),
    bend(
        "mime/part-header-syntax",
        ONE,
        "Content-ID: <note",
        "Content-Description: a\x01b\r\nContent-ID: <note",
        shown="a control character",
    ),
    bend("mime/header-line-endings", ONE, "utf-8\r\nContent-ID: <note", "utf-8\nContent-ID: <note", shown="LF alone"),
    bend(
        "mime/duplicate-field",
        ONE,
        "Content-ID: <note",
        "Content-ID: <note@kiosk.example>\r\nContent-ID: <note",
        shown="Content-ID twice",
    ),
    bend(
        "mime/content-id-syntax",
        packed(submit(content("cid:note@kiosk")), NOTE.replace(".example", "")),
        "<note@kiosk>",
        "<note/kiosk>",
        "mime/content-id-syntax sem/content-href-resolves",
    ),
    bend("mime/content-id-brackets", ONE, "<note@kiosk.example>", "note@kiosk.example"),
    bend(
        "mime/content-id-unique",
        packed(submit(content("cid:all@kiosk.example")), nested(slides(*SLIDES), NOTE, MAP)),
        "<map@",
        "<note@",
        "mime/content-id-unique sem/smil-references",
    ),
    bend("mime/part-content-type", ONE, "Content-Type: text/plain; charset=utf-8\r\n", ""),
    bend("mime/cte-known", packed(submit(HREF), SEVEN), "7bit", "bin", shown="Content-Transfer-Encoding: bin"),
    bend(
        "mime/cte-composite",
        SHOW,
        "Content-ID: <all",
        "Content-Transfer-Encoding: base64\r\nContent-ID: <all",
        shown="Content-Transfer-Encoding: base64 of a multipart",
    ),
    bend(
        "mime/cte-decodes",
        packed(submit(HREF), _BASE64.replace("text/plain; charset=utf-8", "application/pdf")),
        "SGlnaCB3YXRlcg==",
        "06:12, 18:40, *!",
        "mime/base64 mime/cte-decodes",
    ),
    bend(
        "mime/base64",
        packed(submit(HREF), _BASE64),
        "SGlnaCB3YXRlcg==",
        "SGlnaCB3YXRlcg",
        shown="base64 without its padding",
    ),
    bend("mime/quoted-printable", packed(submit(HREF), _QUOTED), "High", "=High"),
    bend("mime/cte-7bit-true", packed(submit(HREF), SEVEN), "High", "Högt"),
    bend(
        "mime/transfer-encoding-in-part",
        ONE,
        "Content-ID: <note",
        "Transfer-Encoding: chunked\r\nContent-ID: <note",
        shown="Transfer-Encoding: chunked in a part",
    ),
    bend("mime/limit", ONE, 'boundary="cut-here"', f'boundary="{_LONG * 4}"', shown="a boundary of 284 characters"),
    # texts
    bend(
        "mime/text-charset",
        packed(submit(HREF), _TIDE),
        "; charset=utf-8\r\nContent-ID: <note",
        "\r\nContent-ID: <note",
        shown="Högt without charset",
    ),
    bend("mime/text-charset", ONE, "charset=utf-8\r\nContent-ID: <note", "charset=*\r\nContent-ID: <note"),
    twins(
        "mime/text-charset",
        packed(submit(HREF), NOTE.replace("; charset=utf-8", "").replace("High water 06:12", "H\0i\0g\0h\0")),
        packed(submit(HREF), NOTE.replace("; charset=utf-8", "")),
        "UTF-16 without charset",
    ),
    bend(
        "mime/text-charset-decodes",
        packed(submit(HREF), _TIDE),
        "plain; charset=utf-8",
        "plain; charset=us-ascii",
        shown="Högt in us-ascii",
    ),
    bend("mime/charset-alias", ONE, "plain; charset=utf-8", "plain; charset=utf8"),
    twins("mime/charset-alias", post(submit(), "text/xml; charset=latin1"), SUBMIT, "text/xml; charset=latin1"),
    bend("mime/text-bare-cr", ONE, "High water", "High\rwater", shown="CR alone"),
    # names
    bend(
        "mime/name-conflict",
        FILE,
        'filename="tide.txt"',
        'filename="ebb.txt"',
        shown="name=tide.txt, filename=ebb.txt",
    ),
    *(
        bend("mime/disposition-syntax", FILE, 'attachment; filename="tide.txt"', broken, shown=broken)
        for broken in (
            'attachment; filename="tide.txt".',
            'attachment filename="tide.txt"',
            'attachment;; filename="tide.txt"',
            "attachment; filename=tide.txt; filename=ebb.txt",
            '; filename="tide.txt"',
            'filename="tide.txt"',
            'attachment; filename="tide.txt";',
        )
    ),
    bend("mime/filename-encoding", FILE, "tide.txt", "högt.txt", "mime/filename-encoding mime/name-conflict"),
    bend("mime/disposition-path", ONE, "plain; charset=utf-8", 'plain; charset=utf-8; name="../tide.txt"'),
    twins(
        "mime/disposition-path", every(FILE, 'name="tide', 'name="C:\\\\\\\\tide'), FILE, 'filename="C:\\\\tide.txt"'
    ),
    # content
    twins(
        "mime/media-type-content",
        packed(submit(content("cid:map@kiosk.example")), MAP.replace(b"/gif", b"/png")),
        packed(submit(content("cid:map@kiosk.example")), MAP),
        "image/png that begins with GIF89a",
    ),
    twins(
        "mime/content-location-unique",
        packed(submit(HREF), *(one.replace("Content-ID", "Content-Location: tide.txt\r\nContent-ID") for one in _PAIR)),
        _TWO,
        "two parts with Content-Location: tide.txt",
        "mime/content-location-unique mime/unreferenced-part sem/smil-missing",
    ),
    bend("mime/vendor-type", ONE, "text/plain", "text/x-kiosk"),
    bend("mime/empty-part", ONE, "High water 06:12", "", shown="no octet"),
    twins("mime/unreferenced-part", packed(ALL, _INNER, _EXTRA), _SHOW_ONE, "a GIF that nothing refers to"),
    twins(
        "mime/unreferenced-part",
        packed(ALL, _INNER, _EXTRA),
        packed(ALL, nested(slides("cid:note@kiosk.example", "cid:extra@kiosk.example"), NOTE), _EXTRA),
        "a GIF that nothing refers to",
    ),
    twins("mime/total-size", _sized(601 * 1024), _sized(599 * 1024), "601 KB"),
    # the presentation
    twins(
        "sem/smil-missing",
        packed(ALL, nested(NOTE, MAP, kind='type="text/plain"; start="<note@kiosk.example>"')),
        SHOW,
        "text/plain and image/gif alone",
    ),
    twins("sem/smil-well-formed", bent(SHOW, b"</par></body>", b"</body>"), SHOW, "<par> without end"),
    twins(
        "sem/smil-root",
        packed(ALL, nested(NOTE, slides(*SLIDES), MAP, kind='type="text/plain"')),
        packed(ALL, nested(slides(*SLIDES), NOTE, MAP, kind='type="application/smil"')),
        "the root of the content is text/plain",
    ),
    bend("sem/smil-references", SHOW, 'src="cid:map@', 'src="cid:mop@'),
    bend("sem/smil-references", SHOW, 'src="cid:map@', 'src="cid:MAP@'),
    bend("sem/smil-references", SHOW, "Content-ID: <map@", "Content-ID: <%6Dap@"),
    bend("sem/smil-reference-form", SHOW, 'src="cid:map@', 'src="map@'),
    twins(
        "sem/smil-unused-part",
        packed(ALL, nested(slides("cid:note@kiosk.example"), NOTE, MAP)),
        SHOW,
        "an image that no slide shows",
    ),
)
