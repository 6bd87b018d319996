"""The calls of a gateway over TLS: authorities and client certificates that settings name, for each whom it calls."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from far_side import FarSide, http
from gateway_room import CALLED, ONE, TNN, Clock, Make, rooms, sqlite_url

from mm7zeep.gateway.config import load as config
from mm7zeep.gateway.config.load import ConfigError
from mm7zeep.gateway.config.parties import Application, Callback, Route, TlsFiles, Twilio, Upstream, Webhook
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery.webhook_caller import _form
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store import outbox
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.messages import CancelReq

SECRET = "whsec_" + "YWFh" * 11


class Pems(NamedTuple):
    """An authority, a server's certificate for localhost alone, and the files that a gateway may be given."""

    ca: trustme.CA
    server: trustme.LeafCert
    folder: Path
    ca_file: str
    cert: str
    key: str
    both: str
    other: str


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Pems:
    """Made once for all tests here."""
    folder = tmp_path_factory.mktemp("pems")
    ca, other = trustme.CA(), trustme.CA()
    ours = ca.issue_cert("gateway@mm7.example")
    stranger = other.issue_cert("gateway@mm7.example")
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    other.cert_pem.write_to_path(str(folder / "other-ca.pem"))
    ours.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    ours.private_key_pem.write_to_path(str(folder / "key.pem"))
    ours.private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))
    stranger.private_key_and_cert_chain_pem.write_to_path(str(folder / "other.pem"))
    (folder / "text.pem").write_text("nothing\n")
    for one in folder.iterdir():
        one.chmod(0o600)
    files = [str(folder / f"{name}.pem") for name in ("ca", "cert", "key", "both", "other")]
    return Pems(ca, ca.issue_cert("localhost"), folder, *files)


def serving(pems: Pems, *answers: Any, wants_client: bool = False) -> FarSide:
    """A server whose certificate is for localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pems.server.configure_cert(context)
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        pems.ca.configure_trust(context)
    return FarSide(*answers, tls=context)


def named(far: FarSide) -> str:
    """Its URL by the name in its certificate; it is dialled by the address that was judged."""
    return far.url.replace("127.0.0.1", "localhost")


class Case(NamedTuple):
    """Whom a gateway calls: the table that is told of it, and what makes the call with settings of that table."""

    table: str
    call: Callable[..., CallRow]
    answers: tuple[Any, ...] = ()


def _made(folder: Path, application: Application, **options: Any) -> Gateway:
    """A gateway without the seam where calls end in other tests."""
    settings = Settings(applications=(application,), database=sqlite_url(folder), allow_internal=True, **options)
    return Gateway(settings, clock=Clock())


def _after(gateway: Gateway, kind: str) -> CallRow:
    """The only call of that kind, once what is due was done."""
    gateway.run_pending()
    with gateway.database.read() as connection:
        [call] = [one for one in outbox.listed(connection, limit=10) if one.kind == kind]
    return call


def _incoming(folder: Path, application: Application, kind: str) -> CallRow:
    """The call that an MO to the application comes to."""
    gateway = _made(folder, application, api_url="https://mms.example")
    try:
        gateway.simulator.send_mo("tnn", "+61400", "111122")
        return _after(gateway, kind)
    finally:
        gateway.close()


def call_upstream(folder: Path, url: str, **files: Any) -> CallRow:
    """A submit that leaves through an upstream."""
    with rooms(folder) as make:
        upstream = Upstream(name="far", url=url, vaspid="WE", **files)
        one = make(CALLED, upstreams=(upstream,), routes=(Route(prefix="", via="far"),))
        one.submitted(ONE)
        return _after(one.gateway, "submit")


def call_callback(folder: Path, url: str, **files: Any) -> CallRow:
    """An MO by MM7."""
    callback = Callback(deliver=url, username="x", password="y", **files)
    return _incoming(folder, replace(TNN, callback=callback), "deliver")


def call_webhook(folder: Path, url: str, **files: Any) -> CallRow:
    """An MO by JSON."""
    return _incoming(folder, replace(TNN, webhook=Webhook(url=url, secret=SECRET, **files)), "webhook")


def call_twilio(folder: Path, url: str, **files: Any) -> CallRow:
    """An MO in Twilio's form."""
    twilio = Twilio(account_sid="AC" + "0" * 32, auth_token="token", incoming=url, **files)
    return _incoming(folder, replace(TNN, twilio=twilio), "webhook")


