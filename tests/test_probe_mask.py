"""What a report hides: credentials always, numbers and addresses unless asked for, in whatever wrapping."""

from __future__ import annotations

import base64
import gzip
import re
from dataclasses import replace

import probed
import pytest
from hypothesis import given
from hypothesis import strategies as st
from probed import BASIC, MAIL, NUMBER, PASSWORD, SETTINGS, USER
from test_masking import WRITTEN

from mm7zeep import masking
from mm7zeep.probe.reports.mask import Mask
from mm7zeep.probe.results import Reason
from mm7zeep.probe.settings import Account, Numbers

MASK, OPEN = Mask.of(SETTINGS), Mask.of(SETTINGS, show_numbers=True)
TELLING = probed.telling()


def unwrapped(data: bytes, depth: int = 4) -> list[bytes]:
    """Octets, and all that comes out of them when somebody looks for what was hidden."""
    found = [data, data.replace(b"\0", b""), re.sub(rb"=\r?\n", b"", data), re.sub(rb"\r\n1\r\n", b"", data)]
    found.append(re.sub(rb"&#(\d+);", lambda m: bytes([int(m[1]) % 256]), data))
    found.append(re.sub(rb"(?:=|%)([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), data))
    if depth:
        for run in re.findall(rb"[A-Za-z0-9+/_\r\n-]{8,}", data):
            letters = re.sub(rb"[\r\n]", b"", run).translate(bytes.maketrans(b"-_", b"+/"))
            for skipped in range(4):
                part = letters[skipped : len(letters) - (len(letters) - skipped) % 4]
                found += unwrapped(base64.b64decode(part), depth - 1) if part else []
        for place in (m.start() for m in re.finditer(rb"\x1f\x8b\x08", data)):
            try:
                found += unwrapped(gzip.decompress(data[place:]), depth - 1)
            except (OSError, EOFError):
                continue
    return found


SECRET = re.compile(
    rb"whisper&7|whisper&amp;7|hidden:mean|" + PASSWORD.encode().hex().encode() + b"|" + BASIC[:-2].encode()
)
PERSONAL = re.compile(rb"79\D{0,3}123\D{0,3}45|jo\.quiet")


@pytest.mark.parametrize("name", TELLING)
def test_nothing_is_found_again(name: str) -> None:
    """Whoever opens base64, gzip, chunks and encodings finds neither password nor number nor address."""
    before, (after, _) = TELLING[name], MASK.octets(TELLING[name])
    assert any(SECRET.search(one) or PERSONAL.search(one) for one in unwrapped(before)) or "cut" in name
    assert [one for one in unwrapped(after) if SECRET.search(one) or PERSONAL.search(one)] == []


@pytest.mark.parametrize("name", TELLING)
def test_credentials_stay_hidden_where_numbers_are_shown(name: str) -> None:
    """--show-numbers shows numbers, never a password."""
    after, _ = OPEN.octets(TELLING[name])
    assert [one for one in unwrapped(after) if SECRET.search(one)] == []


def test_numbers_are_shown_where_asked_for() -> None:
    """--show-numbers leaves numbers and addresses as they are."""
    after, _ = OPEN.octets(TELLING["plain"])
    assert NUMBER.encode() in after
    assert MAIL.encode() in after


@pytest.mark.parametrize("name", [one for one in TELLING if one not in ("gzip", "gzip that is cut", "brotli")])
def test_every_octet_keeps_its_place(name: str) -> None:
    """Offsets, lengths, boundaries and frames still hold: octets are covered, never taken out."""
    before, (after, _) = TELLING[name], MASK.octets(TELLING[name])
    assert len(after) == len(before)
    assert [n for n, one in enumerate(before) if one in b"\r\n" and "gzip" not in name] == [
        n for n, one in enumerate(after) if one in b"\r\n" and "gzip" not in name
    ]


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("gzip", "octets (gzip) are shown unpacked"),
        ("gzip that is cut", "octets (gzip) are left out"),
        ("brotli", "octets (br) are left out"),
        ("gzip as a part", "compressed octets are left out"),
        ("plain", ""),
    ],
)
def test_what_is_left_out_is_told(name: str, note: str) -> None:
    """Octets that cannot be shown, or not as they are, are never silently so."""
    _, told = MASK.octets(TELLING[name])
    assert (note in told) if note else not told


