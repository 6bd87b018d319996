"""The gateway's configuration: what a file may say, what is said about what it may not, and what comes of it."""

from __future__ import annotations

import base64
import os
import pickle
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, get_origin

import pytest

pytest.importorskip("pydantic")
pytest.importorskip("sqlalchemy")
from mm7zeep import profiles
from mm7zeep.gateway.config import errors, handset, parties, settings
from mm7zeep.gateway.config import load as config
from mm7zeep.gateway.config.load import ConfigError, demo_settings, describe, load, warnings, with_options
from mm7zeep.gateway.config.settings import Place, Settings
from mm7zeep.gateway.delivery.reports import report_profile
from mm7zeep.gateway.security import password_hash

EXAMPLE = Path(__file__).resolve().parent.parent / "docs" / "gateway.toml"
SECRET = "quietwhisper"
HASH = password_hash.hashed(SECRET, password_hash.Cost(1, 1, 1))
APPLICATION = f'[[application]]\nname = "tnn"\npassword = "{SECRET}"\nvaspid = "TNN"\n'
CALLBACK = f'[application.callback]\ndeliver = "https://vasp.example/mo"\nusername = "us"\npassword = "{SECRET}"\n'
SIGNING = f"whsec_{base64.b64encode(SECRET.encode() * 2 + b'!').decode()}"
WEBHOOK = f'[application.webhook]\nurl = "https://vasp.example/events"\nsecret = "{SIGNING}"\n'
API = '[gateway]\napi = "127.0.0.1:8010"\napi_url = "https://mms.example/"\n'
UPSTREAM = '[[upstream]]\nname = "up"\nurl = "https://mmsc.example/mm7"\n'
RATE = '[[rate]]\nname = "r"\nnumbers = ["1*"]\n'
OPEN = "[gateway]\nallow_internal = true\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a configuration is written."""
    return tmp_path / "gateway.toml"


def read(path: Path, text: str) -> Settings:
    """The settings that ``text`` gives."""
    path.write_text(text, encoding="utf-8")
    return load(path)


def refused(path: Path, text: str) -> list[str]:
    """What is said against ``text``, without the file's name; never with the secret."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert not any(one in str(caught.value) for one in (SECRET, SIGNING))
    assert str(caught.value) == "\n".join(caught.value.problems)
    assert all(one.startswith(f"{path}: ") for one in caught.value.problems)
    return [one.removeprefix(f"{path}: ") for one in caught.value.problems]


# --- the example ------------------------------------------------------------------------------------------------------


@pytest.fixture
def example(path: Path) -> Path:
    """The example, with its secrets beside it."""
    trustme = pytest.importorskip("trustme")
    folder = path.parent / "secrets"
    folder.mkdir()
    cert = trustme.CA().issue_cert("mm7.example")
    cert.cert_chain_pems[0].write_to_path(folder / "mm7.pem")
    cert.private_key_pem.write_to_path(folder / "mm7-key.pem")
    for name in ("admin", "tnn", "tnn-callback", "tnn-twilio", "sinch", "sinch-callback"):
        (folder / name).write_text(f"{name}-word\n", encoding="utf-8")
    (folder / "tnn-webhook").write_text(f"{SIGNING}\n", encoding="utf-8")
    for one in folder.iterdir():
        one.chmod(0o600)
    path.write_text(EXAMPLE.read_text(encoding="utf-8").replace("/run/secrets/", "secrets/"), encoding="utf-8")
    return path


def test_example_is_what_it_says(example: Path) -> None:
    """The example loads, with no warning; its application's callback is what the profile alone would give."""
    found = load(example)
    [application], [upstream] = found.applications, found.upstreams
    assert application.callback is not None
    assert application.webhook is not None
    assert (application.webhook.secrets, application.webhook.events) == ((SIGNING,), None)
    assert found.api_base == "https://mms.example"
    assert (found.mm7, found.admin) == (Place("0.0.0.0", 8443), Place("127.0.0.1", 8008))
    assert (application.password, application.callback.password) == ("tnn-word", "tnn-callback-word")
    assert (found.admin_password, upstream.password, upstream.callback_password) == (
        "admin-word",
        "sinch-word",
        "sinch-callback-word",
    )
    assert (application.callback_profile.schema, application.callback_profile.mm7_version) == ("REL-6-MM7-1-4", "5.3.0")
    assert application.callback_profile == replace(application, callback=None).callback_profile
    assert application.allow == ("192.0.2.10", "198.51.100.0/24", "2001:db8::/32")
    wanted = handset.Handset(prefix="+6141", outcome="Retrieved", delay=timedelta(seconds=2), read=True)
    assert (found.handsets, found.routes) == ((wanted,), (parties.Route(prefix="+64", via="sinch"),))
    assert (found.cert, found.key) == tuple(str(example.parent / "secrets" / one) for one in ("mm7.pem", "mm7-key.pem"))
    assert warnings(found) == []


def places(table: type, *before: str | int) -> Iterator[tuple[str | int, ...]]:
    """Where each setting of a table and of the tables in it may stand."""
    for name, hint in errors.settings_of(table).items():
        for inner in set(errors.tables_in(hint)):
            bare = hint.__origin__ if get_origin(hint) is Annotated else hint
            yield from places(inner, *before, name, *((0,) if get_origin(bare) is tuple else ()))
        yield (*before, name)


