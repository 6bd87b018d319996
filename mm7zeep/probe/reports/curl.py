"""A line that repeats a request: one of curl where curl can send the same, else None.

curl writes the header fields in an order of its own and frames the body itself: what is about framing it cannot repeat.
Nothing that was hidden comes back: credentials are asked of the environment.
"""

from __future__ import annotations

import re
import shlex
from urllib.parse import urlsplit

from mm7zeep.probe.reports import bodies
from mm7zeep.probe.results import Result, Transmission

LARGEST = 8 * 1024
"""Octets of a body that a line holds."""

USER = "MM7ZEEP_PROBE_USER"
"""The environment variable with USER:PASSWORD."""

_START = re.compile(rb"(?P<method>[A-Z]{3,10}) (?P<target>/[\x21-\x7e]{0,2000}) HTTP/1\.(?P<minor>[01])")
_FIELD = re.compile(rb"(?P<name>[A-Za-z0-9_-]{1,80}):[ \t]*(?P<value>[\x20-\x7e]{0,4000})")
_OWN = ("host", "accept", "user-agent", "expect", "content-type")  # what curl adds unless it is told otherwise
_NOT = frozenset({"transfer-encoding", "expect", "connection", "upgrade"})  # are curl's own affair


def line(result: Result, transmission: Transmission, url: str) -> str | None:
    """The line for a request of ours that stands in a masked report; None where curl would send another."""
    area = result.id.partition("/")[0]
    if transmission.by != "tool" or len(result.transmissions) != 1 or area == "auth":
        return None
    data = transmission.sent
    end = bodies.head_end(data)
    if end is None or not data[:end].endswith(b"\r\n\r\n"):
        return None
    start, *fields = data[: end - 4].split(b"\r\n")
    found, pairs = _START.fullmatch(start), [_FIELD.fullmatch(one) for one in fields]
    if found is None or None in pairs or len(data) - end > LARGEST:
        return None
    given = [(one["name"].decode(), one["value"].decode().strip()) for one in pairs if one is not None]
    if not _framed(given, found["method"], data[end:]):
        return None
    place = urlsplit(url)
    words = ["curl", "--silent", "--include", "--path-as-is"]
    words += ["--http1.0"] if found["minor"] == b"0" else ["--http1.1"]
    words += ["--request", found["method"].decode()]
    words += [word for name, value in given for word in _option(name, value)]
    names = {name.lower() for name, _ in given}
    words += [word for name in _OWN if name not in names for word in ("--header", f"{name}:")]
    body = data[end:]
    feed = ""
    if body:
        feed = f"printf {shlex.quote(_printf(body))} | "
        words += ["--data-binary", "@-"]
    shown = " ".join(word if word.startswith('"$') else shlex.quote(word) for word in words)
    target = f"{place.scheme}://{place.netloc}{found['target'].decode()}"
    return f"{feed}{shown} {shlex.quote(target)}"


def _framed(fields: list[tuple[str, str]], method: bytes, body: bytes) -> bool:
    """Whether curl frames the body in the same way."""
    lengths = [value for name, value in fields if name.lower() == "content-length"]
    if any(name.lower() in _NOT for name, _ in fields):
        return False
    return lengths == [str(len(body))] if body else lengths == [] or (lengths == ["0"] and method == b"GET")


def _option(name: str, value: str) -> list[str]:
    if name.lower() == "content-length":
        return []
    if name.lower() == "authorization":
        return ["--user", f'"${USER}"'] if value.lower().startswith("basic ") else ["--header", f"{name}: {value}"]
    return ["--header", f"{name}: {value}" if value else f"{name};"]


def _printf(body: bytes) -> str:
    """The body as printf of a POSIX shell takes it: octal for what is not plain, and for a first -, which would make
    an option of it.
    """
    first = "\\055" if body.startswith(b"-") else ""
    return first + "".join(
        "%%" if one == 37 else "\\\\" if one == 92 else chr(one) if 32 <= one < 127 else "\\n" if one == 10 else
        "\\r" if one == 13 else f"\\{one:03o}"
        for one in body[bool(first) :]
    )  # fmt: skip


def again(result: Result, url: str, role: str) -> str:
    """The line of ours that repeats a case."""
    words = ["mm7zeep", "probe", url, "--only", result.id]
    words[3:3] = ["--role", role] if role != "mmsc" else []
    return " ".join(map(shlex.quote, words))
