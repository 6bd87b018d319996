"""Role vasp: what MM7_deliver may say: namespaces, addresses, dates, texts (catalogue, suite B)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lxml import etree

from mm7zeep import messages as m
from mm7zeep import schema
from mm7zeep.probe.accept import OK, REF
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.cases.families import either, taken
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.making import step, written
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.profiles import NAMESPACES, Profile

_NEW = "REL-6-MM7-1-4"
_MIDDLE = "REL-6-MM7-1-0"


# --- namespaces -------------------------------------------------------------------------------------------------------


def _each(profile: Profile) -> Case:
    schema = profile.schema

    @case(
        f"deliver/ns-each/{step(profile)}",
        "SHOULD",
        "XSD",
        f"A message in {schema} is accepted in each version of it, or refused where the namespace is not supported.",
        role="vasp",
    )
    def run(lab: Lab) -> None:
        unsupported = f"ns/{schema}" in lab.settings.unsupported
        for version in profile.versions:
            made = lab.deliver(namespace=schema)
            stated = made.element("MM7Version")
            made = replace(made.edit(stated, f"<MM7Version>{version}</MM7Version>"), version=version)
            lab.expect(lab.ask(made), OK, *((REF(4002, 4004),) if unsupported else ()))

    return run


NAMESPACES_EACH = tuple(_each(one) for one in NAMESPACES.values())


@case(
    "deliver/rsp-namespace",
    "SHOULD",
    "UNSURE",
    "A message in an older namespace is answered in that namespace, and one in a newer one in that.",
    role="vasp",
)
def rsp_namespace(lab: Lab) -> None:
    for name in ("REL-5-MM7-1-2", _NEW):
        if f"ns/{name}" in lab.settings.unsupported:
            continue
        made = lab.deliver(namespace=name)
        said = lab.must(lab.ask(made), OK)
        given = (
            [] if said.body is None else [schema.namespace_of(one) for one in said.body.iterchildren(tag=etree.Element)]
        )
        lab.require(
            given == [made.namespace],
            "the response is in another namespace than the request",
            expected=str(made.namespace),
            actual=", ".join(map(str, given)),
            level="SHOULD",
            shown=said,
        )


# --- addresses --------------------------------------------------------------------------------------------------------


def _sender(xml: str) -> Callable[[Lab], Stimulus]:
    return lambda lab: lab.deliver().instead("Sender", f"<Sender>{xml}</Sender>")


ADDRESSES = (
    taken(
        "deliver/sender-number",
        "MUST",
        "8.7.2",
        "A sender by number is understood.",
        _sender("<Number>+15550101234</Number>"),
    ),
    taken(
        "deliver/sender-mail",
        "MUST",
        "8.7.2",
        "A sender by mail address is understood.",
        _sender("<RFC2822Address>someone@example.com</RFC2822Address>"),
    ),
    taken(
        "deliver/sender-shortcode",
        "MUST",
        "8.7.2",
        "A sender by short code is understood.",
        _sender("<ShortCode>4711</ShortCode>"),
    ),
    taken(
        "deliver/sender-plmn",
        "SHOULD",
        "8.7.8.2 UNSURE",
        "A number in the form +15550101234/TYPE=PLMN is understood.",
        _sender("<Number>+15550101234/TYPE=PLMN</Number>"),
    ),
    either(
        "deliver/sender-anonymous/empty",
        "INFO",
        "8.7.2 UNSURE",
        "A hidden sender, written as an empty number, is taken whole or refused.",
        _sender("<Number></Number>"),
        REF(2002, 2007, 4004),
    ),
    either(
        "deliver/sender-anonymous/hash",
        "INFO",
        "8.7.2 UNSURE",
        "A hidden sender, written as #, is taken whole or refused.",
        _sender("<Number>#</Number>"),
        REF(2002, 2007, 4004),
    ),
    taken(
        "deliver/recipients-missing",
        "SHOULD",
        "XSD",
        "A message without Recipients, which are optional here, is accepted.",
        lambda lab: lab.deliver(to=()),
    ),
    taken(
        "deliver/recipients-cc-bcc",
        "SHOULD",
        "8.7.2",
        "A message with the VASP in Cc and a phone in To is accepted.",
        lambda lab: lab.deliver(
            to=[m.Number(written("+15550109999", lab.profile))], cc=[m.ShortCode(lab.settings.numbers.sender or "7777")]
        ),
    ),
    either(
        "deliver/unknown-recipient",
        "SHOULD",
        "8.7.2",
        "A message to a short code that is not the VASP's is refused, or taken whole.",
        lambda lab: lab.deliver(to=[m.ShortCode("99999")]),
        REF(2003, 2002, 4007),
    ),
)


# --- what else a message says -----------------------------------------------------------------------------------------


def _subject(xml: str) -> Callable[[Lab], Stimulus]:
    def made(lab: Lab) -> Stimulus:
        sent = lab.deliver()
        return sent.instead("Subject", f"<Subject>Probe {sent.mark} {xml}</Subject>")

    return made


def _priority(word: str) -> Case:
    return taken(
        f"deliver/priority-each/{word.lower()}",
        "MUST",
        "8.7.2",
        f"Priority {word} is understood.",
        lambda lab: lab.deliver(priority=word),
    )


def _stamped(name: str, value: str) -> Case:
    return taken(
        f"deliver/timestamp-offset/{name}",
        "MUST",
        "XSD xs:dateTime",
        f"A TimeStamp as {value} is understood.",
        lambda lab: lab.deliver().instead("TimeStamp", f"<TimeStamp>{value}</TimeStamp>"),
    )


PRIORITIES = (
    *(_priority(word) for word in ("Normal", "High", "Low")),
    taken("deliver/priority-each/absent", "MUST", "8.7.2", "Priority may be left out.", lambda lab: lab.deliver()),
)
TIMES = (
    _stamped("quarter-hour", "2026-03-01T12:00:00+05:45"),
    _stamped("utc", "2026-03-01T12:00:00Z"),
    _stamped("fraction", "2026-03-01T12:00:00.123456+01:00"),
    _stamped("no-zone", "2026-03-01T12:00:00"),
)
TEXTS = (
    taken(
        "deliver/subject-utf8/emoji",
        "MUST",
        "XML 1.0 2.2",
        "A subject with emoji is understood.",
        _subject("\U0001f389"),
    ),
    taken(
        "deliver/subject-utf8/right-to-left",
        "MUST",
        "XML 1.0 2.2",
        "A subject that is written from the right is understood.",
        _subject("\u0645\u0631\u062d\u0628\u0627"),
    ),
    taken(
        "deliver/subject-utf8/entities",
        "MUST",
        "XML 1.0 4.6",
        "Entities, character references and CDATA in a subject are understood.",
        _subject("&amp; &lt;b&gt; &#x263A; <![CDATA[<&>]]>"),
    ),
)
FIELDS = (
    taken(
        "deliver/linked-id", "SHOULD", "8.7.2", "A message with LinkedID is accepted.",
        lambda lab: lab.deliver(linked_id=lab.word()),
    ),
    taken(
        "deliver/reply-charging", "SHOULD", "8.7.2", "A message with ReplyChargingID is accepted.",
        lambda lab: lab.deliver(reply_charging_id=lab.word()),
    ),
    taken(
        "deliver/txid-long", "SHOULD", "8.7.2", "A TransactionID of 200 characters is accepted and repeated.",
        lambda lab: lab.deliver().transaction("x" * 199 + "&amp;", "x" * 199 + "&"),
    ),
    taken(
        "deliver/previously-sent", "SHOULD", "XSD REL-6-MM7-1-0",
        "A message with Previouslysentby and its date is accepted.",
        lambda lab: lab.deliver(
            namespace=_MIDDLE,
            previously_sent=(m.PreviouslySent(sequence=1, address=m.Number("+15550101111"), moment=_yesterday()),),
        ),
    ),
    taken(
        "deliver/spi", "SHOULD", "XSD REL-6-MM7-1-0", "A message with SenderSPI and RecipientSPI is accepted.",
        lambda lab: lab.deliver(namespace=_MIDDLE, sender_spi="sender-mmsc", recipient_spi="recipient-mmsc"),
    ),
    either(
        "deliver/applic-id", "SHOULD", "XSD REL-6-MM7-1-4",
        "A message with ApplicID, ReplyApplicID and AuxApplicInfo is accepted, or refused for its application.",
        lambda lab: lab.deliver(
            namespace=_NEW, applic_id="probe.app", reply_applic_id="probe.reply", aux_applic_info="probe"
        ),
        REF(2008, 4008, 3004),
    ),
    taken(
        "deliver/ua-capabilities", "SHOULD", "XSD REL-6-MM7-1-4", "A message with UACapabilities is accepted.",
        lambda lab: lab.deliver(namespace=_NEW, ua_capabilities=m.UACapabilities(ua_prof="http://example.com/ua.xml")),
    ),
    taken(
        "deliver/vaspid-order", "SHOULD", "XSD REL-6-MM7-1-4",
        "MMSRelayServerID, VASPID and VASID in the order of the schema are understood.",
        lambda lab: lab.deliver(
            namespace=_NEW, mms_relay_server_id="mmsc.example", vaspid=lab.settings.account.vaspid,
            vasid=lab.settings.account.vasid,
        ),
    ),
    either(
        "deliver/vaspid-after-linkedid", "INFO", "XSD",
        "VASPID and VASID behind LinkedID, a common wrong order, are taken whole or refused.",
        lambda lab: lab.deliver(namespace=_NEW, linked_id=lab.word()).after(
            "LinkedID", f"<VASPID>{lab.settings.account.vaspid}</VASPID><VASID>{lab.settings.account.vasid}</VASID>"
        ),
        REF(4004, 2007),
    ),
    either(
        "deliver/foreign-elements", "INFO", "XSD",
        "Vendors' elements SenderIdentification and ExpiryDate in a DeliverReq are taken whole or refused.",
        lambda lab: lab.deliver()
        .after("MM7Version", "<SenderIdentification><VASPID>x</VASPID></SenderIdentification>")
        .after("Subject", "<ExpiryDate>2030-01-01T00:00:00Z</ExpiryDate>"),
        REF(4004, 2007),
    ),
    either(
        "deliver/no-content", "SHOULD", "XSD 0..1", "A message without Content is accepted, or refused as empty.",
        lambda lab: lab.deliver(parts=()),
        REF(2004, 4004),
    ),
)  # fmt: skip


def _yesterday() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
