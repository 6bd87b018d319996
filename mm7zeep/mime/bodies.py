"""The content of one leaf: transfer encodings undone while the octets arrive, large results kept in a temporary file.

What does not decode is skipped or kept literally, and named in ``defects`` as pairs (finding id, detail).
"""

from __future__ import annotations

import binascii
import io
import os
import re
import tempfile
import threading
from typing import IO, TYPE_CHECKING, BinaryIO, Protocol, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CRLF = b"\r\n"
_LINE = 998  # RFC 2045 2.7: octets of a 7bit line, its end left out
_BLANKS = b" \t"
_RUN = 4096  # octets of blanks that are simply put before what follows


class Decoder(Protocol):
    """One transfer encoding: octets in, octets out; ``close`` gives what was held back."""

    defects: dict[str, str]

    def feed(self, data: bytes) -> bytes | bytearray:
        """Decode the next octets, as far as they can be decoded yet."""
        ...

    def close(self) -> bytes:
        """What was held back, at the end of the content."""
        ...


class Identity:
    """7bit, 8bit, binary, and whatever is unknown: the octets as they are (RFC 2045 6.2)."""

    def __init__(self) -> None:
        self.defects: dict[str, str] = {}

    def feed(self, data: bytes) -> bytes:
        return data

    def close(self) -> bytes:
        return b""


class SevenBit(Identity):
    """7bit as declared: the octets as they are, and whether the declaration is true (RFC 2045 2.7)."""

    def __init__(self) -> None:
        super().__init__()
        self._open = 0  # octets since the last line end
        self._worst = 3  # rank of what was met so far, 3 for nothing

    def feed(self, data: bytes) -> bytes:
        # The most severe of the three is reported, in whatever pieces the octets arrive.
        if self._worst > 0 and not data.isascii():
            self._tell(0, "an octet above 127")
        elif self._worst > 1 and b"\0" in data:
            self._tell(1, "NUL")
        elif self._worst > 2 and self._long(data):
            self._tell(2, f"a line of more than {_LINE} octets")
        return data

    def _tell(self, rank: int, detail: str) -> None:
        self._worst = rank
        self.defects["mime/cte-7bit-true"] = detail

    def _long(self, data: bytes) -> bool:
        at, limit = 0, _LINE + len(_CRLF)
        room = limit - self._open
        while len(data) - at >= room:
            end = data.rfind(b"\n", at, at + room)
            if end < 0:
                return True
            at, room = end + 1, limit
        last = data.rfind(b"\n", at)
        self._open = len(data) - last - 1 if last >= 0 else len(data) - at + (limit - room)
        return False


