"""The applications that a gateway serves: who they are, what they may name, where they listen.

Values only: nothing here checks a password or calls anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mm7zeep import profiles
from mm7zeep.profiles import Profile


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One VASP: ``name`` and ``password`` of its Basic authentication, the VASPID and VASIDs it may use (none: any).

    A DeliverReq to one of its ``short_codes`` names it as a ShortCode.
    """

    name: str
    password: str = field(repr=False)
    vaspid: str
    vasids: tuple[str, ...] = ()
    short_codes: tuple[str, ...] = ()
    callback: Callback | None = None
    profile: str | Profile | None = None

    @property
    def served(self) -> Profile:
        """The profile this application is served by. Raises ``ValueError`` for an unknown name."""
        return profiles.profile(self.profile)

    @property
    def called(self) -> Profile:
        """The profile that MO messages and reports to this application are written in."""
        if self.callback is not None and self.callback.profile is not None:
            return profiles.profile(self.callback.profile)
        own = self.served
        if own.report_schema is None:
            return own
        return replace(profiles.profile(own.report_schema), mm7_version=own.mm7_version, prefix=own.prefix)

    def owns(self, vaspid: str | None, vasid: str | None) -> bool:
        """Whether these identifications are this application's."""
        return vaspid == self.vaspid and (not self.vasids or vasid in self.vasids)
