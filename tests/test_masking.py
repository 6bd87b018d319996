"""What is hidden before a report leaves the house, and what has to stay readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timing import least_seconds

from mm7zeep import masking

SECRET = "cXVpZXQ6d2hpc3Blcg=="
SECRET_NAMES = [
    "sig", "signature", "sign", "token", "key", "apikey", "api_key", "api-key", "auth", "authkey", "code", "secret",
    "client_secret", "password", "passwd", "pwd", "pass", "pin", "otp", "access_token", "id_token", "refresh-token",
    "X-Amz-Signature", "X-Amz-Security-Token", "X-Goog-Credential", "subscription-key", "Ocp-Apim-Subscription-Key",
    "hmac", "jwt", "sid", "session", "sessionid", "auth_code", "SharedAccessSignature", "private.key", "KEY", "Sig",
]  # fmt: skip


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
        ("<Password><![CDATA[whisper]]></Password>", "<Password>***</Password>"),
        ("<a:Secret><Value>whisper</Value></a:Secret><b>c</b>", "<a:Secret>***</a:Secret><b>c</b>"),
        ("<Password>whisper", "<Password>***"),
        ('<Login pin="whisper" name="a"/>', '<Login pin="***" name="a"/>'),
        ("<PIN>whisper</PIN>", "<PIN>***</PIN>"),
        ('<x password="whi\nsper"/>', '<x password="***"/>'),
        ("https://quiet:whi@sper@mmsc.example/mm7", "https://***@mmsc.example/mm7"),
        (f"https://{'quiet' * 100}@mmsc.example/mm7", "https://***@mmsc.example/mm7"),
        ("to https://a.example/cb?sig=whisper&b=1 now", "to https://a.example/cb?sig=***&b=1 now"),
        ("sig=whisper", "sig=***"),
        ("/cb?key=whisper&code=whisper&sid=whisper&auth=whisper", "/cb?key=***&code=***&sid=***&auth=***"),
        ("/cb?X-Amz-Signature=whisper&X-Amz-Credential=whisper", "/cb?X-Amz-Signature=***&X-Amz-Credential=***"),
        (
            "/cb;jsessionid=1?subscription-key=whisper#access_token=whisper",
            "/cb;jsessionid=1?subscription-key=***#access_token=***",
        ),
        (
            "/cb?next=https%3A%2F%2Fb.example%2F%3Fsig%3Dwhisper%26a%3D1",
            "/cb?next=https%3A%2F%2Fb.example%2F%3Fsig%3D***%26a%3D1",
        ),
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
        "/mm7?monkey=a&encode=b&design=c",
        "StatusCode=1000, code=2007, short_code=111122, key: value",
        "<Pinned>a</Pinned><Signal>b</Signal>",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    """Challenges, prose and ordinary fields can be read."""
    assert masking.masked(text) == text


URLS: dict[str, str] = {
    "https://a.example/cb": "https://a.example/cb",
    "https://a.example/cb?app=7&lang=de": "https://a.example/cb?app=7&lang=de",
    "https://quiet:whi@sper@a.example:8443/cb": "https://a.example:8443/cb",
    "https://a.example/cb?app=7&sig=whisper": "https://a.example/cb?app=7&sig=***",
    "https://a.example/cb?s%69g=whisper&to%6ben=whisper": "https://a.example/cb?s%69g=***&to%6ben=***",
    "https://a.example/cb;token=whisper?b=1#key=whisper": "https://a.example/cb;token=***?b=1#key=***",
    "https://a.example/cb?password=": "https://a.example/cb?password=",
    "https://a.example/cb?u=http%3A%2F%2Fb%2F%3Fpwd%3Dwhisper": "https://a.example/cb?u=http%3A%2F%2Fb%2F%3Fpwd%3D***",
}


@pytest.mark.parametrize(("text", "wanted"), URLS.items())
def test_secrets_of_an_address(text: str, wanted: str) -> None:
    """Shown without its user and without the values of parameters that are named like secrets, however written."""
    assert masking.url(text) == wanted
    assert masking.url(wanted) == wanted


@pytest.mark.parametrize("name", SECRET_NAMES)
@pytest.mark.parametrize("form", ["https://a.example/cb?a=1&{}=whisper", "POST /cb?{}=whisper&a=1 HTTP/1.1"])
def test_names_of_secrets(name: str, form: str) -> None:
    """Whatever a secret is called in a query, it is seen in no address and no line of a log."""
    assert "whisper" not in masking.credentials(form.format(name))
    assert "whisper" not in masking.url(form.format(name))


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


WRITTEN = [
    ("+&#52;1791234567", "+*************67"),
    ("+1555001&#32;0001", "+*******&#32;**01"),
    ("&#x2b;41 79 123 45 67", "&#x2b;** ** *** ** 67"),
    ("&amp;#52;1791234567", "*****************67"),
    ("0412%20345%20678", "****%20***%20*78"),
    ("+41=2079123=\r\n4567", "+**=*******=\r\n**67"),
    ("=2B1555001=200001", "=2B*******=20**01"),
    ("jo.quiet&#64;ferry.example", "********&#64;ferry.example"),
    ("jo.quiet&commat;ferry.example", "********&commat;ferry.example"),
    ("jo.quiet&amp;#x40;ferry.example", "********&amp;#x40;ferry.example"),
    ("&#106;o.quiet@ferry.example", "*************@ferry.example"),
    ("jo.quiet=40ferry.example", "********=40ferry.example"),
    ("jo.quiet=40fer=\r\nry=2Eexample", "********=40fer=\r\nry=2Eexample"),
    ("jo.quiet%40ferry.example", "********%40ferry.example"),
]


@pytest.mark.parametrize(("text", "wanted"), WRITTEN)
def test_numbers_and_addresses_written_in_another_way(text: str, wanted: str) -> None:
    """With character references, quoted-printable or percent-encoded octets, one in another, or in part."""
    assert masking.masked(f"<a>{text}</a>") == f"<a>{wanted}</a>"
    assert masking.numbers_in_place(masking.addresses_in_place(text)) == wanted
    assert masking.masked(text, show_numbers=True) == text


@pytest.mark.parametrize(
    "text",
    [
        "<td width=40px>",
        "port=4000, expires=2026-11-28, code=2004",
        "a &lt; b &amp;&amp; &#252;ber &nosuchname; 100%25",
        "?next=https%3A%2F%2Fa.example%2F%3Fb%3D40",
    ],
)
def test_what_only_looks_written_in_another_way_stays(text: str) -> None:
    """Attributes, dates, texts and addresses with escapes can be read."""
    assert masking.masked(text) == text
    assert masking.numbers_in_place(masking.addresses_in_place(text)) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<Number>77123</Number>", "<Number>*****</Number>"),
        (
            '<mm7:ShortCode displayOnly="true">5 55</mm7:ShortCode>',
            '<mm7:ShortCode displayOnly="true">* **</mm7:ShortCode>',
        ),
        ("<To>98765</To><Subject>98765</Subject>", "<To>*****</To><Subject>98765</Subject>"),
        ("&lt;Number&gt;77123&lt;/Number&gt;", "&lt;Number&gt;*****&lt;/Number&gt;"),
        ("<Number>&#55;7123</Number>", "<Number>*********</Number>"),
        ("<Number>12</Number><Number/>345", "<Number>12</Number><Number/>345"),
        ("<Number>0301234567</Number>", "<Number>********67</Number>"),
        ("<RFC2822Address>Ann Bee <ann@x.example>", "<RFC2822Address>*** *** <***@x.example>"),
        ("<RFC2822Address>Ann &lt;ann@x.example&gt;", "<RFC2822Address>*** &lt;***@x.example&gt;"),
    ],
)
def test_what_an_address_element_holds(text: str, wanted: str) -> None:
    """Short numbers and names are hidden where an address stands, and nowhere else; places stay where asked for."""
    assert masking.masked(text) == wanted
    assert masking.masked(text, show_numbers=True) == text
    assert len(masking.numbers_in_place(masking.addresses_in_place(text))) == len(text)


def test_kept_identifiers() -> None:
    """What is to be kept stays where it stands by itself, and hides nothing less of what is beside it."""
    kept = {"20261101123456@x.example", "1", "61412345678"}
    text = "cid:20261101123456@x.example, +61 412 345 671, 61412345678, 461412345678, ann@x.example"
    wanted = "cid:20261101123456@x.example, +** *** *** *71, 61412345678, **********78, ***@x.example"
    assert masking.masked(text, kept=kept) == wanted
    assert masking.masked("token=20261101123456@x.example", kept=kept) == "token=***"


@given(st.text("0123456789 +@a.;&#x=%4\r\n", max_size=120))
def test_places_stay_however_it_is_written(text: str) -> None:
    """Nothing but stars takes the place of anything, and line breaks stay."""
    after = masking.numbers_in_place(masking.addresses_in_place(text))
    assert len(after) == len(text)
    assert all(now in (before, "*") for before, now in zip(text, after, strict=True))
    assert [n for n, one in enumerate(after) if one in "\r\n"] == [n for n, one in enumerate(text) if one in "\r\n"]


@given(st.text(max_size=300))
def test_any_text_is_masked_once_and_for_all(text: str) -> None:
    """Whatever the text, masking ends, and leaves no run of seven digits."""
    done = masking.masked(text)
    assert not any(all(one.isdigit() for one in done[at : at + 7]) for at in range(len(done) - 6))


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "<",
        "pass",
        "1 ",
        "+1",
        "@a",
        "a.",
        "://",
        '"',
        "=",
        "Basic ",
        "password=",
        "%3",
        "?sig=",
        "<pin>",
        "<password>",
        "%26",
        "pin=",
        "&#49;",
        "&amp;",
        "=40a",
        "=\n",
        "%40a",
        "<To>1",
        "<To>111",
        "<Number ",
        "<RFC2822Address>a<",
    ],
)
def test_time_is_linear(piece: str) -> None:
    """Repetitions of anything take no longer than their length explains."""
    text = piece * (20_000 // len(piece))
    assert least_seconds(lambda: masking.masked(text), enough=1) < 2


@pytest.mark.parametrize("form", ["&#{};", "&#x{:x};", "&#0{};"])
def test_references_to_anything(form: str) -> None:
    """What is no character at all is passed over, and nothing is hidden for it."""
    codes = (*range(0x300), 0xD7FF, 0xD800, 0xDFFF, 0xFDD0, 0xFFFE, 0xFFFF, 0x10FFFF, 0x110000, 9_999_999)
    for code in codes:
        text = f"a {form.format(code)} b"
        assert masking.masked(text) == text or code > 999_999  # which may be a number by its digits
        assert len(masking.numbers_in_place(text)) == len(masking.addresses_in_place(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("Anna &amp; Bob &lt;anna@x.example&gt;", "**** ***** *** &lt;***@x.example&gt;"),
        ("<![CDATA[Anna Bob <anna@x.example>]]>", "<![CDATA[**** *** <***@x.example>]]>"),
    ],
)
def test_names_written_otherwise(text: str, covered: str) -> None:
    """A name is hidden beside a reference and in a CDATA section, too; so is a short number."""
    assert masking.masked(f"<RFC2822Address>{text}</RFC2822Address>") == f"<RFC2822Address>{covered}</RFC2822Address>"
    assert masking.masked("<Number><![CDATA[12345]]></Number>") == "<Number><![CDATA[*****]]></Number>"
