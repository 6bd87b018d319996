"""``unpack`` and ``examine``: the HTTP message to the message that it carries, or to its judgement alone.

Refuses, by the policy, what cannot be read or may not be; only ``unpack`` raises for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mm7zeep import mime, profiles
from mm7zeep.errors import LocalError, RemoteError
from mm7zeep.exchange.judging import judge_package, no_sketch
from mm7zeep.exchange.linking import judge_content
from mm7zeep.exchange.policies import verdict
from mm7zeep.exchange.receiving import receive
from mm7zeep.exchange.wholeness import judge_whole
from mm7zeep.exchange.wire import Judgement, Received, Wire
from mm7zeep.findings import Finding
from mm7zeep.profiles import Policy

Rules = Callable[[Wire, Judgement], tuple[Finding, ...]]
"""Asks more of a message that was read: gives all findings, those of the judgement and its own."""


def unpack(
    wire: Wire,
    *,
    policy: Policy = "interop",
    limits: mime.Limits | None = None,
    package: mime.Package | None = None,
    rules: Rules | None = None,
) -> Received:
    """The message that ``wire`` carries, with its parts and what was noticed.

    ``strict`` refuses any violation, ``interop`` refuses what remains after the named repairs, ``lenient`` delivers
    what can be understood of a known operation: what is missing is None (or empty text), an answer without a legible
    Status is a 3000, and every violation is a finding. Raises a leaf of ``RemoteError`` (``MimeError``,
    ``EnvelopeError``, ``SchemaError``, ``VersionError``, ``LimitError``), with ``.status`` to answer and ``.findings``.
    ``package`` is the body where it was read before. Parts larger than ``limits.spool`` octets are kept in temporary
    files. ``findings`` are what had to be borne to read the message; ``rules=conformance.rules.of`` adds the passive
    rules, and so gives what ``mm7zeep check`` lists. They are told, and change no verdict.
    """
    judgement = examine(wire, policy=policy, limits=limits, package=package)
    if rules is not None:
        judgement = replace(judgement, findings=rules(wire, judgement))
        if judgement.error is not None:
            judgement.error.findings = judgement.findings
    if judgement.error is not None:
        raise judgement.error
    return receive(judgement, wire.headers)


def examine(
    wire: Wire, *, policy: Policy = "interop", limits: mime.Limits | None = None, package: mime.Package | None = None
) -> Judgement:
    """Judge ``wire`` without raising for what it holds: MIME, then XML, then the repairs, then xmlschema, then the
    content, and whether all of it came. The verdict of a strict policy comes last and names whatever they found.
    """
    profiles.policy(policy)
    if not isinstance(wire, Wire):
        raise LocalError(f"what is read is Wire(headers=..., body=...), not {type(wire).__name__}")
    try:
        package = package or mime.read(wire.headers, wire.chunks(), limits or mime.Limits())
    except RemoteError as error:
        return Judgement(policy=policy, findings=error.findings, error=error, sketch=no_sketch())
    judged = judge_package(package, policy=policy, limits=limits)
    if judged.tree is not None:
        judged = judge_content(judged, package, bare=not wire.headers)
        judged = judge_whole(judged, package)
    return verdict(judged)
