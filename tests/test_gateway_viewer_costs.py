"""What pages, searches and event streams cost at most, whatever there is and whoever asks."""

from __future__ import annotations

import asyncio
import base64
import http.client
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import sqlalchemy as sa
from gateway_room import SUBMIT, TEXT, Room
from viewer_client import OPERATOR, Viewer, basic, token

from mm7zeep.gateway.admin.routes import API
from mm7zeep.gateway.server.http_head import ConnectionLimits
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.store import bounded, outbox, search
from mm7zeep.gateway.store.tables import MESSAGE
from mm7zeep.gateway.viewer import live
from mm7zeep.gateway.viewer.app import listener_app
from mm7zeep.gateway.viewer.previews import Previews
from mm7zeep.messages import Part

pytestmark = pytest.mark.once


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def viewer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Viewer]:
    """One with two applications, and the operator's password."""
    database = request.getfixturevalue("postgres_databases")() if request.param == "postgresql" else None
    with closing(Viewer(tmp_path, database=database)) as one:
        yield one


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_deleting_all_lets_others_write(viewer: Viewer) -> None:
    """Some at a time, and in time that does not grow with the square of them: submits are taken meanwhile."""
    for _ in range(400):
        viewer.room.submitted()
    cookie = viewer.cookie()
    fields = {"csrf": token(viewer.client.get("/", headers=cookie).text), "all": "yes", "sure": "yes"}
    codes: list[int] = []
    done = Event()

    def submits() -> None:
        while not done.is_set():
            codes.append(viewer.room.code(SUBMIT))

    thread = Thread(target=submits)
    thread.start()
    try:
        begun = time.monotonic()
        assert viewer.client.request("POST", "/delete", data=fields, headers=cookie).status_code == 303
        assert time.monotonic() - begun < 5  # it took 6 s before
    finally:
        done.set()
        thread.join()
    assert set(codes) <= {1000}


def test_a_message_whose_call_is_made_now_stays(viewer: Viewer) -> None:
    """Of all that are deleted, it alone; and on its own it is refused."""
    ids = [viewer.room.submitted(replace(SUBMIT, delivery_report=True)) for _ in range(3)]
    for one in ids:
        viewer.room.gateway.simulator.report(one, None, "Retrieved")
    with viewer.room.gateway.database.write() as connection:
        call = outbox.listed(connection, message_id=ids[0])[0]
        connection.execute(
            sa.text("UPDATE outbox SET state = 'leased', lease_until = 1e12 WHERE id = :id"), {"id": call.id}
        )
        assert outbox.under_way(connection, ids) == {ids[0]}
    cookie = viewer.cookie()
    csrf = token(viewer.client.get("/", headers=cookie).text)
    answer = viewer.client.request("POST", "/delete", data={"csrf": csrf, "id": ids[0]}, headers=cookie)
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "5")
    assert viewer.client.request("DELETE", f"{API}/messages/{ids[0]}", auth=("ops", "pw")).status_code == 409
    everything = {"csrf": csrf, "all": "yes", "sure": "yes"}
    assert viewer.client.request("POST", "/delete", data=everything, headers=cookie).status_code == 303
    assert [one.id for one in viewer.room.messages] == [ids[0]]