def test_compressed_octets_without_secrets_stay() -> None:
    """What opens and tells nothing is shown as it came."""
    data = probed.answer(gzip.compress(b"<ok/>"), "Content-Encoding: gzip")
    assert MASK.octets(data) == (data, "")


def test_offset_into_a_body_that_is_not_there_is_dropped() -> None:
    """Where a body is shown unpacked, an offset into it would point at something else."""
    found = Reason(level="MUST", text="x", exchange=0, offset=70)
    plain, packed = TELLING["plain"], TELLING["gzip"]
    for received, offset in ((plain, 70), (packed, None)):
        one = probed.result("a/b", "FAIL", reasons=(found,), transmissions=(probed.exchange(b"x", received),))
        assert MASK.result(one).reasons[0].offset == offset


@given(st.binary(max_size=400))
def test_noise_keeps_its_length(data: bytes) -> None:
    """Whatever octets came, as many are shown; masking again changes nothing."""
    after, note = MASK.octets(data)
    assert len(after) == len(data) or note
    assert note or MASK.octets(after) == (after, "")


@pytest.mark.parametrize(
    "text",
    [
        "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4",
        "Content-ID: <part-1.f10b366df876baca@mm7zeep>\r\nContent-Type: multipart/related; start=\"<a@b>\"",
        "<MM7Version>6.8.0</MM7Version><TimeStamp>2026-11-28T12:00:00+00:00</TimeStamp><x>111122</x>",
        "Date: Sat, 28 Nov 2026 13:02:57 GMT\r\nWWW-Authenticate: Basic realm=\"mm7\", charset=\"UTF-8\"",
        "--boundary_of-many/letters+and_signs--",
    ],
)  # fmt: skip
def test_what_tells_nothing_stays(text: str) -> None:
    """Namespaces, versions, times, Content-IDs and boundaries are legible, as octets and as text."""
    assert MASK.octets(text.encode()) == (text.encode(), "")
    assert MASK.text(text.partition("\r\n")[0]).count("*") == 0 or "Content-ID" in text


def test_password_that_everybody_sees_is_hidden_as_credential_alone() -> None:
    """A password that is the VASPID, too, does not make every VASPID unreadable."""
    mask = Mask.of(replace(SETTINGS, account=Account(username="demo", password="demo", vaspid="demo")))
    pair = base64.b64encode(b"demo:demo")
    after, _ = mask.octets(b"Authorization: Basic " + pair + b"\r\n\r\n<VASPID>demo</VASPID> demo:demo " + pair)
    stars = base64.b64encode(b"*********")
    assert after == b"Authorization: Basic ************\r\n\r\n<VASPID>demo</VASPID> ********* " + stars


def test_short_password_does_not_spoil_the_report() -> None:
    """A password of one letter is hidden as a word, not wherever its letter stands, in base64 or not."""
    mask = Mask.of(replace(SETTINGS, account=Account(username="a", password="b", vaspid="X")))
    data = b"Authorization: Basic YTpi\r\nContent-Type: multipart/related; boundary=bounds\r\n\r\nb is b, a:b, back"
    after, _ = mask.octets(data)
    assert (
        after
        == b"Authorization: Basic ****\r\nContent-Type: multipart/related; boundary=bounds\r\n\r\n* is *, ***, back"
    )


@pytest.mark.parametrize("after", ["SOAPAction", "SOAPActions", "SOAPActio", "SOAPActi", "Zeta-Yes_no"])
def test_what_stands_beside_base64_stays(after: str) -> None:
    """A line that follows base64, and looks like more of it, is not touched by what is hidden before it."""
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()  # without padding, so that the next line joins in
    assert not pair.endswith("=")
    masked, _ = MASK.octets(f"X: {pair}\r\n{after}\r\n".encode())
    assert masked.endswith(f"\r\n{after}\r\n".encode())
    assert pair.encode() not in masked


