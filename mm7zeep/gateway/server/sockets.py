"""The bound sockets of a gateway, one for each of its listeners. Opens none."""

from __future__ import annotations

import socket
from typing import NamedTuple


class Sockets(NamedTuple):
    """Where MM7, the admin listener and the JSON API stand; ``api`` None where there is none."""

    mm7: socket.socket
    admin: socket.socket
    api: socket.socket | None = None

    def dup(self) -> Sockets:
        """The same places, on sockets that are closed for themselves."""
        return Sockets(*(None if one is None else one.dup() for one in self))  # type: ignore[arg-type]

    def close(self) -> None:
        """Close all of them."""
        for one in self:
            if one is not None:
                one.close()
