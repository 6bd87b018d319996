"""What an endpoint calls, and with what: a request as a handler gets it, handlers of two kinds, turns, the observer.

Types only; which of them is called when, ``endpoint`` decides. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from mm7zeep.exchange import Received
from mm7zeep.messages import Message, RSErrorRsp, VASPErrorRsp


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as an ``Endpoint`` hands it to a handler; ``user`` is who authenticated.

    ``peer`` is the address of the client's connection, where there is one; ``raw`` the body exactly as it came, where
    the endpoint keeps it. The HTTP fields, without private ones, are ``received.headers``.
    """

    message: Message
    received: Received
    user: str | None = None
    peer: str | None = None
    raw: bytes = field(default=b"", repr=False)


Handler = Callable[[Call], object]
"""Takes a ``Call``; gives (or awaits) the operation's answer, a ``Status``, or a MessageID; None is success.

It may raise ``StatusError``, or ``Refusal`` to be answered by HTTP alone.
"""
ErrorKind = type[RSErrorRsp] | type[VASPErrorRsp]
"""What a fault holds: the role that is played."""
Turns = Callable[[str | None], AbstractAsyncContextManager[object]]
"""Gives the turn of a user, as a context."""
Observe = Callable[[str | None, int | None, int, float, str | None], object]
"""Told of each answer: operation and MM7 status code where there are any, HTTP status, seconds it took, user."""
PromptHandler = Callable[[Call], Awaitable[object] | None]
"""Takes a ``Call`` in the event loop; gives an awaitable of what a ``Handler`` gives, or None for the blocking one."""


@dataclass(frozen=True, slots=True)
class PromptHandlers:
    """Handlers that never block, by class of the request, for requests that are small and of a known shape.

    Where one gives None, the blocking one is asked. ``turns`` gives the turn of a user for these.
    """

    handlers: Mapping[type[Message], PromptHandler]
    turns: Turns | None = None
