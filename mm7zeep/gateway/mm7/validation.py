"""What a gateway takes beyond what can be read: versions, values, recipients, content; each refusal with its status.

Judges one message by itself, and looks nothing up. Refuses with ``StatusError``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mm7zeep import media
from mm7zeep.errors import StatusError
from mm7zeep.exchange import Received
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.mm7.lengths import check_lengths
from mm7zeep.messages import Address, Number, Part, RFC2822Address, SubmitReq
from mm7zeep.receiver.replies import printable
from mm7zeep.status import Status

MOST_RECIPIENTS = 1000
"""Recipients of one request, served or displayed."""
LONGEST_ADDRESS = 512
"""Characters of an address: RFC 5321 4.5.3.1 has 320, and PostgreSQL's index of them 2,704 octets."""

_NAMED = 3  # addresses that a refusal names
_SHOWN = 40  # characters of each
_VERSION = re.compile(r"\s*[56]\.\d{1,2}\.\d{1,2}\s*")
_UNKNOWN_RELEASE = re.compile(r"/REL-(?![56]-)")
_NUMBER = re.compile(r"(?:tel:)?\+?[0-9]{1,20}")  # E.164 has at most 15, national forms and test numbers vary
_MAIL = re.compile(r"[^\s@<>,;\"]{1,128}@[^\s@<>,;\"]{1,255}")
_CODE = re.compile(r"[0-9A-Za-z*#._+-]{1,32}")


def refusal(code: int, details: str) -> StatusError:
    """What a handler raises to answer with this status."""
    return StatusError(Status(code, details=details))


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


def in_words(addresses: Iterable[Address]) -> str:
    """Addresses as an answer or a line names them: the first three, cut where they are long."""
    texts = [printable(one.bare.strip()) for one in addresses]
    shown = [one if len(one) <= _SHOWN else f"{one[:_SHOWN]}..." for one in texts[:_NAMED]]
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(shown) + more


def check_addresses(addresses: Iterable[Address | None]) -> None:
    """Raise ``StatusError`` (2002) for an address that is too long to be kept."""
    long = [one for one in addresses if one is not None and len(one.value) > LONGEST_ADDRESS]
    if long:
        raise refusal(2002, f"an address has more than {LONGEST_ADDRESS} characters: {in_words(long)}")


def check_recipients(request: SubmitReq, application: Application) -> tuple[Address, ...]:
    """The recipients that are no address. Raises ``StatusError``: 2002 for none that is, or for an address (also the
    sender's) that is too long; 3003 for too many.
    """
    check_addresses((request.sender_address, *request.to, *request.cc, *request.bcc))
    profile, served = application.request_profile, request.recipients
    if not served:
        shown = in_words((*request.to, *request.cc, *request.bcc))
        raise refusal(2002, "nobody to be served among the recipients" + (f": {shown}" if shown else ""))
    if profile.max_recipients is not None and len(served) > profile.max_recipients:
        raise refusal(3003, f"at most {profile.max_recipients} recipient(s) in a request")
    if len((*request.to, *request.cc, *request.bcc)) > MOST_RECIPIENTS:
        raise refusal(3003, f"at most {MOST_RECIPIENTS} recipients in a request")
    wrong = tuple(one for one in served if not is_address(one, application.numbers))
    if len(wrong) == len(served):
        raise refusal(2002, f"no recipient is an address that can be served: {in_words(wrong)}")
    return wrong


def check_charging(request: SubmitReq) -> None:
    """Raise ``StatusError`` (4004) for a third party who is to pay, and whom nothing names (TS 23.140 8.7.1)."""
    if request.charged_party == "ThirdParty" and not (request.charged_party_id or "").strip():
        raise refusal(4004, "ChargedParty is ThirdParty, and no ChargedPartyID says who that is; send one")


def is_address(address: Address, region: str | None) -> bool:
    """Whether messages can go to this address at all; numbers by the plan of ``region`` and others, where it is set."""
    text = address.bare.strip()
    if address.coding is not None:  # passed on as it is: it has no form of its own
        return bool(text)
    if isinstance(address, RFC2822Address) or (isinstance(address, Number) and "@" in text):
        return _MAIL.fullmatch(text) is not None
    if not isinstance(address, Number):
        return _CODE.fullmatch(text) is not None
    if _NUMBER.fullmatch(text) is None:
        return False
    return region is None or _in_plan(text.removeprefix("tel:"), region)


def _in_plan(number: str, region: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def check_content(parts: Sequence[Part], application: Application) -> None:
    """Raise ``StatusError`` (2004) for more content than the profile takes, or types that are not served."""
    most = application.request_profile.max_content
    if most is not None and sum(one.size for one in parts) > most:
        raise refusal(2004, f"the content may have {most} octets")
    if application.media == "listed":
        odd = [one.content_type for one in parts if not _is_listed(one.content_type)]
        if odd:
            raise refusal(2004, f"the media type {odd[0]} is not served")


def _is_listed(content_type: str) -> bool:
    row = media.lookup(content_type)
    return row is not None and (row.compatibility is not None or row.media_class == "presentation")
