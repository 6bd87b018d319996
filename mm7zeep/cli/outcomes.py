"""What became of a message that ``mm7zeep send`` submitted: as a JSON object, or as lines for people.

Accepted messages are told on standard output. Everything else is told on standard error, but for ``--json``, whose one
object always stands on standard output. Shows no credential, and nothing that a terminal would obey; of the page of an
error no telephone number or mail address, either.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click

from mm7zeep import exchange, json_text, masking
from mm7zeep.cli import COULD_NOT_RUN, FAILURES, interrupts
from mm7zeep.client import Each, Submitted
from mm7zeep.errors import AuthError, Mm7Error, RemoteError, StatusError, TransportError
from mm7zeep.findings import Finding
from mm7zeep.messages import SubmitRsp
from mm7zeep.transport import HttpExchange
from mm7zeep.transport.pages import escaped


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Tells an outcome, and ends the program with its status; ``show_numbers`` as ``WireView`` has it, of the pages of
    errors.
    """

    as_json: bool
    show_numbers: bool = False

    def accepted(self, sent: Submitted) -> NoReturn:
        """An answer of success, or one that accepts the message for some only."""
        self._end(_outcome(sent) | self._each(sent.each), FAILURES if sent.partial or sent.failed else 0)

    def failed(self, error: Mm7Error, exchanges: Sequence[HttpExchange] = ()) -> NoReturn:
        """An error; the exit status says whether anybody answered."""
        outcome: dict[str, Any] = {"status_code": None, "error": self._said(error)}
        code = COULD_NOT_RUN
        if isinstance(error, StatusError):
            status = error.status
            outcome |= {"status_code": status.code, "status_text": status.text, "details": status.details}
            outcome |= {"transaction_id": error.transaction_id, "temporary": error.temporary}
            code = FAILURES
        elif isinstance(error, AuthError):
            outcome |= {"http_status": error.http_status}
            code = FAILURES
        elif isinstance(error, TransportError):
            outcome |= {"http_status": error.http_status, "maybe_accepted": error.maybe_accepted}
            last = exchanges[-1] if exchanges and not error.each else None
            outcome |= {"transaction_id": last.transaction_id} if last is not None else {}
        self._end(outcome | {"findings": _findings(getattr(error, "findings", ()))} | self._each(error.each), code)

    def not_sent(self, error: Exception) -> NoReturn:
        """What was refused here, before anything was sent."""
        nothing: dict[str, Any] = {"maybe_accepted": False, "transaction_id": None, "findings": []}
        text = str(error) if self.as_json else f"not sent: {error}"
        self._end({"status_code": None, "error": text, **nothing}, click.UsageError.exit_code)

    def interrupted(self, error: KeyboardInterrupt, exchanges: Sequence[HttpExchange], requests: int) -> NoReturn:
        """Ctrl-C or SIGTERM: how far the last of so many ``requests`` had come, and what became of the others."""
        self._end(_interrupted(interrupts.word(error), exchanges, requests), interrupts.exit_status(error))

    def _each(self, each: tuple[Each, ...]) -> dict[str, Any]:
        """What became of each recipient of a split message."""
        if len(each) < 2:
            return {}
        outcomes = [
            {
                "to": str(one.recipient),
                "message_id": one.accepted.message_id if one.accepted is not None else None,
                "error": self._said(one.error) if one.error is not None else None,
            }
            for one in each
        ]
        return {"recipients": outcomes}

    def _said(self, error: Mm7Error) -> str:
        """The text of an error; its further lines are those of a page."""
        first, *page = str(error).split("\n")
        return "\n".join([first, *(masking.masked(line, show_numbers=self.show_numbers) for line in page)])

    def _end(self, outcome: dict[str, Any], code: int) -> NoReturn:
        if self.as_json:
            click.echo(json_text.as_json(outcome))
        elif "error" in outcome or not str(outcome["status_code"]).startswith("1"):
            click.echo(f"mm7zeep send: {_lines(outcome)}", err=True)
        else:
            click.echo(_lines(outcome))
        sys.exit(code)


