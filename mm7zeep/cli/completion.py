"""What a shell completes besides commands, options and files: names of profiles, and of findings.

Loads what it needs only where a shell asks.
"""

from __future__ import annotations

import click


def profile_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The profiles whose names begin so."""
    from mm7zeep.profiles import CARRIERS

    return [name for name in CARRIERS if name.startswith(incomplete.lower())]


def finding_ids(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The kinds of findings whose ids begin so; while nothing tells them apart, what they begin with."""
    from mm7zeep.findings import KINDS, TABLES

    rooms = [f"{name}/" for name in TABLES]
    return [one for one in (KINDS if "/" in incomplete else rooms) if one.startswith(incomplete)]
