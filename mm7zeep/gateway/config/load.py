"""Settings from a TOML file and the environment: every line judged, secrets fetched, all problems told at once.

``load`` gives ``Settings`` or raises ``ConfigError``; the tables are the dataclasses of ``settings``, single values are
judged by their types (``field_types``, ``errors``), what settings mean together in ``validate``. What the environment
says (``environment``) goes before the file. Tables that may repeat are counted from 1: ``application[1]`` is the first.
Refuses what is not known, so that a misspelt setting is never taken for its default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mm7zeep.gateway.config import environment, errors, field_types, validate
from mm7zeep.gateway.config.describe import describe, warnings
from mm7zeep.gateway.config.errors import Remark
from mm7zeep.gateway.config.field_types import Place, SecretFile
from mm7zeep.gateway.config.settings import API_PLACE, Settings
from mm7zeep.gateway.config.validate import DEMO

__all__ = ["ConfigError", "demo_settings", "describe", "load", "read", "warnings", "with_options"]

LISTENING = "http://127.0.0.1:8009/mm7"
"""Where ``mm7zeep listen`` stands by default."""

_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
_OPEN = "can be read by every user; take that right away (chmod o-r)"
_COVERS = {  # without the one, nothing is said of the other
    "password_hash": "password",
    "namespace": "mm7_version",
    "per_day": "per_second",
    "client_cert": "client_key",
}


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
    return read(None)[0]


def _demo() -> dict[str, Any]:
    callback = {"deliver": LISTENING, "username": DEMO, "password": DEMO}
    application = {"name": DEMO, "password": DEMO, "vaspid": DEMO, "short_codes": ["111122"], "callback": callback}
    return {"gateway": {"allow_internal": True, "api": str(API_PLACE)}, "application": [application]}


def load(path: Path | None, environ: Mapping[str, str] = _NO_VARIABLES) -> Settings:
    """The settings in a TOML file. Raises ``ConfigError`` with all that is wrong in it."""
    return read(path, environ)[0]


def read(path: Path | None, environ: Mapping[str, str] = _NO_VARIABLES) -> tuple[Settings, tuple[str, ...]]:
    """The settings in a TOML file and the ``environ``ment, and what is unwise about the files of secrets and the names
    of variables, one line each.

    Without a file, those of the environment; where they hold no application, the one of the demo is served. Files that
    are named stand relative to the file's folder, or to the working directory. Raises ``ConfigError`` with all that is
    wrong.
    """
    overlay = environment.overlaid(_parsed(path) if path is not None else {}, environ)
    if path is None and not overlay.applications:
        overlay = environment.overlaid(_demo(), environ)
    secrets: list[tuple[str, Path]] = []
    folder = path.parent if path is not None else Path()
    file, problems = errors.read(_with_markers(overlay.raw, path, folder, "", secrets, overlay.variables), folder)
    settings, broken = file.settings(), {one.where for one in problems}
    if "gateway.allow_internal" in broken:
        settings = replace(settings, allow_internal=True)  # unknown: callbacks are judged once it can be read
    for head, _, name in [one.rpartition(".") for one in broken]:
        setting = name.partition("[")[0]
        broken.add(f"{head}.{_COVERS.get(setting, setting.removesuffix('_file'))}")
    problems += [one for one in validate.problems(settings) if not errors.is_within(one.where, broken)]
    if problems or overlay.problems:
        told = [_placed(one, path, overlay.variables) for one in problems]
        raise ConfigError([*(f"{one}" for one in overlay.problems), *told])
    opened = [Remark(where, f"{file} {_OPEN}") for where, file in secrets if validate.readable_by_all(file)]
    return settings, tuple(_placed(one, path, overlay.variables) for one in opened) + tuple(map(str, overlay.doubts))


def _placed(remark: Remark, path: Path | None, variables: Mapping[str, str]) -> str:
    """A remark with the file that it is about, or with the variable that the value came from."""
    came = next((variable for where, variable in variables.items() if errors.is_within(remark.where, [where])), None)
    if came is None and path is not None:
        return f"{path}: {remark}"
    return f"{came or environment.variable_of(remark.where)}: {remark.text}"


def with_options(
    settings: Settings,
    *,
    mm7: str | Place | None = None,
    admin: str | Place | None = None,
    api: str | Place | None = None,
    database: str | None = None,
    workers: int | None = None,
) -> Settings:
    """``settings`` with what the command line says, as far as it says it. Raises ``ConfigError`` as ``load``."""
    problems: list[str] = []
    given: dict[str, Any] = {"mm7": mm7, "admin": admin, "api": api, "database": database, "workers": workers}
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        if name in ("mm7", "admin", "api") and isinstance(value, str):
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


def _with_markers(
    table: Any,
    path: Path | None,
    folder: Path,
    where: str,
    secrets: list[tuple[str, Path]],
    variables: Mapping[str, str],
) -> Any:
    """``table`` of the file ``path``, in which a ``SecretFile`` stands for each password that is in a file.

    ``secrets`` gets where passwords are named or written, and the files that hold them: none for those that are
    written in ``variables``.
    """
    if isinstance(table, list):
        return [_with_markers(one, path, folder, f"{where}[{n}]", secrets, variables) for n, one in enumerate(table, 1)]
    if not isinstance(table, dict):
        return table
    found = {}
    for key, value in table.items():
        here, name = f"{where}.{key}".removeprefix("."), key.removesuffix("_file")
        if key != name and field_types.is_secret(name):
            found[name] = SecretFile(key, value, beside=name in table)
            secrets.append((here, folder / str(value)))
        else:
            found.setdefault(key, _with_markers(value, path, folder, here, secrets, variables))
            if field_types.is_secret(key) and path is not None and here not in variables:
                secrets.append((here, path))
    return found
