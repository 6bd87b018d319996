"""The media parts of a message: bytes in memory, in a file or in a ``Blob``, with their MIME labels.

Content is read when it is asked for, and written only to a path that the caller names. Refuses, with ``LocalError``,
control characters in a label.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from mm7zeep import charsets
from mm7zeep.errors import LocalError
from mm7zeep.messages.lines import plain


@runtime_checkable
class Blob(Protocol):
    """Bytes kept elsewhere than in memory: ``size`` in octets, ``open()`` gives a fresh stream from the first one."""

    @property
    def size(self) -> int:
        """The size in octets."""
        ...

    def open(self) -> BinaryIO:
        """The content from its beginning, as a binary file to be closed by the caller."""
        ...


_CHUNK = 65536  # octets read at a time from a file or blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One media part: its bytes (in memory, in a file, or in a ``Blob``) and its MIME labels.

    ``content_type`` is the bare media type, ``parameters`` its parameters; ``content_id`` stands without angle
    brackets; ``name`` is the file name that the sender gave, never a path to write to. ``headers`` are all other
    header fields, in order, as sent (vendors route by them).

    Raises ``LocalError`` for CR, LF, NUL or another control character in a label (RFC 2045 3).
    """

    body: bytes | Path | Blob
    content_type: str = "application/octet-stream"
    parameters: tuple[tuple[str, str], ...] = ()
    content_id: str | None = None
    content_location: str | None = None
    name: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.body, str) or not isinstance(self.body, bytes | Path | Blob):
            raise LocalError(
                f"a part's body is bytes, a pathlib.Path or a Blob, not {type(self.body).__name__}; encode a text"
            )
        if isinstance(self.parameters, Mapping):
            object.__setattr__(self, "parameters", tuple(self.parameters.items()))
        labels = [("Content-Type", self.content_type), *((f"parameter {n}", v) for n, v in self.parameters)]
        labels += [("Content-ID", self.content_id or ""), ("Content-Location", self.content_location or "")]
        labels += [("name", self.name or ""), *((f"header {n}", n + v) for n, v in self.headers)]
        for what, value in labels:
            plain(value, what)

    @property
    def charset(self) -> str | None:
        """The parameter ``charset``, as given."""
        return next((value for name, value in self.parameters if name.lower() == "charset"), None)

    @property
    def size(self) -> int:
        """Octets of the decoded content."""
        if isinstance(self.body, bytes):
            return len(self.body)
        if isinstance(self.body, Path):
            return self.body.stat().st_size
        return self.body.size

    def open(self) -> BinaryIO:
        """A fresh stream of the decoded content; close it."""
        if isinstance(self.body, bytes):
            return io.BytesIO(self.body)
        if isinstance(self.body, Path):
            return self.body.open("rb")
        return self.body.open()

    def chunks(self) -> Iterator[bytes]:
        """The decoded content, 64 KiB at a time."""
        if isinstance(self.body, bytes):
            yield from (self.body[at : at + _CHUNK] for at in range(0, len(self.body), _CHUNK))
            return
        with self.open() as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    def read(self) -> bytes:
        """The whole decoded content, in memory."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.chunks())

    def text(self) -> str:
        """The content as text, by its byte order mark, its charset (UTF-8 where none is named) and its octets.

        Octets that are plainly something else than their label says are read as what they are (``charsets.decoded``);
        what nothing decodes becomes U+FFFD. No byte order mark is in the text.
        """
        return charsets.decoded(self.read(), self.charset).text

    def sha256(self) -> str:
        """The SHA-256 of the decoded content, in hexadecimal."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()

    def save(self, target: str | os.PathLike[str]) -> Path:
        """Write the content to ``target``, a path of your choosing (never made from ``name``). Raises
        ``FileExistsError``, and ``OSError`` where it cannot be written whole; then nothing of it stays.
        """
        path = Path(target)
        with path.open("xb") as stream:
            try:
                for chunk in self.chunks():
                    stream.write(chunk)
                stream.flush()
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        return path