def raw_with(steps: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """A file in which that value stands there, and nothing else."""
    made = value
    for step in reversed(steps):
        made = [made] if isinstance(step, int) else {step: made}
    assert isinstance(made, dict)
    return made


@pytest.mark.parametrize("steps", list(places(settings.File)), ids=lambda steps: ".".join(map(str, steps)))
def test_whatever_stands_there_reading_ends(steps: tuple[str | int, ...], tmp_path: Path) -> None:
    """No value of a setting, and none that is missing beside it, is mended without end; what is wrong is told once."""
    for value in ("", " ", "x", "AC123", "\0", 1, -1, 0.5, True, [], [""], [[]], {}, [{}], {"x": ""}, date(2026, 1, 1)):
        found, problems = errors.read(raw_with(steps, value), tmp_path)
        assert isinstance(found, settings.File)
        assert len({one.where for one in problems}) == len(problems)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('account_sid = "AC123"\n', "is no account SID; write"),
        ('account_sid = ""\n', "is missing; write account_sid"),
        ("", "is missing; write account_sid"),
    ],
    ids=["wrong", "empty", "missing"],
)
def test_account_sid(path: Path, line: str, said: str) -> None:
    """One line says what is wrong with it, and what else is wrong is told, too."""
    twilio = f'[application.twilio]\n{line}auth_token = "{SECRET}"\nincoming = "nowhere"\n'
    found = refused(path, API + APPLICATION + twilio)
    assert [one for one in found if one.startswith(f"application[1].twilio.account_sid: {said}")]
    assert [one for one in found if one.startswith("application[1].twilio.incoming: ")]


def test_defaults_of_the_example_are_the_defaults(example: Path) -> None:
    """What its comments call a default changes nothing when it is written, and no setting is left out."""
    text = example.read_text(encoding="utf-8")
    whole = re.sub(r"(?m)^#(?=\w+ = )", "", text)
    assert whole.count("\n#") < text.count("\n#") - 30
    assert read(example, whole) == read(example, text)
    for name in errors.settings_of(settings.File):
        table = re.split(rf"(?m)^\[+{name}\]+", text)[1]
        if name != "application":
            table = re.split(r"(?m)^\[", table)[0]
        for setting in errors.settings_of(errors._table([name])):
            assert re.search(rf"\b{setting}(_file)?\b", table), f"[{name}] does not show {setting}"
    callback, _, webhook = text.partition("[application.callback]")[2].partition("[application.webhook]")
    assert all(f"{setting} = " in callback for setting in errors.settings_of(parties.Callback) if setting != "password")
    assert all(re.search(rf"\b{one}(_file)? = ", webhook) for one in errors.settings_of(parties.Webhook))
    assert all(one in webhook for one in parties.EVENT_TYPES)


# --- what comes of it -------------------------------------------------------------------------------------------------


def test_empty_file_gives_the_defaults(path: Path) -> None:
    """Nothing written is nothing changed; that nobody can submit then is told."""
    assert read(path, "") == Settings()
    assert warnings(Settings()) == ["application: nobody can submit; add an [[application]]"]


def test_demo() -> None:
    """Without a configuration one application is served, on loopback."""
    [application] = demo_settings().applications
    assert (application.name, application.password, application.vaspid) == ("demo", "demo", "demo")
    assert (application.short_codes, demo_settings().allow_internal) == (("111122",), True)
    assert (demo_settings().mm7, demo_settings().admin) == (Place("127.0.0.1", 8007), Place("127.0.0.1", 8008))
    assert warnings(demo_settings()) == []


def test_tables(path: Path) -> None:
    """Durations, limits and unlimited ones arrive in the units of the settings; a byte order mark is no error."""
    text = '\ufeff[http]\nidle = "1.5s"\nupload = 90\n[capacity]\nretry_after = "1m"\n'
    text += '[delivery]\nwaits = ["500ms", 2]\n'
    text += '[retention]\ndays = "unlimited"\nmessages = 5\nduplicates = "2d"\n[limits]\nbody = 2_000_000\n'
    text += '[gateway]\nrelay_id = ""\nadmin = "[::1]:0"\nadmin_hosts = ["mm7.internal", "[::1]"]\n'
    found = read(path, text)
    assert (found.http.idle, found.http.upload, found.capacity.retry_after) == (1.5, 90, 60)
    assert found.delivery.waits == (0.5, 2.0)
    assert (found.retention.days, found.retention.messages, found.retention.duplicates) == (None, 5, 48)
    assert (found.limits.body, found.relay_id, found.admin) == (2_000_000, None, Place("::1", 0))
    assert found.delivery.timeout == Settings().delivery.timeout


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ('"500ms"', 0.5),
        ('"2s"', 2),
        ('"5m"', 300),
        ('"1h"', 3600),
        ('"2d"', 172800),
        ("3", 3),
        ('"0"', 0),
        ("0.5", 0.5),
    ],
)
def test_durations(path: Path, written: str, seconds: float) -> None:
    """With a unit or in seconds."""
    [one] = read(path, f"[[handset]]\ndelay = {written}\n").handsets
    assert one.delay == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", ['"soon"', '"-1s"', "-1", "true", "nan", "inf", '"9999d"', '"2 weeks"', "[]", '"\\u0661s"']
)
def test_no_durations(path: Path, written: str) -> None:
    """What is no duration is refused, with the forms that are."""
    [problem] = refused(path, f"[[handset]]\ndelay = {written}\n")
    assert problem.startswith("handset[1].delay: is no duration")


def test_secrets(path: Path) -> None:
    """A password comes from its file without the end of its line, but with its spaces; a hash stays one."""
    (path.parent / "word").write_bytes(f" {SECRET} ü\r\n".encode())
    text = APPLICATION.replace(f'password = "{SECRET}"', 'password_file = "word"')
    text += f'[[application]]\nname = "b"\nvaspid = "B"\npassword_hash = "{HASH}"\n'
    first, second = read(path, text).applications
    assert first.password == f" {SECRET} ü"
    assert (second.password, second.password_hash) == (None, HASH)
    assert SECRET not in repr(load(path))


def test_webhook(path: Path) -> None:
    """A webhook has its secret, the old one during a rotation, and the events that it wants."""
    (path.parent / "old").write_text(f"{SIGNING.rstrip('=')}\n", encoding="utf-8")  # without padding
    text = API + APPLICATION + WEBHOOK + 'old_secret_file = "old"\nevents = ["message.read"]\n'
    found = read(path, text)
    [one] = found.applications
    assert one.webhook is not None
    assert one.webhook.secrets == (SIGNING, SIGNING.rstrip("="))
    assert [event for event in parties.EVENT_TYPES if one.webhook.wants(event)] == ["message.read"]
    assert not one.takes_messages
    assert read(path, API + APPLICATION + WEBHOOK).applications[0].takes_messages
    assert (found.api_base, found.media_urls) == ("https://mms.example", 86400)
    assert SIGNING not in repr(found)
    assert warnings(found) == []


