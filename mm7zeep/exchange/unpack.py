"""``unpack`` and ``examine``: the HTTP message to the message that it carries, or to its judgement alone.

Refuses, by the policy, what cannot be read or may not be; only ``unpack`` and ``receive`` raise for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import mime, namespaces, profiles, schema, tolerance
from mm7zeep.errors import EnvelopeError, LocalError, RemoteError
from mm7zeep.exchange import plans as _plans
from mm7zeep.exchange.judge import judge_content, judge_package, judge_whole, no_sketch, verdict
from mm7zeep.exchange.wire import Dialect, Headers, Judgement, Planned, Received, Wire
from mm7zeep.findings import Finding
from mm7zeep.messages import Fault, Message, Response
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
    plans: bool | None = None,
) -> Received:
    """The message that ``wire`` carries, with its parts and what was noticed.

    ``strict`` refuses any violation, ``interop`` refuses what remains after the named repairs, ``lenient`` delivers
    what can be understood of a known operation: what is missing is None (or empty text), an answer without a legible
    Status is a 3000, and every violation is a finding. Raises a leaf of ``RemoteError`` (``MimeError``,
    ``EnvelopeError``, ``SchemaError``, ``VersionError``, ``LimitError``), with ``.status`` to answer and ``.findings``.
    ``package`` is the body where it was read before. Parts larger than ``limits.spool`` octets are kept in temporary
    files. ``findings`` are the deviations that the message was read in spite of; ``rules=conformance.rules.of`` adds
    the passive rules, and so gives what ``mm7zeep check`` lists. They change no verdict. ``plans``: whether what was
    judged of an envelope's shape is remembered and used again, which changes nothing but the time (default: yes, but
    with ``rules``, which look at the whole envelope, or with ``MM7ZEEP_PLANS=0``).
    """
    if plans is None:
        plans = _plans.plans_are_on()
    judgement = examine(wire, policy=policy, limits=limits, package=package, plans=plans and rules is None)
    if rules is not None:
        judgement = replace(judgement, findings=rules(wire, judgement))
        if judgement.error is not None:
            judgement.error.findings = judgement.findings
    if judgement.error is not None:
        raise judgement.error
    return receive(judgement, wire.headers)


def examine(
    wire: Wire,
    *,
    policy: Policy = "interop",
    limits: mime.Limits | None = None,
    package: mime.Package | None = None,
    plans: bool = False,
) -> Judgement:
    """Judge ``wire`` without raising for what it holds: MIME, then XML, then the repairs, then xmlschema, then the
    content, and whether all of it came. The verdict of a strict policy comes last and names whatever they found.

    With ``plans``, an accepted judgement may be without trees: ``receive`` takes it.
    """
    profiles.policy(policy)
    if not isinstance(wire, Wire):
        raise LocalError(f"what is read is Wire(headers=..., body=...), not {type(wire).__name__}")
    limits = limits or mime.Limits()
    try:
        package = package or mime.read(wire.headers, wire.body, limits)
    except RemoteError as error:
        return Judgement(policy=policy, findings=error.findings, error=error, sketch=no_sketch())
    plain = partial(judge_package, policy=policy, limits=limits)
    if plans:
        judged = _plans.shared().judged(package, policy=policy, size=limits.root, plain=plain, receive=_read)
        judged = _whole(judged, package, bare=not wire.headers)
        if judged.planned is None or judged.error is None:
            return judged
    return _whole(plain(package), package, bare=not wire.headers)


def examine_known(wire: Wire, package: mime.Package, *, policy: Policy, limits: mime.Limits) -> Judgement | None:
    """What ``examine`` gives where the shape of the envelope has a plan; None where it has none, and at little cost."""
    plain = partial(judge_package, policy=policy, limits=limits)
    judged = _plans.shared().known(package, policy=policy, size=limits.root, plain=plain, receive=_read)
    if judged is None:
        return None
    judged = _whole(judged, package, bare=not wire.headers)
    return judged if judged.planned is None or judged.error is None else None


def examine_answer(
    package: mime.Package, *, policy: Policy, echoed: Callable[[etree._Element], str | None]
) -> Judgement | None:
    """The judgement of an answer by the plan of its shape, for ``receive``; None where it has none: then judge it.

    ``echoed`` gives the TransactionID by which its transport correlates: where it is not the one that is read, its
    shape has no plan.
    """

    def plain(package: mime.Package) -> Judgement:
        judged = judge_package(package, policy=policy, request=False)
        if judged.tree is None or judged.repaired is None or judged.error is not None:
            return judged
        if echoed(judged.tree) != ((judged.repaired.transaction_id or "").strip() or None):
            return replace(judged, error=EnvelopeError("it names two TransactionIDs"))
        return judged

    if policy == "lenient":  # of which plans remember nothing
        return None
    plans = _plans.shared_for_answers()
    judged = plans.judged(package, policy=policy, size=mime.Limits().root, plain=plain, receive=_read)
    judged = verdict(judged)
    return judged if judged.planned is not None and judged.error is None else None


def _whole(judged: Judgement, package: mime.Package, *, bare: bool) -> Judgement:
    """``judged`` with what the whole package adds to it, and its verdict."""
    if judged.tree is not None or judged.planned is not None:
        judged = judge_content(judged, package, bare=bare)
        judged = judge_whole(judged, package)
    return verdict(judged)


# --- the message of an accepted judgement, read through zeep ----------------------------------------------------------


def receive(judgement: Judgement, headers: Headers = ()) -> Received:
    """The message of an accepted judgement, read through zeep or by its plan."""
    if judgement.planned is None and judgement.repaired is None:
        raise judgement.error or EnvelopeError("nothing could be read")
    planned = judgement.planned or _read(judgement)
    package = judgement.package
    return Received(
        message=planned.message,
        transaction_id=planned.transaction_id,
        namespace=planned.namespace,
        mm7_version=judgement.sketch.mm7_version,
        profile=profiles.NAMESPACES[planned.read_as],
        dialect=planned.dialect,
        parts=package.parts if package is not None else (),
        findings=judgement.findings,
        envelope=package.root if package is not None else b"",
        headers=headers,
    )


def _read(judgement: Judgement) -> Planned:
    """The message of an accepted judgement, read through zeep."""
    repaired = judgement.repaired
    if repaired is None:
        raise AssertionError("what is read was judged")
    message = soap.read(repaired.envelope, repaired.read_as, lenient=judgement.policy == "lenient")
    message = restore(message, repaired)
    if hasattr(message, "parts") and judgement.package is not None:
        message = replace(message, parts=judgement.package.parts)  # type: ignore[call-arg]
    dialect = _dialect(judgement, repaired)
    return Planned(message, repaired.transaction_id, repaired.namespace, repaired.read_as, dialect)


def restore(message: Message, repaired: tolerance.Repaired) -> Message:
    """Give ``message`` what the mended tree could not hold: extensions, raw values, the version as sent, Details."""
    unparsed = tuple((name, value) for name, value in repaired.unparsed if value and name != "MM7Version")
    changes: dict[str, Any] = {"extensions": repaired.extensions, "unparsed": unparsed}
    raw: Mapping[str, str] = dict(repaired.unparsed)
    names = set(message.__dataclass_fields__)
    if "MM7Version" in raw:
        changes["mm7_version"] = raw["MM7Version"].strip() or None
    for name in ("date", "time_stamp"):
        if name in names and any(place in raw for place in ("Date", "TimeStamp")):
            changes[name] = None  # a placeholder stands in the tree
    if repaired.details is not None and isinstance(message, Response):
        changes["status"] = replace(message.status, details=repaired.details)
    if isinstance(message, Fault) and message.error is not None:
        changes["error"] = restore(message.error, repaired)
    return replace(message, **changes)


def _dialect(judgement: Judgement, repaired: tolerance.Repaired) -> Dialect:
    tree = judgement.tree
    prefix: str | None = None
    if tree is not None:
        body = next((one for one in tree if schema.local(one) == "Body"), None)
        message = next((one for one in body if isinstance(one.tag, str)), None) if body is not None else None
        prefix = message.prefix if message is not None else None
    return Dialect(
        namespace=repaired.namespace,
        soap_namespace=namespaces.soap_as_sent(etree.QName(tree).namespace if tree is not None else None),
        mm7_version=judgement.sketch.mm7_version,
        prefix=prefix,
    )
