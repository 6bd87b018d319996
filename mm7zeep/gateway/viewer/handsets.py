"""The editor of handset scripts: how recipients behave, by the beginning of their address. Refuses what the REST API
refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import RedirectResponse, Response

from mm7zeep.gateway.admin import handset
from mm7zeep.gateway.admin.inputs import HandsetScript, Scripts
from mm7zeep.gateway.rest.request import judged
from mm7zeep.gateway.viewer.message import OUTCOMES
from mm7zeep.gateway.viewer.page_request import PageRequest
from mm7zeep.gateway.viewer.rule_table import Table
from mm7zeep.receiver import Refusal

_EMPTY = HandsetScript.model_validate({}).model_dump()
TABLE = Table(
    noun="script", texts=("prefix", "outcome", "reply"), numbers=("delay", "reply_after"), ticks=("read",), empty=_EMPTY
)


def page(asked: PageRequest) -> Response:
    """The scripts in force: those that were set, an empty one, and those of the configuration file."""
    chosen = [one.model_dump() for one in handset.handsets(asked.rest()).handsets if one.source != "file"]
    return _page(asked, [*chosen, _EMPTY])


def _page(asked: PageRequest, scripts: Sequence[Mapping[str, Any]], error: Refusal | None = None) -> Response:
    found = handset.handsets(asked.rest()).handsets
    return asked.page(
        "handsets.html",
        status=error.status if error is not None else 200,
        wrong=TABLE.complaint(error) if error is not None else "",
        scripts=scripts,
        of_file=[one for one in found if one.source == "file"],
        outcomes=OUTCOMES,
    )


def save(asked: PageRequest) -> Response:
    """Put the scripts of the form in the place of those that were set."""
    try:
        scripts = TABLE.rules(asked.form)
        handset.set_handsets(asked.rest(body=judged({"handsets": scripts}, Scripts)))
    except Refusal as error:
        return _page(asked, TABLE.typed(asked.form) or [_EMPTY], error)
    return RedirectResponse("/handsets", 303)
