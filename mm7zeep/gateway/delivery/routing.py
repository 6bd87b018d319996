"""Where the copies of a message go, and when the network has something to do with them.

Values in, values out. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from mm7zeep.gateway.config.destination import HANDSET, NOWHERE, Destination
from mm7zeep.gateway.config.handset import Handset, handset_of
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store.rows import PENDING, REFUSED, SHOWN, MessageRow, RecipientRow, attributes_of
from mm7zeep.messages import Address, SubmitReq

OPTED_OUT = "the recipient has opted out"
"""The detail of a copy that goes nowhere, since its recipient wants nothing from there."""


def copies(
    request: SubmitReq,
    message: MessageRow,
    *,
    wrong: Collection[Address],
    settings: Settings,
    handsets: Sequence[Handset],
    opted_out: Collection[Address] = (),
) -> list[RecipientRow]:
    """One copy for each recipient: served ones with when they are due, those only displayed, and the ones that are not
    served: the ``wrong`` ones, and who has ``opted_out``. ``handsets`` are the scripts in force.
    """
    places = (("to", request.to), ("cc", request.cc), ("bcc", request.bcc))
    found = [(place, one) for place, group in places for one in group]
    unserved = dict.fromkeys(opted_out, OPTED_OUT) | dict.fromkeys(wrong, "no address that can be served")
    return [_copy(message, n, place, one, unserved, settings, handsets) for n, (place, one) in enumerate(found)]


def _copy(
    message: MessageRow,
    n: int,
    place: str,
    address: Address,
    unserved: Mapping[Address, str],
    settings: Settings,
    handsets: Sequence[Handset],
) -> RecipientRow:
    """One copy; ``unserved`` says why an address is not served."""
    state, destination, due, detail = PENDING, destination_of(address, settings), None, None
    if address.display_only:
        state, destination = SHOWN, NOWHERE
    elif address in unserved:
        state, destination, detail = REFUSED, NOWHERE, unserved[address]
    else:
        due = arrival(destination, address, message, message.accepted, handsets)
    return RecipientRow(
        message_id=message.id,
        n=n,
        place=place,
        kind=address.kind,
        address=address.value,
        destination=destination,
        state=state,
        detail=detail,
        due=due,
        changed=message.accepted,
        attributes=attributes_of(address),
    )


def destination_of(address: Address, settings: Settings) -> Destination:
    """Where a copy goes: to another application's short code, through an upstream, or to a handset."""
    bare = address.bare.strip() if address.coding is None else ""  # a coded one says nothing of where it leads
    for one in settings.applications:
        if bare and bare in one.short_codes and one.takes_messages:
            return Destination.application(one.name)
    route = next((one for one in settings.routes if bare.startswith(one.prefix)), None)
    return Destination.upstream(route.via) if route is not None else HANDSET


def arrival(
    destination: Destination, address: Address, message: MessageRow, now: float, handsets: Iterable[Handset]
) -> float:
    """When the network has something to do with a copy: it arrives, leaves, or expires before."""
    delay = handset_of(address, handsets).delay.total_seconds() if destination == HANDSET else 0.0
    due = max(now + delay, message.earliest or 0.0)
    return min(due, message.expires) if message.expires is not None else due
