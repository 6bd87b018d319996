"""A message copied as curl, as Python, as JSON and as an e-mail: what is copied sends the same, and nothing of a
message does anything in a shell, in Python or in a header.
"""

from __future__ import annotations

import ast
import email
import email.policy
import itertools
import json
import os
import shlex
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import needed
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mm7zeep
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.config.destination import HANDSET
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.store import content
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.rows import MessageRow, RawRow, RecipientRow
from mm7zeep.gateway.testing import Trial
from mm7zeep.gateway.viewer import copies
from mm7zeep.gateway.viewer.copies import Source, Urls, as_body, as_curl, as_http
from mm7zeep.gateway.viewer.copy_json import INLINE, as_json
from mm7zeep.gateway.viewer.copy_python import as_python
from mm7zeep.gateway.viewer.eml import as_eml
from mm7zeep.messages import DeliverReq, Message, Part
from mm7zeep.profiles import Profile, profile
from mm7zeep.receiver import Receiver

GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
NASTY = "'; touch pwned #\"$(touch pwned)`touch pwned` <b>&\\ grüß 龍"
CURL = pytest.mark.usefixtures("curl")
SMIL = b'<smil><head/><body><par dur="5s"><img src="cid:p"/></par></body></smil>'


CALLED = frozenset(
    {
        *("replace", "profile", "VaspClient", "getpass", "submit", "Number", "Part", "Path", "timedelta", "print"),
        *("DeliverReq", "MmscClient", "deliver", "fromisoformat"),
    }
)
"""What a copied program may call."""
PART_FIELDS = frozenset(
    {
        *("Content-Type", "MIME-Version", "Content-ID", "Content-Location", "Content-Disposition"),
        *("Content-Transfer-Encoding", "X-Mms-Content-Type"),
    }
)
"""What the header of a part of an e-mail may have."""


@pytest.fixture(scope="session")
def curl() -> str:
    """Where curl is."""
    return needed.program("curl")


# --- by itself --------------------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=60) | st.sampled_from(
    [NASTY, "a\r\nBcc: x@y", "\x1b[201~\n touch pwned\n", "@/etc/passwd", "-x"]
)
LABELS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=40)
TYPES = st.sampled_from(
    ["text/plain", "image/gif", "application/smil", "message/rfc822", "multipart/mixed", "x", "a b/c;d", "TEXT/HTML"]
)


@st.composite
def parts(draw: st.DrawFn) -> Part:
    """A part with labels of any sort."""
    return Part(
        body=draw(st.binary(max_size=40) | st.just(GIF)),
        content_type=draw(TYPES),
        parameters=draw(st.sampled_from([(), (("charset", "utf-8"),), (("charset", "x; y"),)])),
        content_id=draw(st.none() | LABELS),
        content_location=draw(st.none() | LABELS),
        name=draw(st.none() | LABELS | st.just("../../.bashrc")),
    )


@st.composite
def sources(draw: st.DrawFn, direction: str = "mt") -> Source:
    """A message with values of any sort."""
    transaction_id = draw(st.none() | TEXTS | st.just("abc-123"))
    fields = {"service_code": draw(TEXTS), "priority": "High", "api": {"reference": draw(TEXTS)}}
    message = MessageRow(
        id=draw(st.just("4bd6b9716ac7f5d5") | TEXTS),
        direction=direction,
        application="tnn",
        transaction_id=transaction_id,
        sender_kind="Number",
        sender=draw(st.none() | LABELS.filter(bool)),
        subject=draw(st.none() | TEXTS),
        accepted=1000.0,
        earliest=draw(st.none() | st.just(1500.0)),
        expires=draw(st.none() | st.just(90_000.0)),
        delivery_report=True,
        fields=json.dumps(fields),
    )
    addresses = draw(st.lists(st.tuples(st.sampled_from(["to", "cc", "bcc"]), LABELS.filter(bool)), max_size=4))
    recipients = [
        RecipientRow(
            message_id=message.id,
            n=n,
            place=place,
            kind="Number",
            address=address,
            destination=HANDSET,
            state="Pending",
            changed=1000.0,
        )
        for n, (place, address) in enumerate(addresses)
    ]
    head = [("Content-Type", draw(TEXTS)), ("SOAPAction", draw(TEXTS)), ("X-Api-Key", "hunter2")]
    body = f"<TransactionID>{transaction_id}</TransactionID>".encode("utf-8", "replace")
    return Source(
        message=message,
        recipients=recipients,
        raw=RawRow(message_id=message.id, n=0, received=1000.0, headers=json.dumps(head), body=body),
        parts=draw(st.lists(parts(), max_size=3)),
        application=None,
        urls=Urls(admin_user="root"),
        now=draw(st.sampled_from([1000.0, 100_000.0])),
    )