class QuotedPrintable:
    """Quoted-printable (RFC 2045 6.7): trailing blanks dropped, soft breaks joined, wrong escapes kept."""

    _trailing_one = re.compile(rb"[ \t]\r?\n")
    _trailing = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n)")
    _stray = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n)")
    _hex = re.compile(rb"[0-9A-Fa-f]\Z")

    def __init__(self) -> None:
        self.defects: dict[str, str] = {}
        self._held = bytearray()  # what cannot be decided yet

    def feed(self, data: bytes) -> bytes | bytearray:
        if not data.strip(_BLANKS):
            self._held += data
            return b""
        held, self._held = self._held, bytearray()
        if len(held) <= _RUN:
            return self._ready(bytes(held) + data)
        # A long run of blanks is looked at once, when what follows it is known, and not copied.
        if held.endswith(b"\r"):
            data = b"\r" + data
            del held[-1]
        rest = data.lstrip(_BLANKS)
        if rest == b"\r":
            held += data
            self._held = held
            return b""
        before = bytes(held.rstrip(_BLANKS))
        if rest.startswith((b"\n", b"\r\n")):
            return self._ready((before[:-1] + b"=0D" if before.endswith(b"\r") else before) + rest)
        if b"=" in before:
            self._note_stray()
        held += self._ready(data)
        return held

    def _ready(self, data: bytes) -> bytes:
        end = self._certain(data)
        self._held += data[end:]
        return self._decode(data[:end])

    def _certain(self, data: bytes) -> int:
        """Up to where the octets cannot belong to an escape, a soft break or a line end that is not complete yet."""
        end = len(data) - data.endswith(b"\r")
        end = len(data[:end].rstrip(_BLANKS))
        if data[end - 1 : end] == b"=":
            return end - 1
        if end == len(data) and data[end - 2 : end - 1] == b"=" and self._hex.search(data):
            return end - 2
        return end

    def close(self) -> bytes:
        # The part ends where a line ends: blanks before that end are dropped, and a soft break there joins nothing.
        data, self._held = bytes(self._held.rstrip(_BLANKS)), bytearray()
        return b"" if data == b"=" else self._decode(data)

    def _note_stray(self) -> None:
        self.defects["mime/quoted-printable"] = "an equals sign without two hexadecimal digits"

    def _decode(self, data: bytes) -> bytes:
        data = self._stripped(data)
        if b"=" not in data:
            return data
        if not self.defects and self._stray.search(data):
            self._note_stray()
        if self.defects:
            # binascii keeps a stray sign, but not before another one or a bare CR: there it is spelled as an escape.
            data = data.replace(b"==", b"=3D=").replace(b"==", b"=3D=")
            data = data.replace(b"=\r\n", b"=\n").replace(b"=\r", b"=3D\r")
            data += b"3D" if data.endswith(b"=") else b""
        return binascii.a2b_qp(data)

    def _stripped(self, data: bytes) -> bytes:
        """Without the blanks at line ends. One by one first, since replace is much faster than a pattern."""
        # A bare CR before blanks must not get together with the LF behind them: it is spelled as an escape.
        data = data.replace(b"\r ", b"=0D ").replace(b"\r\t", b"=0D\t")
        for _ in range(8):
            if self._trailing_one.search(data) is None:
                return data
            for blank in (b" ", b"\t"):
                data = data.replace(blank + b"\r\n", b"\r\n").replace(blank + b"\n", b"\n")
        return self._trailing.sub(b"", data)


class Base64:
    """Base64 (RFC 2045 6.8): foreign characters skipped, a dangling one dropped, ended by the padding."""

    _blank = b" \t\r\n"
    _alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

    def __init__(self) -> None:
        self.defects: dict[str, str] = {}
        self._held = b""  # what does not fill a quad yet
        self._begun = False
        self._pads = 0
        self.taken = 0  # octets met that are no blanks
        self.foreign = 0  # of these, octets outside the alphabet
        self._rank = 9  # of the defect that is reported, the lowest counts

    def feed(self, data: bytes) -> bytes:
        data = data.translate(None, self._blank)
        self.taken += len(data)
        if foreign := data.translate(None, self._alphabet):
            self._note(1, f"foreign characters such as {foreign[:1]!r}")
            data = data.translate(None, foreign)
            self.foreign += len(foreign)
        if not self._begun and data.startswith(b"="):
            self._note(2, "padding before any data")
            data = data.lstrip(b"=")
        self._begun = self._begun or bool(data)
        if not self._pads:
            # RFC 2045 6.8: any "=" may be taken as the evidence that the end of the data has been reached.
            data, mark, rest = data.partition(b"=")
            data = self._held + data
            whole = len(data) - len(data) % 4
            self._held = data[whole:]
            decoded = binascii.a2b_base64(data[:whole])
            data = mark + rest
        else:
            decoded = b""
        self._pads += data.count(b"=")
        if data.strip(b"="):
            self._note(3, "data after the padding, ignored")
        return decoded

    @property
    def even(self) -> bool:
        """Whether what came so far is whole quads without padding."""
        return not self._held and not self._pads

    @property
    def padded(self) -> bool:
        """Whether the padding came that ends the data."""
        return 0 < self._pads == -len(self._held) % 4 and len(self._held) > 1

    def close(self) -> bytes:
        held, self._held = self._held, b""
        if len(held) == 1:
            self._note(4, "a dangling character, dropped")
            return b""
        due = -len(held) % 4
        if self._pads != due:
            self._note(4, f"{self._pads} padding characters where {due} are due")
        return binascii.a2b_base64(held + b"=" * due)

    def _note(self, rank: int, detail: str) -> None:
        # By rank and not by time, so that the same is reported however the octets arrived.
        if rank < self._rank:
            self._rank, self.defects["mime/base64"] = rank, detail