def test_short_numbers_of_the_settings_are_hidden() -> None:
    """A number too short to be seen as one is hidden where the settings name it; a short code of the sender is not."""
    mask = Mask.of(replace(SETTINGS, numbers=Numbers(good=("98765",), sender="77777")))
    assert mask.octets(b"<To>98765</To><From>77777</From>")[0] == b"<To>*****</To><From>77777</From>"


@pytest.mark.parametrize(("text", "wanted"), [("+1555001 0001", "+******* **01"), *WRITTEN])
def test_numbers_with_spaces_and_those_written_in_another_way(text: str, wanted: str) -> None:
    """Two digits of a number are left, however it is grouped or written, in octets and in UTF-16."""
    body = f"[{text}]"
    assert MASK.octets(probed.request(body.encode()))[0].endswith(f"[{wanted}]".encode())
    assert MASK.octets(probed.request(body.encode("utf-16-le")))[0].endswith(f"[{wanted}]".encode("utf-16-le"))
    assert MASK.text(text) == wanted
    assert OPEN.text(text) == text


def test_numbers_of_the_settings_in_another_way() -> None:
    """One that is too short to be seen as a number is hidden as references, too."""
    mask = Mask.of(replace(SETTINGS, numbers=Numbers(good=("98765",))))
    assert mask.octets(b"<To>&#57;&#56;&#55;&#54;&#53;</To>")[0] == b"<To>" + b"*" * 25 + b"</To>"


def test_second_account_is_hidden_too() -> None:
    """The other VASP's password is as secret."""
    mask = Mask.of(replace(SETTINGS, second=Account(username=USER, password="murmur9", vaspid="X")))
    assert b"murmur" not in mask.octets(b"you said murmur9")[0]


@pytest.mark.parametrize(
    ("text", "credentials", "numbers", "addresses"),
    [
        (f"Authorization: Basic {BASIC}\r\nx", True, False, False),
        ("<Password>\nwhisper\n</Password><b/>", True, False, False),
        ('{"token": "whisper", "a": 1}', True, False, False),
        ("see https://quiet:whisper@mmsc.example/?sig=abc", True, False, True),
        ("+41 79 123 45 67 and 0301234567", False, True, False),
        (f"to {MAIL}, cid:a@b", False, False, True),
    ],
)
def test_masking_in_place(text: str, credentials: bool, numbers: bool, addresses: bool) -> None:
    """The masks that keep places hide what those do that shorten, and leave line breaks."""
    for hide, short, touched in (
        (masking.credentials_in_place, masking.credentials, credentials),
        (masking.numbers_in_place, masking.numbers, numbers),
        (masking.addresses_in_place, masking.addresses, addresses),
    ):
        hidden = hide(text)
        assert len(hidden) == len(text)
        assert [n for n, one in enumerate(hidden) if one in "\r\n"] == [
            n for n, one in enumerate(text) if one in "\r\n"
        ]
        assert (hidden != text) == touched
        assert (short(text) != text) == touched


@pytest.mark.parametrize(
    "form",
    [
        "p&#228;ss &amp; wort",
        "p\\u00e4ss & wort",
        "p=C3=A4ss & wort",
        "".join(f"&#x{ord(one):x};" for one in "päss & wort"),
    ],
)
def test_passwords_that_a_writer_escaped(form: str) -> None:
    """As XML in ASCII, JSON and quoted-printable have what is no plain letter."""
    mask = Mask(accounts=(Account(username="probe", password="päss & wort"),), show_numbers=True)
    assert (
        mask.octets(f"HTTP/1.1 500 E\r\n\r\n[{form}]".encode())[0]
        == f"HTTP/1.1 500 E\r\n\r\n[{'*' * len(form)}]".encode()
    )
