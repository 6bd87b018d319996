"""``mm7zeep send -v``, ``--dry-run`` and ``--from-stdin``: what is shown, what never is, and where it stands."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from far_side import FarSide, http, proper, saying

from mm7zeep.cli import main
from mm7zeep.cli.wire_view import WireView
from mm7zeep.messages import Status, SubmitRsp
from mm7zeep.samples import saturn_png

SECRETS = ("quiet", "d2U6cXVpZXQ", "491570156", "friend@")
WORDS = ("--vaspid", "TNN", "--to", "+61491570156", "--cc", "friend@ferry.example")


def run(*words: str | Path, piped: bytes | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["send", *map(str, words)], input=piped)


def test_what_goes_out_and_comes_in(tmp_path: Path) -> None:
    """Heads and envelopes stand on standard error, each line with its direction; content is named, not shown."""
    picture = tmp_path / "saturn.png"
    picture.write_bytes(saturn_png())
    with FarSide(proper) as far:
        done = run(far.url, picture, *WORDS, "--subject", "Grüße", "-v")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("1000 Success\n")
    lines = done.stderr.splitlines()
    out, came = ([line[2:] for line in lines if line.startswith(mark)] for mark in (">", "<"))
    assert len(out) + len(came) == len(lines)
    assert out[0] == "POST /mm7 HTTP/1.1"
    assert came[0] == "HTTP/1.1 200"
    for shown in ("      <VASPID>TNN</VASPID>", "      <Subject>Grüße</Subject>"):
        assert any(line.endswith(shown.strip()) for line in out)
    length = far.requests[0].header("Content-Length")
    assert f"Content-Length: {length}" in out
    [sent] = far.requests[0].unpack().parts
    assert out[-1] == f"[part] image/png  {len(saturn_png())} octets  <{sent.content_id}>  saturn.png"
    [transaction] = [line for line in came if "TransactionID" in line]
    assert far.requests[0].transaction_id in transaction
    assert "<MessageID>m-1</MessageID>" in [line.strip() for line in came]


def test_every_part_is_named() -> None:
    """In the order of the body, the presentation that was made for several parts among them."""
    with FarSide(proper) as far:
        done = run(far.url, *WORDS, "--text", "one", "--text", "three", "-v")
    assert done.exit_code == 0, done.output
    shown = [line.removeprefix("> [part] ") for line in done.stderr.splitlines() if line.startswith("> [part] ")]
    sent = far.requests[0].unpack().parts
    assert [one.content_type for one in sent] == ["application/smil", "text/plain", "text/plain"]
    assert shown == [f"{one.content_type}  {one.size} octets  <{one.content_id}>" for one in sent]


@pytest.mark.parametrize("also", [[], ["--dry-run"], ["--json"]], ids=" ".join)
def test_no_secret_is_shown(also: list[str]) -> None:
    """Neither credentials, nor given header fields, nor numbers and mail addresses, in any header, URL or answer."""
    answer = saying(SubmitRsp(message_id="m-1"), Set_Cookie="quiet=1", X_Api_Key="quiet", Location="/?token=quiet")
    with FarSide(answer) as far:
        given = ["--auth", "we:quiet", "--header", "X-Customer: quiet", "--header", "X-Api-Key: quiet", *also]
        done = run(f"{far.url}?token=quiet", *WORDS, "--text", "hello", "-v", *given)
    assert done.exit_code == 0, done.output
    assert "> POST /mm7?token=*** HTTP/1.1\n" in done.stderr
    assert "> X-Customer: ***\n> X-Api-Key: ***\n" in done.stderr
    assert "> Authorization: Basic ***\n" in done.stderr
    assert "<Number>+*********56</Number>" in done.stderr
    assert [secret for secret in SECRETS if secret in done.stderr] == []
    if also != ["--dry-run"]:
        assert "< Set-Cookie: ***\n< X-Api-Key: ***\n" in done.stderr


def test_numbers_may_be_shown() -> None:
    """With --show-numbers they stand there as they went out; credentials do not."""
    with FarSide(proper) as far:
        done = run(far.url, *WORDS, "-v", "--show-numbers", "--auth", "we:quiet")
    assert "<Number>+61491570156</Number>" in done.stderr
    assert "friend@ferry.example" in done.stderr
    assert "quiet" not in done.stderr


def test_identifiers_stay() -> None:
    """Digits of a boundary or a Content-ID are no number, however many there are: what belongs together shows."""
    lines: list[str] = []
    view = WireView(lines.append)
    content_type = 'multipart/related; boundary="=_61491570156"; type="text/xml"; start="<e.61491570156@mm7zeep>"'
    view.answer(200, {"Content-Type": content_type, "X-Number": "61491570156"})
    view.answered(
        b'<s:Envelope xmlns:s="urn:s"><s:Body><Content href="cid:p.61491570156@mm7zeep" note="61491570156"/></s:Body>'
        b"</s:Envelope>"
    )
    assert lines[1:3] == [f"< Content-Type: {content_type}", "< X-Number: *********56"]
    assert '<     <Content href="cid:p.61491570156@mm7zeep" note="*********56"/>' in lines


def test_short_numbers_are_hidden_where_an_address_stands() -> None:
    """Of a short code no digit is shown; a number of as many digits elsewhere is."""
    body = '<s:Envelope xmlns:s="urn:s"><s:Body><To><ShortCode>77123</ShortCode></To><N>77123</N></s:Body></s:Envelope>'
    hidden: list[str] = []
    WireView(hidden.append).answered(body.encode())
    assert "<       <ShortCode>*****</ShortCode>" in hidden
    assert "<     <N>77123</N>" in hidden
    plain: list[str] = []
    WireView(plain.append, show_numbers=True).answered(body.encode())
    assert "<       <ShortCode>77123</ShortCode>" in plain


def test_answer_that_is_no_mm7() -> None:
    """A page is shown by its lines, so that nobody has to guess what stands there; a terminal obeys none of it."""
    page = "<html><body>\x1b[2JSorry, call 0412 345 678\npassword=quiet</body></html>"
    with FarSide([http(502, page, "text/html")]) as far:
        done = run(far.url, *WORDS, "-v")
    assert done.exit_code == 3
    assert "< <html><body>\\x1b[2JSorry, call **** *** *78\n< password=***" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("also", [["-v"], [], ["--json"], ["--profile", "optus", "--to", "+61491570157"]], ids=" ".join)
def test_numbers_of_an_error_page_are_hidden_in_the_error_line(also: list[str]) -> None:
    """As in what -v shows, of one request or of several; --show-numbers shows them."""
    page = http(502, "<p>call 0412 345 678 or desk@ferry.example, not &#43;1555001&#32;0001</p>", "text/html")
    given = ["--vaspid", "TNN", "--to", "+61491570156", "--text", "hello"]
    with FarSide([page], [page]) as far:
        hidden = run(far.url, *given, *also)
    assert "call **** *** *78 or ***@ferry.example, not +******* **01" in hidden.output
    assert [one for one in ("0412", "desk@", "555001") if one in hidden.output] == []
    with FarSide([page], [page]) as far:
        shown = run(far.url, *given, *also, "--show-numbers")
    assert "call 0412 345 678 or desk@ferry.example, not +1555001 0001" in shown.output
    assert hidden.exit_code == shown.exit_code == 3


def test_long_pages_are_cut() -> None:
    """Two hundred lines of a page are shown, and how many are not."""
    lines: list[str] = []
    view = WireView(lines.append)
    view.answered(b"line\n" * 250)
    assert (len(lines), lines[-1]) == (201, "< ... 50 more lines")
    view.silent = True
    view.answered(b"line\n")
    assert len(lines) == 201


def test_every_attempt_is_shown() -> None:
    """The unauthenticated request of Digest, its challenge, and the request that answers it."""
    challenge = http(401, b"", WWW_Authenticate='Digest realm="mm7", nonce="n", qop="auth", algorithm=SHA-256')
    with FarSide([challenge], proper) as far:
        done = run(far.url, *WORDS, "-v", "--auth", "we:quiet", "--digest")
    assert done.exit_code == 0, done.output
    heads = [line for line in done.stderr.splitlines() if line.startswith(("> POST", "< HTTP", "> Authorization"))]
    shown = ["> POST /mm7 HTTP/1.1", "< HTTP/1.1 401"]
    assert heads == [*shown, "> POST /mm7 HTTP/1.1", "> Authorization: Digest ***", "< HTTP/1.1 200"]


# --- --dry-run --------------------------------------------------------------------------------------------------------


def test_dry_run_into_a_file(tmp_path: Path) -> None:
    """--output gets the request, which check reads; nothing is printed."""
    written = tmp_path / "request.http"
    done = run("http://127.0.0.1:1/mm7", *WORDS, "--text", "hello", "--dry-run", "-o", written)
    assert (done.exit_code, done.output) == (0, "")
    checked = CliRunner().invoke(main, ["check", str(written)])
    assert checked.stdout.startswith(f"{written}  ACCEPT  SubmitReq ")
    refused = run("http://127.0.0.1:1/mm7", *WORDS, "-o", written)
    assert (refused.exit_code, "--dry-run" in refused.stderr) == (2, True)
    folder = run("http://127.0.0.1:1/mm7", *WORDS, "--dry-run", "-o", tmp_path / "no" / "request.http")
    assert folder.exit_code == 3
    assert folder.stderr == f"mm7zeep send: {tmp_path / 'no' / 'request.http'}: No such file or directory\n"


def test_given_header_fields_are_no_part_of_a_dry_run() -> None:
    """What was given by --header may be a key, whatever its name says."""
    done = run("http://127.0.0.1:1/mm7", *WORDS, "--header", "X-Customer: quiet", "--dry-run")
    assert b"\r\nX-Customer: ***\r\n" in done.stdout_bytes
    assert b"quiet" not in done.stdout_bytes


def test_dry_run_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal is shown the request as -v shows it, and no octets."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(SystemExit) as ended:
        main(["send", "http://127.0.0.1:1/mm7", *WORDS, "--text", "hello", "--dry-run"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("> POST /mm7 HTTP/1.1\n")
    assert "> [part] text/plain  5 octets  <" in shown.splitlines()[-1]


# --- --from-stdin -----------------------------------------------------------------------------------------------------


def test_standard_input_is_a_part(tmp_path: Path) -> None:
    """What comes on standard input is a part of the type that its content has, behind the texts, before the files."""
    (tmp_path / "note.txt").write_text("from a file")
    with FarSide(proper) as far:
        for piped in (saturn_png(), "Grüße\n".encode()):
            done = run(far.url, tmp_path / "note.txt", *WORDS, "--text", "first", "--from-stdin", piped=piped)
            assert done.exit_code == 0, done.output
    first, second = (request.unpack().message for request in far.requests)
    parts = [getattr(one, "parts", ())[1:] for one in (first, second)]  # behind the presentation
    assert [one.content_type for one in parts[0]] == ["text/plain", "image/png", "text/plain"]
    assert parts[0][1].read() == saturn_png()
    assert [one.text() for one in parts[1]] == ["first", "Grüße\n", "from a file"]


def test_standard_input_that_cannot_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing, too much, and text of which nobody says what it is in: wrong usage, and nothing is sent."""
    monkeypatch.setattr("mm7zeep.cli.send._MOST_PIPED", 100)
    for piped, reason in ((b"", "nothing came"), (b"x" * 101, "more than 100 octets"), (b"Gr\xfc\xdfe", "charset")):
        done = run("http://127.0.0.1:1/mm7", *WORDS, "--from-stdin", piped=piped)
        assert (done.exit_code, reason in done.stderr) == (2, True), done.output
    done = run("http://127.0.0.1:1/mm7", *WORDS, "--from-stdin", "--charset", "latin-1", "--dry-run", piped=b"Gr\xfc")
    assert done.exit_code == 0, done.output


def test_refusal_is_an_error_but_for_json() -> None:
    """People find a refusal on standard error, programs find their object on standard output."""
    refusal = saying(SubmitRsp(status=Status(2002, "nobody")))
    with FarSide(refusal) as far:
        done, as_json = run(far.url, *WORDS), run(far.url, *WORDS, "--json")
    assert (done.exit_code, done.stdout, done.stderr.split("\n")[0]) == (1, "", "mm7zeep send: 2002 nobody")
    assert (as_json.exit_code, as_json.stderr, json.loads(as_json.stdout)["status_code"]) == (1, "", 2002)


def test_output_has_no_bar_where_nobody_looks() -> None:
    """A large upload in a script prints nothing but its outcome."""
    with FarSide(proper) as far:
        done = run(far.url, *WORDS, "--from-stdin", piped=saturn_png() + b"\0" * 300_000)
    assert (done.exit_code, done.stderr) == (0, "")
    assert io.StringIO(done.stdout).readline() == "1000 Success\n"
