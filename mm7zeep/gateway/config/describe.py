"""What settings amount to, told to people: what would be served, and what of it works but is unwise.

Takes settings that ``checks`` found no problem in, and refuses nothing. No text holds a password.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from mm7zeep import masking, profiles
from mm7zeep.gateway.config import descriptors, validate
from mm7zeep.gateway.config.errors import Remark
from mm7zeep.gateway.config.field_types import Place
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Application, CalledTable, Upstream
from mm7zeep.gateway.config.rates import Rate
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.config.validate import is_loopback, readable_by_all


def warnings(settings: Settings) -> list[str]:
    """What works and is unwise, one line each."""
    parts = (_open_places, _open_calls, _unreached, _unused, _unsayable, _unheard)
    return [str(one) for part in parts for one in part(settings)]


def _open_places(settings: Settings) -> Iterator[Remark]:
    for name, place in (("mm7", settings.mm7), ("api", settings.api)):
        if place is None or is_loopback(place.host) or settings.cert is not None or settings.trusted_proxies:
            continue
        yield Remark(
            f"gateway.{name}",
            "passwords cross the network in the clear; give cert and key, or list the TLS proxy in trusted_proxies",
        )
    if not is_loopback(settings.admin.host):
        yield Remark(
            "gateway.admin", "its password crosses the network in the clear; put a TLS proxy before it on loopback"
        )
    for n, text in enumerate(settings.trusted_proxies, 1):
        if ipaddress.ip_network(text.strip()).prefixlen == 0:
            yield Remark(f"gateway.trusted_proxies[{n}]", "everybody may say where they come from; list proxies alone")
    if settings.key is not None and readable_by_all(Path(settings.key)):
        yield Remark("gateway.key", f"{settings.key} can be read by every user; take that right away (chmod o-r)")
    for here, path in _client_keys(settings):
        if readable_by_all(Path(path)):
            yield Remark(here, f"{path} can be read by every user; take that right away (chmod o-r)")
    short = descriptors.shortage(settings, limit=descriptors.highest())
    if short is not None:
        yield Remark("gateway.connections", short)
    if not settings.applications:
        yield Remark("application", "nobody can submit; add an [[application]]")


def _client_keys(settings: Settings) -> Iterator[tuple[str, str]]:
    """The files with keys that calls are made with, and the settings that name them."""
    parties: list[tuple[str, CalledTable | None]] = []
    for n, one in enumerate(settings.applications, 1):
        here = f"application[{n}]"
        parties += [
            (f"{here}.callback", one.callback),
            (f"{here}.webhook", one.webhook),
            (f"{here}.twilio", one.twilio),
        ]
    parties += [(f"upstream[{n}]", one) for n, one in enumerate(settings.upstreams, 1)]
    for here, party in parties:
        if party is not None and party.client_key is not None:
            yield f"{here}.client_key", party.client_key
        elif party is not None and party.client_cert is not None:
            yield f"{here}.client_cert", party.client_cert


def _open_calls(settings: Settings) -> Iterator[Remark]:
    called: list[tuple[str, str | None]] = []
    for n, one in enumerate(settings.applications, 1):
        if one.callback is not None:
            called.append((f"application[{n}].callback.deliver", one.callback.deliver))
            called.append((f"application[{n}].callback.report", one.callback.report))
        for place, told in one.event_urls:
            if _is_open(told):
                yield Remark(f"application[{n}].{place}", "messages go there in the clear; use https")
    called += [(f"upstream[{n}].url", one.url) for n, one in enumerate(settings.upstreams, 1) if one.auth]
    for here, url in called:
        if url and _is_open(url):
            yield Remark(here, "credentials go there in the clear; use https")


def _is_open(url: str) -> bool:
    """Whether what goes to ``url`` can be read on the way."""
    return url.lower().startswith("http:") and not is_loopback(urlsplit(url).hostname or "")


def _unreached(settings: Settings) -> Iterator[Remark]:
    """Media that receivers on other machines cannot fetch."""
    if not is_loopback(urlsplit(settings.api_base).hostname or ""):
        return
    called = [url for one in settings.applications for _, url in one.event_urls]
    if any(not is_loopback(urlsplit(url).hostname or "") for url in called):
        said = f"media of events stand below {settings.api_base}, where only this machine comes"
        yield Remark("gateway.api_url", f"{said}; write what others reach the API by")


def _unused(settings: Settings) -> Iterator[Remark]:
    for table, prefixes in (
        ("handset", [one.prefix for one in settings.handsets]),
        ("route", [one.prefix for one in settings.routes]),
    ):
        for n, prefix in enumerate(prefixes):
            earlier = next((m for m, other in enumerate(prefixes[:n], 1) if prefix.startswith(other)), None)
            if earlier is not None:
                yield Remark(f"{table}[{n + 1}]", f"is never used, since {table}[{earlier}] fits first; move it up")


def _unsayable(settings: Settings) -> Iterator[Remark]:
    """Callbacks and answers in schemas that have no form for what they have to say."""
    for n, one in enumerate(settings.applications, 1):
        name = one.callback_profile.schema
        if one.callback is not None and name in _NMTOKENS:
            yield Remark(
                f"application[{n}].callback.namespace",
                f"{name} has no form for a number with a plus, nor for many ids: MO and reports about them cannot be "
                'brought; write namespace = "REL-5-MM7-1-2" or a later one',
            )
        answered = profiles.profile(one.answer_form.schema or one.request_profile)
        if not answered.submit_rsp_message_id:
            yield Remark(
                f"application[{n}].answers",
                f"a SubmitRsp of {answered.schema} has no MessageID, so that reports cannot be matched; "
                'write answers = "REL-5-MM7-1-2"',
            )


def _unheard(settings: Settings) -> Iterator[Remark]:
    """Opt-outs that no message can ask for: MO messages come to short codes, and for applications that take them."""
    for n, one in enumerate(settings.applications, 1):
        if one.opt_out is None or (one.short_codes and one.takes_messages):
            continue
        missing = "a callback, a webhook or twilio.incoming" if one.short_codes else "short_codes"
        yield Remark(
            f"application[{n}].opt_out",
            f"no MO reaches an application without {missing}, so nobody can opt out by a word; give it {missing}",
        )


_NMTOKENS = ("REL-5-MM7-1-0", "REL-5-MM7-1-1")  # addresses and ids are xs:NMTOKEN there

# --- what it amounts to -----------------------------------------------------------------------------------------------


def describe(settings: Settings) -> list[str]:
    """What would be served, one line each, for people; no passwords, and of URLs no query."""
    scheme = "https" if settings.cert else "http"
    open_to = "with a password" if settings.admin_password else "without a password"
    lines = [
        f"MM7 on {scheme}://{settings.mm7}/mm7: policy {settings.policy}, bodies up to {settings.limits.body} octets, "
        f"{settings.connections} connections",
        f"viewer and admin on http://{settings.admin}/ {open_to}",
        f"JSON API on {scheme}://{settings.api}/v1" if settings.api is not None else "no JSON API",
        f"database: {shown_database(settings.database)}; worker processes: {settings.workers}",
        f"calls to internal addresses: {'allowed' if settings.allow_internal else 'refused'}; "
        f"trusted proxies: {_listed(settings.trusted_proxies, 'none')}",
    ]
    lines += [_application(one) for one in settings.applications]
    lines += [
        f"handset {one.prefix or 'of everybody else'}: {one.outcome} after {one.delay.total_seconds():g} s{_reply(one)}"
        for one in settings.handsets
    ]
    lines += [_upstream(one) for one in settings.upstreams]
    lines += [f"route {one.prefix or 'of everybody else'}: via {one.via}" for one in settings.routes]
    lines += [_rate(one) for one in settings.rates]
    return lines


def _reply(handset: Handset) -> str:
    return f", replies after {handset.reply_after.total_seconds():g} s" if handset.reply else ""


def shown_database(database: str) -> str:
    """A database URL without user, password and options, any of which may be a secret."""
    url = validate.database_url(database)
    if url is None:
        return "unreadable"
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {url.database}"
    place = Place(url.host, url.port or 5432) if url.host else "the default server"
    return f"{url.get_backend_name()} database {url.database or 'of the default name'} on {place}"


def _application(one: Application) -> str:
    facts = [
        f"VASPID {one.vaspid}" if one.vaspid is not None else "no VASPID",
        f"VASIDs {_listed(one.vasids, 'any')}",
        f"profile {one.request_profile.name}",
    ]
    facts += [f"from {_listed(one.allow, 'anywhere')}", f"short codes {_listed(one.short_codes, 'none')}"]
    if one.opt_out is not None:
        words = [word for meaning, word in one.opt_out.words().values() if meaning != "start"]
        facts.append(f"opt-out by {' '.join(words)}")
    ways = []
    if one.callback is not None:
        called = f"{one.callback_profile.schema} {one.callback_profile.mm7_version}"
        to = f"MO to {_shown(one.callback.deliver)}, reports to {_shown(one.callback.reports)}"
        ways.append(f"{to} in {called}{_made_with(one.callback)}")
    if one.webhook is not None:
        wanted = "all events" if one.webhook.events is None else " ".join(one.webhook.events)
        ways.append(f"{wanted} to the webhook {_shown(one.webhook.url)}{_made_with(one.webhook)}")
    if one.twilio is not None:
        told = (("MO", one.twilio.incoming), ("states", one.twilio.status_callback))
        places = "".join(f", {what} to {_shown(url)}" for what, url in told if url is not None)
        ways.append(f"Twilio's form as {one.twilio.account_sid}{places}{_made_with(one.twilio)}")
    return f"application {one.name}: {', '.join(facts)}; {'; '.join(ways) or 'no callback'}"


def _upstream(one: Upstream) -> str:
    rate = f"{one.rate:g} a second at most" if one.rate else "any rate"
    back = "calls us back" if one.callback_username else "never calls us"
    profile = one.upstream_profile
    fits = f", content made to fit {profile.max_size} octets" if one.fits else ""
    return f"upstream {one.name}: {_shown(one.url)}, profile {profile.name}, {rate}, {back}{fits}{_made_with(one)}"


def _made_with(party: CalledTable) -> str:
    """The files for TLS that calls there are made with."""
    found = ((party.ca_file, "verified by"), (party.client_cert, "shown"), (party.client_key, "with the key"))
    return "".join(f", {how} {path}" for path, how in found if path is not None)


def _rate(one: Rate) -> str:
    zone = f" ({one.timezone or 'UTC'})"
    amounts = [one.amount(day=False)] if one.per_second is not None else []
    amounts += [one.amount(day=True) + zone] if one.per_day is not None else []
    who = f" from {'all' if one.together else 'each'} of {' '.join(one.numbers)}" if one.numbers else ""
    through = f" via {one.upstream}" if one.upstream is not None else ""
    return f"rate {one.name}: {', '.join(amounts)}{who}{through}"


def _shown(url: str) -> str:
    parts = urlsplit(masking.url(url))
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + ("?..." if parts.query else "")


def _listed(values: Sequence[str], none: str) -> str:
    return " ".join(values) or none
