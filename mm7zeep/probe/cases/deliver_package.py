"""Role vasp: how MM7_deliver may come: HTTP, MIME and SOAP forms that a VASP has to take (catalogue, suite B)."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

from mm7zeep.messages import Part
from mm7zeep.probe.accept import OK, REF, H
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.cases.families import taken
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.making import text_part
from mm7zeep.probe.stimulus import ROOT_ID, Piece, Stimulus, nested, package, piece, request_line

GIF = b"GIF89a\r\n--cut\r\n--\r\n\x00\xff\r\n\r\n--\r\n--here--\r\n;"
SMIL = '<smil><body><par><img src="cid:picture@mm7zeep"/><text src="cid:text@mm7zeep"/></par></body></smil>'
SPECIALS = "'()+_,-./:=?" + "x" * 58
"""70 characters, all kinds that RFC 2046 5.1.1 allows but the blank."""


def text_piece(mark: str) -> Piece:
    """A text named text@mm7zeep."""
    return piece(f"High water at nine: {mark}", "text/plain; charset=utf-8", ("Content-ID", "<text@mm7zeep>"))


def picture(mark: str) -> bytes:
    """A picture that is of this message alone."""
    return GIF + mark.encode()


def picture_piece(mark: str) -> Piece:
    """That picture, named picture@mm7zeep, in binary."""
    names = (("Content-ID", "<picture@mm7zeep>"), ("Content-Transfer-Encoding", "binary"))
    return piece(picture(mark), "image/gif", *names)


def presented(lab: Lab, made: Stimulus, subtype: str = "related", boundary: str = "mm7zeep-inner") -> Stimulus:
    """With a text and a picture in an inner multipart; with a presentation where that is related."""
    inner = [text_piece(made.mark), picture_piece(made.mark)]
    parameters = ""
    if subtype == "related":
        inner.insert(0, piece(SMIL, "application/smil; charset=utf-8", ("Content-ID", "<smil@mm7zeep>")))
        parameters = '; type="application/smil"; start="<smil@mm7zeep>"'
    content = nested(inner, subtype, "content@mm7zeep", boundary, parameters)
    return made.carrying(content, href="cid:content@mm7zeep").arriving(text_piece(made.mark).body, picture(made.mark))


def _root_last(lab: Lab) -> Stimulus:
    made = lab.deliver()
    envelope = Piece(head=made.root_head, body=made.root())
    return made.with_body(package((*(made.pieces or ()), envelope), made.boundary))


def _base64(lab: Lab) -> Stimulus:
    made = lab.deliver()
    text, picture = text_piece(made.mark).body, bytes(range(256)) * 8
    inner = [
        Piece(
            head=(
                ("Content-Type", kind),
                ("Content-ID", f"<{name}@mm7zeep>"),
                ("Content-Transfer-Encoding", "base64"),
                ("Content-Disposition", f'Attachment; filename="{file}"'),
            ),
            body=base64.encodebytes(octets).replace(b"\n", b"\r\n").strip(),
        )
        for name, kind, file, octets in (
            ("text", 'text/plain; charset=utf-8; name="a.txt"', "a.txt", text),
            ("picture", 'image/gif; name="b.gif"', "b.gif", picture),
        )
    ]
    content = nested(inner, "mixed", "content@mm7zeep")
    return made.carrying(content, href="cid:content@mm7zeep").arriving(text, picture)


FORMS = (
    taken("deliver/basic", "MUST", "8.7.2", "A message with one text part is accepted.", lambda lab: lab.deliver()),
    taken(
        "deliver/multipart-smil",
        "MUST",
        "8.7.2; SwA",
        "A presentation with its parts in a multipart/related is accepted.",
        lambda lab: presented(lab, lab.deliver()),
    ),
    taken(
        "deliver/multipart-mixed",
        "SHOULD",
        "8.7.2",
        "Parts in a multipart/mixed without presentation are accepted.",
        lambda lab: presented(lab, lab.deliver(), "mixed"),
    ),
    taken(
        "deliver/base64-parts",
        "MUST",
        "RFC 2045 6.8",
        "Parts in base64, as attachments with names, arrive decoded.",
        _base64,
    ),
    taken(
        "deliver/binary-parts",
        "SHOULD",
        "RFC 2045 6.2",
        "A binary part arrives octet by octet.",
        lambda lab: lab.deliver(parts=[Part(body=GIF + lab.word().encode(), content_type="image/gif")]),
    ),
    taken(
        "deliver/root-last",
        "MUST",
        "RFC 2387 3.2",
        "The envelope is found by start where it is the last part.",
        _root_last,
    ),
    taken(
        "deliver/start-missing",
        "MUST",
        "RFC 2387 3.2",
        "Without start, the first part is the envelope.",
        lambda lab: lab.deliver().labelled('multipart/related; boundary="mm7zeep-probe"; type="text/xml"'),
    ),
    taken(
        "deliver/type-bare",
        "SHOULD",
        "RFC 2045 5.1 forbids it, practice",
        "type=text/xml without quotes is understood.",
        lambda lab: lab.deliver().labelled(
            f'multipart/related; boundary="mm7zeep-probe"; type=text/xml; start="<{ROOT_ID}>"'
        ),
    ),
    taken(
        "deliver/boundary-specials",
        "MUST",
        "RFC 2046 5.1.1",
        "A boundary of 70 characters of all kinds is understood.",
        lambda lab: replace(lab.deliver(), boundary=SPECIALS),
    ),
    taken(
        "deliver/version-10",
        "SHOULD",
        "RFC 9112 2.5",
        "A request of HTTP/1.0 without Host is served.",
        lambda lab: replace(lab.deliver(), line=request_line(lab.place, version="1.0"), host=""),
    ),
    taken(
        "deliver/prefix-free",
        "MUST",
        "Namespaces in XML 1.0",
        "Prefixes are the sender's choice: MM7 with one, SOAP without.",
        lambda lab: prefixed(lab.deliver()),
    ),
    taken(
        "content/namespace-foreign",
        "SHOULD",
        "Namespaces in XML 1.0 2.2",
        "An unused namespace declaration that is no URI does no harm.",
        lambda lab: lab.deliver().edit("<DeliverReq ", '<DeliverReq xmlns:x="my own name" '),
    ),
)


def prefixed(made: Stimulus) -> Stimulus:
    """With MM7's elements under a prefix and SOAP's as the default."""
    found = made.envelope.replace("soap-env:Envelope xmlns:soap-env", "Envelope xmlns:soap-env")
    found = found.replace("<Envelope ", '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" ')
    head, _, rest = found.partition("<soap-env:Header>")
    header, _, body = rest.partition("</soap-env:Header><soap-env:Body>")
    body, _, end = body.rpartition("</soap-env:Body></soap-env:Envelope>")
    mm7 = f'xmlns:m="{made.namespace}"'
    inside = [_with_prefix(one, made.namespace or "") for one in (header, body)]
    head = head.replace("<Envelope ", f"<Envelope {mm7} ")
    return replace(made, envelope=f"{head}<Header>{inside[0]}</Header><Body>{inside[1]}</Body></Envelope>{end}")


def _with_prefix(xml: str, namespace: str) -> str:
    return re.sub(r"<(/?)([A-Za-z])", r"<\1m:\2", xml.replace(f' xmlns="{namespace}"', ""))


# --- connections ------------------------------------------------------------------------------------------------------


@case("deliver/chunked", "MUST", "RFC 9112 7.1", "A chunked request is read whole, wherever it is cut.", role="vasp")
def chunked(lab: Lab) -> None:
    with lab.line() as line:
        lab.expect(line.ask_chunked(presented(lab, lab.deliver()), (1, 7, 300, 13)), OK)


@case("deliver/keep-alive", "SHOULD", "RFC 9112 9.3", "Three messages on one connection are accepted.", role="vasp")
def keep_alive(lab: Lab) -> None:
    with lab.line() as line:
        for turn in range(3):
            said = lab.must(line.ask(lab.deliver()), OK)
            if turn < 2 and said.answer.closes:
                lab.require(False, f"the connection ends after {turn + 1} of 3", level="SHOULD", shown=said)
                return


@case(
    "deliver/expect-continue",
    "SHOULD",
    "RFC 9110 10.1.1",
    "A request with Expect: 100-continue is accepted.",
    role="vasp",
)
def expect_continue(lab: Lab) -> None:
    made = lab.deliver().with_header("Expect", "100-continue")
    with lab.line() as line:
        line.send(made.head(lab.place))
        line.connection.speaks(1.0)  # a client sends its body after a while in any case
        line.send(made.body())
        lab.expect(line.said_to(made), OK)


def _large(octets: int, name: str) -> Case:
    @case(
        f"deliver/large/{name}",
        "SHOULD",
        "8.7.2",
        f"A message of {name} is accepted, or refused for its size.",
        role="vasp",
    )
    def run(lab: Lab) -> None:
        picture = b"GIF89a" + lab.random.randbytes(octets)
        said = lab.ask(lab.deliver(parts=[text_part("A picture"), Part(body=picture, content_type="image/gif")]))
        lab.expect(said, OK, H(413), REF(2004))

    return run


LARGE = (_large(300_000, "300kB"), _large(1_000_000, "1MB"))


@case("deliver/slow", "SHOULD", "practice", "A body that takes ten seconds is waited for.", role="vasp")
def slow(lab: Lab) -> None:
    made = lab.deliver()
    body = made.body()
    step = max(1, len(body) // 20)
    with lab.line() as line:
        line.send(made.head(lab.place))
        line.connection.send_slowly((body[at : at + step] for at in range(0, len(body), step)), 0.45)
        lab.expect(line.said_to(made), OK)


@case("deliver/parallel", "MUST", "8.7.2", "Ten messages at once are accepted, each with its own answer.", role="vasp")
def parallel(lab: Lab) -> None:
    for said in lab.together([lab.deliver() for _ in range(10)]):
        lab.expect(said, OK)


@case("deliver/after-abort", "MUST", "8.7.2", "A message after an aborted request gets its own answer.", role="vasp")
def after_abort(lab: Lab) -> None:
    cut = lab.deliver()
    with lab.line() as line:
        line.send(cut.octets(lab.place)[:-40])
        line.connection.abort()
    lab.expect(lab.ask(lab.deliver()), OK)


@case("deliver/repeat", "SHOULD", "UNSURE", "The same request again, as after a lost answer, is accepted.", role="vasp")
def repeat(lab: Lab) -> None:
    made = lab.deliver()
    lab.must(lab.ask(made), OK)
    lab.expect(lab.ask(made), OK)
