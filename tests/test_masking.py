"""What is hidden before a report leaves the house, and what has to stay readable."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm7zeep import masking

SECRET = "cXVpZXQ6d2hpc3Blcg=="


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"Authorization: Basic {SECRET}", "Authorization: Basic ***"),
        (f"authorization:Basic  {SECRET}", "authorization:Basic ***"),
        ("Proxy-Authorization: Bearer abc.def.ghi", "Proxy-Authorization: Bearer ***"),
        ("Authorization: 0123456789abcdef", "Authorization: ***"),
        ('Authorization: Digest username="quiet", response="6629"', "Authorization: Digest ***"),
        ("Set-Cookie: id=whisper; Path=/\r\nHost: x", "Set-Cookie: ***\r\nHost: x"),
        ("X-Api-Key: whisper", "X-Api-Key: ***"),
        ("X-Auth-Token: whisper", "X-Auth-Token: ***"),
        (f"curl -H 'Authorization: Basic {SECRET}'", "curl -H 'Authorization: Basic ***"),
        (f"sent Basic {SECRET} to us", "sent Basic *** to us"),
        ("a Bearer eyJhbGciOi.J9 token", "a Bearer *** token"),
        ('username="quiet", nonce="dcd9", response="6629"', 'username="***", nonce="***", response="***"'),
        ("https://quiet:whisper@mmsc.example/mm7", "https://***@mmsc.example/mm7"),
        ("POST /mm7?user=7&password=whisper&x=1 HTTP/1.1", "POST /mm7?user=7&password=***&x=1 HTTP/1.1"),
        ("/mm7?api_key=a&amp;Access-Token=b;pwd=c#d", "/mm7?api_key=***&amp;Access-Token=***;pwd=***#d"),
        ("<v:Password>whisper</v:Password>", "<v:Password>***</v:Password>"),
        ('<Login userid="quiet" secret="whisper"/>', '<Login userid="***" secret="***"/>'),
        ('{"password": "whisper", "a": 1}', '{"password": "***", "a": 1}'),
        ('<secret kind="x">whisper</secret>', '<secret kind="x">***</secret>'),
    ],
)
def test_credentials_are_hidden(text: str, wanted: str) -> None:
    """In header lines, sentences, addresses, elements, attributes and JSON; with numbers shown or not."""
    assert masking.credentials(text) == wanted
    shown = masking.masked(text, show_numbers=True)
    assert shown == wanted
    for secret in (SECRET, "whisper", "quiet", "eyJ", "6629", "abc.def"):
        assert secret not in shown


@pytest.mark.parametrize(
    "text",
    [
        "Basic: 2 tickets",
        'WWW-Authenticate: Basic realm="MM7"',
        "no Basic over plain HTTP",
        "Basic credentials",
        "TransactionID t-1",
        "Content-Type: text/xml; charset=utf-8",
        "https://mmsc.example/mm7?app=7",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    """Challenges, prose and ordinary fields can be read."""
    assert masking.masked(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("+61412345678", "+*********78"),
        ("<Number>+61412345678</Number>", "<Number>+*********78</Number>"),
        ("+61 412 345-678", "+** *** ***-*78"),
        ("+49 (0)30 123456", "+** (*)** ****56"),
        ("0412 345 678", "**** *** *78"),
        ("(030) 1234567", "(***) *****67"),
        ("61 412 345 678", "** *** *** *78"),
        ("1-800-555-0199", "*-***-***-**99"),
        ("+61412345678/TYPE=PLMN", "+*********78/TYPE=PLMN"),
        ('href="cid:61412345678@mms"', 'href="cid:*********78@mms"'),
        ('href="cid:%2B61412345678@mms"', 'href="cid:%2B*********78@mms"'),
        ("cid:%36%31%34%31%32%33%34%35", "cid:********"),
        ("<Subject>0412345678 12345678901234567890</Subject>", "<Subject>********78 ******************90</Subject>"),
        ("٠٤١٢٣٤٥٦٧٨", "********٧٨"),
        ("...45678</Number>", "...*****</Number>"),
        ("<Number>+4930...", "<Number>+****..."),
    ],
)  # fmt: skip
def test_numbers_are_hidden_but_two_digits(text: str, wanted: str) -> None:
    """In elements, hrefs, subjects, grouped, in any digits, and where a line was cut; shown where asked for."""
    assert masking.masked(text) == wanted
    assert masking.masked(text, show_numbers=True) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T09:30:47-05:00",
        "REL-6-MM7-1-4, 6.8.0",
        "short code 111122",
        "192.0.2.7:40123 > [2001:db8::80]:8007, exchange 2 from packet 17",
        "500 of 123456 octets",
        "byte 1024",
        "image/gif 640x480",
    ],
)
def test_what_is_no_number_stays(text: str) -> None:
    """Dates, versions, short codes, connections and sizes can be read."""
    assert masking.masked(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<RFC2822Address>jo.doe+x@b.example</RFC2822Address>", "<RFC2822Address>***@b.example</RFC2822Address>"),
        ("mailto:jo@ferry.example", "mailto:***@ferry.example"),
        ('href="cid:note@ferry.example"', 'href="cid:note@ferry.example"'),
        ("Content-ID: <note@ferry.example>", "Content-ID: <note@ferry.example>"),
        ('start="<note@ferry.example>"', 'start="<note@ferry.example>"'),
    ],
)  # fmt: skip
def test_mail_addresses_are_hidden_and_content_ids_are_not(text: str, wanted: str) -> None:
    """The local part of an address is hidden; what names a part stays."""
    assert masking.masked(text) == wanted
    assert masking.masked(text, identifiers=True) == text
    assert masking.masked(text, show_numbers=True) == text


@given(st.text(max_size=300))
def test_any_text_is_masked_once_and_for_all(text: str) -> None:
    """Whatever the text, masking ends, and leaves no run of seven digits."""
    done = masking.masked(text)
    assert not any(all(one.isdigit() for one in done[at : at + 7]) for at in range(len(done) - 6))


@pytest.mark.parametrize(
    "piece", ["a", "<", "pass", "1 ", "+1", "@a", "a.", "://", '"', "=", "Basic ", "password=", "%3"]
)
def test_time_is_linear(piece: str) -> None:
    """Repetitions of anything take no longer than their length explains."""
    start = time.perf_counter()
    masking.masked(piece * (20_000 // len(piece)))
    assert time.perf_counter() - start < 2