@pytest.mark.parametrize(
    ("lines", "base"),
    [
        ("", ""),
        ('api = "127.0.0.1:8010"', "http://127.0.0.1:8010"),
        ('api = "[::1]:80"', "http://[::1]:80"),
        ('api = "127.0.0.1:0"\napi_url = "http://mms.example:8080/sub/"', "http://mms.example:8080/sub"),
    ],
)
def test_where_media_are(path: Path, lines: str, base: str) -> None:
    """Without api_url, its URLs begin with the place of the API."""
    assert read(path, f"[gateway]\n{lines}\n").api_base == base


def test_two_applications_of_one_vasp(path: Path) -> None:
    """Two applications may have the same VASPID: the name tells them apart."""
    found = read(path, APPLICATION + APPLICATION.replace('"tnn"', '"other"'))
    assert [one.vaspid for one in found.applications] == ["TNN", "TNN"]


@pytest.mark.parametrize(
    ("lines", "schema", "version", "prefix"),
    [
        ("", "REL-6-MM7-1-4", "5.3.0", None),
        ('profile = "generic-5.3.0"', "REL-5-MM7-1-2", "5.3.0", "mm7"),
        ('namespace = "REL-5-MM7-1-3"', "REL-5-MM7-1-3", "5.6.0", None),
        ('namespace = "rel-5-mm7-1-3"\nmm7_version = "5.5.0"', "REL-5-MM7-1-3", "5.5.0", None),
        (f'namespace = "{profiles.REL_6_MM7_1_4.namespace}"', "REL-6-MM7-1-4", "6.8.0", None),
    ],
)
def test_what_a_callback_is_written_in(path: Path, lines: str, schema: str, version: str, prefix: str | None) -> None:
    """A profile, or a namespace with one of its versions; else what the application's own profile says."""
    [application] = read(path, f'{APPLICATION}profile = "optus"\n{CALLBACK}{lines}\n').applications
    called = application.callback_profile
    assert (called.schema, called.mm7_version, called.prefix) == (schema, version, prefix)


def test_reports_are_written_in_the_namespace_of_the_callback() -> None:
    """Also where the application has no profile, so that they would else be in what its request was in."""
    callback = parties.Callback(deliver="https://vasp.example/mo", namespace="REL-5-MM7-1-3", mm7_version="5.5.0")
    application = parties.Application(name="tnn", password=SECRET, callback=callback)
    asked = (profiles.REL_6_MM7_1_4.namespace, "6.8.0")
    found = report_profile(application, *asked)
    assert (found.schema, found.mm7_version) == ("REL-5-MM7-1-3", "5.5.0")
    plain = replace(application, callback=replace(callback, namespace=None, mm7_version=None))
    assert report_profile(plain, *asked).schema == "REL-6-MM7-1-4"


def test_problems_are_told_in_the_order_of_the_settings(path: Path) -> None:
    """A value that is missing stands among those that are wrong, not after all of them."""
    found = refused(path, f'[[application]]\npassword = "{SECRET}"\nallow = ["x"]\n[gateway]\nworkers = 0\n')
    assert [one.partition(": ")[0] for one in found] == [
        "gateway.workers",
        "application[1].name",
        "application[1].allow[1]",
    ]


def test_settings_can_be_handed_to_a_process(example: Path) -> None:
    """Settings and errors survive pickling, as worker processes get them."""
    found = load(example)
    assert pickle.loads(pickle.dumps(found)) == found
    assert pickle.loads(pickle.dumps(ConfigError(["a", "b"]))).problems == ("a", "b")


# --- what is refused --------------------------------------------------------------------------------------------------