CASES = {
    "upstream": Case("[[upstream]] far", call_upstream),
    "callback": Case("[application.callback] of tnn", call_callback),
    "webhook": Case("[application.webhook] of tnn", call_webhook, ([http(204)],)),
    "twilio": Case("[application.twilio] of tnn", call_twilio, ([http(204)],)),
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


# --- calls ------------------------------------------------------------------------------------------------------------


@EVERY
def test_authority_of_ones_own(case: Case, pems: Pems, tmp_path: Path) -> None:
    """With ``ca_file`` the call is made; the name is that of the URL, though an address is dialled."""
    with serving(pems, *case.answers) as far:
        assert case.call(tmp_path, named(far), ca_file=pems.ca_file).state == "done"
        assert len(far.requests) == 1


@EVERY
def test_name_is_verified(case: Case, pems: Pems, tmp_path: Path) -> None:
    """A certificate for another name than that in the URL is refused, whoever has signed it."""
    with serving(pems, *case.answers) as far:
        call = case.call(tmp_path, far.url, ca_file=pems.ca_file)
        assert far.requests == []
    assert call.state == "ready"
    assert "certificate is for another name than 127.0.0.1" in str(call.reason)


@EVERY
def test_authority_that_nobody_named(case: Case, pems: Pems, tmp_path: Path) -> None:
    """The reason names the setting that is missing, and the table where it belongs; the call is made again."""
    with serving(pems, *case.answers) as far:
        call = case.call(tmp_path, named(far))
        assert far.requests == []
    assert call.state == "ready"
    told = f"is signed by an unknown authority: give that authority's certificate as ca_file in {case.table} ("
    assert told in str(call.reason)
    assert "--ca-file" not in str(call.reason)


@EVERY
def test_authority_that_is_another(case: Case, pems: Pems, tmp_path: Path) -> None:
    """A file that was given is named."""
    with serving(pems, *case.answers) as far:
        call = case.call(tmp_path, named(far), ca_file=str(pems.folder / "other-ca.pem"))
        assert far.requests == []
    assert f"other-ca.pem', which was given as ca_file in {case.table}: put that" in str(call.reason)


@EVERY
@pytest.mark.parametrize("form", ["one file", "two files"])
def test_client_certificate(case: Case, form: str, pems: Pems, tmp_path: Path) -> None:
    """``client_cert`` with the key in it, or with ``client_key`` beside it, where the server asks for one."""
    own = {"client_cert": pems.both} if form == "one file" else {"client_cert": pems.cert, "client_key": pems.key}
    with serving(pems, *case.answers, wants_client=True) as far:
        assert case.call(tmp_path, named(far), ca_file=pems.ca_file, **own).state == "done"


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://shop.example:8443/status", True),
        ("https://SHOP.example:8443/in", True),
        ("https://other.example/status", True),
        ("https://shop.example/status", False),
        ("https://elsewhere.example:8443/in", False),
    ],
)
def test_status_callback_elsewhere_is_shown_no_certificate(url: str, own: bool) -> None:
    """The files are for where the settings say; a StatusCallback that a message names elsewhere has none of them."""
    twilio = Twilio(
        account_sid="AC" + "0" * 32, auth_token="token", incoming="https://shop.example:8443/in",
        status_callback="https://other.example/all", ca_file="ca.pem", client_cert="own.pem",
    )  # fmt: skip
    post = _form(replace(TNN, twilio=twilio), url, {"a": "b"})
    assert post.files == (twilio.tls_files if own else TlsFiles())


