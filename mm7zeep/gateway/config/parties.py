"""Whom a gateway deals with: the applications it serves, the MMSCs that messages leave through, and by which prefix.

Values only, each the model of its table in the file: nothing here checks a password or calls anybody, and nothing is
checked that Python constructs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, get_args

from mm7zeep import extras, profiles
from mm7zeep.credentials import Basic, Bearer, ClientCert, Credentials, Digest
from mm7zeep.gateway.config import field_types
from mm7zeep.gateway.config.destination import Destination
from mm7zeep.gateway.config.field_types import Filled, Network, Secret, Table, Text
from mm7zeep.gateway.config.opt_out import OptOutTable
from mm7zeep.profiles import Profile
from mm7zeep.receiver import AnswerForm

EventType = Literal["message.received", "message.delivered", "message.failed", "message.read", "message.expired"]
"""What an application may hear of by webhook."""
TWILIO = "twilio"
"""The form of a webhook that is Twilio's."""
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
RECEIVED: EventType = "message.received"


class TlsFiles(NamedTuple):
    """What calls over https are made with: whom we trust (None: the authorities of certifi), and our certificate."""

    ca_file: str | None = None
    client_cert: ClientCert = None


class CalledTable(Table):
    """Base of the tables that say whom calls are made to, and with which files over https."""

    __slots__ = ()
    ca_file: str | None
    client_cert: str | None
    client_key: str | None

    @property
    def tls_files(self) -> TlsFiles:
        """The files that calls there are made with."""
        own = self.client_cert
        # one file twice: of a key that is named, urllib3 sees whether it asks for a passphrase
        return TlsFiles(self.ca_file, (own, self.client_key or own) if own is not None else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(CalledTable):
    """Where an application hears of events as JSON, signed per Standard Webhooks.

    ``secret`` is what its receiver verifies them with: ``whsec_`` and base64 of 24 to 64 octets. During a rotation
    ``old_secret`` signs, too. ``events`` are those that it wants (None: all). ``ca_file`` (PEM) has the authorities
    that its certificate is verified by, in place of those of certifi; ``client_cert`` (PEM) is our certificate with its
    key, or beside ``client_key`` the certificate alone.
    """

    url: Filled
    secret: field_types.SigningSecret | None = field(default=None, repr=False)
    old_secret: field_types.SigningSecret | None = field(default=None, repr=False)
    events: tuple[EventType, ...] | None = None
    ca_file: field_types.FileName | None = None
    client_cert: field_types.FileName | None = None
    client_key: field_types.FileName | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What signs, the newest first."""
        return tuple(one for one in (self.secret, self.old_secret) if one is not None)

    def wants(self, event: EventType) -> bool:
        """Whether the application is to hear of it."""
        return self.events is None or event in self.events


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback(CalledTable):
    """Where an application listens: ``deliver`` for MO messages, ``report`` (default: the same URL) for reports.

    ``username`` and ``password`` are sent as Basic. ``profile`` is what is written there, or the schema
    ``namespace`` with ``mm7_version`` and the application's prefix; by default the application's profile, in its
    ``report_schema``. ``ca_file``, ``client_cert`` and ``client_key`` are as in ``Webhook``.
    """

    deliver: Filled
    report: Text | None = None
    username: Text | None = None
    password: Secret | None = field(default=None, repr=False)
    profile: field_types.AnyProfile | None = None
    namespace: field_types.NamespaceName | None = None
    mm7_version: Text | None = None
    ca_file: field_types.FileName | None = None
    client_cert: field_types.FileName | None = None
    client_key: field_types.FileName | None = None

    @property
    def reports(self) -> str:
        """Where delivery reports and read replies go."""
        return self.report or self.deliver

    @property
    def has_own_profile(self) -> bool:
        """Whether what is written there is said for this callback, and not the application's."""
        return self.profile is not None or self.namespace is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Twilio(CalledTable):
    """Who an application is where it uses Twilio's form: ``account_sid`` and ``auth_token``.

    In that form MO messages are told at ``incoming``, and what became of messages that name no StatusCallback at
    ``status_callback`` (None: nowhere). ``ca_file``, ``client_cert`` and ``client_key`` are as in ``Webhook``, for both
    and for the StatusCallbacks at their host and port; those elsewhere have a public certificate.
    """

    account_sid: field_types.AccountSid
    auth_token: Secret = field(repr=False)
    incoming: Text | None = None
    status_callback: Text | None = None
    ca_file: field_types.FileName | None = None
    client_cert: field_types.FileName | None = None
    client_key: field_types.FileName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application(Table):
    """One VASP: ``name`` and ``password`` of its Basic authentication, the VASPID and VASIDs it may use (none: any).

    ``password_hash`` (``passwords.hashed``) may stand instead of ``password``. ``allow`` are the addresses and ranges
    it may call from (none: any). An MO to one of its ``short_codes`` names it as a ShortCode. ``numbers`` is the region
    (``AU``) by whose numbering plan, and those of other countries, recipients are judged; None judges their form only.
    ``media`` ``listed`` refuses parts whose type stands in no table of supported formats. Within ``duplicates`` hours a
    request that comes again is a repetition (None: as ``Retention`` has it; 0: never). ``answers`` is the schema of its
    answers, ``refusals`` whether they are a ``fault`` or the matching ``response``, ``fault_status`` the HTTP status of
    a fault; None: as its profile says. ``fit`` False keeps its content as it is, whatever an upstream says. ``opt_out``
    are the words by which subscribers opt out of its messages (None: nobody is heard, and nobody refused). ``twilio``
    is who it is in Twilio's form (None: nobody). It is called at its ``callback`` by MM7, at its ``webhook`` by
    JSON, or at both.
    """

    name: Filled
    password: Secret | None = field(default=None, repr=False)
    password_hash: Text | None = field(default=None, repr=False)
    vaspid: Text | None = None
    vasids: tuple[Text, ...] = ()
    allow: tuple[Network, ...] = ()
    short_codes: tuple[Text, ...] = ()
    callback: Callback | None = None
    webhook: Webhook | None = None
    profile: field_types.AnyProfile | None = None
    numbers: field_types.Region | None = None
    media: Literal["any", "listed"] = "any"
    duplicates: field_types.Hours | None = None
    answers: field_types.NamespaceName | None = None
    refusals: Literal["fault", "response"] | None = None
    fault_status: Literal[500, 200] | None = None
    fit: field_types.Switch | None = None
    opt_out: OptOutTable = None
    twilio: Twilio | None = None

    @property
    def request_profile(self) -> Profile:
        """The profile this application is served by. Raises ``ValueError`` for an unknown name."""
        return profiles.profile(self.profile)

    @property
    def answer_form(self) -> AnswerForm:
        """How this application is answered."""
        own = self.request_profile
        return AnswerForm(
            refusals=self.refusals or ("fault" if own.fault_refusals else "response"),
            fault_status=self.fault_status or own.fault_status,
            schema=self.answers or own.answer_schema,
        )

    @property
    def callback_profile(self) -> Profile:
        """The profile that MO messages and reports to this application are written in."""
        own, callback = self.request_profile, self.callback
        if callback is not None and callback.namespace is not None:
            schema = profiles.profile(callback.namespace)
            return replace(schema, mm7_version=callback.mm7_version or schema.mm7_version, prefix=own.prefix)
        if callback is not None and callback.profile is not None:
            return profiles.profile(callback.profile)
        if own.report_schema is None:
            return own
        return replace(profiles.profile(own.report_schema), mm7_version=own.mm7_version, prefix=own.prefix)

    @property
    def takes_messages(self) -> bool:
        """Whether MO messages can be brought to it: by MM7, or by a webhook that wants them."""
        told = self.twilio is not None and self.twilio.incoming is not None
        return told or self.callback is not None or (self.webhook is not None and self.webhook.wants(RECEIVED))

    @property
    def event_urls(self) -> tuple[tuple[str, str], ...]:
        """Where it hears of events, and in which setting that stands: its webhook, and the URLs of Twilio's form."""
        found = [("webhook.url", self.webhook.url)] if self.webhook is not None else []
        if self.twilio is not None:
            named = (("incoming", self.twilio.incoming), ("status_callback", self.twilio.status_callback))
            found += [(f"twilio.{name}", url) for name, url in named if url is not None]
        return tuple(found)

    def owns(self, vaspid: str | None, vasid: str | None) -> bool:
        """Whether these identifications are this application's."""
        return (vaspid or None) == self.vaspid and (not self.vasids or vasid in self.vasids)

    @property
    def aliases(self) -> tuple[str, ...]:
        """What it may be called by as a party of a message: its short codes, its VASPID, or at least its name."""
        own = self.short_codes if self.vaspid is None else (*self.short_codes, self.vaspid)
        return own or (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream(CalledTable):
    """Another MMSC that messages leave through: where it stands, and who we are there.

    We show ``username`` and ``password``, by Basic or, with ``digest``, by Digest alone; or the token ``bearer``.
    ``headers`` are added to each request, besides those of its profile. At most ``rate`` requests per second go out
    (None: as fast as it answers). ``callback_username`` and ``callback_password`` are what it shows when it brings us
    reports and MO messages, at our own ``/mm7``; without them it brings none. ``fit`` is whether content is made to fit
    into what its profile says that it takes (None: where that says a limit, and the extra ``fit`` is installed).
    ``ca_file`` (PEM) has the authorities that its certificate is verified by, in place of those of certifi;
    ``client_cert`` (PEM) is our certificate with its key, or beside ``client_key`` the certificate alone.
    """

    name: Filled
    url: Filled
    username: Text | None = None
    password: Secret | None = field(default=None, repr=False)
    digest: field_types.Switch = False
    bearer: field_types.BearerToken | None = field(default=None, repr=False)
    headers: field_types.HeaderFields = field(default_factory=dict, repr=False)
    ca_file: field_types.FileName | None = None
    client_cert: field_types.FileName | None = None
    client_key: field_types.FileName | None = None
    vaspid: Text | None = None
    vasid: Text | None = None
    profile: field_types.AnyProfile | None = None
    rate: field_types.Rate | None = None
    callback_username: Text | None = None
    callback_password: Secret | None = field(default=None, repr=False)
    allow: tuple[Network, ...] = ()
    fit: field_types.Switch | None = None

    @property
    def destination(self) -> Destination:
        """Where copies go that leave through it; its text is the user that its own requests have."""
        return Destination.upstream(self.name)

    @property
    def auth(self) -> Credentials | None:
        """What we show there. Raises ``ValueError`` for what cannot be shown."""
        if self.bearer is not None:
            return Bearer(self.bearer)
        if not self.username:
            return None
        return (Digest if self.digest else Basic)(self.username, self.password or "")

    @property
    def upstream_profile(self) -> Profile:
        """The profile this MMSC is spoken to in. Raises ``ValueError`` for an unknown name."""
        return profiles.profile(self.profile)

    @property
    def fits(self) -> bool:
        """Whether content that leaves through it is made to fit."""
        if self.fit is None:
            return self.upstream_profile.max_size is not None and extras.wanting("fit") is None
        return self.fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Table):
    """Recipients whose address begins with ``prefix`` leave through the upstream ``via``; the first that fits."""

    prefix: Text
    via: Filled