PAIRED = f'username = "a"\npassword = "{SECRET}"\n'
REFUSED = {
    "unknown": (
        "[gateway]\nallow_internl = true\n",
        "gateway.allow_internl: is not known; did you mean allow_internal?",
    ),
    "unknown table": ("[applications]\n", "applications: is not known; did you mean application?"),
    "unknown inside": (
        APPLICATION + CALLBACK + "url = 1\n",
        "application[1].callback.url: is not known; remove it. Known here: deliver",
    ),
    "odd name": ('[gateway]\n"a\\u001bb" = 1\n', 'gateway."a\\u001bb": is not known'),
    "one table": ("[application]\n", "application: may stand more than once; write [[application]]"),
    "many tables": ("[[gateway]]\n", "gateway: must be a table; write [gateway]"),
    "no table": ("handset = [1]\n", "handset[1]: must be a table; write [[handset]]"),
    "quoted bool": ('[gateway]\nallow_internal = "yes"\n', "gateway.allow_internal: must be true or false"),
    "quoted number": ('[gateway]\nworkers = "2"\n', "gateway.workers: must be a whole number"),
    "number for text": ("[gateway]\ndatabase = 5\n", "gateway.database: must be a text; write it in quotes"),
    "no list": (APPLICATION + 'vasids = "News"\n', "application[1].vasids: must be a list"),
    "too few": ("[gateway]\nworkers = 0\n", "gateway.workers: must be greater than or equal to 1"),
    "lenient": ('[gateway]\npolicy = "lenient"\n', "gateway.policy: must be 'strict' or 'interop'"),
    "outcome": ('[[handset]]\noutcome = "Lost"\n', "handset[1].outcome: must be 'Retrieved', 'Expired'"),
    "place": ('[gateway]\nmm7 = "8007"\n', "gateway.mm7: is no address to listen on; write HOST:PORT"),
    "any place": ('[gateway]\nmm7 = ":8007"\n', "gateway.mm7: is no address to listen on"),
    "port": ('[gateway]\nmm7 = "127.0.0.1:99999"\n', "gateway.mm7: is no address to listen on"),
    "six": ('[gateway]\nmm7 = "::1:8007"\n', "gateway.mm7: is no address to listen on"),
    "URL": ('[gateway]\nmm7 = "http://127.0.0.1:8007"\n', "gateway.mm7: is no address to listen on"),
    "same place": ('[gateway]\nadmin = "127.0.0.1:8007"\n', "gateway.admin: is the same place as mm7"),
    "hours": ("[retention]\nduplicates = 24\n", 'retention.duplicates: needs a duration with its unit; write "24h"'),
    "days": ("[retention]\ndays = 0\n", 'retention.days: must be a number above 0, or "unlimited"'),
    "half a message": ("[retention]\nmessages = 0.5\n", "retention.messages: must be a whole number above 0"),
    "drain": ('[gateway]\ndrain = "1s"\n', "gateway.drain: is 1 s, too short to end anything"),
    "narrow": ("[delivery]\nnarrow = 50\n", "delivery.narrow: is 50, more than wide (20)"),
    "uploads": ("[capacity]\nuploads = 1000\n", "capacity.uploads: is 1000, less than one body may have"),
    "host": ('[gateway]\nadmin_hosts = ["https://x"]\n', "gateway.admin_hosts[1]: 'https://x' is no host"),
    "proxies": (
        '[gateway]\ntrusted_proxies = ["10.0.0.0/8", "10.1.2.3/8"]\n',
        "gateway.trusted_proxies[2]: '10.1.2.3/8' is no address or range",
    ),
    "allow": (APPLICATION + 'allow = ["anywhere"]\n', "application[1].allow[1]: 'anywhere' is no address or range"),
    "name": (APPLICATION.replace('"tnn"', '""'), "application[1].name: is missing or empty"),
    "no name": (APPLICATION.replace('name = "tnn"\n', ""), "application[1].name: is missing or empty"),
    "empty VASPID": (APPLICATION.replace('"TNN"', '""'), "application[1].vaspid: is empty; leave it out"),
    "colon": (APPLICATION.replace('"tnn"', '"t:n"'), "application[1].name: holds a colon"),
    "line break": (
        APPLICATION.replace('"tnn"', '"t\\nn"'),
        "application[1].name: holds a control character or a line break",
    ),
    "two of a name": (APPLICATION * 2, "application[2].name: 'tnn' is application[1].name, too"),
    "short codes": (
        APPLICATION + 'short_codes = ["1", "1"]\n',
        "application[1].short_codes[2]: 1 is application[1].short_codes[1] already",
    ),
    "opt-out": (
        APPLICATION + "opt_out = 3\n",
        "application[1].opt_out: must be a table; write [application.opt_out]",
    ),
    "language": (
        APPLICATION + 'opt_out = { languages = ["en", "xx"] }\n',
        "application[1].opt_out.languages[2]: must be 'en', 'de'",
    ),
    "no word": (
        APPLICATION + 'opt_out = { stop = ["!"] }\n',
        "application[1].opt_out.stop[1]: '!' holds no letter and no digit",
    ),
    "long word": (
        APPLICATION + f'opt_out = {{ start = ["{"x" * 41}"] }}\n',
        "application[1].opt_out.start[1]: has 41 letters and digits; a word may have 40",
    ),
    "no words": (
        APPLICATION + 'opt_out = { languages = [], start = ["JA"] }\n',
        'application[1].opt_out.stop: has no word; write languages = ["en"], or stop',
    ),
    "word twice": (
        APPLICATION + 'opt_out = { stop = ["Halt"], start = ["HALT!"] }\n',
        "application[1].opt_out.start: 'HALT!' stands in stop, too; take one out",
    ),
    "region": (APPLICATION + 'numbers = "XX"\n', "application[1].numbers: 'XX' is no region"),
    "profile": (
        APPLICATION + 'profile = "optuss"\n',
        "application[1].profile: no profile 'optuss'; known are generic-5.3.0",
    ),
    "no password": (APPLICATION.replace("password", "vasids = []\n#"), "application[1].password: is missing"),
    "empty password": (APPLICATION.replace(SECRET, ""), "application[1].password: is empty"),
    "broken password": (
        APPLICATION.replace(SECRET, f"{SECRET}\\n"),
        "application[1].password: holds a control character",
    ),
    "number password": (APPLICATION.replace(f'"{SECRET}"', "12345678"), "application[1].password: must be a text"),
    "two passwords": (
        APPLICATION + f'password_hash = "{HASH}"\n',
        "application[1].password_hash: stands beside a password",
    ),
    "password and file": (
        APPLICATION + 'password_file = "x"\n',
        "application[1].password_file: stands beside password",
    ),
    "hash": (
        APPLICATION.replace("password", "password_hash"),
        "application[1].password_hash: the password hash has not the form",
    ),
    "no file": (
        APPLICATION.replace(f'password = "{SECRET}"', 'password_file = "none"'),
        "application[1].password_file: ",
    ),
    "callback credentials": (
        APPLICATION + CALLBACK.replace('username = "us"\n', ""),
        "application[1].callback.username: is missing or empty",
    ),
    "callback password": (
        APPLICATION + CALLBACK.replace("password", "#"),
        "application[1].callback.password: is missing or empty",
    ),
    "callback colon": (
        APPLICATION + CALLBACK.replace('"us"', '"u:s"'),
        "application[1].callback.username: holds a colon",
    ),
    "no deliver": (
        APPLICATION + CALLBACK.replace("deliver", "report"),
        "application[1].callback.deliver: is missing or empty",
    ),
    "ftp": (
        APPLICATION + CALLBACK.replace("https:", "ftp:"),
        "application[1].callback.deliver: this is no http or https URL",
    ),
    "user info": (
        APPLICATION + CALLBACK.replace("//", f"//us:{SECRET}@"),
        "application[1].callback.deliver: the URL holds credentials",
    ),
    "internal": (
        APPLICATION + CALLBACK.replace("vasp.example", "10.0.0.7"),
        "application[1].callback.deliver: the host of the URL, 10.0.0.7, is a private address",
    ),
    "internal report": (
        APPLICATION + CALLBACK + 'report = "http://localhost/"\n',
        "application[1].callback.report: the host of the URL, localhost, is this machine",
    ),
    "two dialects": (
        APPLICATION + CALLBACK + 'profile = "optus"\nnamespace = "REL-6-MM7-1-4"\n',
        "application[1].callback.namespace: stands beside profile",
    ),
    "version alone": (
        APPLICATION + CALLBACK + 'mm7_version = "5.3.0"\n',
        "application[1].callback.mm7_version: stands without a namespace",
    ),
    "unlisted version": (
        APPLICATION + CALLBACK + 'namespace = "REL-6-MM7-1-4"\nmm7_version = "5.4.0"\n',
        "application[1].callback.mm7_version: '5.4.0' is no version of REL-6-MM7-1-4; it lists 5.3.0, ",
    ),
    "carrier as namespace": (
        APPLICATION + CALLBACK + 'namespace = "optus"\n',
        "application[1].callback.namespace: 'optus' is a profile; write profile = \"optus\"",
    ),
    "webhook without a URL": (
        API + APPLICATION + WEBHOOK.replace("url", "#"),
        "application[1].webhook.url: is missing or empty; write url",
    ),
    "webhook internal": (
        API + APPLICATION + WEBHOOK.replace("vasp.example", "192.168.0.1"),
        "application[1].webhook.url: the host of the URL, 192.168.0.1, is a private address",
    ),
    "webhook without a secret": (
        API + APPLICATION + WEBHOOK.replace("secret", "#"),
        "application[1].webhook.secret: is missing; write secret_file",
    ),
    "webhook with another secret": (
        API + APPLICATION + WEBHOOK.replace(SIGNING, SECRET),
        "application[1].webhook.secret: is no secret of Standard Webhooks, whsec_ and base64; printf 'whsec_",
    ),
    "webhook with a secret for URLs": (
        API + APPLICATION + WEBHOOK.replace(SIGNING, "whsec_" + "-_" * 22),
        "application[1].webhook.secret: is no secret of Standard Webhooks",
    ),
    "webhook with a short secret": (
        API + APPLICATION + WEBHOOK + 'old_secret = "whsec_MTIzNDU2Nzg5MA=="\n',
        "application[1].webhook.old_secret: has 10 octets in base64; it needs 24 to 64",
    ),
    "webhook without events": (
        API + APPLICATION + WEBHOOK + "events = []\n",
        "application[1].webhook.events: is empty",
    ),
    "webhook with another event": (
        API + APPLICATION + WEBHOOK + 'events = ["message.sent"]\n',
        "application[1].webhook.events[1]: must be 'message.received', ",
    ),
    "webhook without the API": (
        APPLICATION + WEBHOOK,
        "gateway.api: is missing, and serves the media of application[1].webhook",
    ),
    "webhook and an API anywhere": (
        API.replace("127.0.0.1", "0.0.0.0").replace("api_url", "#") + APPLICATION + WEBHOOK,
        "gateway.api_url: is missing; nobody can fetch the media of application[1].webhook at 0.0.0.0:8010",
    ),
    "API at no URL": (API.replace("https:", "ftp:"), "gateway.api_url: this is no http or https URL"),
    "API at a query": (API.replace("example/", "example/?a"), "gateway.api_url: has a query"),
    "no time for media": ("[gateway]\nmedia_urls = 0\n", "gateway.media_urls: must last longer"),
    "upstream name": (UPSTREAM.replace('name = "up"\n', ""), "upstream[1].name: is missing or empty"),
    "upstream twice": (UPSTREAM * 2, "upstream[2].name: 'up' is the name of upstream[1], too"),
    "upstream URL": (UPSTREAM.replace("url", "vasid"), "upstream[1].url: is missing or empty"),
    "upstream internal": (
        UPSTREAM.replace("mmsc.example", "127.1"),
        "upstream[1].url: the host of the URL, 127.1, is 127.0.0.1",
    ),
    "upstream password": (UPSTREAM + 'username = "a"\n', "upstream[1].password: is missing"),
    "bearer beside a username": (
        UPSTREAM + f'username = "a"\npassword = "{SECRET}"\nbearer = "{SECRET}"\n',
        "upstream[1].bearer: stands beside a username",
    ),
    "bearer with a blank": (UPSTREAM + f'bearer = "{SECRET} x"\n', "upstream[1].bearer: is no bearer token"),
    "bearer twice": (
        UPSTREAM + f'bearer = "{SECRET}"\nbearer_file = "x"\n',
        "upstream[1].bearer_file: stands beside bearer",
    ),
    "bearer in no file": (UPSTREAM + 'bearer_file = "nowhere"\n', "upstream[1].bearer_file: "),
    "Digest for nobody": (UPSTREAM + "digest = true\n", "upstream[1].digest: stands without a username"),
    "Digest in quotes": (UPSTREAM + 'digest = "yes"\n', "upstream[1].digest: must be true or false"),
    "headers that are none": (UPSTREAM + 'headers = "x"\n', "upstream[1].headers: must be a table"),
    "header of two lines": (
        UPSTREAM + 'headers = {X-Key = "a\\r\\nb"}\n',
        "upstream[1].headers: cannot be sent: the value of the header field",
    ),
    "header with a number": (UPSTREAM + "headers = {X-Key = 7}\n", "upstream[1].headers: cannot be sent"),
    "header that is a credential": (
        UPSTREAM + f'headers = {{authorization = "Bearer {SECRET}"}}\n',
        "upstream[1].headers: holds Authorization",
    ),
    "header of framing": (UPSTREAM + 'headers = {TE = "x"}\n', "upstream[1].headers: cannot be sent: TE is not given"),
    "upstream username": (UPSTREAM + f'callback_password = "{SECRET}"\n', "upstream[1].callback_username: is missing"),
    "shared name": (
        APPLICATION + UPSTREAM + f'callback_username = "tnn"\ncallback_password = "{SECRET}"\n',
        "upstream[1].callback_username: 'tnn' is application[1].name, too",
    ),
    "rate": (UPSTREAM + "rate = 0\n", "upstream[1].rate: must be greater than 0"),
    "route": (
        UPSTREAM + '[[route]]\nprefix = "+64"\nvia = "down"\n',
        "route[1].via: 'down' is the name of no [[upstream]]; there are up",
    ),
    "route without upstreams": (
        '[[route]]\nprefix = ""\nvia = "up"\n',
        "route[1].via: 'up' is the name of no [[upstream]]; there is none",
    ),
    "route to nowhere": (UPSTREAM + '[[route]]\nprefix = ""\n', "route[1].via: is missing or empty"),
    "route for nobody": (UPSTREAM + '[[route]]\nvia = "up"\n', "route[1].prefix: is missing"),
    "rate without a name": ('[[rate]]\nnumbers = ["1"]\nper_day = 1\n', "rate[1].name: is missing or empty"),
    "rate twice": (RATE + "per_day = 1\n" + RATE + "per_day = 2\n", "rate[2].name: 'r' is the name of rate[1], too"),
    "rate of nothing": ('[[rate]]\nname = "r"\nper_day = 1\n', "rate[1].numbers: is missing"),
    "rate that limits nothing": (RATE, "rate[1].per_second: is missing; write per_second = 1, or per_day = 2000"),
    "rate below one a day": (RATE + "per_day = 0\n", "rate[1].per_day: must be greater than or equal to 1"),
    "rate of parts": (RATE + "per_day = 1.5\n", "rate[1].per_day: must be a whole number"),
    "rate without a pace": (RATE + "per_second = 0\n", "rate[1].per_second: must be greater than 0"),
    "burst of what": (RATE + "per_day = 1\nburst = 2\n", "rate[1].burst: stands without per_second"),
    "day of what": (RATE + 'per_second = 1\ntimezone = "UTC"\n', "rate[1].timezone: stands without per_day"),
    "time zone": (RATE + 'per_day = 1\ntimezone = "Pacific"\n', "rate[1].timezone: 'Pacific' is no time zone"),
    "time zone that is a folder": (RATE + 'per_day = 1\ntimezone = "America"\n', "rate[1].timezone: 'America' is no"),
    "time zone elsewhere": (RATE + 'per_day = 1\ntimezone = "../x"\n', "rate[1].timezone: '../x' is no time zone"),
    "number with a star within": (RATE.replace("1*", "1*2") + "per_day = 1\n", "rate[1].numbers[1]: '1*2' has a *"),
    "no number": (RATE.replace("1*", " ") + "per_day = 1\n", "rate[1].numbers[1]: is empty"),
    "numbers in no list": (
        RATE.replace('["1*"]', '"1*"') + "per_day = 1\n",
        "rate[1].numbers: must be a list",
    ),
    "rate of another upstream": (
        UPSTREAM + RATE + 'per_day = 1\nupstream = "down"\n',
        "rate[1].upstream: 'down' is the name of no [[upstream]]; there are up",
    ),
    "together with nobody": (
        UPSTREAM + '[[rate]]\nname = "r"\nper_day = 1\nupstream = "up"\ntogether = true\n',
        "rate[1].together: stands without numbers",
    ),
    "rate misspelt": (
        RATE + "per_day = 1\nper_secnd = 1\n",
        "rate[1].per_secnd: is not known; did you mean per_second?",
    ),
    "open": (
        '[gateway]\nmm7 = "0.0.0.0:8007"\n',
        "gateway.mm7: others can reach 0.0.0.0, and no application has credentials",
    ),
    "open demo": (
        '[gateway]\nmm7 = "[::]:8007"\n[[application]]\nname = "demo"\npassword = "demo"\nvaspid = "D"\n',
        "gateway.mm7: others can reach ::, and everybody knows the credentials",
    ),
    "open name": ('[gateway]\nmm7 = "mm7.example:8007"\n', "gateway.mm7: others can reach mm7.example"),
    "open admin": (
        '[gateway]\nadmin = "192.0.2.1:8008"\n',
        "gateway.admin: others can reach 192.0.2.1; give admin_username",
    ),
    "admin password": ('[gateway]\nadmin_username = "a"\n', "gateway.admin_password: is missing"),
    "admin name": (f'[gateway]\nadmin_password = "{SECRET}"\n', "gateway.admin_username: is missing"),
    "cert alone": ('[gateway]\ncert = "x"\n', "gateway.key: is missing beside cert"),
    "key alone": ('[gateway]\nkey = "x"\n', "gateway.cert: is missing beside key"),
    "no database": (f'[gateway]\ndatabase = "{SECRET}"\n', "gateway.database: is no database URL"),
    "database port": (
        f'[gateway]\ndatabase = "postgresql+psycopg://u@h:{SECRET}/d"\n',
        "gateway.database: is no database URL",
    ),
    "other database": (f'[gateway]\ndatabase = "mysql://u:{SECRET}@h/d"\n', "gateway.database: names another database"),
    "database in memory": ('[gateway]\ndatabase = "sqlite://"\n', "gateway.database: is kept in memory"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(path: Path, name: str) -> None:
    """Every mistake is told in one line that says where it stands, and no line repeats a secret."""
    text, said = REFUSED[name]
    problems = refused(path, text)
    assert len(problems) == 1
    assert problems[0].startswith(said)
    assert problems[0].isprintable()


def test_all_problems_at_once(path: Path) -> None:
    """Wrong values, missing ones, unreadable files and contradictions of all tables are told together, each once."""
    text = '[gateway]\nworkers = "2"\nallow_internal = "no"\nmm7 = "0.0.0.0:1"\nadmin = "0.0.0.0:2"\n'
    text += '[[application]]\nname = "a"\nallow = ["x", "10.0.0.1/8"]\npassword_file = "none"\nprofile = 7\n'
    text += '[application.callback]\ndeliver = "http://127.0.0.1/"\nnamespace = 5\nmm7_version = "5.3.0"\n'
    text += '[[application]]\nname = 5\nvaspid = "B"\npassword_hash = 5\n'
    text += '[[handset]]\ndelay = "soon"\n[[route]]\nprefix = ""\nvia = "up"\n[[upstream]]\nname = 3\nurl = 4\n'
    assert [one.partition(": ")[0] for one in refused(path, text)] == [
        "gateway.allow_internal",
        "gateway.workers",
        "application[1].allow[1]",
        "application[1].allow[2]",
        "application[1].callback.namespace",
        "application[1].profile",
        "application[2].name",
        "application[2].password_hash",
        "handset[1].delay",
        "upstream[1].name",
        "upstream[1].url",
        "application[1].password_file",
        "gateway.admin",
        "application[1].callback.username",
        "application[1].callback.password",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"a\nb\n", "holds a control character or a line break"),
        (b"\xff", "is not in UTF-8"),
        (b"a" * 5000, "is too long"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_secret_files(path: Path, content: bytes | None, said: str) -> None:
    """A file without exactly one password is told with its name, not with what it holds."""
    word = path.parent / "word"
    if content is not None:
        word.write_bytes(content)
    [problem] = refused(path, APPLICATION.replace(f'password = "{SECRET}"', 'password_file = "word"'))
    assert problem.startswith(f"application[1].password_file: {word} {said}")


@pytest.mark.skipif(os.name != "posix", reason="needs modes of files")
def test_secrets_that_everybody_can_read(path: Path) -> None:
    """Files with secrets that every user can read are told, and used."""
    word = path.parent / "word"
    word.write_text("a", encoding="utf-8")
    text = APPLICATION + '[[application]]\nname = "b"\nvaspid = "B"\npassword_file = "word"\n'
    path.write_text(text, encoding="utf-8")
    for mode, told in ((0o600, 0), (0o644, 2)):
        path.chmod(mode)
        word.chmod(mode)
        found, remarks = config.read(path)
        assert len(found.applications) == 2
        assert len(remarks) == told
    assert remarks[0].startswith(f"{path}: application[1].password: {path} can be read by every user")
    assert remarks[1].startswith(f"{path}: application[2].password_file: {word} can be read by every user")


def test_what_is_no_toml(path: Path) -> None:
    """A syntax error is told with its line; so are other encodings; a file that is not there is told."""
    [problem] = refused(path, f'[gateway]\nmm7 = "127.0.0.1:0"\npassword = {SECRET}\n')
    assert re.search(r"is no TOML: .*line 3", problem)
    path.write_bytes(b'[gateway]\nrelay_id = "\xfc"\n')
    with pytest.raises(ConfigError, match="line 2 is not in UTF-8"):
        load(path)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(path.parent / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(path.parent)


def test_certificates(example: Path) -> None:
    """A certificate that cannot be read, no PEM, and the key of another are told; nobody is asked for a passphrase."""
    trustme = pytest.importorskip("trustme")
    text, folder = example.read_text(encoding="utf-8"), example.parent / "secrets"
    key = folder / "mm7-key.pem"
    trustme.CA().issue_cert("other.example").private_key_pem.write_to_path(key)
    assert refused(example, text)[0].startswith(f"gateway.key: belongs to another certificate than {folder}")
    key.write_text("no key", encoding="utf-8")
    assert refused(example, text)[0].startswith("gateway.key: cannot be used together with")
    key.write_bytes(_locked_key())
    assert refused(example, text)[0].endswith("both in PEM and without passphrase")
    key.unlink()
    (folder / "mm7.pem").unlink()
    assert [one.partition(" ")[0] for one in refused(example, text)] == ["gateway.cert:", "gateway.key:"]


def _locked_key() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(*form, serialization.BestAvailableEncryption(b"x"))


# --- what is told -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[gateway]\nmm7 = "0.0.0.0:8007"\n', "gateway.mm7: passwords cross the network in the clear"),
        (
            f'[gateway]\nadmin = "0.0.0.0:8008"\nadmin_username = "a"\nadmin_password = "{SECRET}"\n',
            "gateway.admin: its password crosses the network in the clear",
        ),
        ('[gateway]\ntrusted_proxies = ["::/0"]\n', "gateway.trusted_proxies[1]: everybody may say"),
        ('[[handset]]\nprefix = "+6"\n[[handset]]\nprefix = "+61"\n', "handset[2]: is never used, since handset[1]"),
        (
            API.replace("api_url", "#") + APPLICATION + WEBHOOK,
            "gateway.api_url: media of events stand below http://127.0.0.1:8010, where only this machine comes",
        ),
        (
            API + APPLICATION + WEBHOOK.replace("https:", "http:"),
            "application[1].webhook.url: messages go there in the clear; use https",
        ),
        (UPSTREAM.replace("https", "http") + PAIRED, "upstream[1].url: credentials go there in the clear"),
        (
            f'{APPLICATION}opt_out = true\nshort_codes = ["1"]\n'.replace("tnn", "ann"),
            "application[1].opt_out: no MO reaches an application without a callback, a webhook or twilio.incoming, "
            "so nobody can opt out by a word",
        ),
        (
            f"{APPLICATION}opt_out = true\n{CALLBACK}".replace("tnn", "ann"),
            "application[1].opt_out: no MO reaches an application without short_codes",
        ),
        (
            UPSTREAM.replace("https", "http") + f'bearer = "{SECRET}"\n',
            "upstream[1].url: credentials go there in the clear",
        ),
    ],
)
def test_warnings(path: Path, text: str, said: str) -> None:
    """What works and is unwise is told in one line."""
    [line] = warnings(read(path, text if "[[application]]" in text else f"{text}{APPLICATION}"))
    assert line.startswith(said)
    assert SECRET not in line


@pytest.mark.parametrize(
    "text",
    [
        '[gateway]\nmm7 = "0.0.0.0:8007"\ntrusted_proxies = ["10.0.0.1"]\n' + APPLICATION,
        '[gateway]\nmm7 = "[::ffff:127.0.0.1]:8007"\n' + APPLICATION,
        OPEN + APPLICATION + CALLBACK.replace("https://vasp.example", "http://127.0.0.1:9"),
        APPLICATION + '[[handset]]\nprefix = "+61"\n[[handset]]\nprefix = "+6"\n',
        APPLICATION + UPSTREAM.replace("https", "http"),
    ],
)
def test_no_warnings(path: Path, text: str) -> None:
    """A proxy that is trusted, loopback, narrower prefixes first and calls without credentials are fine."""
    assert warnings(read(path, text)) == []


def test_key_that_everybody_can_read(example: Path) -> None:
    """The key of the certificate is a secret, too."""
    (example.parent / "secrets" / "mm7-key.pem").chmod(0o644)
    [line] = warnings(load(example))
    assert line.startswith("gateway.key: ")


def test_describe(example: Path) -> None:
    """What would be served is told without secrets, also those of URLs."""
    found = load(example)
    found = replace(found, database=f"postgresql+psycopg://{SECRET}:{SECRET}@db:5433/mm7?password={SECRET}")
    [upstream] = found.upstreams
    found = replace(found, upstreams=(replace(upstream, url=f"https://mmsc.example/mm7?key={SECRET}"),))
    lines = describe(found)
    assert lines[0].startswith("MM7 on https://0.0.0.0:8443/mm7: policy interop")
    assert lines[1] == "viewer and admin on http://127.0.0.1:8008/ with a password"
    assert lines[2] == "JSON API on https://127.0.0.1:8010/v1"
    assert lines[3] == "database: postgresql database mm7 on db:5433; worker processes: 2"
    assert lines[5].startswith("application tnn: VASPID TNN, VASIDs News, profile optus, from 192.0.2.10 198.51.100")
    ways = "reports to https://vasp.example/dlr in REL-6-MM7-1-4 5.3.0; all events to the webhook "
    account = "; Twilio's form as AC0123456789abcdef0123456789abcdef, MO to https://vasp.example/sms"
    account += ", states to https://vasp.example/status"
    assert lines[5].endswith(f"{ways}https://vasp.example/mms-events{account}")
    assert lines[6:] == [
        "handset +6141: Retrieved after 2 s",
        "upstream sinch: https://mmsc.example/mm7?..., profile sinch, 10 a second at most, calls us back, "
        "content made to fit 1000000 octets",
        "route +64: via sinch",
        "rate long-codes: 1 a second, 2000 a day (America/Los_Angeles) from each of 12125550100 1646*",
        "rate campaign C4X7Q2L: 10000 a day (America/Los_Angeles) from all of 12125550100 12125550101 via sinch",
    ]
    assert all(secret not in "".join(lines) for secret in (SECRET, "-word", SIGNING))
    assert describe(demo_settings())[3] == "database: SQLite file mm7zeep.db; worker processes: 1"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("opt_out = true", "opt-out by STOP UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT STOPALL; "),
        ("opt_out = {}", "opt-out by STOP UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT STOPALL; "),
        (
            'opt_out = { languages = ["de"], stop = ["Raus", "stopall"] }',
            "opt-out by Raus stopall STOP STOPP ABMELDEN ABBESTELLEN; ",
        ),
        ("opt_out = false", "short codes 1; "),
        ("", "short codes 1; "),
    ],
)
def test_opt_out(path: Path, line: str, said: str) -> None:
    """The words by which subscribers opt out are told; without the setting, or with false, there are none."""
    found = read(path, f'{APPLICATION}short_codes = ["1"]\n{line}\n{CALLBACK}')
    assert warnings(found) == []
    assert said in describe(found)[5]
    assert pickle.loads(pickle.dumps(found)) == found