def command(text: str) -> list[str]:
    """The words of the one command in ``text``, whose other lines are comments."""
    assert {one for one in text if unicodedata.category(one) == "Cc"} <= {"\n"}
    lines = [line for line in text.split("\n") if line and not line.startswith("# ")]
    assert len(lines) == 1
    return shlex.split(lines[0], comments=True)


def options(words: list[str], name: str) -> list[str]:
    """What was given for an option."""
    return [value for word, value in itertools.pairwise(words) if word == name]


@pytest.mark.once
@given(sources())
def test_words_of_a_curl_command(source: Source) -> None:
    """The words are those that were meant, whatever the message says; nothing that steers a terminal is among them."""
    copy = as_curl(source)
    words = command(copy.text)
    assert words[:4] == ["curl", "--globoff", "--user", "tnn"]
    assert words[-1] == "http://127.0.0.1:8007/mm7"
    assert options(words, "--data-binary") == [f"@{source.body_file}"]
    assert copy.files == (source.body_file,)
    [content_type, soap_action] = options(words, "--header")
    assert content_type.startswith("Content-Type")
    assert soap_action.startswith("SOAPAction")
    said = dict(json.loads(source.raw.headers))["Content-Type"]
    if said.isascii() and said.isprintable() and said:
        assert content_type == f"Content-Type: {said}"
    assert len(words) == 11
    assert "hunter2" not in copy.text


@pytest.mark.once
@given(sources())
def test_json_comes_back(source: Source) -> None:
    """The body is JSON with the values of the message, the command sends just that, and both are plain ASCII."""
    copy = as_json(source)
    assert copy.body.isascii()
    said = json.loads(copy.body)
    assert said["to"] == [one.address for one in source.recipients]
    assert said.get("subject") == source.message.subject
    assert said.get("from") == source.message.sender
    assert said["reference"] == source.message.field["api"]["reference"]
    assert copy.command is not None
    words = command(copy.command)
    assert words[-1] == "http://127.0.0.1:8010/v1/messages"
    [data] = options(words, "--data-binary")
    assert json.loads(data) == said
    assert copy.files == ()
    assert ("expires_at" in said) == (source.message.expires is not None and source.now < source.message.expires)


@pytest.mark.once
@given(sources("mo"))
def test_json_of_an_mo_comes_back(source: Source) -> None:
    """An MO goes to the admin's API, as JSON that is the body, too."""
    said = json.loads(as_json(source).body)
    assert said == json.loads(as_body(source))
    assert said["from"] == (source.message.sender or "unknown")
    assert len(said["parts"]) == len(source.parts)
    words = command(as_json(source).command or "")
    assert words[-1] == "http://127.0.0.1:8008/api/v1/deliver"
    assert json.loads(options(words, "--data-binary")[0]) == said
    assert options(command(as_curl(source).text), "--data-binary") == [f"@{source.stem}.json"]


@given(st.sampled_from(["mt", "mo"]).flatmap(sources))
def test_python_has_the_values(source: Source) -> None:
    """The program is valid, calls nothing but what it should, and its literals are the values of the message."""
    copy = as_python(source)
    tree = ast.parse(copy.text)
    compile(copy.text, "copy.py", "exec")
    called = {ast.unparse(one.func).split(".")[-1] for one in ast.walk(tree) if isinstance(one, ast.Call)}
    assert called <= CALLED
    literals = [one.value for one in ast.walk(tree) if isinstance(one, ast.Constant)]
    message = source.message
    wanted: list[Any] = [one.address for one in source.recipients if not source.is_mo or one.place != "bcc"]
    wanted += [value for value in (message.subject, message.sender) if value is not None]
    wanted += [value for part in source.parts for value in (part.name, part.content_id, part.content_type) if value]
    if not source.is_mo:
        wanted.append(source.message.field["service_code"])
    assert [one for one in wanted if one not in literals] == []
    assert all(ord(one) >= 32 or one == "\n" for one in copy.text)


