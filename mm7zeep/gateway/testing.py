"""A gateway inside a test: on a free port of this process, on a file of its own, asked by calls instead of HTTP.

For people who test their VASP against it; pytest's fixture ``mm7_gateway`` gives one. Refuses to be set up twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mm7zeep.client import ContentLike, VaspClient
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Application, Callback
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store import outbox, search
from mm7zeep.gateway.store.rows import CallRow, MessageRow, RecipientRow
from mm7zeep.messages import AddressLike, Part

NAME, SHORT_CODE = "demo", "111122"
"""Name, password and VASPID of the one application, and the number it is known by."""

_LOOK = 0.02  # seconds between two looks


class Trial:
    """A running gateway with one application: name, password and VASPID ``demo``, short code 111122.

    It starts when it is first used, or when ``start`` says how it is to be. ``folder`` takes its database.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._gateway: Gateway | None = None
        self._base = ""

    def start(
        self,
        *,
        callback: str | None = None,
        report: str | None = None,
        username: str = "mmsc",
        password: str = "secret",  # noqa: S107  of a test's own receiver
        profile: str | None = None,
        handsets: Iterable[Handset] = (),
        **settings: Any,
    ) -> Trial:
        """Start it: with the URL of your receiver as ``callback`` and what it asks for, a profile, handsets.

        Further ones are those of ``Settings``. Raises ``RuntimeError`` if it runs already, ``ValueError`` for a profile
        that nobody knows.
        """
        if self._gateway is not None:
            raise RuntimeError("the gateway runs already; call start() before anything else")
        listening = (
            Callback(deliver=callback, report=report, username=username, password=password)
            if callback is not None
            else None
        )
        application = Application(
            name=NAME, password=NAME, vaspid=NAME, short_codes=(SHORT_CODE,), callback=listening, profile=profile
        )
        options: dict[str, Any] = {
            "applications": (application,),
            "handsets": tuple(handsets),
            "database": f"sqlite:///{self._folder / 'mm7-gateway.db'}",
            "allow_internal": True,
            **settings,
        }
        self._gateway = Gateway(Settings(**options))
        self._stack.callback(self._gateway.close)
        self._base = self._stack.enter_context(serve_in_thread(self._gateway.asgi))
        self._stack.enter_context(self._gateway.working())
        return self

    def close(self) -> None:
        """End it."""
        self._stack.close()

    @property
    def gateway(self) -> Gateway:
        """The gateway itself."""
        if self._gateway is None:
            self.start()
        assert self._gateway is not None  # noqa: S101  start() made it
        return self._gateway

    @property
    def url(self) -> str:
        """Where applications send to."""
        if self._gateway is None:
            self.start()
        return f"{self._base}{Gateway.PATH}"

    @property
    def auth(self) -> tuple[str, str]:
        """Name and password of the application."""
        return NAME, NAME

    def client(self, **options: Any) -> VaspClient:
        """A client of it; close it. ``options`` are those of ``VaspClient``."""
        return VaspClient(self.url, **{"vaspid": NAME, "vasid": NAME, "auth": self.auth, **options})

    def messages(self, *, limit: int = 1000, before: int | None = None, **which: Any) -> list[MessageRow]:
        """The messages kept, the newest first; ``which`` as ``search.exact``: to, from_, subject, state ..."""
        with self.gateway.database.read() as connection:
            return search.found(connection, search.exact(**which), limit=limit, before=before)

    def recipients(self, message_id: str) -> list[RecipientRow]:
        """The copies of a message, with their states."""
        with self.gateway.database.read() as connection:
            return store.recipients(connection, message_id)

    def parts(self, message_id: str) -> tuple[Part, ...]:
        """The parts of a message, as a handset has them."""
        return self.gateway.simulator.retrieved(message_id)

    def calls(self, **which: Any) -> list[CallRow]:
        """The calls to the receiver, the newest first; ``which`` as ``outbox.listed``: state ..."""
        with self.gateway.database.read() as connection:
            return outbox.listed(connection, **{"limit": 1000, **which})

    def wait(self, *, timeout: float = 5.0, **which: Any) -> MessageRow:
        """The newest message that fits ``which``, waiting up to ``timeout`` seconds for it.

        Raises ``TimeoutError`` if none comes.
        """
        until = time.monotonic() + timeout
        while not (found := self.messages(**which)):
            if time.monotonic() > until:
                raise TimeoutError(f"no message with {which} came within {timeout:g} s")
            time.sleep(_LOOK)
        return found[0]

    def deliver(
        self,
        from_: AddressLike,
        subject: str | None = None,
        content: ContentLike | Iterable[ContentLike] = (),
        to: AddressLike = SHORT_CODE,
    ) -> str:
        """Send an MO from a handset to the receiver; its LinkedID. Raises ``ValueError`` without a callback."""
        return self.gateway.simulator.send_mo(NAME, from_, to, subject, content).message_id