def test_opt_out_that_is_shown(path: Path) -> None:
    """The table in docs/gateway.md can be used, and its words are those that the page says."""
    page = EXAMPLE.with_name("gateway.md").read_text(encoding="utf-8")
    [table] = re.findall(r"```toml\n(\[application\.opt_out\].*?)```", page, re.DOTALL)
    [words] = re.findall(r"`(opt-out by [A-Z ]+)`", page)
    found = read(path, f'{APPLICATION}short_codes = ["1"]\n{CALLBACK}{table}')
    assert f", {words}; MO to" in describe(found)[5]


# --- the command line -------------------------------------------------------------------------------------------------


def test_options_come_last() -> None:
    """What the command line says counts; what it does not say stays."""
    found = with_options(demo_settings(), mm7="[::1]:0", database="sqlite:///x.db", workers=3)
    assert (found.mm7, found.admin, found.database, found.workers) == (
        Place("::1", 0),
        Place("127.0.0.1", 8008),
        "sqlite:///x.db",
        3,
    )
    assert with_options(demo_settings(), admin=Place("127.0.0.1", 0)).admin.port == 0
    assert with_options(found) is found


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mm7": "0.0.0.0:8007"}, "--mm7: others can reach 0.0.0.0, and everybody knows the credentials"),
        ({"admin": "0.0.0.0:8008"}, "--admin: others can reach 0.0.0.0; give admin_username"),
        ({"mm7": "nowhere"}, "--mm7: is no address to listen on"),
        ({"database": f"oracle://{SECRET}@h"}, "--database: names another database"),
        ({"workers": 100}, "--workers: is 100"),
        ({"mm7": "127.0.0.1:8008"}, "gateway.admin: is the same place as mm7"),
    ],
)
def test_refused_options(options: dict[str, str], said: str) -> None:
    """An option is judged as what stands in a file; the demonstration's application never leaves this machine."""
    with pytest.raises(ConfigError) as caught:
        with_options(demo_settings(), **options)  # type: ignore[arg-type]
    [problem] = caught.value.problems
    assert problem.startswith(said)
    assert SECRET not in problem
