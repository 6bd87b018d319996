"""Further examples for the MIME package: other ways to the findings that ``package`` and its neighbours show."""

from __future__ import annotations

from mm7zeep.vectors.building import (
    ALL,
    FILE,
    HREF,
    MAP,
    NOTE,
    ONE,
    SEVEN,
    SHOW,
    SLIDES,
    bend,
    bent,
    every,
    nested,
    packed,
    slides,
    submit,
    twins,
)
from mm7zeep.vectors.envelopes import content

CASES = (
    *(
        bend("mime/type-syntax", ONE, "text/plain; charset=utf-8", kind)
        for kind in (
            "text / plain; charset=utf-8",
            "text",
            "text/plain; charset=utf-8; type=a/b",
            "text/plain; charset=utf-8; tide",
            "text/plain; charset=utf-8; charset=utf-8",
            "text/plain; charset=utf-8; tide=",
            'text/plain; charset="utf-8',
            "text/plain; charset=utf-8; tide*=klingon''x",
            "text/plain;\r\ncharset=utf-8",
        )
    ),
    twins(
        "mime/type-syntax",
        bent(ONE, b"text/plain; charset=utf-8", b"text/plain;\r\ncharset=utf-8"),
        bent(ONE, b"text/plain; charset=utf-8", b"text/plain;\r\n charset=utf-8"),
        "charset= in column 0",
    ),
    bend("mime/parameter-trailing", packed(submit(HREF), SEVEN), "7bit", "7bit;"),
    bend("mime/part-header-syntax", ONE, "Content-ID: <note", "Content-ID : <note"),
    bend("mime/cte-7bit-true", packed(submit(HREF), SEVEN), "High", "High\0", shown="NUL"),
    bend("mime/cte-7bit-true", packed(submit(HREF), SEVEN), "High", "High" * 300, shown="a line of 1200 octets"),
    twins(
        "mime/cte-composite",
        bent(SHOW, b"Content-ID: <all", b"Content-Transfer-Encoding: base64\r\nContent-ID: <all"),
        bent(SHOW, b"Content-ID: <all", b"Content-Transfer-Encoding: 8bit\r\nContent-ID: <all"),
        "Content-Transfer-Encoding: base64 of a multipart",
    ),
    bend("mime/text-bare-cr", ONE, "06:12", "06:12\r", shown="CR at the end"),
    bend(
        "mime/part-content-type",
        packed(submit(content("cid:map@kiosk.example")), MAP),
        "Content-Type: image/gif\r\n",
        "",
    ),
    twins(
        "mime/vendor-type",
        bent(ONE, b"text/plain", b"text/x-kiosk"),
        packed(
            submit(content("cid:map@kiosk.example")),
            MAP.replace(b"image/gif", b"application/x-pdf").replace(b"GIF89a", b"%PDF-"),
        ),
        "text/x-kiosk",
    ),
    twins(
        "mime/name-conflict",
        bent(FILE, b'filename="tide.txt"', b'filename="ebb.txt"'),
        bent(FILE, b'filename="tide.txt"', b'size=16; filename="tide.txt"'),
        "name=tide.txt, filename=ebb.txt",
    ),
    twins(
        "mime/related-type-root",
        packed(ALL, nested(NOTE, slides(*SLIDES), MAP, kind='type="application/smil"')),
        SHOW,
        'type="application/smil", the root is text/plain',
    ),
    twins(
        "mime/related-start-resolves",
        packed(ALL, nested(NOTE, slides(*SLIDES), MAP, kind='type="text/plain"; start="<shaw@kiosk.example>"')),
        SHOW,
        'start="<shaw@...>"',
    ),
    twins(
        "sem/smil-root",
        packed(ALL, nested(NOTE, slides(*SLIDES), MAP, kind='type="text/plain"')),
        packed(ALL, nested(NOTE, slides(*SLIDES), MAP)),
        "the root of the content is text/plain",
    ),
    twins(
        "sem/smil-reference-form",
        bent(SHOW, b'src="cid:map@', b'src="map@'),
        bent(bent(SHOW, b'src="cid:map@', b'src="map@'), b"image/gif", b'image/gif; name="map@kiosk.example"'),
        'src="map@kiosk.example"',
    ),
    bend("sem/part-without-content", SHOW, content("cid:all@kiosk.example"), ""),
    twins(
        "xml/well-formed",
        bent(packed(submit(HREF), NOTE.replace("plain", "x-kiosk")), b"<VASPID>", b"<VASPID<"),
        ONE,
        "not well-formed: nothing is asked of the content",
    ),
    bend("mime/outside-text", ONE, "--cut-here--\r\n", "--cut-here--\r\nTides", shown="text after the last part"),
    bend("mime/boundary-present", SHOW, 'boundary="inner"; ', "", "mime/boundary-present"),
    bend("mime/root-charset-alias", ONE, "text/xml; charset=utf-8", "text/xml; charset=latin1"),
    twins(
        "sem/content-href-cid",
        bent(ONE, b'href="cid:note', b'href="note'),
        bent(
            bent(ONE, b'href="cid:note@kiosk.example"', b'href="tide.txt"'),
            b"Content-ID: <note",
            b"Content-Location: tide.txt\r\nContent-ID: <note",
        ),
        'href="note@kiosk.example"',
    ),
    twins(
        "soap/operation-known",
        every(packed(submit(), NOTE), "SubmitReq", "GetTideReq"),
        ONE,
        "GetTideReq with a part",
    ),
    twins(
        "sem/content-without-part",
        packed(submit(HREF)).replace(b"\r\n--cut-here--\r\n", b"\r\n", 1),
        ONE,
        "the end is missing",
        "http/content-length http/truncated mime/boundary-closed sem/content-href-resolves sem/content-without-part",
    ),
    twins(
        "mime/type-syntax",
        bent(ONE, b"text/plain; charset=utf-8", b"text/plain; charset=utf-8; tide*=klingon''x"),
        bent(ONE, b"text/plain; charset=utf-8", b"text/plain; charset=utf-8; tide*=utf-8''x"),
        "tide*=klingon''x",
    ),
)
