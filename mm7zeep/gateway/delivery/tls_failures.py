"""Calls that failed for the files that the settings name for TLS: which file, and that it may be mended.

The files were judged when the settings were read; a connection that is opened later reads them again. Looks at the
files; changes and calls nothing.
"""

from __future__ import annotations

from mm7zeep import credentials
from mm7zeep.errors import LocalError, Mm7Error, TransportError
from mm7zeep.gateway.config.parties import Callback, TlsFiles, Upstream
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.transport.failures import refusal

_NONE = TlsFiles()


def cause(error: Mm7Error, files: TlsFiles) -> Mm7Error:
    """What a call that raised ``error`` failed of: files that cannot be used now, or ``error`` itself.

    A call is tried again where its files cannot be used, as long as nothing of it can have been accepted.
    """
    if files == _NONE or not _before_any_answer(error):
        return error
    try:
        credentials.tls(*files)
    except LocalError as unusable:
        return TransportError(f"the request could not be sent: {unusable}", maybe_accepted=False)
    return error


def called_with(settings: Settings, call: CallRow) -> tuple[str, TlsFiles]:
    """The table of the settings that a call by MM7 is made by, and the files for TLS in it."""
    party: Callback | Upstream | None
    if call.kind == "submit":
        party, table = settings.upstream(call.destination.name), f"[[upstream]] {call.destination.name}"
    else:
        application = settings.application(call.owner)
        party = application.callback if application is not None else None
        table = f"[application.callback] of {call.owner}"
    return table, party.tls_files if party is not None else TlsFiles()


def _before_any_answer(error: Mm7Error) -> bool:
    """Whether the call may not even have had a connection, and no guard stood in its way."""
    if isinstance(error, TransportError):
        return not error.maybe_accepted and error.http_status is None and refusal(error) is None
    return isinstance(error, LocalError)
