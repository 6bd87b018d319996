"""The chaos panel: trouble that is made on purpose, rule by rule. Refuses what the REST API refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from starlette.responses import RedirectResponse, Response

from mm7zeep.gateway.admin import handset
from mm7zeep.gateway.admin.inputs import MALFORMED, Trouble
from mm7zeep.gateway.rest.request import judged
from mm7zeep.gateway.viewer.page_request import PageRequest
from mm7zeep.gateway.viewer.rule_table import Table
from mm7zeep.receiver import Refusal

OPERATIONS = ("SubmitReq", "ReplaceReq", "CancelReq", "DeliverReq", "DeliveryReportReq", "ReadReplyReq")
HOW: Mapping[str, str] = MappingProxyType(
    {
        "cut": "cut off in the middle",
        "xml": "no XML",
        "boundary": "a boundary that is not there",
        "type": "a wrong media type",
        "html": "a page of HTML",
        "empty": "no body",
    }
)
"""How an answer is malformed, in words."""
_EMPTY = Trouble.model_validate({"rules": [{}]}).rules[0].model_dump()
TABLE = Table(
    noun="rule",
    texts=("malformed", "when", "application", "operation"),
    numbers=("probability", "delay", "dribble"),
    whole=("http_status", "mm7_status"),
    ticks=("reset",),
    empty=_EMPTY,
)


def page(asked: PageRequest) -> Response:
    """The rules that there are, and an empty one."""
    rules = [one.model_dump() for one in handset.chaos(asked.rest()).rules]
    return _page(asked, [*rules, _EMPTY], in_force=len(rules))


def _page(
    asked: PageRequest, rules: Sequence[Mapping[str, Any]], *, in_force: int, error: Refusal | None = None
) -> Response:
    return asked.page(
        "chaos.html",
        status=error.status if error is not None else 200,
        wrong=TABLE.complaint(error) if error is not None else "",
        rules=rules,
        in_force=in_force,
        malformed=[(one, HOW.get(one, one)) for one in MALFORMED],
        operations=OPERATIONS,
        applications=[one.name for one in asked.gateway.settings.applications],
    )


def save(asked: PageRequest) -> Response:
    """Make the trouble that the form says, and no other; none with the button that ends it."""
    try:
        rules = TABLE.rules(asked.form) if asked.form.text("end") is None else []
        handset.set_chaos(asked.rest(body=judged({"rules": rules}, Trouble)))
    except Refusal as error:
        typed = TABLE.typed(asked.form) or [_EMPTY]
        return _page(asked, typed, in_force=len(handset.chaos(asked.rest()).rules), error=error)
    return RedirectResponse("/chaos", 303)
