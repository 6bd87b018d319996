"""What a browser's form says: fields and files, within limits, with the token that only our own pages have.

A form is read in a thread: whoever sends 15 MiB of it keeps nobody else waiting. Refuses, with ``Refusal``, what is no
form (400, 415), is too large (413), comes without the token (403), or while too much is being read (503).
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from mm7zeep.gateway.rest.request import MOST, announced, body_of, media_type
from mm7zeep.receiver import Refusal
from mm7zeep.receiver.waiting import drive

_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
SMALL = 64 * 1024
"""Octets of a form that takes no room, and of one from somebody who is not logged in."""
_TEXT = 1024 * 1024  # octets of a form without files
_FIELDS, _FILES = 2_000, 100
_BOUNDARY = 200  # characters
_PIECE = 64 * 1024  # octets that are parsed at a time
_ROOM = 2 * MOST  # octets of all forms that are being read, or acted upon
_PATIENCE, _LOOK = 20.0, 0.05  # seconds that somebody waits for room, and between two looks


@dataclass(frozen=True, slots=True)
class File:
    """A file of a form, and its name as the browser says it."""

    name: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """Fields and files of a form, in their order."""

    fields: Sequence[tuple[str, str]] = ()
    files: Sequence[tuple[str, File]] = ()

    def text(self, name: str) -> str | None:
        """The last value of that name, without space around it; None where there is none, or it is empty."""
        found = [value.strip() for key, value in self.fields if key == name]
        return (found[-1] or None) if found else None

    def texts(self, name: str) -> list[str]:
        """All values of that name which say something."""
        return [value.strip() for key, value in self.fields if key == name and value.strip()]

    def given(self, *names: str) -> dict[str, str]:
        """The fields of these names that say something, as members of the REST API's JSON."""
        return {name: text for name in names if (text := self.text(name)) is not None}

    def files_of(self, name: str) -> list[File]:
        """The files of that name; a field that was left empty has none."""
        return [one for key, one in self.files if key == name and (one.name or one.octets)]


NO_FORM = Form()
"""What a request without a form says."""


class FormRoom:
    """How many octets of large forms are in memory at a time, in one event loop; several copies of each may be.

    Who finds no room waits for it, ``patience`` seconds at most.
    """

    def __init__(self, octets: int = _ROOM, *, patience: float = _PATIENCE) -> None:
        self._left = octets
        self._patience = patience

    @asynccontextmanager
    async def taken(self, request: Request, most: int = MOST) -> AsyncIterator[None]:
        """The room of a form of at most ``most`` octets, while the context lasts. Raises ``Refusal`` (503)."""
        size = min(announced(request) if "content-length" in request.headers else MOST, most)
        size = size if size > SMALL else 0
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        while size > self._left:
            if loop.time() > until:
                raise Refusal(503, "others are sending large forms; try again in a moment", ("Retry-After", "5"))
            await asyncio.sleep(_LOOK)
        self._left -= size
        try:
            yield
        finally:
            self._left += size


async def read_form(request: Request, csrf: str, most: int = MOST) -> Form:
    """The form of at most ``most`` octets that a request holds. Raises ``Refusal`` (400, 403, 413, 415), ``Gone``."""
    kind = media_type(request)
    if kind not in (_URLENCODED, _MULTIPART):
        raise Refusal(415, "send a form, as a browser does")
    most = min(most, _TEXT) if kind == _URLENCODED else most
    try:
        octets = await body_of(request, most)
    except Refusal as error:
        if error.status != 413:
            raise
        words = f"this is too much: a form with its files may have {_size(most)} here; go back and choose less"
        raise Refusal(413, words) from error
    read = _urlencoded if kind == _URLENCODED else _multipart
    return _checked(await run_in_threadpool(read, request.headers, octets), csrf)


def _size(octets: int) -> str:
    return f"{octets // 2**20} MiB" if octets >= 2**20 else f"{octets // 2**10} KiB"


def _urlencoded(headers: Headers, octets: bytes) -> Form:
    try:
        fields = parse_qsl(octets.decode("latin-1"), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError as error:
        raise Refusal(400, f"the form cannot be read: {error}") from None
    return Form(tuple((_text(name), _text(value)) for name, value in fields))


class _InMemory(MultiPartParser):
    """Keeps files in memory, where they are wanted in a moment: with that, nothing of it waits for an event loop."""

    spool_max_size = MOST + 1


def _multipart(headers: Headers, octets: bytes) -> Form:
    boundary = parse_options_header(headers["content-type"])[1].get(b"boundary", b"").decode("latin-1")
    if not boundary or len(boundary) > _BOUNDARY or not boundary.isprintable() or '"' in boundary or "\\" in boundary:
        raise Refusal(400, "the form cannot be read: it has no sound boundary")
    # what else it says, a browser does not: by a charset, texts could be anything
    plain = Headers({"content-type": f'{_MULTIPART}; boundary="{boundary}"'})
    stream = cast(AsyncGenerator[bytes, None], _Pieces(octets))
    parser = _InMemory(plain, stream, max_files=_FILES, max_fields=_FIELDS, max_part_size=MOST)
    try:
        return drive(_form(parser))
    except MultiPartException as error:
        raise Refusal(400, f"the form cannot be read: {error.message}") from None
    except FormParserError as error:  # what starlette lets through
        raise Refusal(400, f"the form cannot be read: {error}") from None


class _Pieces:
    """Octets as a stream that never waits."""

    def __init__(self, octets: bytes) -> None:
        self._octets = memoryview(octets)
        self._at = 0

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> bytes:
        piece = bytes(self._octets[self._at : self._at + _PIECE])
        if not piece:
            raise StopAsyncIteration
        self._at += len(piece)
        return piece


async def _form(parser: MultiPartParser) -> Form:
    data: FormData = await parser.parse()
    fields: list[tuple[str, str]] = []
    files: list[tuple[str, File]] = []
    for name, value in data.multi_items():
        if isinstance(value, UploadFile):
            files.append((_text(name), File(_text(value.filename or ""), value.file.read())))
        else:
            fields.append((_text(name), _text(value)))
    await data.close()
    return Form(tuple(fields), tuple(files))


def _text(value: str) -> str:
    return value.replace("\r\n", "\n")


def _checked(form: Form, csrf: str) -> Form:
    if not hmac.compare_digest((form.text("csrf") or "").encode("utf-8", "replace"), csrf.encode()):
        raise Refusal(403, "this form is out of date: load its page again, and send it from there")
    return form
