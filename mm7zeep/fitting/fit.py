"""``fit``: parts made to fit into a message of so many octets, and what was done to each.

The limit is that of the whole message: the octets of its envelope, of the MIME package around the parts, of base64
where the carrier wants it. Refuses, with ``LocalError``, what cannot fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from mm7zeep import exchange, media, profiles, smil
from mm7zeep.errors import LocalError
from mm7zeep.findings import Finding, finding
from mm7zeep.fitting import clips, references
from mm7zeep.fitting.limits import Limits
from mm7zeep.fitting.pool import Pool, Unfit
from mm7zeep.messages import Part
from mm7zeep.profiles import Profile

__all__ = ["ENVELOPE", "Fitted", "Limits", "Pool", "fit", "message_size"]

ENVELOPE = 4096
"""Octets that are kept free for the envelope where its size is not known; those of a submit have 1 to 2 kB."""

_PICTURES = ("image/jpeg", "image/png", "image/gif")
_CODED = ("image/jpeg", "image/png", "image/gif", "image/bmp", "image/tiff", "image/webp", "image/heic", "image/avif")
_SLACK = 32  # octets a part that its new labels may take
_LEAST = 1024  # octets of a picture that is worth looking at
_LINE_IN, _LINE_OUT = 57, 78  # base64 as it goes out (RFC 2045 6.8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Parts that fit: ``parts`` in their order, ``size`` and ``limit`` in octets of the whole message.

    ``findings`` say what was done to which part (``where`` is its name), ``changes`` the same by the part's index.
    ``memory`` is the most that a worker had, in octets; 0 where none was needed.
    """

    parts: tuple[Part, ...]
    size: int
    limit: int
    findings: tuple[Finding, ...] = ()
    changes: Mapping[int, tuple[Finding, ...]]
    memory: int = 0


def message_size(parts: Sequence[Part], *, overhead: int = ENVELOPE, profile: str | Profile | None = None) -> int:
    """The octets of a message with ``parts``: ``overhead`` for the envelope, and the package as ``profile`` writes it.

    Reads no part but for its size. Raises ``LocalError`` for parts that cannot be written.
    """
    content = exchange.compose(parts, profiles.profile(profile))
    _, body = exchange.enclose(b" " * overhead, content)
    return len(body)


def fit(
    parts: Iterable[Part],
    *,
    limit: int,
    media: Sequence[str] | None = None,
    overhead: int | None = None,
    profile: str | Profile | None = None,
    ffmpeg: str | None = None,
    pool: Pool | None = None,
) -> Fitted:
    """``parts`` made to fit into a message of ``limit`` octets, envelope and encodings included.

    A picture that fits, is upright, says nothing of place and device, and is JPEG, PNG or GIF stays as it is, octet by
    octet. Others are turned, freed of metadata, brought to sRGB; HEIC, TIFF, BMP and WebP become JPEG, or PNG where
    they can be seen through; what is too large is scaled and coded so that most of it stays. An animation loses
    colours, pixels and frames before it is refused. Texts, vCards and audio are never changed; audio and video that are
    too large are refused, unless ``ffmpeg`` names a command that makes them smaller. A presentation that is given names
    the parts by their new names; Content-IDs stay.

    ``media`` are the types that the carrier takes (None: any; pictures JPEG, PNG, GIF). ``overhead`` is the size of the
    envelope in octets (None: 4,096). ``profile`` says in what encoding the parts go and whether a presentation is
    added. ``pool`` decodes the pictures (None: one for this call alone).

    Raises ``LocalError``, with a finding ``fit/refused`` or ``fit/media`` for each part that cannot be served.
    """
    given = tuple(parts)
    odd = next((one for one in given if not isinstance(one, Part)), None)
    if odd is not None:
        raise LocalError(f"parts are mm7zeep.Part values, not {type(odd).__name__}; make them with mm7zeep.part_of")
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise LocalError(f"limit is a number of octets, not {limit!a}")
    chosen = profiles.profile(profile)
    work = _Work(given, limit, _types(media), ENVELOPE if overhead is None else overhead, chosen, ffmpeg)
    if not any(work.is_picture(n) for n in range(len(given))):
        return work.done(None)
    with Pool() if pool is None else nullcontext(pool) as used:
        return work.done(used)


