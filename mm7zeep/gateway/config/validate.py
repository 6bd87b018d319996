"""What the settings of a gateway say together, and why they cannot be used.

What is wrong with a single value, its type finds. Looks at the certificate and its key; resolves, connects and changes
nothing. No text holds a password.
"""

from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import sqlalchemy
from sqlalchemy.exc import ArgumentError

from mm7zeep import extras, profiles
from mm7zeep.gateway.config import validate_tls
from mm7zeep.gateway.config.errors import Remark
from mm7zeep.gateway.config.field_types import Place
from mm7zeep.gateway.config.opt_out import OptOut, normal
from mm7zeep.gateway.config.parties import Application, Callback, Twilio, Upstream, Webhook
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.security import client_address, outbound, password_hash

DEMO = "demo"
"""Name, password and VASPID of the application that is served without a configuration."""

_LEAST_DRAIN = 2.0  # seconds: one of them is kept for closing
_DATABASES = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")


def problems(settings: Settings) -> list[Remark]:
    """Why these settings cannot be used; none if they can."""
    parts: tuple[Callable[[Settings], Iterator[Remark]], ...]
    parts = (_places, _database, _tls, _amounts, _applications, _upstreams, _routes, _rates, _names)
    return [one for part in parts for one in part(settings)]


# --- the gateway ------------------------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``; of names that is known of ``localhost`` alone."""
    found = client_address.address(host)
    return found.is_loopback if found is not None else host.lower() == "localhost"


def _places(settings: Settings) -> Iterator[Remark]:
    admin = settings.admin
    for name, place in (("mm7", settings.mm7), ("api", settings.api)):
        if place is not None and not is_loopback(place.host):
            yield from _open_place(settings, name, place)
    if not is_loopback(admin.host) and not (settings.admin_username and settings.admin_password):
        yield Remark(
            "gateway.admin",
            f"others can reach {admin.host}; give admin_username and admin_password_file, or listen on 127.0.0.1",
        )
    if bool(settings.admin_username) != bool(settings.admin_password):
        missing = "admin_password" if settings.admin_username else "admin_username"
        yield Remark(f"gateway.{missing}", "is missing or empty; admin_username and a password go together")
    taken = [("mm7", settings.mm7)]
    for name, place in (("admin", admin), ("api", settings.api)):
        if place is None:
            continue
        for other, there in taken:
            if _is_same(place, there):
                yield Remark(f"gateway.{name}", f"is the same place as {other} ({there}); give it another port")
        taken.append((name, place))


def _open_place(settings: Settings, name: str, place: Place) -> Iterator[Remark]:
    """What is wrong with a place that others can reach."""
    reach = f"others can reach {place.host}, and "
    if not settings.applications:
        yield Remark(
            f"gateway.{name}",
            f"{reach}no application has credentials; add an [[application]], or listen on 127.0.0.1",
        )
    elif any(one.name == DEMO and one.password == DEMO for one in settings.applications):
        yield Remark(
            f"gateway.{name}",
            f"{reach}everybody knows the credentials of the application {DEMO}; configure an [[application]] of "
            "your own, or listen on 127.0.0.1",
        )


def _is_same(one: Place, other: Place) -> bool:
    return one.port == other.port != 0 and (one.host == other.host or _is_any(one.host) or _is_any(other.host))


def _is_any(host: str) -> bool:
    found = client_address.address(host)
    return found is not None and found.is_unspecified


def database_url(database: str) -> sqlalchemy.URL | None:
    """``database`` taken apart, None if that cannot be done; whatever SQLAlchemy says then may repeat a password."""
    try:
        return sqlalchemy.make_url(database)
    except (ArgumentError, ValueError):
        return None


def _database(settings: Settings) -> Iterator[Remark]:
    forms = "write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
    url = database_url(settings.database)
    if url is None:
        yield Remark("gateway.database", f"is no database URL; {forms}")
    elif url.drivername not in _DATABASES:
        yield Remark("gateway.database", f"names another database than SQLite and PostgreSQL; {forms}")
    elif url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        yield Remark("gateway.database", f"is kept in memory and lost with the process; {forms}")