@given(st.sampled_from(["mt", "mo"]).flatmap(sources))
def test_mail_comes_back(source: Source) -> None:
    """A mail program finds the header fields that were meant and no others, and the octets of each part."""
    octets = as_eml(source)
    mail = email.message_from_bytes(octets)
    assert mail.defects == []
    allowed = {"Content-Type", "MIME-Version", "From", "To", "Cc", "Subject", "Date", "Message-ID"}
    assert {name for name in mail if not name.startswith("X-Mms-")} <= allowed
    assert len(mail.keys()) == len(set(mail.keys()))
    subject = source.message.subject
    if subject is not None:
        found = str(make_header(decode_header(mail["Subject"])))
        assert found == " ".join(copies.clean(subject).encode("utf-8", "replace").decode().split())
    leaves = [one for one in mail.walk() if not one.is_multipart()]
    assert not any(one.defects for one in leaves)
    presentations = [one for one in source.parts if one.content_type == "application/smil"]
    ordered = presentations[:1] + [one for one in source.parts if one is not next(iter(presentations), None)]
    assert [one.get_payload(decode=True) for one in leaves] == ([one.read() for one in ordered] or [b""])
    assert (mail.get_content_type() == "multipart/related") == bool(presentations)
    assert all(set(one.keys()) <= PART_FIELDS for one in leaves)
    names = [one.get_filename() for one in leaves]
    assert all(name and "/" not in name and "\\" not in name and not name.startswith(".") for name in names)
    assert octets.replace(b"\r\n", b"").count(b"\n") == 0


def simple(**changes: Any) -> Source:
    """A message with a text, a picture and a presentation."""
    message = MessageRow(
        id="4bd6b9716ac7f5d516bd71de3bb7efe3",
        direction="mt",
        application="tnn",
        transaction_id="abc-123",
        sender_kind="ShortCode",
        sender="111122",
        subject="grüß",
        accepted=1_700_000_000.0,
        expires=1_700_086_400.0,
    )
    both = ("to", "Number", "+61400"), ("cc", "RFC2822Address", "x@example.org"), ("bcc", "Number", "+61411")
    recipients = [
        RecipientRow(
            message_id=message.id,
            n=n,
            place=place,
            kind=kind,
            address=address,
            destination=HANDSET,
            state="Pending",
            changed=0.0,
        )
        for n, (place, kind, address) in enumerate(both)
    ]
    given = (
        Part(body="héllo\n".encode(), content_type="text/plain", parameters=(("charset", "utf-8"),), name="té.txt"),
        Part(body=SMIL, content_type="application/smil", content_id="s"),
        Part(body=GIF, content_type="image/gif", content_id="p"),
    )
    return Source(
        **{
            "message": message,
            "recipients": recipients,
            "raw": RawRow(message_id=message.id, n=0, received=0.0, headers="[]", body=b"x abc-123 x"),
            "parts": given,
            "application": None,
            "urls": Urls(),
            "now": 1_700_000_000.0,
            **changes,
        }
    )


def test_a_mail_as_a_mail_program_shows_it() -> None:
    """Numbers are names, nobody is in Bcc, the presentation comes first, and Content-IDs are kept."""
    octets = as_eml(simple())
    mail = email.message_from_bytes(octets, policy=email.policy.default)
    assert mail["From"] == "111122 <111122@mms.invalid>"
    assert mail["To"] == "+61400 <+61400@mms.invalid>"
    assert mail["Cc"] == "x@example.org"
    assert mail["Subject"] == "grüß"
    assert mail["Date"] == "Tue, 14 Nov 2023 22:13:20 -0000"
    assert mail["Message-ID"] == "<4bd6b9716ac7f5d516bd71de3bb7efe3@mms.invalid>"
    assert mail["X-Mms-Expiry"] == "2023-11-15T22:13:20Z"
    assert b"+61411" not in octets
    assert mail["Content-Type"].params["type"] == "application/smil"
    assert mail["Content-Type"].params["start"] == "<s>"
    kinds = [(one.get_content_type(), one.get_filename(), one["Content-ID"]) for one in mail.iter_parts()]
    assert kinds == [
        ("application/smil", "part-000.smil", "<s>"),
        ("text/plain", "té.txt", None),
        ("image/gif", "part-002.gif", "<p>"),
    ]
    assert email.message_from_bytes(as_eml(simple(parts=()))).get_content_type() == "multipart/mixed"


