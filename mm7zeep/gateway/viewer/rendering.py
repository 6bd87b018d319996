"""Templates made into pages: every value is escaped, every time, size and state written in one way."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mm7zeep import masking
from mm7zeep.gateway.rest.output import written
from mm7zeep.gateway.viewer.static_files import StaticFiles
from mm7zeep.gateway.viewer.tones import tone

_KB = 1000


class Templates:
    """The templates of the viewer. Thread-safe."""

    def __init__(self, files: StaticFiles) -> None:
        self._environment = Environment(
            loader=PackageLoader("mm7zeep.gateway.viewer"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            time=time, size=size, tone=tone, count=count, number=number, masked=masking.credentials
        )
        self._environment.globals.update(static=files.url, live=live)

    def page(self, template: str, /, **values: Any) -> str:
        """The page that ``template`` makes of ``values``."""
        return self._environment.get_template(template).render(values)


def live(name: str, content: str) -> Markup:
    """A region of a page that is loaded again when something changes, and put in its place if it has changed."""
    # what a block of a template has made was escaped there
    return Markup('<div id="{}" data-live="{}">{}</div>').format(name, digest(content), Markup(content))  # noqa: S704


def digest(content: str) -> str:
    """What stands for a text in a page: it changes with it."""
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def time(seconds: float | None) -> Markup:
    """A point in time: in UTC where no script puts the reader's own in its place."""
    if seconds is None:
        return Markup("")
    when = datetime.fromtimestamp(seconds, UTC)
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M:%S} UTC</time>').format(written(seconds), when)


def size(octets: int) -> str:
    """How many octets, in words."""
    if octets < _KB:
        return f"{octets} B"
    value, unit = octets / _KB, "kB"
    if value >= _KB:
        value, unit = value / _KB, "MB"
    return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"


def number(value: Any) -> Any:
    """A number as people write it, 1.0 as 1; what is none, as it was typed."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def count(number: int, thing: str, things: str | None = None) -> str:
    """``number`` things, in words."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"
