"""Styles and scripts of the pages, read once; each URL names the octets, so that a browser keeps them for good."""

from __future__ import annotations

import gzip
import hashlib
from importlib import resources

from starlette.responses import Response

from mm7zeep.gateway.admin.app import STATIC
from mm7zeep.receiver import Refusal

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_KEPT = "public, max-age=31536000, immutable"
_VERSION = 12  # characters of a digest


class StaticFiles:
    """The files of the folder ``static``, by their names."""

    def __init__(self) -> None:
        folder = resources.files("mm7zeep.gateway.viewer") / "static"
        self._files = {one.name: one.read_bytes() for one in folder.iterdir() if one.name.rpartition(".")[2] in _TYPES}
        # one version for all: a script that imports another names it without any
        self._packed = {name: gzip.compress(octets, mtime=0) for name, octets in self._files.items()}
        self._version = hashlib.sha256(b"".join(self._files[name] for name in sorted(self._files))).hexdigest()[
            :_VERSION
        ]

    def url(self, name: str) -> str:
        """Where a file is served. Raises ``KeyError`` for one that there is not."""
        self._files[name]
        return f"{STATIC}{self._version}/{name}"

    def answer(self, version: str, name: str, *, accepted: str = "") -> Response:
        """A file, packed where the field Accept-Encoding, ``accepted``, names gzip. Raises ``Refusal`` (404)."""
        octets = self._files.get(name)
        if octets is None:
            raise Refusal(404, "there is no such file")
        kept = _KEPT if version == self._version else "no-store"
        fields = {"Content-Type": _TYPES[name.rpartition(".")[2]], "Cache-Control": kept, "Vary": "Accept-Encoding"}
        if "gzip" in accepted.lower():
            octets, fields["Content-Encoding"] = self._packed[name], "gzip"
        return Response(octets, headers=fields)