def _tls(settings: Settings) -> Iterator[Remark]:
    cert, key = settings.cert, settings.key
    if cert is None or key is None:
        if cert != key:
            missing, other = ("cert", "key") if cert is None else ("key", "cert")
            yield Remark(f"gateway.{missing}", f"is missing beside {other}; give both or none")
        return
    unread = [Remark(f"gateway.{name}", why) for name, path in (("cert", cert), ("key", key)) if (why := _unread(path))]
    yield from unread
    if unread:
        return
    try:  # without a password, OpenSSL would ask the terminal for one
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        pair = getattr(error, "reason", None) == "KEY_VALUES_MISMATCH"
        why = f"belongs to another certificate than {cert}" if pair else f"cannot be used together with {cert}"
        yield Remark("gateway.key", f"{why}; name a certificate chain and its key, both in PEM and without passphrase")


def readable_by_all(path: Path) -> bool:
    """Whether every user of this machine may read ``path``, as far as its mode tells. Raises ``OSError``."""
    return os.name == "posix" and bool(path.stat().st_mode & stat.S_IROTH)


def _unread(path: str) -> str | None:
    try:
        with Path(path).open("rb"):
            return None
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}; name a PEM file that this user may read"


def _amounts(settings: Settings) -> Iterator[Remark]:
    delivery, capacity, body = settings.delivery, settings.capacity, settings.limits.body
    if delivery.narrow > delivery.wide:
        yield Remark("delivery.narrow", f"is {delivery.narrow}, more than wide ({delivery.wide}); raise wide")
    if capacity.uploads < body:
        yield Remark(
            "capacity.uploads", f"is {capacity.uploads}, less than one body may have ({body}, limits.body); raise it"
        )
    if settings.drain < _LEAST_DRAIN:
        yield Remark("gateway.drain", f"is {settings.drain:g} s, too short to end anything; give at least 2s")
    if not 1 <= settings.workers <= 64:
        yield Remark("gateway.workers", f"is {settings.workers}; give 1 to 64 processes")


# --- whom it deals with -----------------------------------------------------------------------------------------------


def _applications(settings: Settings) -> Iterator[Remark]:
    codes: list[tuple[str, str]] = []
    for n, one in enumerate(settings.applications, 1):
        here = f"application[{n}]"
        if one.vaspid == "":
            yield Remark(f"{here}.vaspid", "is empty; leave it out where the application names no VASPID")
        yield from _password(here, one)
        yield from _callback(f"{here}.callback", one.callback, settings.allow_internal)
        yield from _opt_out(f"{here}.opt_out", one.opt_out)
        yield from _webhook(f"{here}.webhook", one.webhook, settings)
        yield from _twilio(f"{here}.twilio", one.twilio, settings)
        codes += [(f"{here}.short_codes[{m}]", code) for m, code in enumerate(one.short_codes, 1)]
    for where, code, first in _repeated(codes):
        yield Remark(where, f"{code} is {first} already; give it to one application, once")


def _password(here: str, application: Application) -> Iterator[Remark]:
    password, written = application.password, application.password_hash
    if password is None and written is None:
        yield Remark(
            f"{here}.password", 'is missing; write password_file = "...", password_hash = "..." or password = "..."'
        )
    elif password is not None and written is not None:
        yield Remark(f"{here}.password_hash", "stands beside a password; keep one of them")
    elif password == "":
        yield Remark(f"{here}.password", "is empty; give one that nobody guesses")
    elif written is not None:
        try:
            password_hash.parsed(written)
        except ValueError as error:
            yield Remark(f"{here}.password_hash", f"{error} (mm7zeep serve --hash-password)")


def _callback(here: str, callback: Callback | None, allow_internal: bool) -> Iterator[Remark]:
    if callback is None:
        return
    for name, url in (("deliver", callback.deliver), ("report", callback.report)):
        if url is not None:
            yield from _callable(f"{here}.{name}", url, allow_internal)
    yield from validate_tls.wrong(here, callback, [callback.deliver, callback.reports])
    for name, value in (("username", callback.username), ("password", callback.password)):
        if not value:
            yield Remark(f"{here}.{name}", "is missing or empty; a callback has to show credentials, give both")
    yield from _written_in(here, callback)


