"""Whom a gateway deals with: the applications it serves, the MMSCs that messages leave through, and by which prefix.

Values only: nothing here checks a password or calls anybody. Refuses, with ``ValueError``, what cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from mm7zeep import profiles
from mm7zeep.profiles import Profile
from mm7zeep.receiver import AnswerForm


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """Where an application listens: ``deliver`` for MO messages, ``report`` (default: the same URL) for reports.

    ``username`` and ``password`` are sent as Basic. ``profile`` is what is written there; by default the
    application's, in its ``report_schema``.
    """

    deliver: str
    report: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    profile: str | Profile | None = None

    @property
    def reports(self) -> str:
        """Where delivery reports and read replies go."""
        return self.report or self.deliver


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One VASP: ``name`` and ``password`` of its Basic authentication, the VASPID and VASIDs it may use (none: any).

    ``password_hash`` (``passwords.hashed``) may stand instead of ``password``. ``allow`` are the addresses and ranges
    it may call from (none: any). An MO to one of its ``short_codes`` names it as a ShortCode. ``numbers`` is the region
    (``AU``) by whose numbering plan, and those of other countries, recipients are judged; None judges their form only.
    ``media`` ``listed`` refuses parts whose type stands in no table of supported formats. Within ``duplicates`` hours a
    request that comes again is a repetition (None: as ``Retention`` has it; 0: never). ``answers`` is the schema of its
    answers, ``refusals`` whether they are a ``fault`` or the matching ``response``, ``fault_status`` the HTTP status of
    a fault; None: as its profile says.
    """

    name: str
    password: str | None = field(default=None, repr=False)
    password_hash: str | None = field(default=None, repr=False)
    vaspid: str | None = None
    vasids: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    short_codes: tuple[str, ...] = ()
    callback: Callback | None = None
    profile: str | Profile | None = None
    numbers: str | None = None
    media: Literal["any", "listed"] = "any"
    duplicates: float | None = None
    answers: str | None = None
    refusals: Literal["fault", "response"] | None = None
    fault_status: Literal[500, 200] | None = None

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
        if self.callback is not None and self.callback.profile is not None:
            return profiles.profile(self.callback.profile)
        own = self.request_profile
        if own.report_schema is None:
            return own
        return replace(profiles.profile(own.report_schema), mm7_version=own.mm7_version, prefix=own.prefix)

    def owns(self, vaspid: str | None, vasid: str | None) -> bool:
        """Whether these identifications are this application's."""
        return (vaspid or None) == self.vaspid and (not self.vasids or vasid in self.vasids)

    @property
    def aliases(self) -> tuple[str, ...]:
        """What it may be called by as a party of a message: its short codes, its VASPID, or at least its name."""
        own = self.short_codes if self.vaspid is None else (*self.short_codes, self.vaspid)
        return own or (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Another MMSC that messages leave through: where it stands, and who we are there.

    At most ``rate`` requests per second go out (None: as fast as it answers). ``callback_username`` and
    ``callback_password`` are what it shows when it brings us reports and MO messages, at our own ``/mm7``; without
    them it brings none.
    """

    name: str
    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    vaspid: str | None = None
    vasid: str | None = None
    profile: str | Profile | None = None
    rate: float | None = None
    callback_username: str | None = None
    callback_password: str | None = field(default=None, repr=False)
    allow: tuple[str, ...] = ()

    @property
    def upstream_profile(self) -> Profile:
        """The profile this MMSC is spoken to in. Raises ``ValueError`` for an unknown name."""
        return profiles.profile(self.profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Recipients whose address begins with ``prefix`` leave through the upstream ``via``; the first that fits."""

    prefix: str
    via: str