def _outcome(sent: Submitted) -> dict[str, Any]:
    outcome: dict[str, Any] = {
        "status_code": sent.status.code,
        "status_text": sent.status.text,
        "message_id": sent.message_id,
        "transaction_id": sent.transaction_id,
        "findings": _findings(sent.findings),
    }
    if sent.partial or sent.failed:
        outcome |= {"details": sent.status.details, "failed": [str(one) for one in sent.failed]}
    return outcome


def _findings(findings: Sequence[Finding]) -> list[str]:
    return [str(one) for one in findings]


def _lines(outcome: dict[str, Any]) -> str:
    code, text = outcome["status_code"], outcome.get("status_text")
    # an error may repeat the first lines of a page, each by itself
    lines = [f"{code} {text or ''}".rstrip()] if code is not None else outcome["error"].split("\n")
    if outcome.get("maybe_accepted"):
        lines.append("  it may have been accepted all the same: sending it again may deliver it twice")
    for name in ("details", "message_id", "transaction_id"):
        if outcome.get(name):
            lines.append(f"  {name.replace('_', ' ').ljust(14)}  {outcome[name]}")
    if "failed" in outcome:
        named = ", ".join(outcome["failed"])
        lines.append(f"  failed          {named or 'some recipients or parts; the answer does not say which'}")
    for one in outcome.get("recipients", ()):
        result = one["message_id"] or one["error"].replace("\n  | ", " ")
        lines.append(f"  {one['to'].ljust(14)}  {result}")
    lines += [f"  noticed         {one}" for one in outcome["findings"]]
    return "\n".join(escaped(line) for line in lines)


# --- what was interrupted ---------------------------------------------------------------------------------------------


def _interrupted(how: str, exchanges: Sequence[HttpExchange], requests: int) -> dict[str, Any]:
    latest = list({one.transaction_id: one for one in exchanges}.values())  # of several attempts the last
    if not latest:
        nothing: dict[str, Any] = {"maybe_accepted": False, "transaction_id": None, "findings": []}
        return {"status_code": None, "error": f"{how} before anything was sent", **nothing}
    last, rows = latest[-1], [_row(one) for one in latest]
    outcome: dict[str, Any] = {
        "status_code": None,
        "error": f"{how} {_stage(last)}",
        "maybe_accepted": any(one["maybe_accepted"] for one in rows),
        "transaction_id": last.transaction_id if requests < 2 else None,
        "findings": [],
    }
    if requests < 2:
        return outcome
    if requests > len(rows):
        outcome["error"] += f"; {requests - len(rows)} of {requests} requests were not begun"
    return outcome | {"recipients": rows}


def _row(one: HttpExchange) -> dict[str, Any]:
    """What became of one request of a split message, by its one recipient."""
    answer = _answer(one)
    message_id = answer.message_id if answer is not None and answer.status.code // 1000 == 1 else None
    stage = "accepted" if message_id is not None else _stage(one)
    return {
        "to": str(next(iter(getattr(one.message, "to", ())), "")),
        "transaction_id": one.transaction_id,
        "message_id": message_id,
        "maybe_accepted": _is_open(one),
        "error": None if message_id is not None else f"{stage}; TransactionID {one.transaction_id}",
    }


def _is_open(one: HttpExchange) -> bool:
    """Whether a request may have been accepted: all of it was handed over, and no answer is there."""
    return 0 < one.size <= one.sent and one.body is None


def _stage(one: HttpExchange) -> str:
    """Where a request was interrupted."""
    place = escaped(urlsplit(one.address).netloc)
    if one.body is not None:
        answer = _answer(one)
        said = f"HTTP {one.http_status}" if answer is None else str(answer.status)
        return f"after {place} had answered {said}"
    if not one.sent:
        return f"while connecting to {place}; nothing had gone out"
    if not _is_open(one):  # RFC 9112 8: a request that is not complete is not processed
        sent = f"after {one.sent} of {one.size} octets had gone out to {place}"
        return f"{sent}; they were not all, so nothing was accepted"
    return f"after all {one.size} octets had gone out; no answer from {place} yet"


def _answer(one: HttpExchange) -> SubmitRsp | None:
    """The SubmitRsp that came for a request, if one did and can be read."""
    if one.body is None:
        return None
    wire = exchange.Wire(status=one.http_status, headers=one.headers, body=one.body)
    try:
        message = exchange.unpack(wire, policy="lenient").message
    except RemoteError:
        return None
    return message if isinstance(message, SubmitRsp) else None