def decoder(encoding: str | None) -> tuple[Decoder, bool]:
    """The decoder of a Content-Transfer-Encoding, in any case, and whether that encoding is known (RFC 2045 6.1)."""
    made = _DECODERS.get((encoding or "binary").strip().lower())
    return (Identity(), False) if made is None else (made(), True)


_DECODERS: dict[str, type[Identity | QuotedPrintable | Base64]] = {
    "7bit": SevenBit,
    "8bit": Identity,
    "binary": Identity,
    "quoted-printable": QuotedPrintable,
    "base64": Base64,
}


# --- where it goes ----------------------------------------------------------------------------------------------------


class _Scratch:
    """An unnamed temporary file, closed and gone with the last reference to this object."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(prefix="mm7zeep-")  # noqa: SIM115  closed below

    def __del__(self) -> None:
        if hasattr(self, "file"):
            self.file.close()


class SpooledBlob:
    """A decoded leaf in an unnamed temporary file, which vanishes with the last reference to it and its streams."""

    def __init__(self, scratch: _Scratch, size: int) -> None:
        self._scratch = scratch
        self._size = size
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._size} octets>"

    @property
    def size(self) -> int:
        """The size in octets."""
        return self._size

    def open(self) -> BinaryIO:
        """A fresh, seekable stream from the first octet, with a position of its own."""
        return cast(BinaryIO, io.BufferedReader(_Window(self)))

    def read_at(self, offset: int, count: int) -> bytes:
        """At most ``count`` octets from ``offset`` on."""
        if hasattr(os, "pread"):
            return os.pread(self._scratch.file.fileno(), count, offset)
        with self._lock:
            self._scratch.file.seek(offset)
            return self._scratch.file.read(count)


class _Window(io.RawIOBase):
    """A read-only stream over a blob, which it keeps alive."""

    def __init__(self, blob: SpooledBlob) -> None:
        self._blob = blob
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._blob.size}[whence]
        if at < 0:
            raise ValueError(f"cannot seek to {at}")
        self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._blob.read_at(self._at, len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


class Sink:
    """Takes the octets of one leaf: in memory up to ``spool`` of them, beyond that in a temporary file."""

    def __init__(self, spool: int) -> None:
        self.size = 0
        self._spool = spool
        self._memory = bytearray()
        self._scratch: _Scratch | None = None

    def write(self, data: bytes | bytearray) -> None:
        """Add octets."""
        self.size += len(data)
        if self._scratch is None and self.size > self._spool:
            self._scratch = _Scratch()
            self._scratch.file.write(self._memory)
            self._memory = bytearray()
        if self._scratch is None:
            self._memory += data
        else:
            self._scratch.file.write(data)

    def read_at(self, offset: int, count: int) -> bytes:
        """At most ``count`` octets from ``offset`` on, of what was written so far."""
        if self._scratch is None:
            return bytes(self._memory[offset : offset + count])
        self._scratch.file.flush()
        return SpooledBlob(self._scratch, self.size).read_at(offset, min(count, self.size - offset))

    def cut(self, size: int) -> None:
        """Drop what was written behind the first ``size`` octets."""
        if self._scratch is None:
            del self._memory[size:]
        else:
            self._scratch.file.truncate(size)
        self.size = size

    def close(self) -> bytes | SpooledBlob:
        """What was written, for good."""
        if self._scratch is None:
            body, self._memory = bytes(self._memory), bytearray()
            return body
        self._scratch.file.flush()
        return SpooledBlob(self._scratch, self.size)