def test_what_differs_is_said() -> None:
    """What the JSON API has no place for is noted; who was in Bcc stays hidden from the others."""
    copy = as_json(simple())
    said = json.loads(copy.body)
    assert said["to"] == ["+61400", "x@example.org", "+61411"]
    assert "group" not in said
    assert said["parts"] == [
        {"text": "héllo\n", "name": "té.txt"},
        {"data": "R0lGODlhAQABAAAAADs=", "content_type": "image/gif"},
    ]
    assert [one.split(":")[0] for one in copy.notes] == [
        "who was Cc or Bcc is among to",
        "the presentation is left out, and one made for the handset",
    ]
    late = as_json(simple(now=2_000_000_000.0))
    assert "expires_at is over, and left out" in late.notes
    assert as_json(simple(urls=Urls(api=None))).command is None
    seen = as_json(simple(recipients=simple().recipients[:2]))
    assert json.loads(seen.body)["group"] is True


def test_large_parts_are_files() -> None:
    """What is too large for a command is sent as a form with files, and the JSON says what to put where."""
    large = Part(body=GIF + bytes(INLINE), content_type="image/gif", name="a;b.gif")
    text = Part(body=b"@/etc/passwd", content_type="text/plain")
    copy = as_json(simple(parts=(text, large), message=replace(simple().message, subject="@/etc/passwd")))
    assert json.loads(copy.body)["parts"][1] == {
        "data": f"<the {large.size} octets of part-001.gif in base64: base64 -w0 part-001.gif>",
        "content_type": "image/gif",
        "name": "a;b.gif",
    }
    words = command(copy.command or "")
    assert options(words, "--form") == ["parts=@part-001.gif"]
    assert {"subject=@/etc/passwd", "parts=@/etc/passwd", "to=+61400"} <= set(options(words, "--form-string"))
    assert copy.files == ("part-001.gif",)
    long = Part(body=("ß" * (INLINE // 2)).encode(), content_type="text/plain")  # six characters each in JSON
    assert as_json(simple(parts=(long,))).files == ("part-000.txt",)
    mo = as_json(simple(parts=(large,), message=replace(simple().message, direction="mo")))
    assert mo.files == ("message-4bd6b9716ac7.json",)
    assert max(map(len, command(mo.command or ""))) < 200


def test_how_the_transaction_id_is_changed() -> None:
    """The comment has a command only where the id is one that can stand in it."""
    assert 'sed -i "s/abc-123/$(date +%s)/" message-4bd6b9716ac7.mm7' in as_curl(simple()).text
    odd = replace(simple().message, transaction_id="a/b;$(x)")
    text = as_curl(simple(message=odd)).text
    assert "sed" not in text
    assert "$(x)" not in text
    assert as_curl(simple(raw=replace(simple().raw, n=2))).notes == (
        "this is request 2 about the message, not the one that began it",
    )


def test_http_download_is_the_request() -> None:
    """The download is the request with its head, without credentials."""
    head = json.dumps([("Content-Type", "text/xml"), ("X-Api-Key", "hunter2")])
    octets = as_http(simple(raw=replace(simple().raw, headers=head)))
    assert octets.startswith(b"POST /mm7 HTTP/1.1\r\nContent-Type: text/xml\r\nX-Api-Key: ***\r\n")
    assert octets.endswith(b"\r\n\r\nx abc-123 x")


# --- sent again -------------------------------------------------------------------------------------------------------


class Again:
    """A gateway with all its listeners, and a folder with downloads."""

    def __init__(self, trial: Trial, stack: ExitStack, folder: Path) -> None:
        self.trial, self.folder = trial, folder
        self.received: list[Message] = []
        self.come = threading.Semaphore(0)
        receiver = Receiver(auth={"mmsc": "secret"})
        receiver.on_deliver(self._keep)
        callback = stack.enter_context(serve_in_thread(receiver.asgi))
        trial.start(callback=callback)
        self.urls = Urls(
            mm7=trial.url,
            api=stack.enter_context(serve_in_thread(trial.gateway.api)),
            admin=stack.enter_context(serve_in_thread(admin_app(trial.gateway))),
        )

    def _keep(self, message: DeliverReq) -> None:
        self.received.append(message)
        self.come.release()

    def source(self, message_id: str) -> Source:
        """What copies of a message are made of."""
        with self.trial.gateway.database.read() as connection:
            message = store.message(connection, message_id)
            assert message is not None
            raw = store.raw(connection, message_id, message.content)
            copies_ = store.recipients(connection, message_id)
        assert raw is not None
        return Source(
            message=message,
            recipients=copies_,
            raw=raw,
            parts=content.parts_of(raw),
            application=self.trial.gateway.settings.application("demo"),
            urls=self.urls,
            now=message.accepted,
        )

    def submit(self, *, profile: Profile | None = None, **fields: Any) -> Source:
        """A message whose values are as bad as a VASP can send them."""
        whole: dict[str, Any] = {
            "to": ["+61400", "+61411"],
            "cc": "+61422",
            "subject": NASTY,
            "content": [
                Part(
                    body=NASTY.encode(),
                    content_type="text/plain",
                    parameters=(("charset", "utf-8"),),
                    content_id="t@x",
                    name=NASTY,
                ),
                Part(body=GIF, content_type="image/gif", content_id="p", name="../../evil.sh"),
                Part(body=bytes(range(256)) * 40, content_type="application/octet-stream", content_id="o"),
            ],
            "delivery_report": True,
            "expiry_date": timedelta(days=2),
            "service_code": NASTY,
            "priority": "High",
            **fields,
        }
        with self.trial.client(profile=profile) as client:
            return self.source(client.submit(**whole).message_id or "")

    def download(self, source: Source, files: tuple[str, ...]) -> None:
        """The files that a copy names, as a browser would keep them."""
        for file in files:
            octets = as_body(source) if file == source.body_file else source.parts[source.part_files.index(file)].read()
            (self.folder / file).write_bytes(octets)

    def run(self, words: list[str], answer: str = "", **options_: Any) -> str:
        """What a program says, run in the folder; its standard input has the password."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            input=answer,
            capture_output=True,
            text=True,
            timeout=60,
            start_new_session=True,  # without a terminal the password is read from there
            check=False,
            **options_,
        )
        assert done.returncode == 0, done.stderr
        assert sorted(one.name for one in self.folder.iterdir() if "pwned" in one.name) == []
        return done.stdout

    def shell(self, text: str, user: str | None) -> str:
        """What a command says that is run by the shell; curl would ask for the password."""
        known = text.replace(f"--user {user} ", f"--user {user}:demo ") if user is not None else text
        return self.run(["sh", "-c", known.replace("curl ", "curl --silent --show-error --fail ", 1)])


@pytest.fixture
def again(mm7_gateway: Trial, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Again]:
    """A gateway with all its listeners."""
    with ExitStack() as stack:
        yield Again(mm7_gateway, stack, tmp_path_factory.mktemp("downloads"))


def what(parts_: Any) -> list[tuple[Any, ...]]:
    """What parts are, besides header fields that a writer adds."""
    return [(one.content_type, one.content_id, one.name, one.charset, one.read()) for one in parts_]


def newest(again: Again, before: Source) -> Source:
    """The newest message, which is another one."""
    found = again.source(again.trial.messages()[0].id)
    assert found.message.id != before.message.id
    return found


def python(again: Again, source: Source, password: str) -> str:
    """What the copied program says."""
    copy = as_python(source)
    again.download(source, copy.files)
    (again.folder / "again.py").write_text(copy.text, encoding="utf-8")
    path = os.pathsep.join([str(Path(str(mm7zeep.__file__)).parent.parent), *sys.path])
    return again.run([sys.executable, "again.py"], f"{password}\n", env={**os.environ, "PYTHONPATH": path})


@pytest.mark.once
@pytest.mark.parametrize("smil", ["auto", "never"])
def test_python_sends_the_same_message(again: Again, smil: Any) -> None:
    """The program, run as it is, makes another message with the same addresses, fields and parts, and no others."""
    first = again.submit(profile=replace(profile(None), smil=smil))
    said = python(again, first, "demo")
    second = newest(again, first)
    assert said.split()[:2] == [second.message.id, "1000"]
    assert what(second.parts) == what(first.parts)
    assert len(second.parts) == (4 if smil == "auto" else 3)  # the presentation, which was not made again
    addresses = [(one.place, one.kind, one.address) for one in first.recipients]
    assert [(one.place, one.kind, one.address) for one in second.recipients] == addresses
    for name in ("subject", "sender", "namespace", "delivery_report", "read_reply", "mm7_version"):
        assert getattr(second.message, name) == getattr(first.message, name)
    fields = [dict(one.message.field) for one in (first, second)]
    assert all(one.pop("content_href").startswith("cid:") for one in fields)  # which differs each time
    assert fields[0] == fields[1]
    spans = [(one.message.expires or 0) - one.message.accepted for one in (first, second)]
    assert spans[0] == pytest.approx(spans[1], abs=1.5)


@pytest.mark.once
def test_python_delivers_the_same_mo(again: Again) -> None:
    """The program of an MO brings the receiver the same message as the gateway did."""
    texts = [NASTY, Part(body=GIF, content_type="image/gif", content_id="p", name="a.gif")]
    linked = again.trial.deliver("+61499", NASTY, texts)
    assert again.come.acquire(timeout=10)
    source = again.source(linked)
    assert as_python(source).notes == ()
    assert python(again, source, "secret").split()[0] == "1000"
    assert again.come.acquire(timeout=10)
    by_gateway, by_program = again.received
    assert isinstance(by_gateway, DeliverReq)
    assert isinstance(by_program, DeliverReq)
    for name in ("linked_id", "sender", "to", "cc", "subject", "priority", "time_stamp"):
        assert getattr(by_program, name) == getattr(by_gateway, name), name
    assert what(by_program.parts) == what(by_gateway.parts)


@pytest.mark.once
@CURL
def test_curl_sends_the_same_octets(again: Again) -> None:
    """The command is answered as the request was before; with another TransactionID, it makes another message."""
    first = again.submit()
    copy = as_curl(first)
    again.download(first, copy.files)
    text = again.shell(copy.text, "demo")
    assert f"MessageID>{first.message.id}<" in text
    assert len(again.trial.messages()) == 1
    [sed] = [line for line in copy.text.splitlines() if " sed " in line]
    again.run(["sh", "-c", sed.removeprefix("# ")])
    again.shell(copy.text, "demo")
    second = newest(again, first)
    assert what(second.parts) == what(first.parts)
    assert second.message.subject == first.message.subject


@pytest.mark.once
@CURL
@pytest.mark.parametrize("size", [0, INLINE])
def test_curl_sends_the_json(again: Again, size: int) -> None:
    """The command of the JSON makes a message with the same content, small in one word, large as a form with files."""
    content_ = [NASTY, Part(body=GIF + bytes(size), content_type="image/gif", name="a.gif")]
    first = again.submit(content=content_)
    copy = as_json(first)
    again.download(first, copy.files)
    assert bool(copy.files) == bool(size)
    id_ = json.loads(again.shell(copy.command or "", "demo"))["id"]
    second = newest(again, first)
    assert second.message.id == id_
    assert second.message.subject == first.message.subject
    assert [one.address for one in second.recipients] == ["+61400", "+61411", "+61422"]
    octets = [one.read() for one in first.parts if one.content_type != "application/smil"]
    assert [one.read() for one in second.parts] == octets
    assert [one.content_type for one in second.parts] == ["text/plain", "image/gif"]


@pytest.mark.once
@CURL
@pytest.mark.parametrize("form", ["curl", "json"])
def test_curl_sends_the_mo(again: Again, form: str) -> None:
    """Both commands of an MO have a handset send the same again."""
    texts = [NASTY, Part(body=GIF, content_type="image/gif", content_id="p", name="a.gif")]
    first = again.source(again.trial.deliver("+61499", NASTY, texts))
    copy = as_curl(first)
    again.download(first, copy.files)
    text = copy.text if form == "curl" else as_json(first).command or ""
    id_ = json.loads(again.shell(text, None))["id"]
    second = newest(again, first)
    assert second.message.id == id_
    assert (second.message.subject, second.message.sender) == (NASTY, "+61499")
    assert what(second.parts) == what(first.parts)
