"""What is hidden in a report before it is written: credentials always; numbers and mail addresses unless asked for.

Octets keep their length, so that every offset still holds: what is hidden becomes ``*``. Looks into chunked bodies,
base64, quoted-printable, character references, UTF-16 and gzip; octets that are compressed, and hold something to hide
or cannot be opened, are left out, and a note says so. Errs on the side of hiding.
"""

from __future__ import annotations

import base64
import binascii
import json
import quopri
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from urllib.parse import quote
from xml.sax.saxutils import escape

from mm7zeep import masking
from mm7zeep.probe.reports import bodies
from mm7zeep.probe.results import Report, Result, Transmission
from mm7zeep.probe.settings import Account, Settings

UNPACKED = 8 * 1024 * 1024
"""Octets to which compressed octets are unpacked at most; what is larger counts as not to be opened."""

_DEPTH = 3  # base64 in base64, and compressed octets therein
_SHORT = 4  # characters of a password from which on it is hidden inside of words, too
_LONG = 6  # octets that noise does not have by chance
_WHOLE = 4096  # letters of base64 up to which it is looked for at each of its four places
_SAME = 200  # octets of a run that is remembered
_SHORT_CODES = ("sender", "loop", "older", "others")  # which belong to nobody
_FOLDED = re.compile(rb"(?im)^((?:proxy-)?authorization|(?:set-)?cookie2?)[ \t]*:[^\r\n]*((?:\r?\n[ \t][^\r\n]*)+)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}(?:\r?\n[A-Za-z0-9+/_-]+)*")
_RUN = re.compile(  # of printable characters in ASCII or UTF-8
    rb"(?:[\t\r\n\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){6,}"
)
_MAIL = re.compile(rb"[\w-]@[\w-]+(?:\.[\w-]+){0,9}\.[A-Za-z]{2}")
# Without any of these, and of what is known, there is nothing to hide: most of what looks like base64 has none.
_HINT = re.compile(
    rb"(?i)(?:\d[ ./()=\r\n-]{0,3}){6}\d|&#|&commat;|=[34]\d|%[234]\d|[\w-]@[\w-]|://"
    rb"|<(?:[\w.-]{1,40}:)?(?:number|shortcode|sender|recipient|to|cc|bcc|chargedparty|rfc2822)"
    rb"|\x1f\x8b\x08|[ -~]\x00[ -~]\x00|[A-Z0-9+/_-]{12}"
    rb"|pass|pwd|secret|token|key|cred|sig|user|auth|cookie|pin|otp|jwt|hmac|code|sid|sas|session|basic|bearer|digest"
    rb"|negotiate|ntlm|response|nonce|opaque"
)
_WIDE = (re.compile(rb"(?:[\t\r\n\x20-\x7e]\x00){4,}"), re.compile(rb"(?:\x00[\t\r\n\x20-\x7e]){4,}"))
_AT = re.compile(rb"(?i)&(?:amp;)?#0{0,6}64;|&(?:amp;)?#x0{0,6}40;|&commat;|[=%]40")  # written in another way
_URL_SAFE, _STANDARD = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")  # the two alphabets of base64
_GZIP = b"\x1f\x8b\x08"