@EVERY
def test_client_certificate_that_is_missing(case: Case, pems: Pems, tmp_path: Path) -> None:
    """Without it nothing is taken, and the reason names the setting."""
    with serving(pems, *case.answers, wants_client=True) as far:
        call = case.call(tmp_path, named(far), ca_file=pems.ca_file)
        assert far.requests == []
    assert call.state == "ready"
    assert f"the server demands a client certificate: give client_cert in {case.table} (" in str(call.reason)


@EVERY
def test_client_certificate_of_a_stranger(case: Case, pems: Pems, tmp_path: Path) -> None:
    """One that the server does not know is named, with the setting."""
    with serving(pems, *case.answers, wants_client=True) as far:
        call = case.call(tmp_path, named(far), ca_file=pems.ca_file, client_cert=pems.other)
        assert far.requests == []
    assert call.state == "ready"
    assert f"other.pem', which was given as client_cert in {case.table}: its operator" in str(call.reason)


@EVERY
@pytest.mark.parametrize("name", ["ca_file", "client_cert"])
def test_file_that_went_away(case: Case, name: str, pems: Pems, tmp_path: Path) -> None:
    """What could be read with the settings and no longer can is named, and waits to be mended: nothing is given up."""
    with serving(pems, *case.answers) as far:
        files = {"ca_file": pems.ca_file, name: str(tmp_path / "gone.pem")}
        (tmp_path / "inner").mkdir()
        call = case.call(tmp_path / "inner", named(far), **files)
        assert far.requests == []
    assert call.state == "ready"
    assert "gone.pem' cannot be read: No such file or directory" in str(call.reason)


def test_each_shows_its_own_certificate(pems: Pems, tmp_path: Path) -> None:
    """Two applications at one server: each is judged by what its own table names."""
    twin = Application(name="twin", password="p", vaspid="TWIN", short_codes=("222",))
    with serving(pems, [http(204)], wants_client=True) as far:
        hears = Webhook(url=named(far), secret=SECRET, ca_file=pems.ca_file)
        known, bare = replace(TNN, webhook=replace(hears, client_cert=pems.both)), replace(twin, webhook=hears)
        with ExitStack() as stack:
            settings = Settings(
                applications=(known, bare),
                database=sqlite_url(tmp_path),
                allow_internal=True,
                api_url="https://mms.example",
            )
            gateway = Gateway(settings, clock=Clock())
            stack.callback(gateway.close)
            gateway.simulator.send_mo("tnn", "+61400", "111122")
            gateway.simulator.send_mo("twin", "+61400", "222")
            gateway.run_pending()
            with gateway.database.read() as connection:
                states = {one.owner: one.state for one in outbox.listed(connection, limit=10)}
    assert states == {"tnn": "done", "twin": "ready"}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Make]:
    """Makes gateways."""
    with rooms(tmp_path) as make:
        yield make


def test_cancel_goes_the_same_way(room: Make, pems: Pems, caplog: pytest.LogCaptureFixture) -> None:
    """What is asked of an upstream while an application waits has the same files; the log names the setting."""
    with serving(pems, wants_client=True) as far:
        upstream = Upstream(name="far", url=named(far), vaspid="WE", ca_file=pems.ca_file, client_cert=pems.both)
        options: dict[str, Any] = {"routes": (Route(prefix="", via="far"),)}
        one = room(CALLED, upstreams=(upstream,), **options)
        message_id = one.submitted(ONE)
        one.gateway.run_pending()
        assert one.states(message_id) == ["Sent"]
        cancel = CancelReq(vaspid="TNN", vasid="News", message_id=message_id)
        bare = replace(upstream, client_cert=None)
        without = Gateway(replace(one.settings, upstreams=(bare,)), clock=one.clock)
        try:
            one.gateway, kept = without, one.gateway
            assert one.code(cancel, transaction_id="c-1") == 4006
            one.gateway = kept
            assert one.code(cancel, transaction_id="c-2") == 1000
        finally:
            without.close()
    assert "client_cert in [[upstream]] far" in caplog.text


