"""Answers that are no MM7: judged by their HTTP status, their text repeated; every status with every kind of page."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from click.testing import CliRunner
from far_side import CLOSE, Answer, FarSide, echoing, http, proper, saying

from mm7zeep.cli import main
from mm7zeep.client import AsyncVaspClient, Retry, Submitted, VaspClient
from mm7zeep.errors import AuthError, Mm7Error, StatusError, TransportError
from mm7zeep.messages import Fault, RSErrorRsp, Status, SubmitRsp
from mm7zeep.transport import pages, statuses

pytestmark = pytest.mark.once

STYLES = pytest.mark.parametrize("style", ["sync", "async"])


def submit(style: str, url: str, waits: list[float] | None = None, **options: Any) -> Submitted | Mm7Error:
    """One submit in either style; what it gave or raised."""
    slept = [] if waits is None else waits
    options = {"vaspid": "v", "vasid": "s", "retry": Retry(times=0), **options}

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def awaited() -> Submitted:
        async with AsyncVaspClient(url, sleep=sleep, **options) as client:
            return await client.submit("+491700", "hello")

    try:
        if style == "async":
            return asyncio.run(awaited())
        with VaspClient(url, sleep=slept.append, **options) as client:
            return client.submit("+491700", "hello")
    except Mm7Error as error:
        return error


# --- the table: status x page x style ---------------------------------------------------------------------------------

NGINX = (
    "<html>\r\n<head><title>Oops &uuml;ber</title></head>\r\n<body>\r\n<center><h1>Oops &#252;ber</h1></center>\r\n"
    "<hr><center>nginx/1.24.0<br>\r\n</body>\r\n</html>\r\n"
)
XHTML = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n<html xmlns="http://www.w3.org/1999/xhtml"><head>'
    "<title>Oops \xfcber</title><style>p { max-width: 5000px }</style><script>if (1 &lt; 2) alert('oops')</script>"
    "</head><body><p>nginx/1.24.0</p></body></html>"
)
BARE_XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>Oops über</p><p>nginx/1.24.0</p></body></html>'


@dataclass(frozen=True)
class Kind:
    """A page as octets with its label; what it is called, and the first lines that are shown of it."""

    body: bytes
    content_type: str | None
    called: str
    lines: tuple[str, ...] = ("Oops über", "nginx/1.24.0")


KINDS = {
    "html": Kind(NGINX.encode(), "text/html", "an HTML page"),
    "xhtml with doctype": Kind(XHTML.encode("latin-1"), "application/xhtml+xml", "an HTML page"),
    "xhtml": Kind(BARE_XHTML.encode(), "text/xml; charset=utf-8", "an HTML page"),
    "html labelled xml": Kind(NGINX.encode(), "text/xml", "an HTML page"),
    "xml": Kind("<a xmlns='x'><b>Oops über</b><c>nginx/1.24.0</c></a>".encode(), "text/xml", "XML that is no SOAP"),
    "xml cut": Kind("<a><b>Oops über</b><c>nginx/1.24.0".encode(), "text/xml", "XML that is no SOAP"),
    "json": Kind('{"e": "Oops über",\n "a":1}'.encode(), "application/json", "JSON", ('{"e": "Oops über",', '"a":1}')),
    "text": Kind("Oops über\n\n\tnginx/1.24.0 ".encode(), "text/plain; charset=utf-8", "text"),
    "text without label": Kind("Oops über\r\nnginx/1.24.0".encode(), None, "text"),
    "wrong charset": Kind("Oops über\r\nnginx/1.24.0".encode("cp1252"), "text/plain; charset=utf-8", "text"),
    "unknown charset": Kind("Oops über\r\nnginx/1.24.0".encode(), "text/plain; charset=foo", "text"),
    "utf-16": Kind("Oops über\r\nnginx/1.24.0".encode("utf-16"), "text/plain; charset=utf-16", "text"),
    "utf-16 little-endian": Kind("Oops über\r\nnginx/1.24.0".encode("utf-16-le"), "text/plain; charset=utf-16", "text"),
    "utf-16 without label": Kind("Oops über\r\nnginx/1.24.0".encode("utf-16-be"), "text/plain", "text"),
    "utf-8 labelled latin": Kind("Oops über\r\nnginx/1.24.0".encode(), "text/plain; charset=iso-8859-1", "text"),
    "charset by its number": Kind("Oops über\r\nnginx/1.24.0".encode("cp1252"), "text/plain; charset=2252", "text"),
    "charset in the page": Kind(
        "<meta charset=windows-1252><p>Oops über<p>nginx/1.24.0".encode("cp1252"), "text/html", "an HTML page"
    ),
    "multipart label": Kind(b"Oops", 'multipart/related; boundary="b"', "text", ("Oops",)),
    "binary": Kind(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 9, "image/png", "octets of image/png", ()),
    "binary as xml": Kind(bytes(range(256)) * 9, "text/xml", "octets of no text", ()),
    "empty": Kind(b"", None, "no body", ()),
    "blank": Kind(b" \r\n\t", "text/xml", "no body", ()),
}  # fmt: skip

# RFC 9110 15: what is refused as the client's error is not done; of a 5xx, only what says that it was not handled.
NOT_TAKEN = (400, 404, 405, 406, 407, 408, 409, 410, 411, 413, 414, 415, 417, 421, 422, 425, 426, 429, 431, 451, 499)
NOT_TAKEN_5XX = (501, 503, 505, 511)
UNKNOWN = (200, 201, 202, 299, 500, 502, 504, 506, 507, 520, 599)
DENIED = (401, 403)
TOLD = {
    200: "check that /mm7 is the path",
    400: "check that /mm7 is the path",
    404: "nothing is served at /mm7; check the path",
    405: "no POST is taken at /mm7",
    407: "the proxy wants credentials",
    410: "nothing is served at /mm7 any more",
    413: "octets is larger than it takes",
    415: "does not take SOAP with attachments",
    429: "too many requests",
    500: "whether the message was accepted is unknown",
    502: "a gateway or proxy before the MMSC",
    503: "the server is not ready; try again later",
    504: "a gateway or proxy before the MMSC",
}
JARGON = (
    "well-formed",
    "Envelope",
    "wrap",
    "tag mismatch",
    "mismatched",
    "line 1",
    "column",
    "parse",
    "entity",
    "StartTag",
)


@STYLES
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_status_decides(kind: Kind, style: str) -> None:
    """One verdict for a status, whatever page came with it: what it was, what it says, what to do, no XML jargon."""
    rows = (*NOT_TAKEN, *NOT_TAKEN_5XX, *UNKNOWN, *DENIED)
    with FarSide(*([http(status, kind.body, kind.content_type or "")] for status in rows)) as far:
        results = [submit(style, far.url) for _ in rows]
        assert len(far.requests) == len(rows)
    for status, error in zip(rows, results, strict=True):
        text = str(error)
        if status in DENIED:
            assert isinstance(error, AuthError), text
            assert error.http_status == status
        else:
            assert isinstance(error, TransportError), text
            assert (status, error.maybe_accepted) == (status, status in UNKNOWN)
            assert (error.http_status, error.findings, error.retry_after) == (status, (), None)
            assert kind.called in text
        assert error.body == kind.body[:20_000]
        said = tuple(line.removeprefix("  | ") for line in text.split("\n")[1:])
        assert said == kind.lines
        assert f"the server answered {status}" in text
        assert TOLD.get(status, "") in text
        assert not [word for word in JARGON if word in text.replace("no SOAP envelope", "")], text
        assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("status", [*range(400, 500), 501, 503, 505, 511])
def test_statuses_that_take_nothing(status: int) -> None:
    """Every 4xx, and the 5xx that say the request was not handled."""
    assert not statuses.unclear(status)


@pytest.mark.parametrize("status", [100, 200, 204, 299, 500, 502, 504, 507, 520, 524, 599, 600, 999])
def test_statuses_that_prove_nothing(status: int) -> None:
    """The rest says nothing of what became of the message."""
    assert statuses.unclear(status)


# --- what the answer adds ---------------------------------------------------------------------------------------------

ADDED: dict[str, tuple[bytes, str]] = {
    "allow": (http(405, Allow="GET, HEAD"), r"no POST is taken at /mm7 \(only GET, HEAD\)"),
    "413 text": (http(413, "<p>The limit is <b>300 kB</b>."), r"of \d{4} octets is larger.*at most 300 kB"),
    "413 octets": (http(413, "Request body exceeds 1048576", "text/plain"), "at most 1048576"),
    "413 no limit": (http(413, "<style>p{max-width:9000px}</style>see 5 rules"), "than it takes; send less"),
    "413 field": (http(413, Upload_Limit="max-size=300000"), "max-size=300000"),
    "415 takes": (http(415, Accept_Post="application/json"), "only application/json"),
    "407 scheme": (http(407, Proxy_Authenticate='Basic realm="x"'), r"wants credentials \(Basic\)"),
    "421": (http(421), "does not serve this host name"),
    "426": (http(426, Upgrade="TLS/1.2"), r"another protocol \(TLS/1.2\)"),
    "nginx https": (http(400, "<h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port"), "use https://"),
    "go https": (http(400, "Client sent an HTTP request to an HTTPS server.\n", "text/plain"), "use https://"),
    "apache https": (http(400, "You're speaking plain HTTP to an SSL-enabled server port.", "text/plain"), "https://"),
    "gzip": (http(503, gzip.compress(b"<p>down"), "text/html", Content_Encoding="gzip"), r"asked for\).*\n  \| down\Z"),
    "gzip broken": (http(503, b"\x1f\x8bxx", "text/html", Content_Encoding="gzip"), "4 octets that cannot be decoded"),
    "brotli": (http(503, b"xx", "text/html", Content_Encoding="br"), "2 octets that are br-encoded"),
    "bidi": (http(500, "<p>a\u202eb&#8238;c\u2066"), r"\n  \| a\\u202eb\\u202ec\\u2066\Z"),
    "escapes": (http(500, "a\x1b[31mb\x9bc\u2028d", "text/plain"), r"\n  \| a\\x1b\[31mb\\x9bc\n  \| d\Z"),
    "hostile field": (http(405, Allow="\x1b[31mGET"), r"only \\x1b\[31mGET"),
    "secrets": (http(500, "Authorization: Basic dG5uOmdlaGVpbQ==\npwd=geheim"), r"Basic \*{3}\n  \| pwd=\*{3}"),
    "attributes alone": (http(500, '<error code="5" text="no room"/>'), r'\n  \| <error code="5" text="no room"/>\Z'),
    "preformatted": (http(500, "<pre>one\ntwo</pre>"), r"\n  \| one\n  \| two\Z"),
    "quoted envelope": (http(500, "<p>bad: <e:Envelope><e:Body>"), r"an HTML page.*\n  \| bad:\Z"),
    "nested silence": (http(500, "<script>a<b</script><svg><text>x</text></svg><p>seen"), r"says:\n  \| seen\Z"),
    "nobr": (http(500, "<p>one<b>two</b> <i>three</i><p>four"), r"\n  \| onetwo three\n  \| four\Z"),
}  # fmt: skip


@STYLES
@pytest.mark.parametrize(("answer", "words"), ADDED.values(), ids=ADDED.keys())
def test_answer_says_more(answer: bytes, words: str, style: str) -> None:
    """Fields and text of the answer find their way into the error, made harmless."""
    with FarSide([answer]) as far:
        error = submit(style, far.url)
    assert isinstance(error, TransportError)
    assert "geheim" not in str(error)
    with pytest.raises(TransportError, match=f"(?s){words}"):
        raise error


@pytest.mark.parametrize(
    "unit", ["x", "<p>x ", "word ", "ä\n", "<div>", "&lt;&#27;", "<b>", "\u202e", "line of text\n"]
)
@pytest.mark.parametrize("start", ["", "<html>", "<pre>", "<script>", "<!--", '{"a": "'])
def test_one_screen_at_most(start: str, unit: str) -> None:
    """Ten lines, 800 characters, whatever comes, and nothing that steers a terminal."""
    found = pages.read((start + unit * 20_000).encode(), "text/html")
    assert len(found.lines) <= 10
    assert sum(map(len, found.lines)) <= 800
    assert all(len(line) <= 160 and line.isprintable() for line in found.lines)


@STYLES
def test_page_that_is_cut_or_too_large(style: str) -> None:
    """Its status still decides; what came of it is shown."""
    head = b"HTTP/1.1 404 No\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n<p>not he"
    with FarSide([head, CLOSE], [http(404, "<p>" + "large " * 20_000)]) as far:
        cut, large = (submit(style, far.url, max_reply=65536) for _ in range(2))
    assert isinstance(cut, TransportError)
    assert isinstance(large, TransportError)
    assert (cut.maybe_accepted, large.maybe_accepted) == (False, False)
    assert "broke off after 9 octets" in str(cut)
    assert str(cut).endswith("\n  | not he")
    assert "is larger than 65536 octets" in str(large)
    assert "nothing is served at /mm7" in str(large)


# --- waiting ----------------------------------------------------------------------------------------------------------


@STYLES
@pytest.mark.parametrize("kind", ["html", "xhtml", "xhtml with doctype", "json", "empty"])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_where_it_is_safe(status: int, kind: str, style: str) -> None:
    """Whatever page came: sent again after the seconds that were asked for."""
    page = KINDS[kind]
    waits: list[float] = []
    refusal = [http(status, page.body, page.content_type or "", Retry_After="7")]
    with FarSide(refusal, refusal, proper) as far:
        sent = submit(style, far.url, waits, retry=Retry(times=2))
        assert len({one.transaction_id for one in far.requests}) == 1
    assert isinstance(sent, Submitted), sent
    assert waits == [7.0, 7.0]


@STYLES
@pytest.mark.parametrize("status", [200, 202, 404, 413, 500, 502, 504])
def test_retry_after_is_told_where_it_is_not_safe(status: int, style: str) -> None:
    """What may have been accepted, or will be refused again, is sent once; the error still names the seconds."""
    waits: list[float] = []
    with FarSide([http(status, BARE_XHTML, Retry_After="7")]) as far:
        error = submit(style, far.url, waits, retry=Retry(times=2))
        assert len(far.requests) == 1
    assert isinstance(error, TransportError)
    assert (error.retry_after, waits) == (7.0, [])


@STYLES
def test_wait_that_is_too_long_ends_the_attempts(style: str) -> None:
    """A date far ahead is told in seconds."""
    when = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    with FarSide([http(503, "later", "text/plain", Retry_After=when)]) as far:
        error = submit(style, far.url, retry=Retry(times=5))
        assert len(far.requests) == 1
    assert isinstance(error, TransportError)
    assert error.retry_after == pytest.approx(7200, abs=120)
    assert "(Retry-After)" in str(error)


@pytest.mark.parametrize(
    "value", ["", "soon", "-1", "1.5", "\u0661", "9" * 5000, "Wed, 21 Oct 99999 07:28:00 GMT", "0"]
)
def test_odd_retry_after(value: str) -> None:
    """A number of seconds, or nothing; no exception."""
    found = statuses.seconds(value)
    assert found is None or found >= 0


# --- what stays as it is ----------------------------------------------------------------------------------------------

PLAIN_FAULT = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:Server</faultcode>'
    "<faultstring>axis</faultstring></e:Fault></e:Body></e:Envelope>"
)
MM7: dict[str, tuple[Answer, type[Mm7Error], int | None]] = {
    "fault": (saying(RSErrorRsp(status=Status(2002))), StatusError, 2002),
    "refusal": (saying(SubmitRsp(status=Status(4001))), StatusError, 4001),
    "plain fault, 500": (echoing(PLAIN_FAULT, 500), StatusError, 3000),
    "plain fault, 404": (echoing(PLAIN_FAULT, 404), StatusError, 3000),
    "envelope cut": (echoing(PLAIN_FAULT[:-20], 500), TransportError, None),
}


@STYLES
@pytest.mark.parametrize(("answer", "error", "code"), MM7.values(), ids=MM7.keys())
def test_envelopes_are_read_whatever_the_status(
    answer: Answer, error: type[Mm7Error], code: int | None, style: str
) -> None:
    """A fault, a refusal, and a fault without MM7 are what they were; an envelope that is cut says where."""
    with FarSide(answer) as far:
        found = submit(style, far.url)
    assert type(found) is error
    if isinstance(found, StatusError):
        assert found.status.code == code
        assert isinstance(found.answer, Fault | SubmitRsp)
    else:
        assert "not well-formed" in str(found)


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        (
            http(404, NGINX, "text/html"),
            ["404 Not Found with an HTML page: nothing is served at /mm7; check the path of the URL. It says:",
             "  | Oops über", "  | nginx/1.24.0"],
        ),
        (http(413, "limit: 300 kB", "text/plain"), ["(at most 300 kB); send less, or have the limit raised. It says:",
                                                      "  | limit: 300 kB"]),
        (http(503, XHTML.encode("latin-1"), "text/html", Retry_After="86400"),
         ["is not ready; try again in 86400 s (Retry-After). It says:", "  | Oops über", "  | nginx/1.24.0"]),
    ],
    ids=["404", "413", "503"],
)  # fmt: skip
def test_send_shows_the_page(answer: bytes, lines: list[str]) -> None:
    """``mm7zeep send`` prints the error on lines of its own and exits 3; JSON holds it whole."""
    words = ["--vaspid", "v", "--vasid", "s", "--to", "+491", "--text", "hello"]
    with FarSide([answer]) as far:
        text = CliRunner().invoke(main, ["send", far.url, *words])
        data = CliRunner().invoke(main, ["send", far.url, *words, "--json"])
    assert (text.exit_code, data.exit_code) == (3, 3)
    assert text.stdout == ""
    *shown, sent = text.stderr.splitlines()
    assert re.fullmatch(r"  transaction id  [0-9a-f]{32}", sent)
    assert len(shown) == len(lines)
    assert shown[0].endswith(lines[0])
    assert shown[1:] == lines[1:]
    told = json.loads(data.stdout)
    assert "\n".join(shown) == f"mm7zeep send: {told['error']}"
    assert (told["status_code"], told["maybe_accepted"], told["findings"]) == (None, False, [])