def _opt_out(here: str, opt_out: OptOut | None) -> Iterator[Remark]:
    if opt_out is None:
        return
    asked: dict[str, str] = {}
    for meaning, word in opt_out.own.meanings():
        if asked.setdefault(normal(word), meaning) != meaning:
            yield Remark(f"{here}.{meaning}", f"{word!r} stands in {asked[normal(word)]}, too; take one out")
    if "stop" not in (meaning for meaning, _ in opt_out.words().values()):
        yield Remark(f"{here}.stop", 'has no word; write languages = ["en"], or stop = ["STOP"]')


def _webhook(here: str, webhook: Webhook | None, settings: Settings) -> Iterator[Remark]:
    if webhook is None:
        return
    yield from _callable(f"{here}.url", webhook.url, settings.allow_internal)
    yield from validate_tls.wrong(here, webhook, [webhook.url])
    if webhook.secret is None:
        how = "its text is what its receiver verifies with, whsec_ and base64 of 32 random octets"
        yield Remark(f"{here}.secret", f'is missing; write secret_file = "...", {how}')
    if webhook.events == ():
        yield Remark(f"{here}.events", "is empty; name those that are wanted, or leave it out for all")
    yield from _media(here, settings)


def _twilio(here: str, twilio: Twilio | None, settings: Settings) -> Iterator[Remark]:
    if twilio is None:
        return
    if settings.api is None:
        yield Remark("gateway.api", f'is missing, and serves {here}; write api = "127.0.0.1:8010"')
    for name, url in (("incoming", twilio.incoming), ("status_callback", twilio.status_callback)):
        if url is not None:
            yield from _callable(f"{here}.{name}", url, settings.allow_internal)
    yield from validate_tls.wrong(
        here, twilio, [one for one in (twilio.incoming, twilio.status_callback) if one is not None]
    )
    if twilio.incoming is not None and settings.api is not None:
        yield from _media(here, settings)


def _media(here: str, settings: Settings) -> Iterator[Remark]:
    """Why the media of events cannot be fetched."""
    place = settings.api
    if place is None:
        yield Remark("gateway.api", f'is missing, and serves the media of {here}; write api = "127.0.0.1:8010"')
    elif settings.api_url is None and (_is_any(place.host) or not place.port):
        yield Remark(
            "gateway.api_url",
            f'is missing; nobody can fetch the media of {here} at {place}; write api_url = "https://..."',
        )


def _written_in(here: str, callback: Callback) -> Iterator[Remark]:
    namespace, version = callback.namespace, callback.mm7_version
    if namespace is None:
        if version is not None:
            yield Remark(f"{here}.mm7_version", 'stands without a namespace; write namespace = "REL-6-MM7-1-4"')
        return
    if callback.profile is not None:
        yield Remark(f"{here}.namespace", "stands beside profile, which has one; keep one of them")
    schema = profiles.profile(namespace)
    if version is not None and version not in schema.versions:
        listed = ", ".join(schema.versions)
        yield Remark(f"{here}.mm7_version", f"{version!r} is no version of {schema.schema}; it lists {listed}")


def _callable(here: str, url: str, allow_internal: bool) -> Iterator[Remark]:
    try:
        outbound.check_url(url, allow_internal=allow_internal)
    except ValueError as error:
        yield Remark(here, str(error))


def _upstreams(settings: Settings) -> Iterator[Remark]:
    names = [(f"upstream[{n}]", one.name) for n, one in enumerate(settings.upstreams, 1)]
    for where, name, first in _repeated(names):
        yield Remark(f"{where}.name", f"{name!r} is the name of {first}, too; give each its own")
    for n, one in enumerate(settings.upstreams, 1):
        here = f"upstream[{n}]"
        yield from _callable(f"{here}.url", one.url, settings.allow_internal)
        yield from validate_tls.wrong(here, one, [one.url])
        yield from _pair(here, "", one.username, one.password)
        yield from _shown(here, one)
        yield from _pair(here, "callback_", one.callback_username, one.callback_password)
        yield from _fitting(here, one)


def _shown(here: str, upstream: Upstream) -> Iterator[Remark]:
    """What an upstream is shown of us: one kind of credentials."""
    if upstream.bearer is not None and upstream.username:
        yield Remark(f"{here}.bearer", "stands beside a username; the upstream is shown one of them, keep that")
    if upstream.digest and not upstream.username:
        yield Remark(f"{here}.digest", "stands without a username; give username and password, or leave it out")


