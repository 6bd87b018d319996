"""What may stand in one line of the configuration file: durations, places to listen at, ranges, names, passwords.

The types are those of the settings' dataclasses: pydantic checks what a file says, nothing checks what Python
constructs. Each function takes what TOML gave and returns the value, or raises ``ValueError`` that says what is wrong
and what to write instead. Only what is made of ``secret`` is for secrets: what the others refuse, they may repeat.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from dataclasses import field, fields, make_dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

import pydantic
from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, WrapValidator
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from mm7zeep import profiles
from mm7zeep.credentials import Bearer, header_fields
from mm7zeep.errors import LocalError
from mm7zeep.gateway.security import client_address, outbound, webhook_signature
from mm7zeep.profiles import Profile

_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST = 3650 * 86400.0  # seconds; what lasts longer is a mistake
_MOST_TEXT = 1000  # characters: names and URLs stand in indexes, of which PostgreSQL's hold 2,704 octets
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MOST_SECRET = 4096  # characters of a password in a file of its own
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})")


class Place(NamedTuple):
    """Where a listener stands; port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


# --- tables -----------------------------------------------------------------------------------------------------------


class Table:
    """Base of the dataclasses that a table of the file fills: what they have no field for is refused."""

    __slots__ = ()
    __pydantic_config__: ClassVar[pydantic.ConfigDict] = pydantic.ConfigDict(extra="forbid", hide_input_in_errors=True)


def table_of(usual: Any, **types: Any) -> pydantic.GetPydanticSchema:
    """Reads a dataclass that knows no pydantic as a ``Table``, its fields by these types or the ``usual`` one."""

    def schema(source: Any, handler: pydantic.GetCoreSchemaHandler) -> CoreSchema:
        found = [(one.name, types.get(one.name, usual), field(default=one.default)) for one in fields(source)]
        made = handler.generate_schema(make_dataclass(source.__name__, found, bases=(Table,), kw_only=True))
        return core_schema.no_info_after_validator_function(lambda table: source(**vars(table)), made)

    return pydantic.GetPydanticSchema(schema)


# --- values -----------------------------------------------------------------------------------------------------------


