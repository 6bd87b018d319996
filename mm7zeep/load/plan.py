"""What is to be sent, as one value that every process gets; and what may be sent where.

Refuses a plan that would reach a host beyond this machine with numbers that nobody allowed.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mm7zeep import profiles
from mm7zeep.credentials import endpoint
from mm7zeep.errors import LocalError
from mm7zeep.load.schedule import Schedule
from mm7zeep.messages import Number

OPERATIONS = ("submit", "cancel", "replace")
Weights = tuple[tuple[str, float], ...]

# Ofcom keeps these for drama: they reach nobody.
FICTIONAL = "+447700900000..+447700900999"
"""The recipients on loopback where none are given."""
_PATIENCE = 3.0  # seconds for a connection that only shows whether one of several addresses takes it
_MOST_NUMBERS = 1_000_000
_WIDTHS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. ``mix`` weighs operations; ``sizes`` weighs contents: 0 for text alone, else the octets of a picture.

    ``address`` is where ``url`` was found to be, and where connections go, so that what was judged is what is reached.
    ``authorization`` is the value of that header field. ``timeout`` and ``max_late`` are seconds: for an answer, and
    for how long after its time a request is still sent. One answer in ``every`` is judged by the full reader.

    Raises ``LocalError`` for what cannot be sent.
    """

    url: str
    address: str
    schedule: Schedule
    numbers: tuple[str, ...]
    recipients: int = 1
    mix: Weights = (("submit", 1.0),)
    sizes: tuple[tuple[int, float], ...] = ((0, 1.0),)
    connections: int = 32
    processes: int = 1
    vaspid: str | None = None
    vasid: str | None = None
    authorization: str | None = field(default=None, repr=False)
    profile: str | None = None
    reports: bool = False
    timeout: float = 30.0
    max_late: float = 1.0
    every: int = 10
    seed: int = 1
    ca_file: str | None = None
    client_cert: str | None = None
    run: str = field(default_factory=lambda: secrets.token_hex(4))

    def __post_init__(self) -> None:
        endpoint(self.url)
        if not 1 <= self.recipients <= len(self.numbers):
            raise LocalError(f"{self.recipients} recipients a message cannot be drawn from {len(self.numbers)} numbers")
        if not 1 <= self.processes <= self.connections:
            raise LocalError(f"{self.processes} processes need at least as many connections, not {self.connections}")
        shares = dict(self.mix)
        if shares.get("cancel", 0.0) + shares.get("replace", 0.0) > shares.get("submit", 0.0):
            raise LocalError("a mix has at least as many submits as cancels and replaces: they need a message each")
        if (chosen := profiles.profile(self.profile)).namespace.endswith("REL-5-MM7-1-0") and (
            self.reports or len([weight for _, weight in self.mix if weight]) > 1
        ):
            raise LocalError(f"{chosen.name} answers a submit without a MessageID: reports, cancel and replace need it")

    @property
    def held(self) -> float:
        """The share of submits that wait on the server, so that they can be cancelled or replaced."""
        shares = dict(self.mix)
        wanted = shares.get("cancel", 0.0) + shares.get("replace", 0.0)
        return wanted / shares["submit"] if wanted else 0.0

    @property
    def width(self) -> float:
        """Seconds of one stretch of time in the charts: 60 to 150 of them make the whole, where it is long enough."""
        return next((one for one in _WIDTHS if self.schedule.duration / one <= 150), 86_400.0)


def weights(text: str, allowed: Iterable[str] | None = None) -> Weights:
    """``submit=8,cancel=1`` as pairs; a name alone weighs 1.

    Raises ``LocalError`` for what is none, and for a name that is not allowed.
    """
    found: dict[str, float] = {}
    names = tuple(allowed) if allowed is not None else None
    for piece in text.split(","):
        name, equals, weight = (one.strip() for one in piece.partition("="))
        if names is not None and name not in names:
            raise LocalError(f"{name!r} is none of {', '.join(names)}")
        if name in found:
            raise LocalError(f"{name!r} is given twice")
        try:
            found[name] = float(weight) if equals else 1.0
        except ValueError:
            found[name] = -1.0
        if not 0 <= found[name] < 1e9:
            raise LocalError(f"the weight of {name!r} is a number from 0 on, such as {name}=3")
    if not sum(found.values()):
        raise LocalError("at least one weight is above 0")
    return tuple(found.items())


def numbers(text: str) -> tuple[str, ...]:
    """``+447700900000..+447700900999,+447700901234`` as numbers, each once.

    Raises ``LocalError`` for what is none, and for more than a million.
    """
    found: dict[str, None] = {}
    for piece in (one.strip() for one in text.replace("\n", ",").split(",")):
        if not piece:
            continue
        first, dots, last = piece.partition("..")
        for one in (first, last) if dots else (first,):
            if not (one.removeprefix("+").isascii() and one.removeprefix("+").isdigit() and 3 <= len(one) <= 16):
                raise LocalError("numbers are digits, with a + if they are international, and ranges FIRST..LAST")
            Number(one)
        if not dots:
            found[first] = None
            continue
        low, high = int(first), int(last)
        if len(first) != len(last) or first.startswith("+") != last.startswith("+") or low > high:
            raise LocalError("a range FIRST..LAST rises, and both have as many digits")
        if high - low >= _MOST_NUMBERS:
            raise LocalError(f"a range holds at most {_MOST_NUMBERS:,} numbers")
        plus = "+" if first.startswith("+") else ""
        width = len(first) - len(plus)
        found.update(dict.fromkeys(f"{plus}{one:0{width}d}" for one in range(low, high + 1)))
    if not found or len(found) > _MOST_NUMBERS:
        raise LocalError(f"give one number or more, at most {_MOST_NUMBERS:,}")
    return tuple(found)


def resolved(url: str) -> tuple[str, bool]:
    """The address of the URL's host, and whether all it resolves to are loopback. Raises ``LocalError`` without any."""
    host = urlsplit(endpoint(url)).hostname or ""
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise LocalError(f"{host!a} has no address: {error.strerror or error}") from error
    return _accepting(found, url), all(ipaddress.ip_address(one.partition("%")[0]).is_loopback for one in found)


def _accepting(found: Sequence[str], url: str) -> str:
    """The first address that takes a connection, where there are several; the first where none does."""
    target = urlsplit(url)
    port = target.port or (443 if target.scheme == "https" else 80)
    for one in found if len(found) > 1 else ():
        with contextlib.suppress(OSError), socket.create_connection((one, port), timeout=_PATIENCE):
            return one
    return found[0]


def recipients(given: str | None, allowed: str | None, *, loopback: bool) -> tuple[str, ...]:
    """Whom to send to: the numbers given, else those allowed, else on loopback the fictional ones.

    Raises ``LocalError`` where the host is not loopback and a number was not allowed: a message might reach somebody,
    and cost something.
    """
    if not loopback and allowed is None:
        raise LocalError(
            "the host is not this machine: messages may reach people and cost money; name the numbers that may be sent "
            "to with --allow-send"
        )
    may = numbers(allowed) if allowed is not None else None
    wanted = numbers(given) if given is not None else may or numbers(FICTIONAL)
    if may is not None and (outside := set(wanted) - set(may)):
        raise LocalError(f"{len(outside)} of the recipients are not among the numbers of --allow-send")
    return wanted
