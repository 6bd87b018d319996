"""The reports for programs: one JSON object, one JSON line for each result, or JUnit's XML. Octets are in base64."""

from __future__ import annotations

from typing import Any

from lxml import etree

from mm7zeep import json_text
from mm7zeep.probe import results
from mm7zeep.probe.baseline import Judged
from mm7zeep.probe.reports import layout, octets
from mm7zeep.probe.results import Result
from mm7zeep.transport.pages import escaped


def as_json(judged: Judged) -> str:
    """The whole report, which ``results.from_dict`` reads; with ``baseline``, what an entry says of a result."""
    said = results.as_dict(judged.report)
    said["baseline"] = {id: {"kind": one.kind, "text": one.text} for id, one in judged.standings.items()}
    return json_text.as_json(said, indent=1) + "\n"


def as_json_line(result: Result) -> str:
    """One result as a line."""
    return json_text.as_json(results.result_as_dict(result)) + "\n"


def as_json_lines(judged: Judged) -> str:
    """Each result as a line, then a line with all else (``summary``)."""
    return "".join(map(as_json_line, judged.report.results)) + as_json_summary(judged)


def as_json_summary(judged: Judged) -> str:
    """The last line: the report without its results, and the exit status."""
    said: dict[str, Any] = results.as_dict(judged.report)
    del said["results"]
    return json_text.as_json({"summary": said | {"status": judged.status}}) + "\n"


def as_junit(judged: Judged) -> str:
    """A test suite for each area, a test case for each result, in the form that Jenkins, GitLab and GitHub read.

    A failure that the baseline expects is skipped, with its reason; what has outlived its entry is a failure.
    """
    report = judged.report
    root = etree.Element("testsuites", _attributes("mm7zeep probe", list(report.results), judged))
    for area in layout.matrix(report.results):
        found = [one for one in report.results if layout.area(one.id) == area]
        suite = etree.SubElement(root, "testsuite", _attributes(area, found, judged))
        for one in found:
            _case(suite, one, judged)
    etree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + etree.tostring(root, encoding="unicode") + "\n"


def _attributes(name: str, found: list[Result], judged: Judged) -> dict[str, str]:
    kinds = [_kind(one, judged) for one in found]
    return {
        "name": escaped(name),
        "tests": str(len(found)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
        "time": f"{sum(one.took for one in found):.3f}",
    }


def _kind(one: Result, judged: Judged) -> str:
    if judged.counts(one):
        return "failure"
    if one.verdict == "SKIP" or judged.excused(one):
        return "skipped"
    return "error" if one.verdict == "ERROR" else ""


def _case(suite: etree._Element, one: Result, judged: Judged) -> None:
    classname = f"{judged.report.role}.{layout.area(one.id)}"
    case = etree.SubElement(
        suite, "testcase", name=escaped(one.id), classname=escaped(classname), time=f"{one.took:.3f}"
    )
    kind, text = _kind(one, judged), _told(one)
    if kind:
        message = " ".join(filter(None, (escaped(layout.mark(one, judged)), escaped(one.why)))) or one.verdict
        child = etree.SubElement(case, kind, message=message, type=one.verdict)
        child.text = text if kind != "skipped" else None
    elif one.verdict != "PASS":
        etree.SubElement(case, "system-out").text = text


def _told(one: Result) -> str:
    """A result in lines: requirement, what was found, the first lines of what was sent and received."""
    lines = [f"{one.verdict} {one.level} [{escaped(one.clause)}]", escaped(one.requirement)]
    for reason in one.reasons:
        lines.append(f"found: {escaped(reason.text)}")
        lines += [f"  expected: {escaped(reason.expected)}"] if reason.expected else []
        lines += [f"  actual: {escaped(reason.actual)}"] if reason.actual else []
        lines += [f"  octet: {reason.offset}"] if reason.offset is not None else []
    for exchange in one.transmissions[:2]:
        lines += [f"> {row}" for row in octets.heading(exchange.sent, 30, 200)]
        lines += [f"< {row}" for row in octets.heading(exchange.received, 30, 200)]
        lines += [f"({escaped(exchange.note)})"] if exchange.note else []
    return "\n".join(lines)
