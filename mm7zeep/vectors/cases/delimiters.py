"""Examples for delimiters that are wrong or missing, and for what did not come."""

from __future__ import annotations

from mm7zeep.vectors.building import (
    ALL,
    HREF,
    NOTE,
    ONE,
    SHOW,
    Case,
    bend,
    bent,
    nested,
    octets,
    packed,
    slides,
    submit,
    twins,
)

_TWO = packed(submit(HREF), NOTE, NOTE.replace("note@", "more@"))
_SHOW_ONE = packed(ALL, nested(slides("cid:note@kiosk.example"), NOTE))
_EBB = "--ebb\r\nContent-Type: text/plain\r\n\r\nEbb\r\n--ebb\r\nContent-Type: text/plain\r\n\r\nFlow"
_MAIL = "From: tides@kiosk.example\r\nSubject: Tide\r\nContent-Type: text/plain\r\n\r\nEbb"
_PICTURE_MAIL = _MAIL.replace("text/plain", "image/gif")


def _before(text: str) -> bytes:
    """``ONE`` with ``text`` before its first delimiter."""
    return bent(ONE, b"\r\n\r\n--cut-here", octets(f"\r\n\r\n{text}\r\n--cut-here"))


CASES = (
    # delimiters that are wrong, and what may look like them
    twins(
        "mime/boundary-near-miss",
        bent(_SHOW_ONE, b"06:12\r\n--inner--", b"06:12\r\n-inne"),
        bent(_SHOW_ONE, b"06:12\r\n--inner--", b"06:12"),
        "-inne before --cut-here, no --inner--",
        "mime/boundary-closed mime/boundary-near-miss",
        refused=True,
    ),
    bend("mime/boundary-near-miss", ONE, 'boundary="cut-here"', 'boundary="cut-hree"'),
    twins(
        "mime/boundary-used",
        _before(_EBB),
        _before("--ebb\r\nTide at six"),
        "parts of --ebb before --cut-here",
        "mime/boundary-used mime/outside-text",
        refused=True,
    ),
    twins(
        "mime/outside-text", _before("--ebb\r\nTide at six\r\n--ebb\r\nTide at nine"), ONE, "--ebb before --cut-here"
    ),
    twins(
        "mime/boundary-used",
        packed(ALL, nested().partition(b"--inner")[0] + b"High water 06:12"),
        SHOW,
        'boundary="inner", inside it High water 06:12',
        refused=True,
    ),
    twins(
        "mime/delimiter-missing",
        bent(ONE, b"06:12", octets(f"06:12\r\n{_PICTURE_MAIL}")),
        bent(ONE, b"High water 06:12", octets(_PICTURE_MAIL)),
        "Content-Type: image/gif and an empty line inside a part that is no mail",
        refused=True,
    ),
    # what did not come
    twins(
        "http/truncated",
        bent(packed(submit(HREF)), b"\r\n--cut-here--\r\n", b"\r\n"),
        packed(submit(HREF)),
        "no --cut-here--, and no part for the Content",
        "http/truncated mime/boundary-closed sem/content-href-resolves sem/content-without-part",
        refused=True,
    ),
    twins(
        "http/truncated",
        bent(_TWO, b"\r\n--cut-here--\r\n", b"\r\n"),
        bent(ONE, b"\r\n--cut-here--\r\n", b"\r\n"),
        "no --cut-here--, and the Content names a part before the last one",
        "http/truncated mime/boundary-closed mime/unreferenced-part sem/smil-missing",
        refused=True,
    ),
    twins(
        "http/truncated",
        bent(packed(ALL, nested()), b"--inner--\r\n\r\n--cut-here--\r\n", b"--inner\r\n"),
        SHOW,
        "the end is --inner",
        "http/truncated mime/boundary-closed mime/boundary-closed mime/related-start-resolves sem/content-without-part",
        refused=True,
    ),
    # what a sender is told of its own message
    Case(id="mime/empty-part", bad=bent(SHOW, b"High water 06:12", b""), good=SHOW, shown="no octet", seen_by="sender"),
)
