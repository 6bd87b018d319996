"""Whether the addresses of a request can be served (2002) and are not too many (3003, or what the profile has for it).

Refuses with ``StatusError``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.mm7.refusal import refusal
from mm7zeep.messages import Address, Number, RFC2822Address, SubmitReq
from mm7zeep.receiver.replies import printable

MOST_RECIPIENTS = 1000
"""Recipients of one request, served or displayed."""
LONGEST_ADDRESS = 512
"""Characters of an address: RFC 5321 4.5.3.1 has 320, and PostgreSQL's index of them 2,704 octets."""

_NAMED = 3  # addresses that a refusal names
_SHOWN = 40  # characters of each
_NUMBER = re.compile(r"(?:tel:)?\+?[0-9]{1,20}")  # E.164 has at most 15, national forms and test numbers vary
_MAIL = re.compile(r"[^\s@<>,;\"]{1,128}@[^\s@<>,;\"]{1,255}")
_CODE = re.compile(r"[0-9A-Za-z*#._+-]{1,32}")


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
    sender's) that is too long; 3003 for too many, or what its profile has for that.
    """
    check_addresses((request.sender_address, *request.to, *request.cc, *request.bcc))
    profile, served = application.request_profile, request.recipients
    if not served:
        shown = in_words((*request.to, *request.cc, *request.bcc))
        raise refusal(2002, "nobody to be served among the recipients" + (f": {shown}" if shown else ""))
    if profile.max_recipients is not None and len(served) > profile.max_recipients:
        raise refusal(profile.recipients_status, f"at most {profile.max_recipients} recipient(s) in a request")
    if len((*request.to, *request.cc, *request.bcc)) > MOST_RECIPIENTS:
        raise refusal(3003, f"at most {MOST_RECIPIENTS} recipients in a request")
    wrong = tuple(one for one in served if not is_address(one, application.numbers))
    if len(wrong) == len(served):
        raise refusal(2002, f"no recipient is an address that can be served: {in_words(wrong)}")
    return wrong


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
