"""TLS: authorities of ones own, client certificates, and what is refused."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from far_side import FarSide

from mm7zeep.client import AsyncVaspClient, Retry, Submitted, VaspClient
from mm7zeep.errors import LocalError, TransportError
from mm7zeep.transport import Timeouts, reasons

STYLES = pytest.mark.parametrize("style", ["sync", "async"])


class Certificates(NamedTuple):
    """PEM files of one authority, a server and a client, and of another authority with its client."""

    ca: trustme.CA
    server: trustme.LeafCert
    ca_file: str
    client: tuple[str, str]
    client_pem: str
    stranger: tuple[str, str]
    other_ca_file: str


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Made once for all tests here."""
    folder = tmp_path_factory.mktemp("tls")
    ca, other = trustme.CA(), trustme.CA()

    def pair(name: str, cert: trustme.LeafCert) -> tuple[str, str]:
        files = folder / f"{name}.pem", folder / f"{name}.key"
        cert.cert_chain_pems[0].write_to_path(str(files[0]))
        cert.private_key_pem.write_to_path(str(files[1]))
        return str(files[0]), str(files[1])

    for name, one in (("ca", ca), ("other", other)):
        one.cert_pem.write_to_path(str(folder / f"{name}.pem"))
    client = ca.issue_cert("client@vasp.example")
    both = folder / "both.pem"
    client.private_key_and_cert_chain_pem.write_to_path(str(both))
    return Certificates(
        ca=ca,
        server=ca.issue_cert("127.0.0.1"),
        ca_file=str(folder / "ca.pem"),
        client=pair("client", client),
        client_pem=str(both),
        stranger=pair("stranger", other.issue_cert("client@other.example")),
        other_ca_file=str(folder / "other.pem"),
    )


