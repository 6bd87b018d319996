"""The messages: frozen values with coercions, checked when made."""

from __future__ import annotations

import hashlib
import io
from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from mm7zeep import messages as m
from mm7zeep.status import Status

CLASSES = [one for name in m.__all__ if isinstance(one := getattr(m, name), type) and is_dataclass(one)]
BAD = ["a\nb", "a\rb", "\x00", "\x1b[31m", "\x7f", "\ud800", "\uffff"]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_frozen(kind: type[Any]) -> None:
    """No value changes, and none takes attributes of others."""
    assert kind.__dataclass_params__.frozen
    assert "__slots__" in kind.__dict__
    if issubclass(kind, m.Message):
        assert all(one.kw_only for one in fields(kind))
    with pytest.raises(FrozenInstanceError):
        m.SubmitReq().subject = "x"  # type: ignore[misc]


def test_an_address_by_its_form() -> None:
    """An @ makes an RFC2822Address, anything else a Number; what is one already stays; nothing is refused."""
    assert m.address("+46700") == m.Number("+46700")
    assert m.address("a@b.example") == m.RFC2822Address("a@b.example")
    assert m.address(code := m.ShortCode("7")) is code
    for empty in ("", "  "):
        with pytest.raises(ValueError, match="empty"):
            m.address(empty)
    with pytest.raises(TypeError, match="Number"):
        m.Address("7")
    assert m.Number("7") != m.ShortCode("7")
    assert (m.Number("7").kind, m.RFC2822Address("7").kind, m.ShortCode("7").kind) == (
        "Number",
        "RFC2822Address",
        "ShortCode",
    )


def test_several_addresses() -> None:
    """One, several or none, as a tuple."""
    assert m.addresses(None) == ()
    assert m.addresses("7") == m.addresses(m.Number("7")) == m.addresses(["7"]) == (m.Number("7"),)
    assert m.addresses(one for one in ("7", "a@b")) == (m.Number("7"), m.RFC2822Address("a@b"))


def test_bare_addresses() -> None:
    """/TYPE=PLMN and what follows is not part of the number; the value stays as sent."""
    assert [m.address(one).bare for one in ("+46/TYPE=PLMN", "+46/TYPE=PLMN@mm.example", "+46", "a@b")] == [
        "+46",
        "+46",
        "+46",
        "a@b",
    ]
    assert str(m.Number("+46/TYPE=PLMN")) == "+46/TYPE=PLMN"


@pytest.mark.parametrize("bad", BAD)
def test_control_characters_are_refused(bad: str) -> None:
    """In addresses, subjects and the labels of a part; a tab is none of them."""
    makers: list[Any] = [
        m.Number,
        m.RFC2822Address,
        m.ShortCode,
        lambda text: m.SubmitReq(to=text),
        lambda text: m.SubmitReq(subject=text),
        lambda text: m.DeliverReq(subject=text),
        lambda text: m.Part(body=b"", content_type=text),
        lambda text: m.Part(body=b"", content_id=text),
        lambda text: m.Part(body=b"", content_location=text),
        lambda text: m.Part(body=b"", name=text),
        lambda text: m.Part(body=b"", parameters=(("charset", text),)),
        lambda text: m.Part(body=b"", headers=(("X-Pier", text),)),
        lambda text: m.Part(body=b"", headers=((text, "7"),)),
    ]
    for make in makers:
        with pytest.raises(ValueError, match="control character"):
            make(bad)
        make("a\tb")


def test_coercions() -> None:
    """Text becomes an address, one becomes a tuple, a list becomes a tuple; None stays None."""
    submit = m.SubmitReq(to="7", cc=["8", "a@b"], bcc=None, sender_address="9", parts=[m.Part(body=b"")])  # type: ignore[arg-type]
    assert (submit.to, submit.cc, submit.bcc) == ((m.Number("7"),), (m.Number("8"), m.RFC2822Address("a@b")), ())
    assert submit.sender_address == m.Number("9")
    assert submit.parts == (m.Part(body=b""),)
    assert (m.SubmitReq().sender_address, m.DeliverReq().sender) == (None, None)
    assert m.CancelReq(message_id="x", sender_address="9").sender_address == m.Number("9")  # type: ignore[arg-type]
    report = m.DeliveryReportReq(message_id="x", recipient="7", sender="a@b", mm_status="Expired")  # type: ignore[arg-type]
    assert (report.recipient, report.sender) == (m.Number("7"), m.RFC2822Address("a@b"))
    assert m.SubmitReq(subject=7).subject == "7"  # type: ignore[arg-type]


def test_recipients_are_those_to_be_served() -> None:
    """Those that are only displayed are not."""
    shown = m.Number("8", display_only=True)
    assert m.SubmitReq(to=("7", shown), bcc="9").recipients == (m.Number("7"), m.Number("9"))  # type: ignore[arg-type]


class Kept:
    """A blob."""

    size = 5

    def open(self) -> BinaryIO:
        """A fresh stream."""
        return io.BytesIO(b"tides")


@pytest.mark.parametrize("where", ["memory", "file", "blob"])
def test_a_part_wherever_it_is(where: str, tmp_path: Path) -> None:
    """Size, bytes, text and digest are the same from memory, a file or a blob."""
    (tmp_path / "t").write_bytes(b"tides")
    body: Any = {"memory": b"tides", "file": tmp_path / "t", "blob": Kept()}[where]
    part = m.Part(body=body, content_type="text/plain")
    assert (part.size, part.read(), b"".join(part.chunks()), part.text()) == (5, b"tides", b"tides", "tides")
    assert part.sha256() == hashlib.sha256(b"tides").hexdigest()
    with part.open() as stream:
        assert stream.read(2) == b"ti"
    assert part.save(tmp_path / "saved").read_bytes() == b"tides"
    with pytest.raises(FileExistsError):
        part.save(tmp_path / "saved")
    assert isinstance(Kept(), m.Blob)


def test_text_of_a_part() -> None:
    """By its charset, UTF-8 without one or with an unknown one; what does not decode is shown, not raised."""
    assert m.Part(body="å".encode("latin-1"), parameters=(("Charset", "latin-1"),)).text() == "å"
    assert m.Part(body="å".encode(), parameters=(("charset", "x-pier"),)).text() == "å"
    assert m.Part(body=b"\xff").text() == "\ufffd"
    assert (m.Part(body=b"").charset, list(m.Part(body=b"").chunks())) == (None, [])
    assert [len(one) for one in m.Part(body=b"x" * 70_000).chunks()] == [65_536, 4_464]


def test_the_status_of_a_fault() -> None:
    """That of its detail; without one 2000 for Client, 3000 for the rest."""
    inner = m.RSErrorRsp(status=Status(4006))
    assert m.Fault(fault_code="Client", fault_string="x", error=inner).status == Status(4006)
    assert m.Fault(fault_code="Client.Auth", fault_string="x").status == Status(2000, "x")
    assert m.Fault(fault_code="MustUnderstand", fault_string="x").status == Status(3000, "x")


def test_an_extension_knows_its_text() -> None:
    """The text of a flat vendor element."""
    texts = {'<k:A xmlns:k="urn:k">7</k:A>': "7", "<A/>": "", "<A></A>": ""}
    assert {xml: m.Extension(parent="x", index=0, name="A", xml=xml).text for xml in texts} == texts


def test_answers_default_to_success() -> None:
    """An answer that says nothing says 1000."""
    assert m.DeliverRsp().status == Status(1000)
