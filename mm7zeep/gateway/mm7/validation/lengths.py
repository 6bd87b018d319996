"""How long the texts of a request may be, so that no value that anybody sends costs the others their time.

Judges one message by itself. Refuses with ``StatusError`` (2007). Identifiers have no such limit: they are looked up by
digest.
"""

from __future__ import annotations

from dataclasses import fields

from mm7zeep.errors import StatusError
from mm7zeep.exchange import Received
from mm7zeep.gateway.mm7.refusal import refusal

LONGEST_TEXT = 4_096
"""Characters of one text: a subject, a service code, a status text."""
LONGEST_EXTENSION = 16_384
"""Characters of an element that the schema does not know, as XML."""
LONGEST_EXTENSIONS = 65_536
"""Characters of all such elements of a request."""

_IDENTIFIERS = frozenset({"message_id", "cancel_id", "replace_id", "linked_id", "relay_server_id"})


def check_lengths(received: Received) -> None:
    """Raise ``StatusError`` (2007) for a text or an unknown element that is longer than any that means something."""
    message = received.message
    for one in fields(message):
        value = getattr(message, one.name)
        if isinstance(value, str) and len(value) > LONGEST_TEXT and one.name not in _IDENTIFIERS:
            raise _too_long(one.name, LONGEST_TEXT)
    if sum(len(name) + len(text) for name, text in getattr(message, "service_code_attributes", ())) > LONGEST_TEXT:
        raise _too_long("the attributes of ServiceCode", LONGEST_TEXT)
    for extension in message.extensions:
        if len(extension.xml) > LONGEST_EXTENSION:
            raise _too_long(f"the unknown element {extension.name[:100]}", LONGEST_EXTENSION)
    if sum(len(one.xml) for one in message.extensions) > LONGEST_EXTENSIONS:
        raise _too_long("the unknown elements together", LONGEST_EXTENSIONS)


def _too_long(what: str, most: int) -> StatusError:
    return refusal(2007, f"{what}: longer than {most} characters; send less")
