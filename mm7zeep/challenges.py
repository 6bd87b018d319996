"""What a server asks to be authenticated by: the fields WWW-Authenticate and Proxy-Authenticate (RFC 9110 11.6.1).

One field line may hold several challenges, and one challenge several lines' worth of commas; commas inside quoted
strings separate nothing. Reads what servers write beyond the grammar: a missing comma, an unquoted
``qop=auth,auth-int``. What cannot be read is a challenge with its ``flaw``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_SEPARATORS = re.compile(r"[ \t\r\n,]*")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")  # RFC 9110 11.2: blanks around it are bad, and to be read
_TOKEN68 = re.compile(r"[ \t]+([A-Za-z0-9\-._~+/]+=*)[ \t]*(?=,|\Z)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"[^\s,\"]+")  # a token, or what servers leave unquoted: base64, lists of URLs
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_QOPS = frozenset({"auth", "auth-int"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One challenge: its scheme as it was written, and either ``token68`` or parameters (their names in small letters).

    Values hold one character per octet (ISO 8859-1), quoted pairs resolved; ``shown`` makes text of one. ``flaw`` says
    what could not be read.
    """

    scheme: str
    token68: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    flaw: str | None = None

    def get(self, name: str) -> str | None:
        """The first parameter of that name."""
        return next((value for key, value in self.parameters if key == name), None)

    def named(self, scheme: str) -> bool:
        """Whether it is of that scheme; schemes are compared without case (RFC 9110 11.1)."""
        return self.scheme.lower() == scheme.lower()


def read(lines: Iterable[str | bytes]) -> list[Challenge]:
    """The challenges in the field lines, in order. Text is taken for octets where ISO 8859-1 can say it."""
    return [one for line in lines for one in _Reader(octets(line)).challenges()]


def parameters(line: str | bytes) -> dict[str, str]:
    """A field that is parameters alone, such as Authentication-Info (RFC 7615); what cannot be read is left out."""
    reader = _Reader(octets(line))
    reader.scheme = "Authentication-Info"
    return {name: value for one in reader.challenges() for name, value in reversed(one.parameters)}


def octets(value: str | bytes) -> str:
    """A field value with one character per octet."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if max(value, default="") > "\xff":
        return value.encode("utf-8", "replace").decode("latin-1")
    return value


def shown(value: str) -> str:
    """A value as people read it: UTF-8 where it is that, else ISO 8859-1."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return value


class _Reader:
    """One field line, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.scheme: str | None = None
        self.token68: str | None = None
        self.found: list[tuple[str, str]] = []
        self.flaw: str | None = None
        self.bare_qop = False

    def challenges(self) -> Iterator[Challenge]:
        while self._skip():
            token = _TOKEN.match(self.text, self.at)
            if token is None:
                self._unreadable()
                continue
            equals = _EQUALS.match(self.text, token.end())
            if equals is not None:
                self.at = equals.end()
                self._parameter(token[0].lower())
            elif self.bare_qop and token[0].lower() in _QOPS:
                self.at = token.end()
                self.found[-1] = ("qop", f"{self.found[-1][1]},{token[0]}")
            else:
                yield from self._ended()
                self._begin(token)
        yield from self._ended()

    def _skip(self) -> bool:
        separators = _SEPARATORS.match(self.text, self.at)
        self.at = separators.end() if separators is not None else self.at
        return self.at < len(self.text)

    def _begin(self, token: re.Match[str]) -> None:
        self.scheme, self.at = token[0], token.end()
        secret = _TOKEN68.match(self.text, self.at)
        if secret is not None:
            self.token68, self.at = secret[1], secret.end()

    def _parameter(self, name: str) -> None:
        if self.scheme is None:
            self.scheme, self.flaw = "", "it names no scheme"
        self.bare_qop = False
        if self.text.startswith('"', self.at):
            quoted = _QUOTED.match(self.text, self.at)
            if quoted is None:
                self.flaw = f"the value of {name} has no closing quote"
                self.at = len(self.text)
                return
            self.found.append((name, _PAIR.sub(r"\1", quoted[1])))
            self.at = quoted.end()
            return
        bare = _BARE.match(self.text, self.at)
        self.found.append((name, bare[0] if bare is not None else ""))
        self.at = bare.end() if bare is not None else self.at
        self.bare_qop = name == "qop"

    def _unreadable(self) -> None:
        """Past one element that begins with what begins nothing."""
        self.scheme = self.scheme or ""
        self.flaw = self.flaw or f"{shown(self.text[self.at : self.at + 20])!a} is no scheme and no parameter"
        if self.text[self.at] == '"':
            quoted = _QUOTED.match(self.text, self.at)
            self.at = quoted.end() if quoted is not None else len(self.text)
        else:
            self.at += 1

    def _ended(self) -> Iterator[Challenge]:
        if self.scheme is not None:
            yield Challenge(scheme=self.scheme, token68=self.token68, parameters=tuple(self.found), flaw=self.flaw)
        self.scheme, self.token68, self.found, self.flaw, self.bare_qop = None, None, [], None, False
