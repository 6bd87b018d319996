"""The JUnit report: one test suite per file, one test case per message; a refused message is a failure.

In the form that Jenkins, GitLab and GitHub read. Shows no credential, and no telephone number unless asked to. Knows no
time: a report says the same whenever it is made.
"""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from mm7zeep.conformance.report import view
from mm7zeep.conformance.verdict import Verdict


def render(verdicts: Sequence[Verdict], *, show_numbers: bool = False) -> str:
    """The report on ``verdicts``, in their order within each file."""
    files: dict[str, list[view.Message]] = {}
    for one in verdicts:
        message = view.message(one, show_numbers=show_numbers)
        files.setdefault(message.file, []).append(message)
    every = [one for messages in files.values() for one in messages]
    root = etree.Element("testsuites", _attributes("mm7zeep check", every))
    for file, messages in files.items():
        suite = etree.SubElement(root, "testsuite", _attributes(file, messages))
        for message in messages:
            _case(suite, message)
    etree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + etree.tostring(root, encoding="unicode") + "\n"


def _attributes(name: str, messages: Sequence[view.Message]) -> dict[str, str]:
    failures = sum(one.rejected for one in messages)
    return {
        "name": name,
        "tests": str(len(messages)),
        "failures": str(failures),
        "errors": "0",
        "skipped": "0",
        "time": "0",
    }


def _case(suite: etree._Element, message: view.Message) -> None:
    titles = (message.name, message.carrier, message.operation)
    name = " ".join(one for one in titles if one)
    case = etree.SubElement(suite, "testcase", name=name, classname=message.file, time="0")
    text = "\n\n".join(_paragraph(one) for one in message.lines)
    if message.rejected:
        kind = next((one.id for one in message.lines if one.action == "refused"), "refused")
        failure = etree.SubElement(case, "failure", message=message.reason or "refused", type=kind)
        failure.text = text
    elif text:
        etree.SubElement(case, "system-out").text = text


def _paragraph(line: view.Line) -> str:
    rows = [f"{line.level} {line.id} at {line.where or 'message'} ({line.action})", f"  wanted: {line.wanted}"]
    rows += [f"  met: {line.met}"] if line.met else []
    rows += [f"  > {line.excerpt}"] if line.excerpt else []
    return "\n".join([*rows, f"  to do: {line.to_do} [{line.clause}]"])
