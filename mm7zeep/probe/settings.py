"""What a run is told of the endpoint: where it is, who asks, which numbers may be used, what it does not do.

From keywords, or from a TOML file with the same names (``from_toml``). Reads no environment.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from mm7zeep import profiles
from mm7zeep.probe.results import Role

LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "message": "octets of a request that the endpoint refuses beyond",
        "rate": "requests in a second that the endpoint takes at most",
    }
)
"""What ``limits`` may name."""

FEATURES: Mapping[str, str] = MappingProxyType(
    {
        "cancel": "MM7_cancel",
        "replace": "MM7_replace",
        "extended": "extendedCancelReq and extendedReplaceReq",
        "schedule": "EarliestDeliveryTime",
        "reports": "delivery reports",
        "reads": "read replies",
        "multipart-in-reports": "requests without content as multipart/related",
        **{f"ns/{one.schema}": f"the namespace {one.schema}" for one in profiles.NAMESPACES.values()},
    }
)
"""What ``unsupported`` may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who asks: HTTP credentials (none without a username), VASPID and VASID.

    ``refuses`` is a media type that the endpoint refuses of it; empty where there is none.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    vaspid: str = "mm7zeep"
    vasid: str = "probe"
    refuses: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Addresses that a run may use. Empty means that there is none, and what needs it is skipped.

    ``good`` are served and retrieve at once, and so are the 1,000 in a row from ``many`` on; ``off`` is known and never
    retrieves; ``unread`` retrieves and reads nothing; ``barred`` is refused or reported Rejected; ``unknown`` belongs
    to nobody; ``mail`` is an RFC2822Address and ``forwarded`` is off-net; ``sender`` is a short code that the account
    may send from; ``loop`` is a short code of the account whose messages come to the account's own callback as
    MM7_deliver; ``older`` is one of another account, whose messages come to the same callback in an older namespace;
    ``others`` is a sender of another VASP.
    """

    good: tuple[str, ...] = ()
    many: str = ""
    off: str = ""
    unread: str = ""
    barred: str = ""
    unknown: str = ""
    mail: str = ""
    forwarded: str = ""
    sender: str = ""
    loop: str = ""
    older: str = ""
    others: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that a run is told. Times are seconds.

    ``url`` is the endpoint's; ``account`` asks, ``second`` is another VASP of the same endpoint. ``listen`` is where
    calls of the endpoint are taken (``HOST:PORT``; empty: nowhere). ``timeout`` is how long an answer may take,
    ``patience`` how long a call is waited for that has to come, ``window`` how long none may come that must not, and in
    how long a message is due that is to be cancelled before (2 s at least).
    ``trigger`` is a command that makes a VASP submit, ``state`` one that makes the state that a case needs, ``seen``
    one that tells what a VASP got; each is started without a shell, with the case's values in its environment as
    MM7ZEEP_PROBE_*, and without any other MM7ZEEP_*. ``unsupported`` names features (``FEATURES``), ``limits`` numbers
    (``LIMITS``). ``authenticated`` tells that the endpoint asks for credentials.
    """

    url: str
    role: Role = "mmsc"
    namespace: str = profiles.NAMESPACE_PREFIX + "REL-6-MM7-1-4"
    account: Account = field(default_factory=Account)
    second: Account | None = None
    numbers: Numbers = field(default_factory=Numbers)
    listen: str = ""
    timeout: float = 10.0
    patience: float = 15.0
    window: float = 5.0
    parallel: int = 8
    seed: int = 0
    trigger: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    unsupported: frozenset[str] = frozenset()
    limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    authenticated: bool = True

    def __post_init__(self) -> None:
        _check(self)

    @property
    def profile(self) -> profiles.Profile:
        """The profile of ``namespace``."""
        return profiles.NAMESPACES[self.namespace]


