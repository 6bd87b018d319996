"""What may stand in one line of the configuration file: durations, places to listen at, ranges, names.

Each function takes what TOML gave and returns the value, or raises ``ValueError`` that says what is wrong and what to
write instead. None of them is for secrets: what they refuse, they may repeat.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator

from mm7zeep import profiles
from mm7zeep.gateway.config.settings import Place
from mm7zeep.gateway.security import client_address

_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST = 3650 * 86400.0  # seconds; what lasts longer is a mistake
_MOST_TEXT = 1000  # characters: names and URLs stand in indexes, of which PostgreSQL's hold 2,704 octets
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})")


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


def _network(value: str) -> str:
    client_address.Networks([value])
    return value


def _host_name(value: str) -> str:
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    if not _is_host(bare, six=":" in bare):
        raise ValueError(f"{value!r} is no host; write its name or address alone, without scheme, port or path")
    return value


def _profile(value: str) -> str:
    profiles.profile(value)
    return value


def _namespace(value: str) -> str:
    if value.lower() in profiles.CARRIERS:
        raise ValueError(f"{value!r} is a profile; write profile = {json.dumps(value)}, or a schema like REL-6-MM7-1-4")
    profiles.profile(value)
    return value


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


def _text(value: str) -> str:
    if len(value) > _MOST_TEXT:
        raise ValueError(f"has {len(value)} characters; it may have {_MOST_TEXT}")
    return line(value)


Text = Annotated[str, AfterValidator(_text)]
Seconds = Annotated[float, PlainValidator(seconds)]
Lasting = Annotated[float, PlainValidator(_positive)]
Spanned = Annotated[float, PlainValidator(_with_unit)]
Network = Annotated[str, AfterValidator(_network)]
HostName = Annotated[str, AfterValidator(_host_name)]
ProfileName = Annotated[str, AfterValidator(_profile)]
NamespaceName = Annotated[str, AfterValidator(_namespace)]
Listening = Annotated[Place, PlainValidator(place)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]