def test_pages_are_bounded_whatever_a_message_is(viewer: Viewer) -> None:
    """A thousand recipients with their reports, ninety parts of nothing but markup, subjects as long as may be."""
    many = tuple(f"+6140{n:07d}" for n in range(990))
    parts = tuple(Part(body=b"<&" * 10_000, content_type="text/plain", content_id=f"t{n}@x") for n in range(90))
    large = replace(SUBMIT, to=many, subject="<" * 4000, parts=parts, delivery_report=True)  # type: ignore[arg-type]
    id = viewer.room.submitted(large)
    for _ in range(49):
        viewer.room.submitted(replace(large, parts=(TEXT,)))
    cookie = viewer.cookie()
    one = f"/messages/{id}"
    for path in ("/", "/conversations", f"/conversations?number={quote(many[0])}", one, f"{one}/raw", f"{one}/copy",
                 f"/compose?reply={id}", f"/compose?forward={id}", "/callbacks"):  # fmt: skip
        begun = time.monotonic()
        page = viewer.client.get(path, headers=cookie)
        assert page.status_code == 200
        assert len(page.content) < 400_000, path
        assert time.monotonic() - begun < 3, path
    page = viewer.client.get(one, headers=cookie).text
    assert "890 more recipients" in page
    assert "moments between are not shown" in page
    lines = viewer.client.get("/", headers=cookie).text
    assert "and 988 more" in lines


def test_a_line_names_recipients_who_have_a_copy(viewer: Viewer) -> None:
    """Two of them, and how many there are besides; a conversation shows the state of its own copy."""
    id = viewer.room.submitted(replace(SUBMIT, to=("+61400", "+61411", "+61422"), delivery_report=True))  # type: ignore[arg-type]
    viewer.room.gateway.simulator.report(id, "+61411", "Expired")
    cookie = viewer.cookie()
    line = viewer.client.get("/", headers=cookie).text
    assert re.search(r"\+61400, \+61411 and 1 more", line)
    for number, state in (("+61411", "Expired"), ("61400", "Pending")):
        page = viewer.client.get(f"/conversations?number={quote(number)}", headers=cookie).text
        assert re.findall(r'class="chip \w+">(\w+)<', page) == [state], number