def _check(settings: Settings) -> None:
    """Raise ``ValueError`` saying which setting cannot be, and what would be right."""
    place = urlsplit(settings.url)
    try:
        port = place.port
    except ValueError as error:
        raise ValueError(f"url: {error}; write http://HOST:PORT/PATH") from error
    if place.scheme not in ("http", "https") or not place.hostname or port == 0:
        raise ValueError(f"url: {settings.url!r} is no http:// or https:// URL with a host")
    if not re.fullmatch(r"[\x21-\x7e]*", place.path + place.query):
        raise ValueError(f"url: {settings.url!r} has blanks or letters beyond ASCII in its path; write them as %XX")
    if place.username or place.password:
        raise ValueError("url: holds a user; give it as [account] username and password")
    if settings.namespace not in profiles.NAMESPACES:
        raise ValueError(f"namespace: {settings.namespace!r} is none of the MM7 namespaces")
    for name in ("timeout", "patience", "window"):
        if not 0 < getattr(settings, name) <= 600:
            raise ValueError(f"{name}: more than 0 and at most 600 seconds, not {getattr(settings, name)}")
    if not 1 <= settings.parallel <= 64:
        raise ValueError(f"parallel: 1 to 64, not {settings.parallel}")
    for what, known, given in (
        ("unsupported", FEATURES, settings.unsupported),
        ("limits", LIMITS, settings.limits),
    ):
        for odd in sorted(set(given) - set(known)):
            raise ValueError(f"{what}: {odd!r} is none of {', '.join(known)}")
    for name, number in settings.limits.items():
        if number < 1:
            raise ValueError(f"limits: {name} is at least 1, not {number}")
    many = settings.numbers.many.removeprefix("+")
    if many and not (many.isascii() and many.isdigit() and len(many) > 3):
        raise ValueError(f"numbers: many is a number of at least four digits, not {settings.numbers.many!r}")
    for name, account in (("account", settings.account), ("second", settings.second)):
        if account is not None and any("\r" in one or "\n" in one for one in (account.username, account.password)):
            raise ValueError(f"{name}: username and password hold no line breaks")


_TABLES: Mapping[str, type] = MappingProxyType({"account": Account, "second": Account, "numbers": Numbers})


def from_toml(path: Path, **over: Any) -> Settings:
    """The settings of a file, replaced by those in ``over`` that are not None.

    Raises ``ValueError`` naming the file and what in it is wrong, ``OSError`` where it cannot be read.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    try:
        return from_mapping(said, **over)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def from_mapping(said: Mapping[str, Any], **over: Any) -> Settings:
    """The settings that a parsed TOML file holds. Raises ``ValueError`` saying what is wrong."""
    given: dict[str, Any] = {}
    for name, value in said.items():
        if name in _TABLES:
            given[name] = _table(_TABLES[name], name, value)
        else:
            given[name] = _value(Settings, name, value, "")
    given |= {name: value for name, value in over.items() if value is not None}
    if "url" not in given:
        raise ValueError("url: is missing; say which endpoint is examined")
    return Settings(**given)


def with_account(settings: Settings, **over: str | None) -> Settings:
    """The same settings with these fields of the account, where they are not None."""
    given = {name: value for name, value in over.items() if value is not None}
    return replace(settings, account=replace(settings.account, **given)) if given else settings


def _table(kind: type, name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: is a table: [{name}]")
    return kind(**{key: _value(kind, key, one, f"{name}.") for key, one in value.items()})


def _value(kind: Any, name: str, value: Any, where: str) -> Any:
    """One value in the type of its field. Raises ``ValueError``."""
    known = {one.name: str(one.type) for one in fields(kind)}
    if name not in known:
        raise ValueError(f"{where}{name}: there is no such setting; there are {', '.join(known)}")
    wanted = known[name]
    if wanted.startswith(("tuple", "frozenset")):
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ValueError(f"{where}{name}: is a list of texts, not {value!r}")
        return frozenset(value) if wanted.startswith("frozenset") else tuple(value)
    if wanted.startswith("Mapping"):
        if not isinstance(value, Mapping) or not all(type(one) is int for one in value.values()):
            raise ValueError(f"{where}{name}: is a table of whole numbers, not {value!r}")
        return MappingProxyType(dict(value))
    if wanted == "float":
        if type(value) not in (int, float):
            raise ValueError(f"{where}{name}: is a number of seconds, not {value!r}")
        return float(value)
    if wanted in ("int", "bool"):
        if type(value).__name__ != wanted:
            raise ValueError(
                f"{where}{name}: is {'a whole number' if wanted == 'int' else 'true or false'}, not {value!r}"
            )
        return value
    if name == "role" and value not in ("mmsc", "vasp"):
        raise ValueError(f"{where}role: is mmsc or vasp, not {value!r}")
    if not isinstance(value, str):
        raise ValueError(f"{where}{name}: is a text, not {value!r}")
    return value
