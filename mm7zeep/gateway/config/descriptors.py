"""File descriptors: whether this process may have as many as its settings can use, and what to do where it may not.

Raises the soft limit (RLIMIT_NOFILE) up to the hard one; where that is too low, fewer connections are served. Refuses
to serve where hardly any could be. Where a system has no such limit, everything fits.
"""

from __future__ import annotations

from typing import NamedTuple

from mm7zeep.gateway.config.settings import Settings

ADMIN_CONNECTIONS = 128
"""Connections to the admin listener, of each process."""
API_CONNECTIONS = 256
"""Connections to the JSON API, of each process."""
PARTING = 64
"""Connections of each listener that are only told that there is no place for them."""

_FIXED = 160  # streams, listeners, the database's pool (SQLite: three files for each of 20), logs, templates
_SUBSCRIPTION = 4  # PostgreSQL: the connection that announcements come by, and what its thread waits with
_SPARE = 64  # descriptors below the limit at which no connection is accepted any more
_SPOOLED = 1000  # temporary files of parts, at most
_LEAST = 16  # connections, with fewer it is not worth serving


class Fitting(NamedTuple):
    """``connections`` that fit, of those wanted; ``ceiling``, a descriptor from which on none is accepted."""

    connections: int
    ceiling: int | None


def reserved(settings: Settings) -> int:
    """How many descriptors everything but the MM7 connections may use, generously."""
    called = [(one.name, one.callback) for one in settings.applications if one.callback is not None]
    endpoints = len({(name, url) for name, back in called for url in (back.deliver, back.reports)})
    webhooks = sum((one.webhook is not None) + (one.twilio is not None) for one in settings.applications)
    calls = (endpoints + webhooks + len(settings.upstreams)) * settings.delivery.wide
    spooled = min(_SPOOLED, settings.capacity.uploads // max(settings.limits.spool, 1))
    inner = ADMIN_CONNECTIONS + 2 * PARTING
    if settings.api is not None:
        inner += API_CONNECTIONS + PARTING
    return _FIXED + _SUBSCRIPTION + _SPARE + inner + min(calls, 1000) + spooled


def fitted(settings: Settings, *, limit: int | None) -> Fitting:
    """What fits where a process may have ``limit`` descriptors (None: any number).

    Raises ``ValueError`` where hardly a connection does, saying what to raise.
    """
    if limit is None:
        return Fitting(settings.connections, None)
    kept = reserved(settings)
    fits = min(settings.connections, limit - kept)
    if fits < min(_LEAST, settings.connections):
        raise ValueError(
            f"this process may open {limit} files, and needs {kept + settings.connections} for {settings.connections} "
            "connections; raise the limit (ulimit -n, or LimitNOFILE= in a systemd unit)"
        )
    return Fitting(fits, limit - _SPARE)


def shortage(settings: Settings, *, limit: int | None) -> str | None:
    """What ``limit`` leaves of the connections that are wanted, in words; None where it leaves all."""
    try:
        fits = fitted(settings, limit=limit).connections
    except ValueError as error:
        return str(error)
    if fits == settings.connections:
        return None
    return (
        f"only {fits} of {settings.connections} connections can be served, since a process may open {limit} files; "
        f"raise the limit to {reserved(settings) + settings.connections} (ulimit -n, or LimitNOFILE= in a systemd unit)"
    )


def highest() -> int | None:
    """How many descriptors this process could have; None where there is no limit."""
    return _limits()[1]


def raised(wanted: int) -> int | None:
    """Have the soft limit be ``wanted``, if it is lower and may be; what it is then, None for no limit."""
    soft, hard = _limits()
    if soft is None or soft >= wanted:
        return soft
    import resource

    new = wanted if hard is None else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (new, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    except (OSError, ValueError):  # a system that has a lower limit of its own
        return soft
    return new


def _limits() -> tuple[int | None, int | None]:
    try:
        import resource
    except ImportError:  # Windows
        return None, None
    soft, hard = (None if one == resource.RLIM_INFINITY else one for one in resource.getrlimit(resource.RLIMIT_NOFILE))
    return soft, hard
