"""Options that several commands have, and how their values are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from mm7zeep.cli import completion

if TYPE_CHECKING:
    import ssl

_SIZE = re.compile(r"([0-9]{1,9})(|k|ki|m|mi)b?\Z", re.IGNORECASE)
_SIZES = {"": 1, "k": 1000, "ki": 1024, "m": 1000_000, "mi": 1024 * 1024}

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


# --- values -----------------------------------------------------------------------------------------------------------


def credentials(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, str] | None:
    """USER:PASS as a pair; the password may hold colons."""
    if value is None:
        return None
    user, colon, password = value.partition(":")
    if not colon or not user:
        raise click.BadParameter("give USER:PASS")  # never repeats what was given
    return user, password


def octets(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """A size: 300k is 300,000 octets, 1M 1,000,000, 300Ki 307,200; a number alone is octets."""
    if value is None:
        return None
    found = _SIZE.match(value)
    if found is None or not int(found[1]):
        raise click.BadParameter("give octets, or a size like 300k (300,000), 1M or 300Ki (307,200)")
    return int(found[1]) * _SIZES[found[2].lower()]


def address(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, int]:
    """HOST:PORT as a pair; an IPv6 address stands in brackets."""
    host, _, port = value.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise click.BadParameter("give HOST:PORT")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


def loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# --- options ----------------------------------------------------------------------------------------------------------


def auth(command: str) -> Decorator:
    """Basic credentials shown to the MMSC; ``command`` is in the name of the variable that may give them."""
    shown = f"Basic credentials (or MM7ZEEP_{command}_AUTH)."
    return click.option("--auth", callback=credentials, metavar="USER:PASS", help=shown)


def bearer(command: str) -> Decorator:
    """An API key in place of the credentials of ``auth``."""
    shown = f"An API key in their place (or MM7ZEEP_{command}_BEARER)."
    return click.option("--bearer", metavar="TOKEN", help=shown)


def vaspid(does: str = "sends") -> Decorator:
    """The VASPID of requests; ``does`` is what is done with it."""
    return click.option("--vaspid", help=f"Who {does}: the value-added service provider.")


def vasid() -> Decorator:
    """The VASID of requests."""
    return click.option("--vasid", help="For which service.")


def profile(
    name: str = "profile", shown: str = "How the carrier wants it: optus, sinch, generic-6.8.0, ..."
) -> Decorator:
    """A carrier, as the argument ``name`` of the command."""
    return click.option("--profile", name, shell_complete=completion.profile_names, help=shown)


def ca_file() -> Decorator:
    """What is trusted of a server."""
    return click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), help="Certificates to trust (PEM).")


def tls(ca_file: str | None, client_cert: str | None) -> ssl.SSLContext | None:
    """The context of TLS connections; None where neither was given. Raises ``click.UsageError`` for unusable files."""
    if ca_file is None and client_cert is None:
        return None
    from mm7zeep import credentials as files
    from mm7zeep.errors import LocalError

    try:
        return files.tls(ca_file, client_cert)
    except LocalError as error:
        raise click.UsageError(str(error)) from error


def client_cert() -> Decorator:
    """What is shown to a server."""
    return click.option(
        "--client-cert",
        type=click.Path(exists=True, dir_okay=False),
        help="Our certificate and its key, in one file (PEM).",
    )
