"""Settings from a TOML file: every line judged, secrets fetched from their files, all problems told at once.

``load`` gives ``Settings`` or raises ``ConfigError``; the tables and their entries are in ``sections``, what settings
mean together in ``checks``. Tables that may repeat are counted from 1: ``application[1]`` is the first. Refuses what is
not known, so that a misspelt setting is never taken for its default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mm7zeep import mime, profiles
from mm7zeep.gateway.config import field_types, models, validate
from mm7zeep.gateway.config.describe import describe, warnings
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.models import ApplicationSection, CallbackSection, File, GatewaySection, UpstreamSection
from mm7zeep.gateway.config.parties import Application, Callback, Route, Upstream
from mm7zeep.gateway.config.settings import Capacity, Delivery, Place, Retention, Settings
from mm7zeep.gateway.config.validate import DEMO
from mm7zeep.profiles import Profile
from mm7zeep.receiver import HttpLimits

__all__ = ["ConfigError", "demo_settings", "describe", "load", "read", "warnings", "with_options"]

LISTENING = "http://127.0.0.1:8009/mm7"
"""Where ``mm7zeep listen`` stands by default."""

_SECRET = 4096  # characters of a password


class ConfigError(ValueError):
    """A configuration that cannot be used; ``problems`` are all that was found, one line each, without secrets."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


def demo_settings() -> Settings:
    """What is served without a configuration: on loopback, the application ``demo`` with the password ``demo``.

    It is called back where ``mm7zeep listen --auth demo:demo`` listens.
    """
    callback = Callback(deliver=LISTENING, username=DEMO, password=DEMO)
    application = Application(name=DEMO, password=DEMO, vaspid=DEMO, short_codes=("111122",), callback=callback)
    return Settings(applications=(application,), allow_internal=True)


def load(path: Path) -> Settings:
    """The settings in a TOML file. Raises ``ConfigError`` with all that is wrong in it."""
    return read(path)[0]


def read(path: Path) -> tuple[Settings, tuple[str, ...]]:
    """The settings in a TOML file, and what is unwise about the files of its secrets, one line each.

    Files it names stand relative to its folder. Raises ``ConfigError`` with all that is wrong.
    """
    file, wrong = models.read(_parsed(path))
    builder = _Builder(path, wrong)
    settings = builder.settings(file)
    for remark in validate.problems(settings):
        builder.refuse(remark.where, remark.text)
    if builder.problems:
        raise ConfigError([f"{path}: {one}" for one in builder.problems])
    return settings, tuple(f"{path}: {one}" for one in builder.remarks)


def with_options(
    settings: Settings,
    *,
    mm7: str | Place | None = None,
    admin: str | Place | None = None,
    database: str | None = None,
    workers: int | None = None,
) -> Settings:
    """``settings`` with what the command line says, as far as it says it. Raises ``ConfigError`` as ``load``."""
    problems: list[str] = []
    given: dict[str, Any] = {"mm7": mm7, "admin": admin, "database": database, "workers": workers}
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        if name in ("mm7", "admin") and isinstance(value, str):
            try:
                given[name] = field_types.place(value)
            except ValueError as error:
                problems.append(f"--{name}: {error}")
    if not given:
        return settings
    if not problems:
        settings = replace(settings, **given)
        for where, text in validate.problems(settings):
            name = where.removeprefix("gateway.")
            problems.append(f"--{name}: {text}" if name in given else f"{where}: {text}")
    if problems:
        raise ConfigError(problems)
    return settings


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}; name a file that this user may read"]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}: line {line} is not in UTF-8; save the file in UTF-8"]) from error
    except tomllib.TOMLDecodeError as error:
        text = f"{path}: is no TOML: {_visible(str(error))}; correct it there, texts stand in quotes"
        raise ConfigError([text]) from error


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