def _types(given: Sequence[str] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    if isinstance(given, str):
        raise LocalError("media is a sequence of media types, not a str")
    rows = ((one, media.lookup(one)) for one in given)
    return tuple(row.media_type if row is not None else one.lower() for one, row in rows)


class _Work:
    """One message while it is fitted."""

    def __init__(
        self,
        given: tuple[Part, ...],
        limit: int,
        allowed: tuple[str, ...] | None,
        overhead: int,
        profile: Profile,
        ffmpeg: str | None,
    ) -> None:
        self.given, self.parts = given, list(given)
        self.limit, self.allowed, self.overhead, self.profile, self.ffmpeg = limit, allowed, overhead, profile, ffmpeg
        self.pictures = tuple(one for one in _PICTURES if allowed is None or one in allowed)
        self.kinds = [_kind(one) for one in given]
        self.changes: dict[int, list[Finding]] = {}
        self.refusals: list[str] = []
        self.memory = 0

    def is_picture(self, n: int) -> bool:
        """Whether a part is a picture that a worker is to look at."""
        return self.kinds[n] in _CODED

    def note(self, n: int, id: str, detail: str = "", *, refused: bool = False) -> None:
        """Say what was done to a part."""
        label = _label(self.given[n], n)
        found = finding(id, label, detail=detail, action="refused" if refused else "repaired")
        self.changes.setdefault(n, []).append(found)

    def note_size(self, n: int, octets: int, pixels: str = "") -> None:
        """Say which size a part had, and has now, and what the whole message may have."""
        now = f"{self.given[n].size:,} to {octets:,} octets" + (f", {pixels} pixels" if pixels else "")
        self.note(n, "fit/size", f"{now}; the message may have {self.limit:,} octets")

    def refuse(self, n: int, id: str, reason: str) -> None:
        """Say why a part cannot be served."""
        self.note(n, id, reason, refused=True)
        self.refusals.append(f"{_label(self.given[n], n)} {reason}")

    def done(self, pool: Pool | None) -> Fitted:
        """Fit all of it. Raises ``LocalError``."""
        self._judge_types()
        pictures = [n for n in range(len(self.parts)) if self.is_picture(n)]
        if not self.refusals:
            self._clips(pictures)
        if pool is not None and not self.refusals:
            self._pictures(pictures, pool)
        if not self.refusals:
            self._repoint()
        size = self._size(self.parts) if not self.refusals else 0
        if size > self.limit and not self.refusals:
            self._too_large(size)
        if self.refusals:
            found = [one for n in sorted(self.changes) for one in self.changes[n]]
            raise LocalError("; ".join(self.refusals), found)
        changes = {n: tuple(found) for n, found in sorted(self.changes.items())}
        return Fitted(
            parts=tuple(self.parts),
            size=size,
            limit=self.limit,
            findings=tuple(one for found in changes.values() for one in found),
            changes=changes,
            memory=self.memory,
        )

    def _size(self, parts: Sequence[Part]) -> int:
        return message_size(parts, overhead=self.overhead, profile=self.profile)

    def _judge_types(self) -> None:
        if self.allowed is None:
            return
        for n, kind in enumerate(self.kinds):
            if kind in self.allowed or smil.is_presentation(self.given[n]) or kind == "text/plain":
                continue
            if self.is_picture(n) and self.pictures:
                continue
            if self.ffmpeg is not None and media.media_class(kind) in ("audio", "video"):
                continue
            takes = ", ".join(self.allowed)
            self.refuse(n, "fit/media", f"is {kind}, which the carrier does not take; it takes {takes}")

    def _room(self, without: Sequence[int]) -> int:
        """Octets that the message has for the parts ``without``, as they are counted on the wire."""
        empty = [replace(one, body=b"") if n in without else one for n, one in enumerate(self.parts)]
        return self.limit - self._size(empty) - _SLACK * len(without)

    def _clips(self, pictures: Sequence[int]) -> None:
        """Audio and video that leave no room, or are of a type that is not taken."""
        clip = [n for n, kind in enumerate(self.kinds) if media.media_class(kind) in ("audio", "video")]
        odd = [n for n in clip if self.allowed is not None and self.kinds[n] not in self.allowed]
        room = self._room(pictures) - len(pictures) * _LEAST
        due = clip if room < 0 else odd
        if not due or (self.ffmpeg is None and room >= 0):
            return
        if self.ffmpeg is None:
            return self._too_large(self.limit - room)
        share = self._decoded(max(0, self._room([*pictures, *due]) - len(pictures) * _LEAST) // len(due))
        for n in due:
            part = self.parts[n]
            made = clips.shortened(part.read(), self.kinds[n], share, self.allowed or _CLIPS, self.ffmpeg)
            if isinstance(made, str):
                self.refuse(n, "fit/refused", f"has {part.size:,} octets, and {made}")
                continue
            self.note(n, "fit/coded", f"by {Path(self.ffmpeg).name}")
            self.note_size(n, len(made[0]))
            self._put(n, *made)

    def _too_large(self, size: int) -> None:
        """Refuse what cannot be made smaller and is the largest."""
        stays = [n for n in range(len(self.parts)) if not self.is_picture(n)] or list(range(len(self.parts)))
        n = max(stays, key=lambda one: self.parts[one].size)
        reason = (
            f"has {self.parts[n].size:,} octets, with which the message has at least {size:,}; "
            f"the limit is {self.limit:,}. " + self._remedy(n)
        )
        self.refuse(n, "fit/refused", reason)

    def _remedy(self, n: int) -> str:
        if media.media_class(self.kinds[n]) in ("audio", "video") and self.ffmpeg is None:
            return "Send a shorter one, or name a command with ffmpeg="
        return "Send less" if not self.is_picture(n) else "Send fewer pictures, or raise the limit"

    def _pictures(self, due: Sequence[int], pool: Pool) -> None:
        """Each picture in turn, the smallest first: what it leaves of its share, the others have."""
        if not due:
            return
        room = self._room(due)
        if room < len(due) * _LEAST // 2:
            return self._too_large(self.limit - room)
        left = sorted(due, key=lambda n: self.parts[n].size)
        while left:
            n = left.pop(0)
            share = self._decoded(room // (len(left) + 1))
            try:
                made = pool.fit(self.parts[n].read(), share, self.pictures)
            except Unfit as unfit:
                reason = (
                    f"has {self.parts[n].size:,} octets and {unfit}; the limit is {self.limit:,}. Send another picture"
                )
                self.refuse(n, "fit/refused", reason)
                continue
            except OSError as error:
                raise LocalError(f"{_label(self.given[n], n)} cannot be read: {error.strerror}") from error
            self.memory = max(self.memory, made.memory)
            for id, detail in made.steps:
                if id == "fit/size":
                    self.note_size(n, len(made.data), detail)
                else:
                    self.note(n, id, detail)
            room -= self._encoded(len(made.data))
            if made.steps:
                self._put(n, made.data, made.kind)

    def _put(self, n: int, data: bytes, kind: str) -> None:
        self.parts[n] = replace(self.parts[n], body=data)
        row = media.lookup(self.parts[n].content_type)
        if kind != self.kinds[n] or row is None or row.media_type != kind:
            self.parts[n] = references.renamed(self.parts, n, kind)

    def _encoded(self, octets: int) -> int:
        if self.profile.encoding != "base64" or not octets:
            return octets
        return (octets + 2) // 3 * 4 + (octets - 1) // _LINE_IN * 2

    def _decoded(self, room: int) -> int:
        """The octets of a part that take no more than ``room`` on the wire."""
        if self.profile.encoding != "base64":
            return max(0, room)
        return max(0, room // _LINE_OUT * _LINE_IN)

    def _repoint(self) -> None:
        names: dict[str, str] = {}
        for old, new in zip(self.given, self.parts, strict=True):
            pairs = ((old.content_location, new.content_location), (old.name, new.name))
            names |= {one: other for one, other in pairs if one and other and one != other}
        ids = frozenset(one.content_id for one in self.parts if one.content_id)
        for n, part in enumerate(self.parts):
            if names and smil.is_presentation(part):
                self.parts[n], changed = references.repointed(part, names, ids)
                for detail in changed:
                    self.note(n, "fit/reference", detail)


_CLIPS = ("video/mp4", "video/3gpp", "audio/amr")


def _kind(part: Part) -> str:
    """The media type of a part: by content where that shows a picture, else by its label."""
    with part.open() as stream:
        head = stream.read(media.HEAD)
    found = media.by_content(head)
    if found is not None and found.raster:
        return found.media_type
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    row = media.lookup(part.content_type)
    if row is not None and row.raster and row.media_type in _CODED:
        return row.media_type  # it says that it is one; a worker will see
    return row.media_type if row is not None else part.content_type.lower()


def _label(part: Part, n: int) -> str:
    return part.name or part.content_location or part.content_id or f"part {n + 1} ({part.content_type})"