def test_renewed_files(room: Make, pems: Pems, tmp_path: Path) -> None:
    """Files are read for each connection: what stands in their place counts for the next one."""
    own = tmp_path / "own.pem"
    own.write_bytes(Path(pems.other).read_bytes())
    with serving(pems, wants_client=True) as far:
        upstream = Upstream(name="far", url=named(far), vaspid="WE", ca_file=pems.ca_file, client_cert=str(own))
        one = room(CALLED, upstreams=(upstream,), routes=(Route(prefix="", via="far"),))
        one.submitted(ONE)
        assert _after(one.gateway, "submit").state == "ready"
        own.write_bytes(Path(pems.both).read_bytes())
        one.clock.move(hours=1)
        assert _after(one.gateway, "submit").state == "done"


# --- settings ---------------------------------------------------------------------------------------------------------

TABLES = {
    "upstream[1]": '[[upstream]]\nname = "up"\nurl = "https://mmsc.example/mm7"\n',
    "application[1].callback": '[[application]]\nname = "a"\npassword = "p"\n[application.callback]\n'
    'deliver = "https://a.example/mo"\nusername = "u"\npassword = "p"\n',
    "application[1].webhook": '[gateway]\napi = "127.0.0.1:8010"\napi_url = "https://mms.example"\n[[application]]\n'
    f'name = "a"\npassword = "p"\n[application.webhook]\nurl = "https://a.example/events"\nsecret = "{SECRET}"\n',
    "application[1].twilio": '[gateway]\napi = "127.0.0.1:8010"\napi_url = "https://mms.example"\n[[application]]\n'
    f'name = "a"\npassword = "p"\n[application.twilio]\naccount_sid = "AC{"0" * 32}"\nauth_token = "t"\n',
}
EVERY_TABLE = pytest.mark.parametrize(("table", "text"), TABLES.items(), ids=TABLES)
WRONG = {
    "ca missing": ('ca_file = "none.pem"', "ca_file: '{}/none.pem' cannot be read: No such file"),
    "ca of text": ('ca_file = "text.pem"', "ca_file: '{}/text.pem' holds no certificate in PEM"),
    "ca is a folder": ('ca_file = ""', "ca_file: '{}' cannot be read: Is a directory"),
    "cert missing": ('client_cert = "none.pem"', "client_cert: '{}/none.pem' cannot be read: No such file"),
    "cert without key": (
        'client_cert = "cert.pem"',
        "client_cert: '{}/cert.pem' holds a certificate without its key: put the "
        "key into that file, too, in PEM, or name its file as client_key",
    ),
    "key missing": ('client_cert = "cert.pem"\nclient_key = "none.pem"', "client_cert: '{}/none.pem' cannot be read"),
    "key of text": ('client_cert = "cert.pem"\nclient_key = "text.pem"', "client_cert: '{}/cert.pem' holds no"),
    "key of another": (
        'client_cert = "cert.pem"\nclient_key = "other.pem"',
        "client_cert: the key in '{}/other.pem' does not belong to the first certificate in '{}/cert.pem'",
    ),
    "key alone": ('client_key = "key.pem"', "client_key: stands without client_cert; name the certificate"),
    "number": ("client_cert = 5\nclient_key = 'key.pem'", "client_cert: must be a text"),
}


def written(pems: Pems, text: str) -> Path:
    """A configuration beside the files."""
    path = pems.folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


