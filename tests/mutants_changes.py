"""Broken MMSCs: how they cancel and replace."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

from breaks import answering, page, patched, refusal, refusing, success
from mutants import Mutant, mutant

from mm7zeep.errors import StatusError
from mm7zeep.gateway.store import messages
from mm7zeep.status import Status

_STATUS_RECALL = "mm7zeep.gateway.mm7.recall.status_of"
_STATUS_REPLACE = "mm7zeep.gateway.mm7.requests.status_of"


_mutant = partial(mutant, "mmsc")


# --- changes ----------------------------------------------------------------------------------------------------------


def _forgets(original: Any) -> Any:
    """Says of every cancel what was asked, and takes nothing back."""

    def cancel(self: Any, connection: Any, application: Any, message_id: str, there: Any, now: float) -> Status:
        self.own(connection, application, message_id)
        return Status(1000)

    return cancel


def _always(original: Any) -> Any:
    """Says that a change reached every copy, whether any waited or not."""
    return lambda reached, copies: Status(1000)


def _anybody(original: Any) -> Any:
    """Finds messages whoever owns them."""

    def own(self: Any, connection: Any, application: Any, message_id: str) -> Any:
        message = messages.message(connection, message_id.strip())
        return original(self, connection, SimpleNamespace(name=message.application if message else ""), message_id)

    return own


def _without(*names: str) -> Any:
    """Leaves something of a replace out."""

    def make(original: Any) -> Any:
        def changes(*arguments: Any) -> dict[str, Any]:
            return {name: value for name, value in original(*arguments).items() if name not in names}

        return changes

    return make


def _unknown_taken(operation: str) -> Any:
    """Takes a cancel or a replace of what it does not know."""

    def make(original: Any) -> Any:
        def work(self: Any, call: Any, message_id: str | None, kind: Any) -> Any:
            try:
                return original(self, call, message_id, kind)
            except StatusError as error:
                if error.status.code != 2005 or message_id != "p-was-never-issued":
                    raise
                return kind(status=Status(1000))

        return work

    return make


# --- the table --------------------------------------------------------------------------------------------------------

_NEAR = ("cancel/", "replace/")
MUTANTS: tuple[Mutant, ...] = (
    # changes
    _mutant(
        "cancel-nothing", "A cancel is answered 1000, and the message goes its way.",
        patched("mm7zeep.gateway.mm7.recall.Recall.cancel", _forgets),
        "cancel/nothing-after", "cancel/twice", "cancel/delivered", near=_NEAR, window=3.5,
    ),
    _mutant(
        "cancel-too-late", "A cancel that comes too late is answered 1000.", patched(_STATUS_RECALL, _always),
        "cancel/twice", "cancel/delivered", near=_NEAR,
    ),
    _mutant(
        "cancel-unknown", "A cancel of a message that nobody sent is answered 1000.",
        patched("mm7zeep.gateway.mm7.requests.Intake._take_back", _unknown_taken("cancel")), "cancel/unknown-id",
        near=_NEAR,
    ),
    _mutant(
        "change-anybody", "Anybody may cancel and replace the messages of others.",
        patched("mm7zeep.gateway.mm7.recall.Recall.own", _anybody), "cancel/other-vasp", "replace/other-vasp",
        near=_NEAR,
    ),
    _mutant(
        "cancel-nameless", "A cancel without MessageID is answered 1000.",
        answering(lambda one: one.has("<CancelReq") and not one.has("<MessageID>"), success), "cancel/no-id",
        near=_NEAR,
    ),
    _mutant(
        "cancel-charset", "A cancel has to name its charset.",
        answering(lambda one: one.has("<CancelReq") and one.header("content-type") == "text/xml", refusal),
        "cancel/no-charset", near=_NEAR,
    ),
    _mutant(
        "cancel-multipart", "A cancel has to be an envelope alone.",
        answering(lambda one: one.has("<CancelReq") and "multipart" in one.header("content-type"), refusal),
        "cancel/multipart", near=_NEAR,
    ),
    _mutant(
        "cancel-none", "MM7_cancel is not served.", refusing("<CancelReq", lambda one: refusal(one, 4003)),
        "cancel/scheduled", "cancel/unknown-id", "cancel/twice", "cancel/delivered", "cancel/notified",
        "cancel/partly-delivered", "cancel/other-vasp", "cancel/no-charset", "cancel/multipart",
        "cancel/nothing-after", near=_NEAR,
    ),
    _mutant(
        "replace-old-content", "A message that was replaced goes out with its old content.",
        patched("mm7zeep.gateway.mm7.requests._changes", _without("content")), "replace/content-arrives", near=_NEAR,
        window=3.0,
    ),
    _mutant(
        "replace-old-date", "A replace does not change when a message is due.",
        patched("mm7zeep.gateway.mm7.requests._changes", _without("earliest")),
        "replace/content-arrives", "replace/dates-only", near=_NEAR, window=3.0,
    ),
    _mutant(
        "replace-unknown", "A replace of a message that nobody sent is answered 1000.",
        patched("mm7zeep.gateway.mm7.requests.Intake._put_in_place", _unknown_taken("replace")),
        "replace/unknown-id", near=_NEAR,
    ),
    _mutant(
        "replace-in-part", "A replace that reached one of two copies is answered 1000.",
        patched(_STATUS_REPLACE, _always), "replace/one-retrieved", near=_NEAR,
    ),
    _mutant(
        "replace-nameless", "A replace without MessageID is answered 1000.",
        answering(lambda one: one.has("<ReplaceReq") and not one.has("<MessageID>"), success), "replace/no-id",
        near=_NEAR,
    ),
    _mutant(
        "extended-crash", "An extended cancel is answered by an HTML page.",
        refusing("<extendedCancelReq", lambda one: page(500)), "extended-cancel/basic", near=("extended",),
    ),
    _mutant(
        "extended-closes", "An extended replace ends the connection.",
        refusing("<extendedReplaceReq", lambda one: None), "extended-replace/basic", near=("extended",),
    ),
)  # fmt: skip
