"""Messages as rows, for tests of the store: kept at once, without a gateway around them."""

from __future__ import annotations

from collections.abc import Sequence

from mm7zeep.gateway.config.destination import Destination
from mm7zeep.gateway.store import messages
from mm7zeep.gateway.store.content import media_of
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.rows import MessageRow, RawRow, RecipientRow

NOW = 1_000_000.0


def kept(
    id: str,
    *,
    to: Sequence[str] = ("+61400",),
    state: str = "Retrieved",
    types: Sequence[str] = ("text/plain",),
    direction: str = "mt",
    application: str = "tnn",
    accepted: float = NOW,
    **values: object,
) -> messages.Kept:
    """A message with a copy for each of ``to``, all in one state."""
    row = MessageRow(
        id=id, direction=direction, application=application, accepted=accepted, media=media_of(types), **values,
    )  # type: ignore[arg-type]  # fmt: skip
    copies = [
        RecipientRow(
            message_id=id, n=n, place="to", kind="Number", address=address, destination=Destination.parse("handset"),
            state=state, changed=accepted,
        )
        for n, address in enumerate(to)
    ]  # fmt: skip
    return messages.Kept(row, RawRow(message_id=id, n=0, received=accepted, headers="[]", body=b""), copies)


def keep(database: Database, *all_of_them: messages.Kept) -> None:
    """Keep messages, the oldest first."""
    with database.write() as connection:
        messages.keep(connection, all_of_them)
