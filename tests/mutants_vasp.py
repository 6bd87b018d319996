"""Broken VASPs: messages that they take and must not, refuse and must not, or lose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from breaks import (
    Answered,
    Asked,
    Break,
    Serve,
    answered,
    answering,
    asked,
    believing,
    fetching,
    field,
    page,
    patched,
    reading,
    refusal,
    refusing,
    served,
    success,
)
from mutants import Mutant, mutant

_INNER = r"--mm7zeep-inner"


_mutant = partial(mutant, "vasp")


# --- how ours is broken -----------------------------------------------------------------------------------------------


def _ended(one: Asked) -> Asked:
    """With the delimiters that a cut body lacks."""
    if one.body.endswith(b"--\r\n") or b"--mm7zeep-inner" not in one.body:
        return one
    return replace(one, body=one.body + b"\r\n--mm7zeep-inner--\r\n\r\n--mm7zeep-probe--\r\n")


def _swallowing(one: Asked) -> Asked:
    """Without the parts behind a delimiter that is misspelt."""
    return one.edited("--mm7zeep-imner.*$", f"{_INNER}--\r\n\r\n--mm7zeep-probe--\r\n")


def _remembering() -> Callable[[Asked, Serve], Awaitable[Answered]]:
    """Refuses a request that came before."""
    known: set[bytes] = set()

    async def between(one: Asked, serve: Serve) -> Answered:
        if one.body in known:
            return refusal(one)
        known.add(one.body)
        return await serve(one)

    return between


def _instead(pattern: str, answer: Callable[[Answered], Answered]) -> Break:
    """With our answers that match changed."""
    return answered(lambda one: answer(one) if one.has(pattern) else one)


def _closing(one: Answered) -> Answered:
    return one.with_header("connection", "close")


def _loses(original: Any) -> Any:
    """Registers functions that never hear of a message of high priority."""

    def register(self: Any, kind: type[Any], function: Any) -> Any:
        def some(message: Any) -> None:
            if getattr(message, "priority", None) != "High":
                function(message)

        return original(self, kind, some)

    return register


# --- the table --------------------------------------------------------------------------------------------------------

MUTANTS: tuple[Mutant, ...] = (
    # the package
    _mutant(
        "root-first", "The first part is taken as the envelope, whatever start says.",
        answering(lambda one: one.body.startswith(b"--") and b"xml" not in one.body.partition(b"\r\n\r\n")[0], refusal),
        "deliver/root-last",
        near=("deliver/type-bare", "deliver/multipart-mixed"),
    ),
    _mutant(
        "start-wanted", "A package without start is refused.",
        answering(lambda one: "multipart" in one.header("content-type") and "start=" not in one.header("content-type"),
            lambda one: refusal(one, 4004)),
        "deliver/start-missing",
    ),
    _mutant(
        "type-quoted", "A type without quotes is refused.",
        answering(lambda one: "type=text/xml" in one.header("content-type"), refusal), "deliver/type-bare",
    ),
    _mutant(
        "base64-raw", "Parts in base64 are given to the application as they are written.",
        reading("Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: binary"), "deliver/base64-parts",
        near=("deliver/binary-parts",),
    ),
    _mutant(
        "part-lost", "The last part of an inner multipart is lost.",
        reading(rf"{_INNER}\r\n(?:(?!{_INNER}).)*(?={_INNER}--)", ""),
        "deliver/multipart-smil", "deliver/multipart-mixed", "deliver/base64-parts", "deliver/chunked",
    ),
    _mutant(
        "seven-bits", "Octets of a binary part lose their highest bit.",
        reading("\xff", "\x7f"), "deliver/multipart-smil", "deliver/multipart-mixed", "deliver/chunked",
        "deliver/binary-parts", "deliver/large/300kB", "deliver/large/1MB",
    ),
    _mutant(
        "cut-taken", "A body that ends inside its last part is taken as if it were whole.",
        asked(_ended), "content/cut", near=("deliver/closing-missing", "content/delimiter-typo"),
    ),
    _mutant(
        "typo-swallows", "What stands behind a misspelt delimiter is lost without a word.",
        asked(_swallowing), "content/delimiter-typo", near=("deliver/closing-missing",),
    ),
    _mutant(
        "cid-unresolved", "1000 is said to Content that names none of the parts.",
        reading('href="cid:nothing@mm7zeep"', 'href="cid:text@mm7zeep"'), "deliver/cid-unresolved",
        near=("content/empty-href",),
    ),
    _mutant(
        "href-empty", "An empty href is taken for the first part.",
        reading('href=""', 'href="cid:text@mm7zeep"'), "content/empty-href/empty", near=("deliver/cid-unresolved",),
    ),
    _mutant(
        "boundary-specials", "A boundary with a question mark is not understood.",
        answering(lambda one: "?" in one.header("content-type"), refusal), "deliver/boundary-specials",
    ),
    _mutant(
        "json-taken", "A request as application/json is taken for MM7.",
        field("content-type", lambda one: 'multipart/related; boundary="mm7zeep-probe"; type="text/xml"; '
                'start="<envelope@mm7zeep>"' if "json" in one else one),
        "deliver/content-type-foreign",
    ),
    # the envelope
    _mutant(
        "mu-ignored", "Header blocks that must be understood are ignored.",
        reading(r'(<x:block[^>]*) soap-env:mustUnderstand="1"', r"\1"), "deliver/mu-unknown",
    ),
    _mutant(
        "mu-client", "A header block that is not understood is a Client fault.",
        _instead("MustUnderstand</faultcode>", lambda one: one.edited("MustUnderstand(</faultcode>)", r"Client\1")),
        "deliver/mu-unknown", near=("deliver/envelope-12",),
    ),
    _mutant(
        "soap-12", "An envelope of SOAP 1.2 is taken.",
        reading(r"http://www\.w3\.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"),
        "deliver/envelope-12",
    ),
    _mutant(
        "prefix-fixed", "Only the prefix that it uses itself is understood.",
        answering(lambda one: one.has("<m:DeliverReq"), refusal), "deliver/prefix-free",
    ),
    _mutant(
        "entity-fetched", "External entities are fetched.", fetching(), "deliver/entity-external",
    ),
    _mutant(
        "transaction-made", "A TransactionID is made for a request without one.",
        asked(lambda one: one.edited(
            r"(<soap-env:Header>)(</soap-env:Header><soap-env:Body><\w+ xmlns=\"([^\"]*)\")",
            r'\1<TransactionID xmlns="\3">1</TransactionID>\2')),
        "deliver/txid-missing",
    ),
    _mutant(
        "transaction-short", "A TransactionID of more than 64 characters is refused.",
        refusing(r"<TransactionID[^>]*>[^<]{65,}<", lambda one: refusal(one, 4004)), "deliver/txid-long",
    ),
    # the message
    _mutant(
        "sender-guessed", "A message without Sender is taken.",
        asked(lambda one: one if one.has("<Sender>") else one.edited(
            "(<DeliverReq[^>]*><MM7Version>[^<]*</MM7Version>)",
            r"\1<Sender><Number>+15550100</Number></Sender>")),
        "deliver/sender-missing",
    ),
    _mutant(
        "mail-refused", "A sender by mail address is refused.",
        refusing("<Sender><RFC2822Address>", lambda one: refusal(one, 2002)), "deliver/sender-mail",
        near=("deliver/sender",),
    ),
    _mutant(
        "anonymous-crash", "A hidden sender ends the connection.",
        refusing("<Sender><Number></Number>", lambda one: None), "deliver/sender-anonymous/empty",
        near=("deliver/sender",),
    ),
    _mutant(
        "recipients-wanted", "A message without Recipients is refused.",
        answering(lambda one: one.has("<DeliverReq") and not one.has("<Recipients>"), refusal),
        "deliver/recipients-missing",
        near=("deliver/recipients",),
    ),
    _mutant(
        "priority-lost", "A message of high priority is accepted, and the application never gets it.",
        patched("mm7zeep.receiver.Receiver._register", _loses), "deliver/priority-each/high",
        near=("deliver/priority-each",),
    ),
    _mutant(
        "quarter-hour", "A time zone that is no whole number of hours is refused.",
        refusing(r":(?:45|30)</TimeStamp>", refusal), "deliver/timestamp-offset/quarter-hour", "read/timestamp",
        near=("deliver/timestamp-offset",),
    ),
    _mutant(
        "no-zone", "A time without zone is refused.",
        refusing(r"T[\d:]+</TimeStamp>", refusal), "deliver/timestamp-offset/no-zone",
        near=("deliver/timestamp-offset",),
    ),
    _mutant(
        "emoji-crash", "Letters beyond the first plane of Unicode are answered by an HTML page.",
        refusing("<Subject>[^<]*\xf0", lambda one: page(500)), "deliver/subject-utf8/emoji",
        near=("deliver/subject-utf8",),
    ),
    _mutant(
        "cdata", "CDATA in a subject is refused.", refusing(r"<!\[CDATA\[", refusal),
        "deliver/subject-utf8/entities", near=("deliver/subject-utf8",),
    ),
    _mutant(
        "namespace-one", "Messages in REL-6-MM7-1-0 are refused.",
        refusing(r"<DeliverReq[^>]*REL-6-MM7-1-0", lambda one: refusal(one, 4002)),
        "deliver/ns-each/rel6-1-0", "deliver/previously-sent", "deliver/spi", near=("deliver/ns-each",),
    ),
    _mutant(
        "capabilities", "A message with UACapabilities is refused.", refusing("<UACapabilities", refusal),
        "deliver/ua-capabilities",
    ),
    _mutant(
        "order-crash", "VASPID behind LinkedID ends the connection.",
        refusing("</LinkedID><VASPID>", lambda one: None), "deliver/vaspid-after-linkedid",
        near=("deliver/linked-id", "deliver/vaspid-order"),
    ),
    _mutant(
        "version-crash", "An MM7Version that it does not know is answered by an HTML page.",
        refusing("<MM7Version>9.9.9", lambda one: page(500)), "deliver/version-unknown", near=("deliver/version",),
    ),
    _mutant(
        "operation-page", "An operation that it does not serve is answered by an HTML page and HTTP 200.",
        _instead(">4003<", lambda one: page(200)), "callback/operation-unknown", "callback/wrong-direction",
        "answer/well-formed",
    ),
    _mutant(
        "operation-taken", "An operation that MM7 has not is answered 1000.",
        refusing("<xxxDeliverReq", success), "callback/operation-unknown", near=("callback/wrong-direction",),
    ),
    _mutant(
        "repeat-refused", "The same request again is refused.", served(_remembering),
        "deliver/repeat", "report/repeat",
    ),
    # HTTP
    _mutant(
        "chunked-refused", "Chunked requests are refused.",
        answering(lambda one: "chunked" in one.header("transfer-encoding"), lambda one: page(411)), "deliver/chunked",
    ),
    _mutant(
        "closes", "Every connection is closed after one answer.", answered(_closing), "deliver/keep-alive",
    ),
    _mutant(
        "large-refused", "A body of more than 200,000 octets is answered by an HTML page and HTTP 500.",
        answering(lambda one: len(one.body) > 200_000, lambda one: page(500)),
        "deliver/large/300kB", "deliver/large/1MB",
    ),
    _mutant(
        "get-page", "GET is answered by an HTML page and HTTP 200.",
        answering(lambda one: one.method == "GET", lambda one: page(200)), "deliver/get", "answer/well-formed",
    ),
    _mutant(
        "expect", "Expect: 100-continue is refused.",
        answering(lambda one: bool(one.header("expect")), lambda one: page(417)), "deliver/expect-continue",
    ),
    # credentials
    _mutant(
        "credentials-ignored", "Credentials are not looked at.", believing("mmsc:callback-password"),
        "callback/auth-basic/wrong", "callback/auth-basic/missing", "callback/auth-basic/garbage",
    ),
    _mutant(
        "no-challenge", "A 401 has no WWW-Authenticate.",
        answered(lambda one: one.without_header("www-authenticate")),
        "callback/auth-basic/wrong", "callback/auth-basic/missing", "callback/auth-basic/garbage",
    ),
    _mutant(
        "scheme-case", "The scheme of the credentials has to be written Basic.",
        field("authorization", lambda one: one.replace("basic ", "other ")), "callback/auth-basic/right",
    ),
)  # fmt: skip
