"""Whether a request has the form that is asked for: label, version, values. Refuses with ``StatusError``."""

from __future__ import annotations

import re

from mm7zeep.exchange import Received
from mm7zeep.gateway.mm7.refusal import refusal
from mm7zeep.gateway.mm7.validation.lengths import check_lengths
from mm7zeep.messages import SubmitReq

_VERSION = re.compile(r"\s*[56]\.\d{1,2}\.\d{1,2}\s*")
_UNKNOWN_RELEASE = re.compile(r"/REL-(?![56]-)")


def check_form(received: Received) -> None:
    """Raise ``StatusError`` for a package whose label does not say how to take it apart (2007), a version that is not
    served (4002), without one or with an element twice (4004), for an illegible or too long a value (2007).

    The reader bears these (``interop``), since a client must not lose an answer for them; a request is not accepted on
    a guess what it means.
    """
    check_lengths(received)
    met = {one.id: one for one in received.findings}
    _check_label(received)
    unnamed = met.get("sem/content-href-resolves")
    if unnamed is not None and unnamed.action == "noted":
        raise refusal(2004, "the Content names none of the parts that came")
    if "schema/repeated-element" in met:
        raise refusal(4004, f"{met['schema/repeated-element'].detail} stands where another one does already; send one")
    if "version/present" in met:
        raise refusal(4004, "MM7Version is missing")
    if received.mm7_version is not None and not _VERSION.fullmatch(received.mm7_version):
        raise refusal(4002, "the MM7Version is none of release 5 or 6")
    if "ns/known" in met and _UNKNOWN_RELEASE.search(received.namespace or ""):
        raise refusal(4002, "the namespace is none of release 5 or 6")
    illegible = [name for name, _ in received.message.unparsed]
    if illegible:
        raise refusal(2007, f"the value of {', '.join(dict.fromkeys(illegible))} cannot be understood")


def _check_label(received: Received) -> None:
    """Raise ``StatusError`` (2007) where the body had to be searched for what its Content-Type should have said."""
    if received.headers and not any(name.lower() == "content-type" for name, _ in received.headers):
        raise refusal(2007, "the request has no Content-Type; SOAP 1.1 6 and SwA 3 ask for one")
    # a bare envelope under multipart/related, as some send it, is no guess: no part of it is cut out
    guessed = any(one.id == "mime/boundary-present" and one.where == "Content-Type" for one in received.findings)
    if guessed and received.parts:
        raise refusal(2007, "the Content-Type has no boundary (RFC 2046 5.1); say which one the body has")


def check_charging(request: SubmitReq) -> None:
    """Raise ``StatusError`` (4004) for a third party who is to pay, and whom nothing names (TS 23.140 8.7.1)."""
    if request.charged_party == "ThirdParty" and not (request.charged_party_id or "").strip():
        raise refusal(4004, "ChargedParty is ThirdParty, and no ChargedPartyID says who that is; send one")
