"""Every page, one row each: which request, and which function answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from mm7zeep.gateway.viewer import acts, callbacks, chaos, conversations, handsets, inbox, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One row. ``function`` is called with a ``PageRequest`` in a thread; a coroutine function runs in the event loop.

    ``operator`` pages are for the operator alone. ``takes`` names what the function takes much of: of these there are
    few ``AT_A_TIME``, and the others wait.
    """

    method: Literal["GET", "POST"]
    path: str
    function: Callable[[Any], Any]
    operator: bool = False
    takes: Takes | None = None


Takes = Literal["message", "picture", "search"]
AT_A_TIME: Mapping[Takes, int] = MappingProxyType({"message": 6, "picture": 4, "search": 4})
"""How many pages at a time have all octets of a message in memory, some 20 MiB each, or a connection to the database
for as long as a search takes: so many of the operator's, and so many of all applications' users.
"""


# fmt: off
PAGES: tuple[Page, ...] = (
    Page(method="GET", path="/", function=inbox.page, takes="search"),
    Page(method="POST", path="/delete", function=inbox.delete, takes="search"),
    Page(method="POST", path="/mark", function=inbox.mark, takes="search"),
    Page(method="GET", path="/conversations", function=conversations.page, takes="search"),

    Page(method="GET", path="/messages/{id}", function=message.page, takes="message"),
    Page(method="GET", path="/messages/{id}/parts/{n}", function=message.part, takes="message"),
    Page(method="GET", path="/messages/{id}/parts/{n}/preview", function=message.preview, takes="picture"),
    Page(method="GET", path="/messages/{id}/parts/{n}/file", function=message.part_file, takes="message"),
    Page(method="GET", path="/messages/{id}/thumbnail", function=message.thumbnail, takes="picture"),
    Page(method="GET", path="/messages/{id}/raw", function=message.raw, takes="message"),
    Page(method="GET", path="/messages/{id}/copy", function=message.copy, takes="message"),
    Page(method="GET", path="/messages/{id}/download/{kind}", function=message.file, takes="message"),

    Page(method="GET", path="/compose", function=acts.compose),
    Page(method="POST", path="/compose", function=acts.send),
    Page(method="POST", path="/messages/{id}/report", function=acts.report),
    Page(method="POST", path="/messages/{id}/read", function=acts.read),

    Page(method="GET", path="/callbacks", function=callbacks.page),
    Page(method="POST", path="/callbacks/replay", function=callbacks.replay),
    Page(method="GET", path="/callbacks/{id}", function=callbacks.one),
    Page(method="POST", path="/callbacks/{id}/replay", function=callbacks.replay_one),
    Page(method="GET", path="/endpoints", function=callbacks.endpoints_page),
    Page(method="POST", path="/endpoints/pause", function=callbacks.pause),
    Page(method="POST", path="/endpoints/resume", function=callbacks.resume),

    Page(method="GET", path="/handsets", function=handsets.page, operator=True),
    Page(method="POST", path="/handsets", function=handsets.save, operator=True),
    Page(method="GET", path="/chaos", function=chaos.page, operator=True),
    Page(method="POST", path="/chaos", function=chaos.save, operator=True),
)
# fmt: on
