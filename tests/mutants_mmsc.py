"""Broken MMSCs: what they take and must not, or refuse and must not, of HTTP, credentials, packages and envelopes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from breaks import (
    Answered,
    Asked,
    Break,
    answered,
    answering,
    asked,
    believing,
    configured,
    fetching,
    field,
    page,
    patched,
    reading,
    refusal,
    refusing,
    success,
)
from mutants import Mutant, mutant

_KIND = 'multipart/related; boundary="mm7zeep-probe"; type="text/xml"; start="<envelope@mm7zeep>"'


_mutant = partial(mutant, "mmsc")


# --- how ours is broken -----------------------------------------------------------------------------------------------


def _kind(where: Callable[[str], bool], new: Callable[[str], str]) -> Break:
    """With the Content-Type of requests read otherwise; "" where there is none."""

    def change(one: Asked) -> Asked:
        kind = one.header("content-type")
        return one.with_header("content-type", new(kind)) if where(kind) and one.method == "POST" else one

    return asked(change)


def _resolved(one: Asked) -> Asked:
    """With an href that names nothing taken for the first part that there is."""
    named = re.findall(rb"(?i)content-id:\s*<([^>]*)>", one.body)
    found = re.search(rb'href="cid:([^"]*)"', one.body)
    others = [name for name in named if name != b"envelope@mm7zeep"]
    if found is None or not others or b"nothing@" not in found[1]:
        return one
    return replace(one, body=one.body.replace(found[0], b'href="cid:' + others[0] + b'"'))


def _ended(one: Asked) -> Asked:
    """With the closing delimiter that a cut body lacks."""
    if b"boundary" not in one.header("content-type").encode() or not one.body.startswith(b"--mm7zeep-probe\r\n"):
        return one
    return one if one.body.rstrip().endswith(b"--") else replace(one, body=one.body + b"\r\n--mm7zeep-probe--\r\n")


def _as_utf8(one: Asked) -> Asked:
    """With the charset of the envelope ignored: it is read as UTF-8, and what is none becomes a question mark."""
    envelope = "(?i)(text/xml; charset=)iso-8859-1"
    if not one.has(envelope):
        return one
    known = one.edited(envelope, r"\1utf-8").edited("encoding='iso-8859-1'", "encoding='utf-8'")
    return known.edited("[\x80-\xff]", "?")


def _known_user(original: Any) -> Any:
    return lambda self, vaspid, vasid: True


def _nobodys(original: Any) -> Any:
    return lambda sender, application, settings: False


def _short(one: Answered) -> Answered:
    """With a TransactionID cut after 32 characters."""
    return one.edited(r"(<TransactionID[^>]*>(?:&\w+;|[^<&]){32})[^<]*", r"\1")


# --- the table --------------------------------------------------------------------------------------------------------

MUTANTS: tuple[Mutant, ...] = (
    # HTTP
    _mutant(
        "get-page", "GET is answered by an HTML page and HTTP 200.",
        answering(lambda one: one.method == "GET", lambda one: page()), "http/get", "answer/well-formed",
    ),
    _mutant(
        "json-taken", "A request as application/json is taken for MM7.",
        _kind(lambda kind: "json" in kind, lambda kind: _KIND), "http/content-type-foreign",
        near=("http/content-type",),
    ),
    _mutant(
        "type-guessed", "A request without Content-Type is taken for MM7.",
        _kind(lambda kind: not kind, lambda kind: _KIND), "http/content-type-missing", near=("http/content-type",),
    ),
    _mutant(
        "type-sniffed", "A package is read as one, whatever it is labelled.",
        asked(lambda one: one.with_header("content-type", _KIND) if one.body.startswith(b"--mm7zeep-probe\r\n")
              and one.header("content-type").startswith("text/xml") else one),
        "http/content-type-text-xml-submit", near=("http/content-type",),
    ),
    _mutant(
        "parameters-lower", "Names of parameters have to be in lower case.",
        answering(lambda one: "START=" in one.header("content-type"), lambda one: page(415)),
        "http/content-type-order", near=("http/content-type",),
    ),
    _mutant(
        "soapaction-empty", 'A SOAPAction has to be "".',
        answering(lambda one: len(one.header("soapaction")) > 2, refusal), "http/soapaction-other",
        near=("http/soapaction",),
    ),
    _mutant(
        "chunked-refused", "Chunked requests are refused.",
        answering(lambda one: "chunked" in one.header("transfer-encoding"), lambda one: page(411)), "http/chunked",
        near=("http/expect-continue", "http/keep-alive"),
    ),
    _mutant(
        "expect-refused", "Expect: 100-continue is refused.",
        answering(lambda one: bool(one.header("expect")), lambda one: page(417)), "http/expect-continue",
    ),
    _mutant(
        "closes", "Every connection is closed after one answer.",
        answered(lambda one: one.with_header("connection", "close")), "http/keep-alive",
    ),
    _mutant(
        "empty-page", "An empty body is answered by an HTML page and HTTP 200.",
        answering(lambda one: not one.body and one.method == "POST", lambda one: page()),
        "http/body-empty", "answer/well-formed",
    ),
    _mutant(
        "size-unlimited", "No request is too large.", configured(("body = {body}", "body = 50000000")),
        "http/too-large",
    ),
    # credentials and names
    _mutant(
        "credentials-ignored", "Credentials are not looked at; who asks is told by the VASPID.",
        believing("probe:probe-password", {"OTHER": "other:other-password", "OLDER": "older:older-password"}),
        "auth/none", "auth/basic-wrong", "auth/basic-garbage", "auth/basic-utf8", "auth/unknown-scheme",
        "auth/vaspid-other",
        near=("auth/",),
    ),
    _mutant(
        "no-challenge", "A 401 has no WWW-Authenticate.",
        answered(lambda one: one.without_header("www-authenticate")),
        "auth/none", "auth/basic-wrong", near=("auth/",),
    ),
    _mutant(
        "no-realm", "A challenge has no realm.", answered(lambda one: one.with_header("www-authenticate", "Basic")
                                                          if one.header("www-authenticate") else one),
        "auth/challenge-form", near=("auth/",),
    ),
    _mutant(
        "scheme-case", "The scheme of the credentials has to be written Basic.",
        field("authorization", lambda one: one.replace("basic ", "other ")), "auth/scheme-case", near=("auth/",),
    ),
    _mutant(
        "vaspid-ignored", "VASPID and VASID are not looked at.",
        patched("mm7zeep.gateway.config.parties.Application.owns", _known_user),
        "auth/vaspid-unknown", "auth/vaspid-other", near=("auth/",),
    ),
    _mutant(
        "sender-ignored", "Anybody may send under the short code of another.",
        patched("mm7zeep.gateway.mm7.requests.is_of_another", _nobodys), "auth/own-addresses",
        near=("auth/", "submit/sender"),
    ),
    _mutant(
        "sender-long", "A SenderAddress with a long id is answered by an HTML page.",
        refusing('<SenderAddress>(?:(?!</SenderAddress>).)*id="[^"]{1000}', lambda one: page(500)),
        "sender/id-too-long", near=("auth/own", "submit/sender"),
    ),
    # the package
    _mutant(
        "root-first", "The first part is taken as the envelope, whatever start says.",
        answering(lambda one: one.body.startswith(b"--") and b"xml" not in one.body.partition(b"\r\n\r\n")[0], refusal),
        "mime/root-last", near=("mime/",),
    ),
    _mutant(
        "type-quoted", "A type without quotes is refused.",
        answering(lambda one: "type=text/xml" in one.header("content-type"), refusal), "mime/type-bare",
        near=("mime/type", "mime/start"),
    ),
    _mutant(
        "start-wanted", "A package without start is refused.",
        answering(lambda one: "multipart/related" in one.header("content-type").lower()
                  and "start=" not in one.header("content-type").lower(), refusal),
        "mime/start-missing", near=("mime/type", "mime/start"),
    ),
    _mutant(
        "boundary-guessed", "A boundary is guessed where the Content-Type names none.",
        _kind(lambda kind: kind.startswith("multipart") and "boundary" not in kind,
              lambda kind: kind + '; boundary="mm7zeep-probe"'),
        "mime/boundary-missing", near=("mime/boundary",),
    ),
    _mutant(
        "preamble-refused", "Text before the first delimiter is refused.",
        answering(lambda one: one.body.startswith(b"A message"), refusal), "mime/preamble", near=("mime/",),
    ),
    _mutant(
        "blanks-refused", "Blanks behind a delimiter are not understood.", refusing("--mm7zeep-probe \t", refusal),
        "mime/delimiter-blanks", near=("mime/",),
    ),
    _mutant(
        "part-field-case", "Names of header fields of parts have to be as MIME writes them.",
        refusing("\r\nCONTENT-ID:", refusal), "mime/part-header-case", near=("mime/part",),
    ),
    _mutant(
        "root-base64", "An envelope in base64 is not decoded.",
        reading("(text/xml[^\r]*\r\n(?:[^\r]+\r\n)*)Content-Transfer-Encoding: base64",
                r"\1Content-Transfer-Encoding: binary"),
        "mime/soap-base64", "answer/transaction-id",
        near=("mime/", "content/base64"),
    ),
    _mutant(
        "cid-as-written", "A cid: URL is not decoded.", refusing('href="cid:[^"]*%25', lambda one: refusal(one, 2007)),
        "mime/cid-escaped", near=("mime/cid",),
    ),
    _mutant(
        "cid-unresolved", "1000 is said to an href that names no part.", asked(_resolved), "mime/cid-unresolved",
        near=("mime/cid", "content/empty-href"),
    ),
    _mutant(
        "extra-part", "A part that nothing refers to is refused.",
        answering(lambda one: one.body.count(b"\r\n--mm7zeep-probe\r\n") > 1 and one.has('href="cid:text@')
                  and one.has("<picture@") and not one.has("mm7zeep-inn"), refusal),
        "mime/extra-part", near=("mime/",),
    ),
    _mutant(
        "cut-taken", "A body that ends inside its last part is taken as if it were whole.", asked(_ended),
        "content/cut", "http/length-short", near=("mime/closing",),
    ),
    # the envelope
    _mutant(
        "mu-ignored", "Header blocks that must be understood are ignored.",
        reading(r'(<p:block[^>]*) soap-env:mustUnderstand="1"', r"\1"), "soap/mu-unknown", near=("soap/mu",),
    ),
    _mutant(
        "mu-always", "Every unknown header block is refused.", refusing("<p:block", refusal),
        "soap/mu-unknown", "soap/mu-unknown-zero", "soap/mu-other-actor", near=("soap/mu",),
    ),
    _mutant(
        "soap-12", "An envelope of SOAP 1.2 is taken.",
        reading(r"http://www\.w3\.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"),
        "soap/envelope-12", near=("soap/envelope",),
    ),
    _mutant(
        "transaction-made", "A TransactionID is made for a request without one.",
        asked(lambda one: one.edited(
            r"(<soap-env:Header>)(</soap-env:Header><soap-env:Body><\w+ xmlns=\"([^\"]*)\")",
            r'\1<TransactionID xmlns="\3">1</TransactionID>\2')),
        "soap/txid-missing", near=("soap/txid", "soap/header"),
    ),
    _mutant(
        "transaction-cut", "A TransactionID is repeated up to its 32nd character.", answered(_short),
        "soap/txid-echo", "answer/transaction-id", near=("soap/txid",),
    ),
    _mutant(
        "charset-ignored", "The charset of the envelope is ignored.", asked(_as_utf8), "soap/latin1",
        near=("soap/utf16", "soap/charset", "soap/bom"), window=3.0,
    ),
    _mutant(
        "utf16-refused", "An envelope in UTF-16 is refused.",
        refusing("(?i)text/xml; charset=utf-16", lambda one: page(415)), "soap/utf16",
        near=("soap/latin1", "content/text-utf16"),
    ),
    _mutant(
        "bom-refused", "A byte order mark is refused.", refusing("\r\n\r\n\xef\xbb\xbf<", refusal), "soap/bom",
        near=("soap/utf16",),
    ),
    _mutant(
        "doctype-taken", "A document type declaration is overlooked.",
        reading(r"<!DOCTYPE soap-env:Envelope>", ""), "soap/dtd", near=("soap/entity",),
    ),
    _mutant("entity-fetched", "External entities are fetched.", fetching(), "soap/entity-external",
            near=("soap/entity", "soap/dtd")),
    _mutant(
        "operation-taken", "An operation that MM7 has not is answered 1000.", refusing("<xxxSubmitReq", success),
        "soap/operation-unknown", near=("soap/operation",),
    ),
    _mutant(
        "direction-taken", "A DeliverReq is answered 1000.", refusing("<DeliverReq", success),
        "soap/operation-wrong-direction", near=("soap/operation",),
    ),
    _mutant(
        "body-two", "The second message of a Body is taken, and not the first.",
        reading(r"<SubmitReq (?:(?!</SubmitReq>).)*</SubmitReq>(?=<SubmitReq)", ""), "soap/body-two",
        near=("soap/body",), window=3.0,
    ),
    # namespaces and versions
    _mutant(
        "namespace-any", "A namespace that no release has is taken for the newest.",
        reading(r"(schema/)REL-(?![56]-MM7-1-[0-5])[\w-]*", r"\1REL-6-MM7-1-4"), "ns/unknown", near=("ns/",),
    ),
    _mutant(
        "version-510", "MM7Version 5.10.0 is taken for less than 5.3.0 and refused.",
        refusing("<MM7Version>5.10.0<", lambda one: refusal(one, 4002)),
        "version/each-listed/rel5-1-5-5.10.0", "version/each-listed/rel6-1-2-5.10.0",
        "version/each-listed/rel6-1-3-5.10.0", "version/each-listed/rel6-1-4-5.10.0", "ns/rel5-1-5",
        "report/ten-namespaces/rel5-1-5", near=("version/",),
    ),
    _mutant(
        "version-guessed", "A request without MM7Version is taken.",
        asked(lambda one: one.edited(r"(<SubmitReq[^>]*>)(?=<SenderId)", r"\1<MM7Version>6.8.0</MM7Version>")),
        "version/missing", near=("version/",),
    ),
)  # fmt: skip
