"""The judgement of an envelope, without zeep and without raising: the repairs, then xmlschema over what they made.

Leaves the strict verdict to ``policies``, which needs all findings; only ``judge_tree``, which has no more, forms it.
"""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import mime, profiles, schema, tolerance
from mm7zeep.errors import RemoteError, SchemaError
from mm7zeep.exchange.opening import open_root, raw_marks
from mm7zeep.exchange.policies import borne, verdict
from mm7zeep.exchange.wire import Judgement
from mm7zeep.findings import Finding, finding
from mm7zeep.profiles import Policy


def judge_tree(tree: etree._Element, *, policy: Policy, request: bool | None = None) -> Judgement:
    """Judge a parsed envelope by itself; ``request`` tells whether it came as one (None: its element says)."""
    return verdict(judge_envelope(tree, policy=policy, request=request))


def judge_package(package: mime.Package, *, policy: Policy, limits: mime.Limits | None = None) -> Judgement:
    """Judge the SOAP part of ``package``: bytes to text, text to tree, tree to mended tree, mended tree by
    xmlschema. No verdict yet.
    """
    try:
        tree, found = open_root(package, limits=limits)
    except RemoteError as error:
        return _unopened(package, error, policy)
    judged = judge_envelope(tree, policy=policy)
    return replace(judged, findings=(*package.findings, *found, *judged.findings), package=package)


def _unopened(package: mime.Package, error: RemoteError, policy: Policy) -> Judgement:
    findings = list(package.findings)
    findings += [one for one in error.findings if one not in findings]
    findings += raw_marks(package.root, error)
    error.findings, error.raw = tuple(findings), package.root[:20_000]
    return Judgement(policy=policy, findings=error.findings, error=error, package=package, sketch=no_sketch())


def no_sketch() -> soap.Sketch:
    """The sketch of what could not be read."""
    return soap.Sketch(values=soap.no_values())


def judge_envelope(tree: etree._Element, *, policy: Policy, request: bool | None = None) -> Judgement:
    """Judge a parsed envelope as ``judge_tree`` does. No verdict yet."""
    sketch = soap.sketch(tree)
    if request is None:
        request = not (sketch.operation or "").endswith(("Rsp", "Fault"))
    repaired = tolerance.repair(tree, request=request)
    findings, error = repaired.findings, repaired.error
    if error is None and (left := schema.violations(repaired.envelope, repaired.read_as)):
        findings += tuple(finding("schema/valid", one.where, detail=one.reason, action="refused") for one in left)
        error = SchemaError(f"the envelope is not valid: {left[0]}", status=4004)
    if policy == "lenient" and repaired.legible:
        findings, error = borne(findings), None
    if policy == "strict" and error is None and not any(one.level == "MUST" for one in findings):
        findings += _violations_as_sent(tree, repaired.namespace)
    return Judgement(policy=policy, findings=findings, error=error, sketch=sketch, tree=tree, repaired=repaired)


def _violations_as_sent(tree: etree._Element, namespace: str | None) -> tuple[Finding, ...]:
    if namespace is None or namespace not in profiles.NAMESPACES:
        return ()
    return tuple(finding("schema/valid", one.where, detail=one.reason) for one in schema.violations(tree, namespace))