@EVERY_TABLE
@pytest.mark.parametrize(("lines", "said"), WRONG.values(), ids=WRONG)
def test_files_that_cannot_be_used(table: str, text: str, lines: str, said: str, pems: Pems) -> None:
    """One line says which setting it is, which file, and what to do."""
    path = written(pems, f"{text}{lines}\n")
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    [problem] = caught.value.problems
    assert problem.startswith(f"{path}: {table}.{said.replace('{}', str(pems.folder))}")


@EVERY_TABLE
def test_files_are_named_from_the_folder_of_the_configuration(table: str, text: str, pems: Pems) -> None:
    """As all files are; from the environment, too."""
    lines = 'ca_file = "ca.pem"\nclient_cert = "cert.pem"\nclient_key = "key.pem"\n'
    begins = f"MM7ZEEP_{table.replace('[', '_').replace(']', '').replace('.', '_').upper()}"
    environ = {f"{begins}_CA_FILE": "ca.pem", f"{begins}_CLIENT_CERT": "cert.pem", f"{begins}_CLIENT_KEY": "key.pem"}
    for said, variables in ((text + lines, {}), (text, environ)):
        found = config.load(written(pems, said), variables)
        party: Any = found.upstreams[0] if found.upstreams else None
        if party is None:
            party = getattr(found.applications[0], table.rpartition(".")[2])
        assert tuple(party.tls_files) == (pems.ca_file, (pems.cert, pems.key))


@EVERY_TABLE
@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_key_that_everybody_can_read(table: str, text: str, pems: Pems, tmp_path: Path) -> None:
    """The key is a secret, wherever it stands."""
    for name, lines in (
        ("client_key", f'client_cert = "{pems.cert}"\nclient_key = "{tmp_path}/open.pem"\n'),
        ("client_cert", f'client_cert = "{tmp_path}/open.pem"\n'),
    ):
        (tmp_path / "open.pem").write_bytes(Path(pems.both).read_bytes())
        (tmp_path / "open.pem").chmod(0o644)
        told = config.warnings(config.load(written(pems, text + lines)))
        assert [one for one in told if one.startswith(f"{table}.{name}: {tmp_path}/open.pem can be read by every user")]


@pytest.mark.parametrize("name", ["ca_file", "client_cert"])
def test_files_for_a_url_without_tls(name: str, pems: Pems) -> None:
    """They would say nothing there, and whoever names them believes that it is https."""
    text = (
        TABLES["upstream[1]"].replace("https:", "http:") + f'{name} = "{"ca" if name == "ca_file" else "both"}.pem"\n'
    )
    with pytest.raises(ConfigError, match=rf"upstream\[1\].{name}: is for https, and the URL is http://"):
        config.load(written(pems, text))


def test_files_for_twilios_form_without_tls(pems: Pems) -> None:
    """So it is where none of its URLs is https; of two, one may be."""
    table, http = TABLES["application[1].twilio"], 'incoming = "http://shop.example/in"\nca_file = "ca.pem"\n'
    with pytest.raises(ConfigError, match=r"application\[1\].twilio.ca_file: is for https, and the URL is http://"):
        config.load(written(pems, table + http))
    config.load(written(pems, table + http + 'status_callback = "https://shop.example/all"\n'))


def test_two_problems_at_once(pems: Pems) -> None:
    """An authority's file and a certificate that cannot be used are both told."""
    path = written(pems, TABLES["upstream[1]"] + 'ca_file = "none.pem"\nclient_cert = "text.pem"\n')
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert [one.split(": ")[1] for one in caught.value.problems] == ["upstream[1].ca_file", "upstream[1].client_cert"]


@EVERY_TABLE
def test_files_are_shown(table: str, text: str, pems: Pems) -> None:
    """``--check-config`` says by what a certificate is verified, and which of ours is shown."""
    lines = 'ca_file = "ca.pem"\nclient_cert = "cert.pem"\nclient_key = "key.pem"\n'
    told = config.describe(config.load(written(pems, text + lines)))
    assert [one for one in told if f", verified by {pems.ca_file}, shown {pems.cert}, with the key {pems.key}" in one]