def test_a_search_that_takes_too_long_is_given_up(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that are nearly there, again and again: it ends, says what to do, and the connection is used again."""
    viewer.room.submitted(replace(SUBMIT, subject="a" * 4000))
    with viewer.room.gateway.database.write() as connection:
        [row] = connection.execute(sa.select(MESSAGE)).mappings()
        rows = [{**row, "seq": row["seq"] + n, "id": f"{n:032x}"} for n in range(1, 2001)]
        connection.execute(sa.insert(MESSAGE), rows)
    wanted = search.Search(words=("a" * 199 + "b",))
    begun = time.monotonic()
    with pytest.raises(bounded.TooSlow, match=r"takes longer than 0\.2 s"):  # noqa: SIM117
        with bounded.bounded(viewer.room.gateway.database, 0.2) as connection:
            search.found(connection, wanted, limit=50)
    assert time.monotonic() - begun < 2
    cookie = viewer.cookie()
    assert viewer.client.get("/", headers=cookie).status_code == 200

    def slow(*_: object, **__: object) -> object:
        raise bounded.TooSlow("this search takes longer than 10 s; have it look for less")

    monkeypatch.setattr(search, "found", slow)
    for path in ("/?q=x", "/conversations?number=1", f"{API}/messages?q=x"):
        answer = viewer.client.get(path, headers=cookie)
        assert (answer.status_code, "takes longer than" in answer.text) == (400, True), path


def test_few_pages_at_a_time_take_all_of_a_message(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser's fifty thumbnails are made one after the other; each is made once, and read from the store once."""
    png = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    parts = (Part(body=png, content_type="image/png", content_id="p@x"),)
    ids = [viewer.room.submitted(replace(SUBMIT, parts=parts)) for _ in range(20)]
    cookie = viewer.cookie()
    running, most, reads = [0], [0], [0]
    from mm7zeep.gateway.store import messages as store

    original = store.raw

    def counted(*given: Any) -> Any:
        reads[0] += 1
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(0.02)
        running[0] -= 1
        return original(*given)

    monkeypatch.setattr(store, "raw", counted)
    asked = [("GET", f"/messages/{id}/thumbnail", {"headers": cookie}) for id in ids]
    for _ in range(2):
        assert {one.status_code for one in viewer.client.together(*asked)} == {200}
    assert reads[0] == 20
    assert most[0] <= 4


def test_what_makes_previews_ends_with_its_gateway(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reading of the settings has a gateway of its own: none leaves a process behind."""
    closed: list[Previews] = []
    monkeypatch.setattr(Previews, "close", lambda self: closed.append(self))
    with viewer.beside():
        assert closed == []
    assert len(closed) == 1


# --- listening --------------------------------------------------------------------------------------------------------


def _stream(url: str, method: str = "GET", **headers: str) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=10)
    lines = [f"{method} /events HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    found.sendall("\r\n".join([*lines, "", ""]).encode())
    return found


def _status(stream: socket.socket) -> int:
    return int(stream.recv(4096).split()[1])


def _until(condition: Any, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def _listening(room: Room, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, live.Changes]:
    made: list[live.Changes] = []
    original = live.Changes.__init__

    def noted(self: live.Changes, *given: Any) -> None:
        original(self, *given)
        made.append(self)

    monkeypatch.setattr(live.Changes, "__init__", noted)
    app = listener_app(room.gateway)
    return app, made[0]


def test_listeners_are_counted_and_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hundred and first is refused; those who hang up, or only close their half, leave room; a HEAD takes none."""
    room = Room(tmp_path)
    app, changes = _listening(room, monkeypatch)
    with ExitStack() as made, serve_in_thread(app, edge=ConnectionLimits(per_address=500)) as url:
        made.callback(room.gateway.close)
        streams = [_stream(url) for _ in range(live.MOST)]
        assert {_status(one) for one in streams} == {200}
        with closing(_stream(url)) as further:
            assert _status(further) == 503
        with closing(_stream(url, "HEAD")) as head:
            assert _status(head) == 200
        page = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port or 0, timeout=10)
        page.request("GET", "/")
        assert page.getresponse().status == 200
        page.close()
        assert changes._counts.total() == live.MOST
        for one in streams[:50]:
            one.close()
        for one in streams[50:]:
            one.shutdown(socket.SHUT_WR)
            one.close()
        _until(lambda: changes._counts.total() == 0)
        with closing(_stream(url)) as again:
            assert _status(again) == 200
            room.gateway.dispatcher.stop()
            _until(lambda: changes._counts.total() == 0)


def test_who_comes_while_the_first_look_is_made_hears_a_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty one would have its page load itself, and then listen no more."""
    room = Room(tmp_path)
    _, changes = _listening(room, monkeypatch)

    async def both() -> list[str]:
        return await asyncio.gather(changes._version(), changes._version())

    with closing(room.gateway):
        assert all(asyncio.run(both()))


def test_an_application_s_listeners_leave_room_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its user cannot take the places of the operator."""
    room = Room(tmp_path, **OPERATOR)
    app, _ = _listening(room, monkeypatch)
    with ExitStack() as made, serve_in_thread(app) as url:
        made.callback(room.gateway.close)
        streams = [made.enter_context(closing(_stream(url, **basic("tnn", "t")))) for _ in range(live.OWN + 1)]
        assert sorted(map(_status, streams)) == [200] * live.OWN + [503]
        for name, word in (("ops", "pw"), ("other", "o")):
            assert _status(made.enter_context(closing(_stream(url, **basic(name, word))))) == 200


def test_a_stream_ends_with_its_log_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has logged out hears nothing more."""
    monkeypatch.setattr(live, "_CHECKED", 0.0)
    with closing(Viewer(tmp_path)) as one:
        app, changes = _listening(one.room, monkeypatch)
        cookie = one.cookie()
        with serve_in_thread(app) as url, closing(_stream(url, **cookie)) as stream:
            assert _status(stream) == 200
            time.sleep(1.5)
            assert changes._counts.total() == 1
            csrf = token(one.client.get("/", headers=cookie).text)
            one.client.request("POST", "/logout", data={"csrf": csrf}, headers=cookie)
            _until(lambda: changes._counts.total() == 0, 3)