def far_side(certificates: Certificates, *, wants_client: bool = False, newest: bool = True) -> FarSide:
    """A server with the certificate of 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates.server.configure_cert(context)
    if not newest:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        certificates.ca.configure_trust(context)
    return FarSide(tls=context)


def submit(style: str, url: str, **options: Any) -> Submitted:
    """One submit in either style; no wait between attempts."""
    options = {"vaspid": "v", "vasid": "s", "timeouts": Timeouts(connect=3, read=3), **options}
    if style == "sync":
        with VaspClient(url, sleep=lambda seconds: None, **options) as client:
            return client.submit("+491", "hello")

    async def awaited() -> Submitted:
        async with AsyncVaspClient(url, **options) as client:
            return await client.submit("+491", "hello")

    return asyncio.run(awaited())


@STYLES
def test_authority_of_ones_own(style: str, certificates: Certificates) -> None:
    """``ca_file`` replaces the bundled authorities."""
    with far_side(certificates) as far:
        assert submit(style, far.url, ca_file=certificates.ca_file).message_id == "m-1"


@STYLES
@pytest.mark.parametrize("ca", ["bundled", "another"])
def test_unknown_authority_is_refused(ca: str, style: str, certificates: Certificates, tmp_path: Path) -> None:
    """Nothing is sent, nothing tried again: a certificate is as wrong the next time."""
    options = {} if ca == "bundled" else {"ca_file": certificates.other_ca_file}
    with far_side(certificates) as far:
        with pytest.raises(TransportError, match="certificate") as info:
            submit(style, far.url, **options)
        assert far.requests == []
        assert far.connections == 1
    assert not info.value.maybe_accepted


@STYLES
def test_name_must_match(style: str, certificates: Certificates) -> None:
    """A certificate of another host is refused."""
    with far_side(certificates) as far:
        with pytest.raises(TransportError) as info:
            submit(style, far.url.replace("127.0.0.1", "localhost"), ca_file=certificates.ca_file)
        assert far.requests == []
    assert not info.value.maybe_accepted


@STYLES
@pytest.mark.parametrize("form", ["pair", "one file"])
def test_client_certificate(form: str, style: str, certificates: Certificates) -> None:
    """(certificate, key), or one file with both, where the server asks for it."""
    cert: Any = certificates.client if form == "pair" else certificates.client_pem
    with far_side(certificates, wants_client=True) as far:
        assert submit(style, far.url, ca_file=certificates.ca_file, client_cert=cert).message_id == "m-1"


@STYLES
@pytest.mark.parametrize("newest", [True, False], ids=["TLS 1.3", "TLS 1.2"])
@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_server_that_refuses_our_certificate(who: str, newest: bool, style: str, certificates: Certificates) -> None:
    """Its alert may come after the request went out (TLS 1.3), and still proves that nothing was accepted."""
    options: dict[str, Any] = {"client_cert": certificates.stranger} if who == "stranger" else {}
    with far_side(certificates, wants_client=True, newest=newest) as far:
        with pytest.raises(TransportError) as info:
            submit(style, far.url, ca_file=certificates.ca_file, **options)
        assert far.requests == []
    assert "ALERT" in str(info.value)
    assert not info.value.maybe_accepted


# --- each failure with its reason and its fix -------------------------------------------------------------------------


@contextmanager
def raw_server(*answers: bytes | ssl.SSLContext) -> Iterator[int]:
    """A port whose connections get octets as soon as they have sent some, or a handshake; the last one repeats."""
    listener = socket.create_server(("127.0.0.1", 0))
    ending = threading.Event()

    def serve(connection: socket.socket, answer: bytes | ssl.SSLContext) -> None:
        connection.settimeout(10)
        if isinstance(answer, ssl.SSLContext):
            with suppress(OSError), answer.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)
            return
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    def accept() -> None:
        rest = list(answers)
        while True:
            connection, _ = listener.accept()
            if ending.is_set():
                connection.close()
                return
            serve(connection, rest.pop(0) if len(rest) > 1 else rest[0])

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ending.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join(10)
        listener.close()


def alert(description: int) -> bytes:
    """A fatal TLS alert (RFC 8446 6)."""
    return bytes([21, 3, 3, 0, 2, 2, description])


PLAIN = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
RECORDS: dict[str, tuple[str, bytes, str]] = {
    "https to plain http": ("https", PLAIN, r"speaks no TLS: use http:// or the port for TLS \(WRONG_VERSION_NUMBER\)"),
    "https to smtp": ("https", b"220 mail.example ESMTP\r\n", "speaks no TLS: use http://"),
    "https to what closes": ("https", b"", r"closed the connection within TLS.*\(UNEXPECTED_EOF"),
    "http to tls, version": ("http", alert(70), "the port speaks TLS, and the URL says http://: use https://"),
    "http to tls, handshake": ("http", alert(40), "use https://"),
    "http to tls, unexpected": ("http", alert(10), "use https://"),
    "version": ("https", alert(70), r"no version of TLS in common.*\(TLSV1_ALERT_PROTOCOL_VERSION\)"),
    "certificate required": ("https", alert(116), r"demands a client certificate: pass client_cert="),
    "handshake failure": ("https", alert(40), r"or no cipher is in common: pass client_cert= \(--client-cert\) if"),
    "unknown ca": ("https", alert(48), r"does not accept the client certificate.*\(TLSV1_ALERT_UNKNOWN_CA\)"),
    "our certificate expired": ("https", alert(45), "our client certificate has expired"),
    "unknown host name": ("https", alert(112), "serves no host of that name: check the host"),
    "internal error": ("https", alert(80), r"TLS failed \(TLSV1_ALERT_INTERNAL_ERROR\)"),
}


@STYLES
@pytest.mark.parametrize(("scheme", "answer", "words"), RECORDS.values(), ids=RECORDS.keys())
def test_port_that_speaks_something_else(scheme: str, answer: bytes, words: str, style: str) -> None:
    """What came in place of an answer says what the port speaks, and proves that nothing was accepted."""
    with raw_server(answer) as port, pytest.raises(TransportError, match=words) as info:
        submit(style, f"{scheme}://127.0.0.1:{port}/mm7", retry=Retry(times=0))
    assert f"could not be sent to 127.0.0.1:{port}" in str(info.value)
    assert (info.value.maybe_accepted, info.value.http_status) == (False, None)


@STYLES
def test_plain_http_to_a_server_that_only_hangs_up(style: str, certificates: Certificates) -> None:
    """Python's TLS says nothing to plain HTTP: it was taken only where all of it had left, and the hint is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates.server.configure_cert(context)
    with (
        raw_server(context) as port,
        pytest.raises(TransportError, match="if the port speaks TLS, use https://") as info,
    ):
        submit(style, f"http://127.0.0.1:{port}/mm7", retry=Retry(times=0))
    assert info.value.maybe_accepted is ("may have been accepted" in str(info.value))
    assert info.value.maybe_accepted is not ("they were not all" in str(info.value))


