"""Role mmsc: MM7 namespaces and versions (catalogue A5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mm7zeep.probe.accept import MISSING, OK, REF
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.making import step
from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES, Profile

_OLDER = "REL-5-MM7-1-2"
_UNSUPPORTED = REF(4002, 4004)


# --- namespaces -------------------------------------------------------------------------------------------------------


def _namespace(profile: Profile) -> Case:
    bare = "" if profile.transaction_attributes else ", without mustUnderstand as it has to be there"

    @case(
        f"ns/{step(profile)}",
        "SHOULD",
        "XSD",
        f"A submit with all common elements in {profile.schema} is accepted{bare}, or refused where it is not served.",
    )
    def served(lab: Lab) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        made = lab.submit(
            namespace=profile.schema,
            message_class="Informational",
            time_stamp=now,
            expiry_date=now + timedelta(days=1),
            delivery_report=False,
            read_reply=False,
            priority="Normal",
            allow_adaptations=True,
        )
        unsupported = f"ns/{profile.schema}" in lab.settings.unsupported
        lab.expect(lab.ask(made), OK, *((_UNSUPPORTED,) if unsupported else ()))

    return served


SERVED = tuple(_namespace(one) for one in NAMESPACES.values())


@case("ns/unknown", "SHOULD", "8.7.8.3 UNSURE", "A namespace that no release of MM7 has is refused.")
def unknown(lab: Lab) -> None:
    made = lab.submit()
    envelope = made.envelope.replace(lab.profile.namespace, f"{NAMESPACE_PREFIX}REL-7-MM7-1-0")
    lab.expect(lab.ask(replace(made.unread(), envelope=envelope)), _UNSUPPORTED)


def _alias(name: str, old: str, new: str, what: str) -> Case:
    @case(f"ns/{name}", "INFO", "XSD", f"A namespace {what} is accepted whole, or refused.")
    def alias(lab: Lab) -> None:
        made = lab.submit(namespace=_OLDER)
        envelope = made.envelope.replace(old, new)
        lab.any(lab.ask(replace(made.unread(), envelope=envelope)))

    return alias


ALIASES = (
    _alias("missing-digit", _OLDER, "REL-5-MM7-1", "without its last digit"),
    _alias("wrong-host", "www.3gpp.org", "www.3gpp.com", "at www.3gpp.com"),
)


@case(
    "ns/unqualified-children",
    "SHOULD",
    "XSD elementFormDefault",
    "A SubmitReq whose children are in no namespace is refused, or accepted whole.",
)
def unqualified_children(lab: Lab) -> None:
    made = lab.submit()
    open_, close = f'<SubmitReq xmlns="{lab.profile.namespace}">', "</SubmitReq>"
    made = made.edit(open_, f'<m:SubmitReq xmlns:m="{lab.profile.namespace}">').edit(close, "</m:SubmitReq>")
    lab.any(lab.ask(made), OK, REF(4004, 2007))


# --- MM7Version -------------------------------------------------------------------------------------------------------


@case("version/missing", "MUST", "8.7.1; XSD", "A request without MM7Version is refused.")
def missing(lab: Lab) -> None:
    lab.expect(lab.ask(replace(lab.submit().without("MM7Version"), version=None)), MISSING)


def _nonsense(name: str, value: str) -> Case:
    @case(f"version/nonsense/{name}", "SHOULD", "8.7.8.3 UNSURE", f"MM7Version {value} is refused, or accepted whole.")
    def nonsense(lab: Lab) -> None:
        made = lab.submit().instead("MM7Version", f"<MM7Version>{value}</MM7Version>")
        lab.any(lab.ask(replace(made, version=value)), OK, _UNSUPPORTED)

    return nonsense


NONSENSE = (_nonsense("number", "9999.12345.6543"), _nonsense("letters", "x.y.z"))


@case("version/not-of-namespace", "INFO", "XSD", f"MM7Version 6.8.0 in {_OLDER} is accepted whole, or refused.")
def not_of_namespace(lab: Lab) -> None:
    made = lab.submit(namespace=_OLDER).instead("MM7Version", "<MM7Version>6.8.0</MM7Version>")
    lab.any(lab.ask(replace(made, version="6.8.0")))


def _listed(profile: Profile, version: str) -> Case:
    @case(
        f"version/each-listed/{step(profile)}-{version}",
        "SHOULD",
        "XSD",
        f"MM7Version {version}, which {profile.schema} lists, is accepted.",
        needs=(f"can.ns/{profile.schema}",),
    )
    def listed(lab: Lab) -> None:
        made = lab.submit(namespace=profile.schema).instead("MM7Version", f"<MM7Version>{version}</MM7Version>")
        lab.expect(lab.ask(replace(made, version=version)), OK)

    return listed


LISTED = tuple(_listed(one, version) for one in NAMESPACES.values() for version in one.versions)


@case("version/blank", "INFO", "XSD enumeration", "MM7Version between blanks is accepted whole, or refused.")
def blank(lab: Lab) -> None:
    made = lab.submit()
    version = made.version or lab.profile.mm7_version
    lab.any(lab.ask(made.edit(f"<MM7Version>{version}<", f"<MM7Version> {version} <")))