def seconds(value: object) -> float:
    """A duration in seconds: ``"500ms"``, ``"2s"``, ``"5m"``, ``"1h"``, ``"2d"`` or a number. Raises ``ValueError``."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        found = float(value)
    elif isinstance(value, str) and (span := _SPAN.fullmatch(value.strip())):
        found = round(float(span[1]) * _UNITS[span[2] or "s"], 6)
    else:
        raise ValueError('is no duration; write "500ms", "2s", "5m", "1h", "2d" or a number of seconds')
    if not 0 <= found <= _LONGEST:
        raise ValueError("is no duration that can be kept; it lasts from 0 s to 3650 d")
    return found


def place(value: object) -> Place:
    """HOST:PORT, an IPv6 address in brackets. Raises ``ValueError``."""
    text = value.strip() if isinstance(value, str) else ""
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else None
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535 or not _is_host(bare or host, six=bare is not None):
        raise ValueError('is no address to listen on; write HOST:PORT, like "127.0.0.1:8007" or "[::1]:8007"')
    return Place(bare or host, int(port))


def _is_host(host: str, *, six: bool) -> bool:
    if not six and not re.fullmatch(r"[0-9.]+", host):
        return bool(_HOST.fullmatch(host))
    try:
        return ipaddress.ip_address(host).version == (6 if six else 4)
    except ValueError:
        return False


def _positive(value: object) -> float:
    found = seconds(value)
    if found == 0:
        raise ValueError("must last longer than nothing; write a duration above 0")
    return found


def _with_unit(value: object) -> float:
    """Seconds of a duration whose unit is written: the setting has hours, and a plain number could mean either."""
    if not isinstance(value, str) or value.strip()[-1:] not in ("s", "m", "h", "d"):
        raise ValueError('needs a duration with its unit; write "24h" or "1d"')
    return seconds(value)


def line(value: str) -> str:
    """``value`` if it is one line of text. Raises ``ValueError``, which does not repeat it."""
    if _CONTROL.search(value):
        raise ValueError("holds a control character or a line break; take it out")
    return value


def _text(value: str) -> str:
    if len(value) > _MOST_TEXT:
        raise ValueError(f"has {len(value)} characters; it may have {_MOST_TEXT}")
    return line(value)


def _filled(value: str, info: ValidationInfo) -> str:
    if not value and not (info.context or {}).get("blanks"):
        raise PydanticKnownError("missing")
    return value


def is_secret(name: str) -> bool:
    """Whether a setting of that name is a secret, which may stand in a file of its own: ``NAME_file`` names that."""
    return name.endswith(("password", "bearer", "secret", "auth_token"))


def _bearer(value: str) -> str:
    try:
        Bearer(value)
    except LocalError as error:
        raise ValueError(f"is no bearer token: {error}") from None  # which does not repeat it
    return value


def _account_sid(value: str, info: ValidationInfo) -> str:
    if not value:
        return _filled(value, info)
    if not re.fullmatch(r"AC[0-9a-f]{32}", value):
        raise ValueError('is no account SID; write "AC" and 32 digits of 0-9 and a-f, of your own choice')
    return value


def _signing_secret(value: str) -> str:
    webhook_signature.key_of(value)
    return value


def _base_url(value: str) -> str:
    try:
        outbound.check_url(value, allow_internal=True)
    except LocalError as error:
        raise ValueError(str(error)) from None
    if "?" in value:
        raise ValueError("has a query; write what URLs begin with, such as https://mms.example")
    return value.rstrip("/")


def _headers(value: object) -> dict[str, str]:
    """Header fields by their names. Raises ``ValueError``."""
    if not isinstance(value, dict):
        raise ValueError('must be a table; write { "X-Name" = "value" }')
    if any(str(name).lower() == "authorization" for name in value):
        raise ValueError("holds Authorization; write username and password, or bearer")
    try:
        return header_fields(value)
    except LocalError as error:
        raise ValueError(f"cannot be sent: {error}") from None


def _network(value: str) -> str:
    client_address.Networks([value])
    return value


def _host_name(value: str) -> str:
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    if not _is_host(bare, six=":" in bare):
        raise ValueError(f"{value!r} is no host; write its name or address alone, without scheme, port or path")
    return value


def _profile(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(NO_TEXT)
    profiles.profile(value)
    return value


def _namespace(value: str) -> str:
    if value.lower() in profiles.CARRIERS:
        raise ValueError(f"{value!r} is a profile; write profile = {json.dumps(value)}, or a schema like REL-6-MM7-1-4")
    return _profile(value)


def _region(value: str) -> str:
    import phonenumbers  # takes time, and few applications say a region

    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{value!r} is no region; write two capitals, such as AU (ISO 3166)")
    return value


def _folder(info: ValidationInfo) -> Path:
    """Where files are named from: the folder of the configuration file."""
    folder: Path = info.context["folder"] if info.context else Path()
    return folder


def limit(value: object) -> float | None:
    """A number above 0, or ``"unlimited"`` (None). Raises ``ValueError``."""
    if value == "unlimited":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError('must be a number above 0, or "unlimited"')
    return value


def whole_limit(value: object) -> int | None:
    """As ``limit``, without fractions."""
    found = limit(value)
    if found is not None and found != int(found):
        raise ValueError('must be a whole number above 0, or "unlimited"')
    return None if found is None else int(found)


# --- secrets ----------------------------------------------------------------------------------------------------------


class SecretFile(NamedTuple):
    """Stands for a password that the setting ``key`` names the file of; ``beside`` one that is written itself."""

    key: str
    name: object
    beside: bool


def secret(value: object, inner: pydantic.ValidatorFunctionWrapHandler, info: ValidationInfo) -> str | None:
    """A password as written, or without the end of its line from a ``SecretFile``. Raises ``ValueError``."""
    if not isinstance(value, SecretFile):
        written: str | None = inner(value)
        return written
    if not isinstance(value.name, str):
        raise ValueError(NO_TEXT)
    path = _folder(info) / _text(value.name)
    if value.beside:
        raise ValueError(f"stands beside {value.key.removesuffix('_file')}; keep one of them")
    try:
        with path.open("rb") as stream:
            text = stream.read(4 * _MOST_SECRET + 1).decode("utf-8")
        found = line(text.removesuffix("\n").removesuffix("\r"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}; name a file that this user may read") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not in UTF-8; save the password in UTF-8") from None
    except ValueError as error:
        raise ValueError(f"{path} {error}") from None
    if not 0 < len(found) <= _MOST_SECRET:
        why = "too long" if found else "empty"
        raise ValueError(f"{path} is {why}; write the password into it and nothing else")
    return found


# --- the types --------------------------------------------------------------------------------------------------------

NO_TEXT = "must be a text; write it in quotes"

Text = Annotated[str, AfterValidator(_text)]
Filled = Annotated[Text, AfterValidator(_filled)]
Secret = Annotated[Text, WrapValidator(secret)]
BearerToken = Annotated[Text, WrapValidator(secret), AfterValidator(_bearer)]
AccountSid = Annotated[Text, AfterValidator(_account_sid)]
SigningSecret = Annotated[Text, WrapValidator(secret), AfterValidator(_signing_secret)]
BaseUrl = Annotated[Text, AfterValidator(_base_url)]
HeaderFields = Annotated[dict[str, str], PlainValidator(_headers)]
FileName = Annotated[Text, AfterValidator(lambda value, info: str(_folder(info) / value))]
Network = Annotated[str, AfterValidator(_network)]
HostName = Annotated[str, AfterValidator(_host_name)]
AnyProfile = Annotated[str | Profile, PlainValidator(_profile)]
NamespaceName = Annotated[str, AfterValidator(_namespace)]
Region = Annotated[Text, AfterValidator(_region)]
Listening = Annotated[Place, PlainValidator(place)]
Switch = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(ge=0, strict=True)]
AtLeastOne = Annotated[int, Field(ge=1, strict=True)]
Fraction = Annotated[float, Field(ge=0, lt=1, strict=True, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
Limit = Annotated[float | None, PlainValidator(limit)]
WholeLimit = Annotated[int | None, PlainValidator(whole_limit)]
Seconds = Annotated[float, PlainValidator(seconds)]
Lasting = Annotated[float, PlainValidator(_positive)]
WholeSeconds = Annotated[int, PlainValidator(lambda value: max(1, round(_positive(value))))]
Hours = Annotated[float, PlainValidator(lambda value: _with_unit(value) / 3600)]
Delay = Annotated[timedelta, PlainValidator(lambda value: timedelta(seconds=seconds(value)))]
