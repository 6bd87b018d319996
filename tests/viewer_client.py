"""The admin listener of a gateway, as browsers use it, and somebody who means no good."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from asgi_client import AsgiClient
from gateway_room import Room

from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store.tables import METADATA, SESSION
from mm7zeep.gateway.viewer.app import listener_app

OPERATOR = {"admin_username": "ops", "admin_password": "pw"}


class Viewer:
    """A gateway's admin listener, and browsers at it."""

    def __init__(self, folder: Path, *applications: Any, **options: Any) -> None:
        self.room = Room(folder, *applications, **{**OPERATOR, **options})
        self.client = AsgiClient(listener_app(self.room.gateway), raise_app_exceptions=False)

    def close(self) -> None:
        self.client.close()
        self.room.gateway.close()

    @contextmanager
    def beside(self, **changed: Any) -> Iterator[AsgiClient]:
        """A client of another process on the same database, with changed settings."""
        settings = replace(self.room.settings, **changed)
        with (
            closing(Gateway(settings, deliver=self.room.calls, clock=self.room.clock)) as gateway,
            closing(AsgiClient(listener_app(gateway))) as client,
        ):
            yield client

    def log_in(self, name: str, password: str, **options: Any) -> httpx.Response:
        """What the page to log in at answers; no cookie is kept."""
        fields = {"csrf": token(self.client.get("/login").text), "name": name, "password": password}
        answer = self.client.request("POST", "/login", data=fields, **options)
        self.client._client.cookies.clear()
        return answer

    def cookie(self, name: str = "ops", password: str = "pw") -> dict[str, str]:
        """The Cookie field of a browser that has just logged in."""
        return {"Cookie": self.log_in(name, password).headers["set-cookie"].partition(";")[0]}

    def sessions(self) -> list[Any]:
        """The rows of the sessions."""
        with self.room.gateway.database.read() as connection:
            return list(connection.execute(sa.select(SESSION)))


def rows(room: Room) -> dict[str, list[str]]:
    """Everything that is kept, but for the sessions, and what the gateway notes of itself."""
    left_out = {"session", "heartbeat", "migration", "setting"}
    with room.gateway.database.read() as connection:
        return {
            one.name: sorted(map(repr, connection.execute(sa.select(one))))
            for one in METADATA.sorted_tables
            if one.name not in left_out
        }


def token(page: str) -> str:
    """The token that the forms of a page have."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert found is not None, page
    return found[1]


def basic(name: str, password: str) -> dict[str, str]:
    """The field by which somebody shows name and password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
