"""A request of the admin listener, once it was judged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.rest.fields import Input

Parameters = TypeVar("Parameters", bound=Input)
Body = TypeVar("Body", bound=Input)


class WaiterCount:
    """How many wait at a time, in one event loop; whoever enters is counted until it leaves."""

    def __init__(self) -> None:
        self.size = 0

    def __enter__(self) -> WaiterCount:
        self.size += 1
        return self

    def __exit__(self, *error: object) -> None:
        self.size -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminRequest(Generic[Parameters, Body]):
    """A request that was judged: what its path and query say, its body, and whose it is.

    ``clock`` gives seconds since 1970; ``gone`` tells whether the client has hung up; ``crowd`` is of those who wait.
    """

    gateway: Gateway
    user: User
    clock: Callable[[], float]
    parameters: Parameters
    body: Body
    gone: Callable[[], Awaitable[bool]]
    crowd: WaiterCount