@dataclass(frozen=True, kw_only=True)
class Mask:
    """Hides what a report must not tell: what looks like a credential or a number, and the passwords of ``accounts``
    and ``numbers`` wherever they stand. A password that is also a name which every request tells is hidden only
    where it stands as a credential.
    """

    show_numbers: bool = False
    accounts: tuple[Account, ...] = field(default=(), repr=False)
    numbers: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        literals = [(pattern, long) for account in self.accounts for pattern, long in _of_account(account)]
        numbers = () if self.show_numbers else self.numbers
        long = [pattern for pattern, is_long in literals if is_long]
        long += [re.escape(form.encode()) for one in numbers for form in (one, *_escaped(one))]
        object.__setattr__(self, "_known", _pattern(long))
        object.__setattr__(self, "_short", _pattern(pattern for pattern, is_long in literals if not is_long))
        object.__setattr__(self, "_done", {})
        object.__setattr__(self, "_runs", {})

    @classmethod
    def of(cls, settings: Settings | None, *, show_numbers: bool = False) -> Mask:
        """The mask for a run with these settings: their passwords and numbers are hidden wherever they stand."""
        if settings is None:
            return cls(show_numbers=show_numbers)
        given = settings.numbers
        names = [one.name for one in fields(given) if one.name not in ("good", *_SHORT_CODES)]
        named = (*given.good, *(getattr(given, name) for name in names))
        return cls(
            show_numbers=show_numbers,
            accounts=tuple(one for one in (settings.account, settings.second) if one is not None and one.password),
            numbers=tuple(one for one in named if len(one) > _SHORT and masking.masked(one) == one),  # not seen as such
        )

    # --- values -------------------------------------------------------------------------------------------------------

    def report(self, report: Report) -> Report:
        """The same report without what must not be told."""
        return replace(
            report,
            url=masking.url(report.url),
            options={key: self.text(value) for key, value in report.options.items()},
            results=tuple(self.result(one) for one in report.results),
        )

    def result(self, result: Result) -> Result:
        """The same result without what must not be told."""
        shown = [self.transmission(one) for one in result.transmissions]
        reasons = []
        for one in result.reasons:
            there = one.exchange is not None and 0 <= one.exchange < len(shown)
            offset = one.offset
            if there and offset is not None:
                before, after = result.transmissions[one.exchange or 0], shown[one.exchange or 0]
                side = "received" if before.by == "tool" else "sent"
                offset = offset if len(getattr(before, side)) == len(getattr(after, side)) else None
            reasons.append(
                replace(
                    one,
                    text=self.text(one.text),
                    expected=self.text(one.expected),
                    actual=self.text(one.actual),
                    offset=offset,
                )
            )
        return replace(result, skipped=self.text(result.skipped), reasons=tuple(reasons), transmissions=tuple(shown))

    def transmission(self, one: Transmission) -> Transmission:
        """The same exchange; where octets had to be left out, the note tells it."""
        sent, left = self.octets(one.sent)
        received, missing = self.octets(one.received)
        notes = [self.text(one.note)] if one.note else []
        notes += [f"of what was sent: {left}"] if left else []
        notes += [f"of what was received: {missing}"] if missing else []
        return replace(one, sent=sent, received=received, note="; ".join(notes))

    def text(self, text: str) -> str:
        """A text of a line or a few."""
        if not text:
            return text
        text = masking.masked(text, show_numbers=self.show_numbers)
        return self._body(text.encode("utf-8", "surrogatepass"), 0)[0].decode("utf-8", "replace")

    def octets(self, data: bytes) -> tuple[bytes, str]:
        """One side of an exchange as it may be shown, and what had to be left out, in words (mostly nothing)."""
        done: dict[bytes, tuple[bytes, str]] = self.__dict__["_done"]  # many results show the same exchange
        if data not in done:
            done[data] = self._octets(data)
        return done[data]

    def _octets(self, data: bytes) -> tuple[bytes, str]:
        out, notes = bytearray(), []
        for message in bodies.messages(data):
            out += self._head(data[message.begin : message.body])
            if message.coding:
                body, note = self._coded(message.payload(data), message.coding)
                if body is not None:
                    out += body
                    notes.append(note)
                    continue
                out += data[message.body : message.end]
            else:
                masked, inside = self._body(message.payload(data), 0)
                notes += [inside] if inside else []
                out += message.framed(data, masked)
        return bytes(out), "; ".join(dict.fromkeys(notes))

    # --- octets -------------------------------------------------------------------------------------------------------

    def _head(self, head: bytes) -> bytes:
        head = _FOLDED.sub(lambda m: m[0][: m.start(2) - m.start()] + _stars(m[2]), head)
        return self._body(head, 0)[0]

    def _coded(self, payload: bytes, coding: str) -> tuple[bytes | None, str]:
        """What stands for a compressed body: None where it has nothing to hide, else octets and a note."""
        opened = _opened(payload, coding)
        size = f"{len(payload)} octets ({coding})"
        if opened is None:
            text = f"{size} are left out: they cannot be opened, and may hold what must be hidden"
            return f"[{text}]".encode(), text
        masked, _ = self._body(opened, 0)
        if masked == opened:
            return None, ""
        text = f"{size} are shown unpacked, because something in them is hidden"
        return masked, text

    def _body(self, data: bytes, depth: int) -> tuple[bytes, str]:
        """Octets of the same length, and what was left out."""
        data, note = self._unzipped(data, depth)
        if depth < _DEPTH:
            data = _BASE64.sub(lambda m: self._run(m[0], depth), data)
        for wide in _WIDE:
            data = wide.sub(lambda m: self._narrow(m[0], depth), data)
        return self._plain(data, depth), note

    def _plain(self, data: bytes, depth: int) -> bytes:
        for name in ("_known", "_short") if not depth else ("_known",):
            known: re.Pattern[bytes] | None = self.__dict__[name]
            if known is not None:
                data = known.sub(lambda m: _stars(m[0]), data)
        if b"\0" in data:  # no text, but it may hold texts
            data = _RUN.sub(lambda m: _latin(masking.credentials_in_place, m[0]), data)
        else:
            data = _latin(masking.credentials_in_place, data)
        if self.show_numbers:
            return data
        data = _RUN.sub(lambda m: _latin(masking.addresses_in_place, m[0]) if _may_be_mail(m[0]) else m[0], data)
        return _latin(masking.numbers_in_place, data)

    def _may_hide(self, data: bytes) -> bool:
        known: re.Pattern[bytes] | None = self.__dict__["_known"]
        return _HINT.search(data) is not None or (known is not None and known.search(data) is not None)

    def _narrow(self, text: bytes, depth: int) -> bytes:
        whole = bytearray(text)
        first = 1 if whole[0] == 0 else 0
        whole[first::2] = self._plain(bytes(whole[first::2]), depth)
        return bytes(whole)

    def _run(self, text: bytes, depth: int) -> bytes:
        """What ``_decoded`` makes of a run; short ones come again and again."""
        if len(text) > _SAME:
            return self._decoded(text, depth)
        runs: dict[tuple[bytes, int], bytes] = self.__dict__["_runs"]
        if (text, depth) not in runs:
            runs[text, depth] = self._decoded(text, depth)
        return runs[text, depth]

    def _decoded(self, text: bytes, depth: int) -> bytes:
        """A run of base64 in which what must be hidden is hidden; as it was where that is nothing."""
        places = [place for place, one in enumerate(text) if one not in b"\r\n"]
        url_safe = b"-" in text or b"_" in text
        letters = given = bytes(text[place] for place in places).translate(_STANDARD)
        first = len(re.split(rb"[\r\n]", text, maxsplit=1)[0]) % 4  # where a line above it was taken for a part of it
        for skipped in range(4) if len(letters) <= _WHOLE else dict.fromkeys((0, first)):
            run = letters[skipped:]
            run = run[:-1] if len(run) % 4 == 1 else run
            try:
                opened = base64.b64decode(run + b"=" * (-len(run) % 4))
            except binascii.Error:  # never: only letters of the alphabet, and padded
                continue
            if not self._may_hide(opened):
                continue
            masked, _ = self._body(opened, depth + 1)
            if masked == opened:
                continue
            # What did not change stays to the letter: what follows base64 may not be any.
            again = b"".join(
                run[4 * n : 4 * n + 4]
                if masked[3 * n : 3 * n + 3] == opened[3 * n : 3 * n + 3]
                else base64.b64encode(masked[3 * n : 3 * n + 3])[: len(run) - 4 * n]
                for n in range(-(-len(run) // 4))
            )
            letters = letters[:skipped] + again + letters[skipped + len(run) :]
        if letters == given:
            return text
        out = bytearray(text)
        for place, before, now in zip(places, given, letters, strict=True):
            if before != now:
                out[place] = now if not url_safe else now.to_bytes().translate(_URL_SAFE)[0]
        return bytes(out)

    def _unzipped(self, data: bytes, depth: int) -> tuple[bytes, str]:
        """Compressed octets anywhere in ``data``, covered where they hold what must be hidden."""
        begin, note = data.find(_GZIP), ""
        while begin >= 0 and depth <= _DEPTH:
            unpacker = zlib.decompressobj(31)
            end, hide = len(data), True
            try:
                opened = unpacker.decompress(data[begin:], UNPACKED)
                if unpacker.eof:
                    end = len(data) - len(unpacker.unused_data)
                    hide = self._body(opened, depth + 1)[0] != opened
            except zlib.error:
                pass  # cannot be opened: is covered
            if hide:
                data = data[:begin] + b"*" * (end - begin) + data[end:]
                note = "compressed octets are left out: they hold what must be hidden, or cannot be opened"
            begin = data.find(_GZIP, end)
        return data, note


def _public(account: Account) -> bool:
    """Whether the password is a name that every request tells anyway: then it cannot be told from the name."""
    return account.password in (account.username, account.vaspid, account.vasid)


def _of_account(account: Account) -> Iterator[tuple[bytes, bool]]:
    """Patterns for the ways in which a password, and a user with a password, may be written; and whether each is long
    enough to be looked for in octets that are no text, too.
    """
    name, secret = account.username, account.password
    whole = [f"{name}:{secret}", f"{quote(name, safe='')}:{quote(secret, safe='')}"]
    parts = [] if _public(account) else [secret, *_escaped(secret)]
    for coding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
        for text in (*whole, *parts):
            try:
                raw = text.encode(coding)
            except UnicodeEncodeError:
                continue
            if len(text) < _SHORT:
                yield rb"(?<![0-9A-Za-z])" + re.escape(raw) + rb"(?![0-9A-Za-z])", False
                continue
            for form in dict.fromkeys((raw, raw.hex().encode(), raw.hex().upper().encode(), *_in_base64(raw))):
                yield re.escape(form), len(form) >= _LONG


def _escaped(secret: str) -> tuple[str, ...]:
    """A password, or a number, as a URL, XML, JSON and quoted-printable may have it."""
    return (
        quote(secret, safe=""),
        quote(secret),
        escape(secret),
        escape(secret, {'"': "&quot;", "'": "&apos;"}),
        escape(secret).encode("ascii", "xmlcharrefreplace").decode(),
        "".join(f"&#{ord(one)};" for one in secret),
        "".join(f"&#x{ord(one):x};" for one in secret),
        json.dumps(secret)[1:-1],
        quopri.encodestring(secret.encode()).decode(),
    )


def _in_base64(secret: bytes) -> Iterator[bytes]:
    """What ``secret`` is inside of something in base64, at each of its three places."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + secret).rstrip(b"=")
        begin, end = (0, 2, 3)[before], len(text) - ((len(secret) + before) % 3 > 0)
        if end - begin > 4:
            yield text[begin:end]


def _pattern(literals: Iterable[bytes]) -> re.Pattern[bytes] | None:
    found = sorted(dict.fromkeys(literals), key=lambda one: (-len(one), one))
    return re.compile(b"|".join(found)) if found else None


def _may_be_mail(run: bytes) -> bool:
    """Whether printable octets may hold a mail address: in a short run, which noise has, only one with a domain."""
    return (b"@" in run and (len(run) >= 24 or _MAIL.search(run) is not None)) or _AT.search(run) is not None


def _latin(hide: Callable[[str], str], data: bytes) -> bytes:
    return hide(data.decode("latin-1")).encode("latin-1")


def _stars(data: bytes) -> bytes:
    return re.sub(rb"[^\r\n]", b"*", data)


def _opened(data: bytes, coding: str) -> bytes | None:
    """Compressed octets unpacked; None where they cannot be, or not to their end."""
    ways = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}.get(coding, ())
    for way in ways:
        unpacker = zlib.decompressobj(way)
        try:
            opened = unpacker.decompress(data, UNPACKED)
        except zlib.error:
            continue
        if unpacker.eof and not unpacker.unused_data:
            return opened
    return None
