"""``ValidationPlugin``: zeep is not the validator, this is, on the way out and on the way in.

Refuses to send what the schema does not allow, and to hand on an answer that is none.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any, cast

import zeep.plugins
from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import profiles, tolerance
from mm7zeep.errors import LocalError
from mm7zeep.exchange import check, judge_tree
from mm7zeep.findings import Finding
from mm7zeep.profiles import NAMESPACES, Policy
from mm7zeep.transport.http_exchange import HttpExchange


class ValidationPlugin(zeep.plugins.Plugin):
    """A ``zeep.Plugin``: what goes out is valid by xmlschema or not sent, what comes in is judged and mended.

    ``on_findings`` is called with what was noticed about each answer, its MIME package included where the transport is
    a ``SwaTransport``. Raises ``LocalError`` on the way out and the leaves of ``RemoteError`` on the way in. The
    namespace is that of the operation called.
    """

    def __init__(
        self,
        policy: Policy = "interop",
        *,
        prefix: str | None = "mm7",
        on_findings: Callable[[Sequence[Finding]], None] | None = None,
    ) -> None:
        self.policy = profiles.policy(policy)
        self.prefix = prefix
        self.on_findings = on_findings
        self.exchange: HttpExchange | None = None

    def bound(self, exchange: HttpExchange) -> ValidationPlugin:
        """The same plugin for one exchange."""
        clone = copy.copy(self)
        clone.exchange = exchange
        return clone

    def egress(
        self, envelope: etree._Element, http_headers: MutableMapping[str, str], operation: Any, binding_options: Any
    ) -> tuple[etree._Element, MutableMapping[str, str]]:
        """Finish the envelope (mustUnderstand, prefixes), check it whole, then add the message's extensions."""
        base = NAMESPACES.get(_namespace(operation))
        if base is None:
            raise LocalError(f"{_namespace(operation)!r} is no MM7 namespace; load the WSDL with zeep_client()")
        soap.finish(envelope, replace(base, prefix=self.prefix))
        check(envelope, base.namespace)
        if self.exchange is not None and self.exchange.message is not None:
            soap.extend(envelope, self.exchange.message)
        return envelope, http_headers

    def ingress(
        self, envelope: etree._Element, http_headers: Mapping[str, str], operation: Any
    ) -> tuple[etree._Element, Mapping[str, str]]:
        """Judge the answer and give zeep the mended envelope, in the namespace of the operation."""
        before = getattr(http_headers, "findings", ())  # about the package around the envelope
        judgement = judge_tree(envelope, policy=self.policy, request=False, before=before)
        if self.exchange is not None:
            self.exchange.judgement = judgement
        if self.on_findings is not None:
            self.on_findings(judgement.findings)
        if judgement.error is not None:
            raise judgement.error
        repaired = cast("tolerance.Repaired", judgement.repaired)
        mended, namespace = copy.deepcopy(repaired.envelope), _namespace(operation)
        if repaired.read_as != namespace:
            tolerance.rename(mended, repaired.read_as, namespace)
        return mended, http_headers


def _namespace(operation: Any) -> str:
    return str(etree.QName(operation.input.body.qname).namespace)
