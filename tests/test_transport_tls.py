"""TLS: authorities of ones own, client certificates, and what is refused."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from far_side import FarSide

from mm7zeep.client import AsyncVaspClient, Submitted, VaspClient
from mm7zeep.errors import TransportError
from mm7zeep.transport import Timeouts

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