@STYLES
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\x00\x01\x02\r\n\r\n", "what came is no HTTP"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "what came is no HTTP"),
        (b" HTTP/1.1 200 OK\r\n\r\n", "what came is no HTTP"),
    ],
)
def test_what_is_neither_http_nor_tls_proves_nothing(answer: bytes, words: str, style: str) -> None:
    """Only a TLS record proves that the request was not understood."""
    with FarSide([answer]) as far, pytest.raises(TransportError, match=words) as info:
        submit(style, far.url, retry=Retry(times=0))
    assert info.value.maybe_accepted


def serving(folder: Path, name: str) -> tuple[ssl.SSLContext, str | None]:
    """A server's context whose certificate has the flaw ``name``, and the file of its authority."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime(2020, 1, 1, tzinfo=UTC)
    if name == "self-signed":
        # an authority's own certificate, presented by a server
        key, pem = folder / "key.pem", folder / "self.pem"
        key.write_bytes(ca.private_key_pem.bytes())
        ca.cert_pem.write_to_path(str(pem))
        context.load_cert_chain(pem, key)
        return context, None
    issued = ca.issue_cert(
        "mmsc.example" if name == "other name" else "10.0.0.1" if name == "other address" else "127.0.0.1",
        not_after=past if name == "expired" else None,
    )
    issued.configure_cert(context)
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    return context, None if name == "unknown authority" else str(folder / "ca.pem")


CERTIFICATES = {
    "expired": "certificate has expired: its operator has to renew it",
    "self-signed": "certificate is self-signed: pass it as ca_file=",
    "unknown authority": "signed by an unknown authority: pass that authority's certificate as ca_file=",
    "other name": "certificate is for another name than 127.0.0.1: use the name it was issued for",
    "other address": "certificate is for another name than 127.0.0.1: use the name it was issued for",
}


@STYLES
@pytest.mark.parametrize(("name", "words"), CERTIFICATES.items(), ids=CERTIFICATES.keys())
def test_certificates_of_the_server(name: str, words: str, style: str, tmp_path: Path) -> None:
    """Each flaw is named with its fix; nothing is sent, and nothing is tried again."""
    context, ca_file = serving(tmp_path, name)
    with FarSide(tls=context) as far:
        with pytest.raises(TransportError, match=words) as info:
            submit(style, far.url, ca_file=ca_file)
        assert far.requests == []
        assert far.connections == 1
    assert not info.value.maybe_accepted


@STYLES
def test_ca_file_of_another_authority(style: str, certificates: Certificates) -> None:
    """A file that was given is named, with what is missing in it and how to see it: not asked for once more."""
    with far_side(certificates) as far:
        place = far.url.split("/")[2]
        with pytest.raises(TransportError) as info:
            submit(style, far.url, ca_file=certificates.other_ca_file)
    assert str(info.value) == (
        f"the request could not be sent to {place}: the server's certificate was issued by an authority that is not in "
        f"{certificates.other_ca_file!r}, which was given as ca_file= (--ca-file): put that authority's certificate "
        f"into it; openssl s_client -showcerts -connect {place} shows its name (issuer) (unable to get local issuer "
        "certificate)"
    )


@STYLES
def test_ca_file_without_the_self_signed_certificate(style: str, certificates: Certificates, tmp_path: Path) -> None:
    """Of a server's certificate that signs itself, the same."""
    context, _ = serving(tmp_path, "self-signed")
    with FarSide(tls=context) as far, pytest.raises(TransportError) as info:
        submit(style, far.url, ca_file=certificates.other_ca_file)
    assert f"is self-signed, and not in {certificates.other_ca_file!r}, which was given as ca_file=" in str(info.value)


@pytest.mark.parametrize("number", [40, 42, 45, 48])
def test_client_certificate_that_was_given_is_named(number: int, certificates: Certificates) -> None:
    """Whatever the server has against it; it is not asked for once more."""
    with raw_server(alert(number)) as port, pytest.raises(TransportError) as info:
        submit("sync", f"https://127.0.0.1:{port}/mm7", retry=Retry(times=0), client_cert=certificates.client)
    assert f"{certificates.client[0]!r}, which was given as client_cert= (--client-cert)" in str(info.value)
    assert ": pass" not in str(info.value)


