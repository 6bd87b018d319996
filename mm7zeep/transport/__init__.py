"""The network edge of a sender: a ``zeep.Transport`` that carries parts, a ``zeep.Plugin`` that validates both ways.

``http_exchange`` is one request with its body and its answer, ``http_answer`` judges what HTTP brought back (where it
is no MM7, by ``statuses``; ``pages`` is its text, ``denied`` why credentials were refused), ``failures`` says what it
means that nothing came, and ``reasons`` why; ``sync`` and ``asynchronous`` are the transports over requests and httpx
(``bound``: what they share), ``plugin`` the plugin, ``clients`` a zeep client with both. Each works alone with any
``zeep.Client`` (``attach`` gives a call its parts). Refuses redirects, netrc, credentials in URLs, compressed,
oversized and slow answers; sends nothing twice. Only errors of ``mm7zeep.errors`` leave it.
"""

from __future__ import annotations

from mm7zeep.credentials import Auth, Basic, Bearer, Digest
from mm7zeep.transport.asynchronous import AsyncSwaTransport
from mm7zeep.transport.bound import Timeouts
from mm7zeep.transport.clients import AsyncMm7Client, Mm7Client, Role, attach, bind, zeep_client
from mm7zeep.transport.http_exchange import HttpExchange, Progress
from mm7zeep.transport.plugin import ValidationPlugin
from mm7zeep.transport.sync import SwaTransport

__all__ = [
    "AsyncMm7Client", "AsyncSwaTransport", "Auth", "Basic", "Bearer", "Digest", "HttpExchange", "Mm7Client", "Progress",
    "Role", "SwaTransport", "Timeouts", "ValidationPlugin", "attach", "bind", "zeep_client",
]  # fmt: skip