class _Builder:
    """``Settings`` of sections, with blanks where something is wrong, and what is wrong."""

    def __init__(self, path: Path, wrong: Sequence[tuple[models.Steps, str]]) -> None:
        self._path = path
        self._broken: set[str] = set()
        self.problems: list[str] = []
        self.remarks: list[str] = []
        for steps, text in wrong:
            self._refuse_once(models.where(steps), text)

    # --- what is wrong ------------------------------------------------------------------------------------------------

    def refuse(self, where: str, text: str) -> None:
        """Something is wrong at ``where``; not told where its cause was told already."""
        if not self._is_broken(where):
            self.problems.append(f"{where}: {text}")

    def _refuse_once(self, where: str, text: str) -> None:
        """Something is wrong at ``where``, and nothing further is to be said of it."""
        self.refuse(where, text)
        self._broken.add(where)

    def _is_broken(self, where: str) -> bool:
        return any(where == one or where.startswith((f"{one}.", f"{one}[")) for one in self._broken)

    # --- what is right ------------------------------------------------------------------------------------------------

    def settings(self, file: File) -> Settings:
        """All of it."""
        capacity, retention = file.capacity.given(), file.retention.given()
        if "retry_after" in capacity:
            capacity["retry_after"] = max(1, round(capacity["retry_after"]))
        if "duplicates" in retention:
            retention["duplicates"] /= 3600
        gateway = self._gateway(file.gateway)
        if self._is_broken("gateway.allow_internal"):
            gateway["allow_internal"] = True  # unknown: callbacks are judged once it can be read
        return Settings(
            **gateway,
            limits=mime.Limits(**file.limits.given()),
            http=HttpLimits(**file.http.given()),
            capacity=Capacity(**capacity),
            delivery=Delivery(**file.delivery.given()),
            retention=Retention(**retention),
            applications=tuple(self._application(f"application[{n}]", o) for n, o in enumerate(file.application, 1)),
            handsets=tuple(Handset(**one.given()) for one in file.handset),
            upstreams=tuple(self._upstream(f"upstream[{n}]", one) for n, one in enumerate(file.upstream, 1)),
            routes=tuple(self._route(f"route[{n}]", one.given()) for n, one in enumerate(file.route, 1)),
        )

    def _gateway(self, section: GatewaySection) -> dict[str, Any]:
        given = section.given()
        given.pop("admin_password_file", None)
        given["admin_password"] = self._secret("gateway", section, "admin_password")
        for name in ("cert", "key"):
            if name in given:
                given[name] = str(self._path.parent / given[name])
        if given.get("relay_id") == "":
            given["relay_id"] = None
        return given

    def _application(self, where: str, section: ApplicationSection) -> Application:
        given = {"name": ""} | section.given()
        given.pop("password_file", None)
        given["password"] = self._secret(where, section, "password")
        if "duplicates" in given:
            given["duplicates"] /= 3600
        if self._is_broken(f"{where}.password_hash"):
            self._broken.add(f"{where}.password")
        if section.callback is not None:
            profile = profiles.profile(section.profile)
            given["callback"] = self._callback(f"{where}.callback", section.callback, profile)
        return Application(**given)

    def _callback(self, where: str, section: CallbackSection, own: Profile) -> Callback:
        return Callback(
            deliver=section.deliver or "",
            report=section.report,
            username=section.username,
            password=self._secret(where, section, "password"),
            profile=self._spoken(where, section, own),
        )

    def _spoken(self, where: str, section: CallbackSection, own: Profile) -> str | Profile | None:
        """What is written there: a profile, or a schema with one of its versions and the application's prefix."""
        version = section.mm7_version
        if section.namespace is None:
            if version is not None and not self._is_broken(f"{where}.namespace"):
                self.refuse(f"{where}.mm7_version", 'stands without a namespace; write namespace = "REL-6-MM7-1-4"')
            return section.profile
        if section.profile is not None:
            self.refuse(f"{where}.namespace", "stands beside profile, which has one; keep one of them")
        schema = profiles.profile(section.namespace)
        if version is not None and version not in schema.versions:
            listed = ", ".join(schema.versions)
            self.refuse(f"{where}.mm7_version", f"{version!r} is no version of {schema.schema}; it lists {listed}")
        return replace(schema, mm7_version=version or schema.mm7_version, prefix=own.prefix)

    def _upstream(self, where: str, section: UpstreamSection) -> Upstream:
        given = {"name": "", "url": ""} | section.given()
        for name in ("password", "callback_password"):
            given.pop(f"{name}_file", None)
            given[name] = self._secret(where, section, name)
        return Upstream(**given)

    def _route(self, where: str, given: dict[str, Any]) -> Route:
        if "prefix" not in given:
            self.refuse(f"{where}.prefix", 'is missing; write prefix = "+64", or prefix = "" for every recipient')
        return Route(**{"prefix": "", "via": ""} | given)

    # --- secrets ------------------------------------------------------------------------------------------------------

    def _secret(self, where: str, section: models.Section, name: str) -> str | None:
        """The password called ``name``, as written or from its file; None if there is none that can be used."""
        plain, file = getattr(section, name), getattr(section, f"{name}_file")
        if self._is_broken(f"{where}.{name}_file"):
            self._broken.add(f"{where}.{name}")
        if file is None:
            if plain is not None:
                self._tell_if_open(f"{where}.{name}", self._path)
            return plain if plain is None else str(plain)
        if plain is not None:
            self._refuse_once(f"{where}.{name}_file", f"stands beside {name}; keep one of them")
            return str(plain)
        return self._fetched(f"{where}.{name}", self._path.parent / file)

    def _fetched(self, where: str, path: Path) -> str | None:
        """The password in a file, without the end of its line."""
        try:
            with path.open("rb") as stream:
                text = stream.read(4 * _SECRET + 1).decode("utf-8")
            self._tell_if_open(f"{where}_file", path)
            secret = field_types.line(text.removesuffix("\n").removesuffix("\r"))
        except OSError as error:
            why = f"{path} cannot be read: {error.strerror}; name a file that this user may read"
        except UnicodeDecodeError:
            why = f"{path} is not in UTF-8; save the password in UTF-8"
        except ValueError as error:
            why = f"{path} {error}"
        else:
            if 0 < len(secret) <= _SECRET:
                return secret
            why = f"{path} is {'too long' if secret else 'empty'}; write the password into it and nothing else"
        self._refuse_once(f"{where}_file", why)
        self._broken.add(where)
        return None

    def _tell_if_open(self, where: str, path: Path) -> None:
        if validate.readable_by_all(path):
            remark = f"{where}: {path} can be read by every user; take that right away (chmod o-r)"
            self.remarks.append(remark)