def _fitting(here: str, upstream: Upstream) -> Iterator[Remark]:
    if not upstream.fit:
        return
    profile = upstream.upstream_profile
    if profile.max_size is None:
        yield Remark(f"{here}.fit", f"the profile {profile.name} states no limit to fit; leave it out")
    absent = extras.wanting("fit")
    if absent is not None:
        yield Remark(f"{here}.fit", f"cannot be done: {absent}")


def _pair(here: str, kind: str, username: str | None, password: str | None) -> Iterator[Remark]:
    if bool(username) != bool(password):
        missing = "password" if username else "username"
        yield Remark(f"{here}.{kind}{missing}", f"is missing; give {kind}username and {kind}password, or none of them")


def _routes(settings: Settings) -> Iterator[Remark]:
    known = [one.name for one in settings.upstreams]
    for n, one in enumerate(settings.routes, 1):
        yield from _known(f"route[{n}].via", one.via, known)


def _known(here: str, upstream: str, known: Sequence[str]) -> Iterator[Remark]:
    if upstream not in known and all(known):  # one without a name might be it
        there = f"there are {', '.join(known)}" if known else "there is none"
        yield Remark(here, f"{upstream!r} is the name of no [[upstream]]; {there}")


def _rates(settings: Settings) -> Iterator[Remark]:
    known = [one.name for one in settings.upstreams]
    names = [(f"rate[{n}]", one.name) for n, one in enumerate(settings.rates, 1)]
    for where, name, first in _repeated(names):
        yield Remark(f"{where}.name", f"{name!r} is the name of {first}, too; give each its own")
    for n, one in enumerate(settings.rates, 1):
        here = f"rate[{n}]"
        if one.upstream is not None:
            yield from _known(f"{here}.upstream", one.upstream, known)
        elif not one.numbers:
            yield Remark(f"{here}.numbers", 'is missing; write numbers = ["..."], or upstream = "..." for all of it')
        if one.together and not one.numbers:
            yield Remark(f"{here}.together", "stands without numbers; leave it out, all of the upstream is one anyway")
        if one.per_second is None and one.per_day is None:
            yield Remark(f"{here}.per_second", "is missing; write per_second = 1, or per_day = 2000, or both")
        if one.burst is not None and one.per_second is None and one.per_day is not None:
            yield Remark(f"{here}.burst", "stands without per_second; give that, or leave it out")
        if one.timezone is not None and one.per_day is None and one.per_second is not None:
            yield Remark(f"{here}.timezone", "stands without per_day; give that, or leave it out")


def _names(settings: Settings) -> Iterator[Remark]:
    """Who calls us shows one name, be it an application, an upstream or the operator, so all names differ; none holds a
    colon.
    """
    applications = [(f"application[{n}]", one) for n, one in enumerate(settings.applications, 1)]
    upstreams = [(f"upstream[{n}]", one) for n, one in enumerate(settings.upstreams, 1)]
    callers = [(f"{here}.name", one.name) for here, one in applications]
    callers += [(f"{here}.callback_username", one.callback_username or "") for here, one in upstreams]
    shown = [(f"{here}.callback.username", one.callback.username) for here, one in applications if one.callback]
    shown += [(f"{here}.username", one.username) for here, one in upstreams]
    for here, user in (("gateway.admin_username", settings.admin_username), *callers, *shown):
        if user and ":" in user:
            yield Remark(here, "holds a colon, which Basic cannot carry (RFC 7617 2); choose another")
    accounts = [(f"{here}.twilio.account_sid", one.twilio.account_sid) for here, one in applications if one.twilio]
    for here, sid, first in _repeated(accounts):
        yield Remark(here, f"{sid!r} is {first}, too; give each its own")
    callers = [("gateway.admin_username", settings.admin_username or ""), *callers]
    for here, name, first in _repeated(callers):
        yield Remark(here, f"{name!r} is {first}, too; give each its own")


def _repeated(named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Where a name stands that stood before, the name, and where it stood first; of ``named``: where, and the name."""
    seen: dict[str, str] = {}
    for where, name in named:
        if seen.setdefault(name, where) != where and name:
            yield where, name, seen[name]
