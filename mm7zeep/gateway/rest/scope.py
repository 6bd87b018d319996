"""What the scope of an ASGI request says: its head, the address of its peer, its connection. Values only."""

from __future__ import annotations

from mm7zeep.exchange import Wire
from mm7zeep.receiver import CLIENT, Client, Scope


def head_of(scope: Scope) -> Wire:
    """The head of a request."""
    fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    return Wire(method=scope["method"], target=scope["path"], headers=fields, body=b"")


def peer_of(scope: Scope) -> str | None:
    """The address of whoever has connected; None where the server does not say."""
    return scope["client"][0] if scope.get("client") else None


def client_of(scope: Scope) -> Client | None:
    """The connection; None where the server does not show it."""
    found: Client | None = (scope.get("extensions") or {}).get(CLIENT)
    return found
