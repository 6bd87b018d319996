"""Which copies go nowhere any more, since their recipients have opted out after the messages were accepted.

Reads in the caller's transaction. Refuses nothing: what becomes of such a copy others say.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store import opt_outs
from mm7zeep.gateway.store.rows import MessageRow, RecipientRow


def opted_out(
    connection: Connection, settings: Settings, copies: Iterable[tuple[MessageRow, RecipientRow]]
) -> set[tuple[str, int]]:
    """Those of ``copies``, each with its message, whose recipients have opted out: by message and number.

    One statement for all of them, and none where no application has ``opt_out``.
    """
    found: list[tuple[str, int]] = []
    asked: list[tuple[opt_outs.Origin, str]] = []
    for message, copy in copies:
        application = settings.application(message.application)
        if application is not None and application.opt_out is not None:
            origin = opt_outs.Origin.of(application, message.sent_by, message.field.get("linked_id"))
            found.append((copy.message_id, copy.n))
            asked.append((origin, opt_outs.key(copy.of, application.numbers)))
    barred = opt_outs.barred(connection, asked)
    return {one for one, is_barred in zip(found, barred, strict=True) if is_barred}