def test_words_without_advice() -> None:
    """Who has no client of ours is told what is wrong, and not which option to give."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 20, "unable to get local issuer certificate"
    found = reasons.of(error, "https://mmsc.example/mm7")
    assert found is not None
    for one in (reasons._DEMANDED, reasons._NOTHING_IN_COMMON):
        assert not reasons.unadvised(one).endswith(" for one")
        assert "if its operator" not in reasons.unadvised(one)
    assert reasons.unadvised(found.words) == (
        "the server's certificate is signed by an unknown authority (unable to get local issuer certificate)"
    )


@STYLES
@pytest.mark.parametrize("newest", [True, False], ids=["TLS 1.3", "TLS 1.2"])
@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("nobody", r"demands a client certificate.*client_cert="),
        ("stranger", r"does not accept the client certificate in '.*stranger.pem', which was given"),
    ],
)
def test_fix_of_a_client_certificate(
    who: str, words: str, newest: bool, style: str, certificates: Certificates
) -> None:
    """A server that wants one says so by its alert; the error names the option."""
    options: dict[str, Any] = {"client_cert": certificates.stranger} if who == "stranger" else {}
    with far_side(certificates, wants_client=True, newest=newest) as far:
        with pytest.raises(TransportError, match=words):
            submit(style, far.url, ca_file=certificates.ca_file, **options)
        assert far.requests == []


def flawed(folder: Path, certificates: Certificates) -> dict[str, tuple[dict[str, Any], str]]:
    """Options that name files which cannot be used, and what is said of them."""
    text, both = folder / "text.pem", folder / "encrypted.pem"
    text.write_text("no certificate\n")
    (folder / "empty.pem").write_bytes(b"")
    key = load_pem_private_key(Path(certificates.client[1]).read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    both.write_bytes(locked + Path(certificates.client[0]).read_bytes())
    certificate, own = certificates.client
    return {
        "ca missing": ({"ca_file": str(folder / "none.pem")}, "none.pem' cannot be read: No such file"),
        "ca is text": ({"ca_file": str(text)}, r"ca_file .*text.pem' holds no certificate in PEM"),
        "ca is empty": ({"ca_file": str(folder / "empty.pem")}, "empty.pem' holds no certificate in PEM"),
        "ca is a key": ({"ca_file": own}, "client.key' holds no certificate in PEM"),
        "key missing": ({"client_cert": (certificate, str(folder / "none.key"))}, "none.key' cannot be read: No such"),
        "certificate missing": ({"client_cert": (str(folder / "none.pem"), own)}, "none.pem' cannot be read"),
        "key of another": (
            {"client_cert": (certificate, certificates.stranger[1])},
            "stranger.key' does not belong to",
        ),
        "key is text": ({"client_cert": (certificate, str(text))}, "text.pem' no key in PEM"),
        "certificate is text": ({"client_cert": (str(text), own)}, "text.pem' holds no certificate"),
        "no key in one file": (
            {"client_cert": certificate},
            "client.pem' holds a certificate without its key: put the key",
        ),
        "one file of text": ({"client_cert": str(text)}, "no certificate and key in PEM are in .*text.pem"),
        "key encrypted": ({"client_cert": str(both)}, "the key in .*encrypted.pem' is encrypted; give it without"),
        "folder": ({"client_cert": str(folder)}, "cannot be read: Is a directory"),
    }


@STYLES
def test_files_that_cannot_be_used(style: str, certificates: Certificates, tmp_path: Path) -> None:
    """A ``LocalError`` when the client is made, which names the file; nobody is asked for a passphrase."""
    kind = VaspClient if style == "sync" else AsyncVaspClient
    for options, words in flawed(tmp_path, certificates).values():
        with pytest.raises(LocalError, match=words):
            kind("https://127.0.0.1/", **options)


@STYLES
def test_files_named_by_path(style: str, certificates: Certificates) -> None:
    """``pathlib.Path`` does as well as a str."""
    files: Any = tuple(Path(one) for one in certificates.client)
    with far_side(certificates, wants_client=True) as far:
        assert submit(style, far.url, ca_file=Path(certificates.ca_file), client_cert=files).message_id == "m-1"
