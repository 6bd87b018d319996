"""Reports of a run, in every format, and of several runs side by side.

``mask.Mask`` hides what must not leave the house; each format takes a report that it has been through, and escapes what
it shows: peers are hostile. Nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from mm7zeep.probe.baseline import Judged
from mm7zeep.probe.reports import html, layout, machine, terminal
from mm7zeep.probe.reports.mask import Mask

WRITERS: Mapping[str, Callable[[Judged], str]] = MappingProxyType(
    {
        "text": terminal.render,
        "json": machine.as_json,
        "ndjson": machine.as_json_lines,
        "junit": machine.as_junit,
        "html": html.render,
    }
)
"""Every format of a report on one run, by name."""


def written(
    judged: Judged, form: str, mask: Mask, *, style: layout.Style | None = None, detail: terminal.Detail = "usual"
) -> str:
    """The report in this format, masked. ``style`` and ``detail`` are for text alone."""
    hidden = replace(judged, report=mask.report(judged.report))
    return terminal.render(hidden, style, detail) if form == "text" else WRITERS[form](hidden)
