"""``pack``: a message to the HTTP message that carries it; its steps: parts made ready, Content named, MIME written.

Refuses, with ``LocalError``, what is not valid in the namespace it is written in, and parts larger than the profile
allows; sends nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Literal

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import media, mime, namespaces, profiles, schema, smil
from mm7zeep.errors import LocalError
from mm7zeep.exchange import plans as _plans
from mm7zeep.exchange.limits import check_message, check_size
from mm7zeep.exchange.wire import Headers, Received, Wire
from mm7zeep.findings import Finding, finding
from mm7zeep.messages import DeliverReq, Fault, Message, Part, Response, RSErrorRsp, SubmitReq, VASPErrorRsp
from mm7zeep.profiles import Profile


def new_transaction_id() -> str:
    """A fresh TransactionID: 128 random bits."""
    return secrets.token_hex(16)


def pack(
    message: Message,
    parts: Sequence[Part] | None = None,
    *,
    profile: str | Profile | None = None,
    transaction_id: str | None = None,
    reply_to: Received | None = None,
    plans: bool | None = None,
) -> Wire:
    """The HTTP message that carries ``message`` with ``parts`` (default: those of the message).

    ``profile`` names the namespace, version and form (default ``generic-6.8.0``); ``reply_to`` answers a received
    request in its own namespaces and version, with its TransactionID. A SMIL presentation is added as the profile
    says. The whole envelope is valid by xmlschema, or ``LocalError`` is raised and says where it is not. Sends
    nothing, reads no file but for its size. ``plans``: whether an envelope that was made and judged is used again for
    messages that differ from it in values of the same kind, which changes nothing but the time (default: yes, but with
    ``MM7ZEEP_PLANS=0``).
    """
    if not isinstance(message, Message):
        raise LocalError(f"pack takes an MM7 message such as SubmitReq, not {type(message).__name__}")
    odd = next((one for one in parts or () if not isinstance(one, Part)), None)
    if odd is not None:
        raise LocalError(f"parts are mm7zeep.Part values, not {type(odd).__name__}; wrap the content in Part(body=...)")
    chosen = answer_profile(reply_to) if reply_to is not None and profile is None else profiles.profile(profile)
    if transaction_id is None:
        transaction_id = (reply_to.transaction_id if reply_to is not None else None) or new_transaction_id()
    parts = getattr(message, "parts", ()) if parts is None else parts
    check_message(message, parts, chosen)
    content = compose(parts, chosen)
    message = pointing_to(content, message)
    echoed = reply_to is not None and transaction_id == reply_to.transaction_id

    def write(message: Message, transaction_id: str) -> bytes:
        tree = soap.write(message, transaction_id=transaction_id, profile=chosen)
        check(tree, chosen.namespace, echoed=echoed)
        soap.extend(tree, message)
        return soap.serialize(in_kind(tree, reply_to, chosen) if reply_to is not None else tree)

    if _plans.plans_are_on() if plans is None else plans:
        form = (chosen, echoed, reply_to and (reply_to.dialect, reply_to.profile, reply_to.namespace))
        root = _plans.shared_for_writing().written(message, transaction_id, form, write)
    else:
        root = write(message, transaction_id)
    headers, body = enclose(root, content)
    check_size(len(body), message, chosen)
    return _over_http(message, headers, body, chosen)


def pointing_to(content: Content | None, message: Message) -> Message:
    """``message`` with a Content that names ``content``.

    Raises ``LocalError`` for a message that carries none, and for one that names content and has no parts.
    """
    if content is None:
        if getattr(message, "content_href", None) is not None:
            raise LocalError("content_href names content, and there are no parts; give the parts, or leave it None")
        return message
    if not hasattr(message, "content_href"):
        raise LocalError(f"a {type(message).__name__} carries no content; leave the parts out")
    return replace(message, content_href=content.href)  # type: ignore[call-arg]


def _over_http(message: Message, headers: Headers, body: mime.Stream, profile: Profile) -> Wire:
    status = _http_status(message)
    if status is not None:
        return Wire(headers=headers, body=body, status=status)
    return Wire(headers=(*headers, ("SOAPAction", '""'), *profile.headers), body=body, method="POST")


def _http_status(message: Message) -> int | None:
    if isinstance(message, Fault | RSErrorRsp | VASPErrorRsp):
        return 500  # SOAP 1.1 6.2: a Fault MUST come with 500
    return 200 if isinstance(message, Response) else None


def check(tree: etree._Element, namespace: str, *, echoed: bool = False) -> None:
    """Raise ``LocalError`` with every violation, if an envelope of ours is not valid.

    An ``echoed`` TransactionID is as it is: TS 23.140 8.7.1 wants it back even where it is no NMTOKEN.
    """
    found = schema.violations(tree, namespace)
    if echoed:
        found = [one for one in found if one.where != "/Envelope/Header/TransactionID"]
    if found:
        where = "; ".join(_in_words(one) for one in found[:5])
        more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
        raise LocalError(
            f"the message is not valid in {namespace.removeprefix(profiles.NAMESPACE_PREFIX)}: {where}{more}",
            [finding("schema/valid", one.where, detail=one.reason) for one in found],
        )


def _in_words(violation: schema.Violation) -> str:
    """A violation of ours as its maker can use it: the pattern of an NMTOKEN tells nobody what to do."""
    if "pattern of ['\\\\c+']" in violation.reason:
        return f"{violation.where}: this namespace takes letters, digits and . - _ : here, no + and no blank"
    return str(violation)


# --- the content ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Parts made ready to be sent, each with a Content-ID, the SMIL presentation apart; ``href`` is the Content's
    URL, ``root_id`` the Content-ID of the envelope.
    """

    parts: tuple[Part, ...]
    presentation: Part | None
    href: str
    content_id: str
    root_id: str
    encoding: Literal["binary", "base64"]


def compose(parts: Sequence[Part], profile: Profile, *, content_id: str | None = None) -> Content | None:
    """Give each part a Content-ID and add the presentation that the profile asks for. None for no parts.

    ``content_id`` is what the Content element names; without one it is made.
    """
    if not parts:
        return None
    made = partial(_fresh_id, most=profile.max_content_id)
    named = [
        part if part.content_id else replace(part, content_id=made(f"part-{n}")) for n, part in enumerate(parts, 1)
    ]
    presentation = next((part for part in named if smil.is_presentation(part)), None)
    named = [part for part in named if part is not presentation]
    if presentation is not None and not media.is_presentation(presentation.content_type):
        presentation = replace(presentation, content_type=smil.MEDIA_TYPE)  # its label said nothing
    if presentation is None and (profile.smil == "required" or (profile.smil == "auto" and len(named) > 1)):
        presentation = Part(
            body=smil.generate(named),
            content_type=smil.MEDIA_TYPE,
            parameters=(("charset", "utf-8"),),
            content_id=made("presentation"),
            content_location="presentation.smil",
        )
    if presentation is None and len(named) == 1:
        content_id = content_id or named[0].content_id or ""
    content_id = content_id or made("content")
    return Content(
        parts=tuple(named),
        presentation=presentation,
        href=smil.cid_url(content_id),
        content_id=content_id,
        root_id=made("envelope"),
        encoding=profile.encoding,
    )


def _fresh_id(name: str, most: int | None = None) -> str:
    found = f"{name}.{secrets.token_hex(8)}@mm7zeep"
    # it has to differ from the others of one message only (RFC 2392 asks for more; the carrier does not take it)
    return found if most is None or len(found) <= most else f"{secrets.token_hex(6)}@mm7"


def emptiness(message: Message) -> tuple[Finding, ...]:
    """What a sender is to know of a message that carries nothing, or parts without an octet.

    Nothing of a replace that names no content: it changes the rest alone. Raises ``OSError`` where a part's file is
    gone.
    """
    parts: Sequence[Part] | None = getattr(message, "parts", None)
    where = f"/Envelope/Body/{soap.element_name(type(message))}/Content"
    if parts is None or (not parts and not isinstance(message, SubmitReq | DeliverReq)):
        return ()
    if not any(one.size for one in parts if not media.is_presentation(one.content_type)):
        return (finding("sem/content-empty", where, detail="no part has content" if parts else "no part"),)
    empty = (one for one in parts if not one.size)
    return tuple(
        finding("mime/empty-part", where, detail=one.name or one.content_id or one.content_type) for one in empty
    )


def enclose(root: bytes, content: Content | None) -> tuple[Headers, mime.Stream]:
    """The MIME package of an envelope and its content; without content, the envelope alone as text/xml."""
    if content is None:
        headers, body = mime.write(root)
    else:
        headers, body = mime.write(
            root,
            content.parts,
            presentation=content.presentation,
            root_content_id=content.root_id,
            content_id=content.content_id,
            encoding=content.encoding,
        )
    return tuple(headers), body


# --- an answer in the request's own namespaces, version and prefix ----------------------------------------------------


def answer_profile(request: Received) -> Profile:
    """The profile to answer ``request`` in: its namespace as read, its version where that is listed, its prefix."""
    base = namespaces.profile_of(request.namespace) or request.profile
    version = request.mm7_version if request.mm7_version in base.versions else base.mm7_version
    prefix = request.dialect.prefix if request.dialect.prefix != soap.SOAP_PREFIX else None  # zeep's own for SOAP
    return _in_version(base, version or base.mm7_version, prefix)


@lru_cache(256)
def _in_version(base: Profile, version: str, prefix: str | None) -> Profile:
    return replace(base, mm7_version=version, prefix=prefix)


def in_kind(tree: etree._Element, request: Received, profile: Profile) -> etree._Element:
    """The answer in the namespaces of the request, where its sender writes aliases of them."""
    dialect = request.dialect
    names = {profiles.SOAP_NAMESPACE: dialect.soap_namespace}
    if dialect.namespace is not None and profile.namespace == answer_profile(request).namespace:
        names[profile.namespace] = dialect.namespace
    return tree if all(old == new for old, new in names.items()) else _renamed(tree, names)


def _renamed(node: etree._Element, names: Mapping[str, str], parent: etree._Element | None = None) -> etree._Element:
    """A copy with other namespaces under the same prefixes, which ``tolerance.rename`` would not keep."""

    def other(name: str) -> str:
        namespace, brace, local = name[1:].rpartition("}")
        return f"{{{names.get(namespace, namespace)}}}{local}" if brace else name

    nsmap = {prefix: names.get(uri, uri) for prefix, uri in node.nsmap.items()}
    attributes = {other(str(name)): value for name, value in node.attrib.items()}
    if parent is None:
        copied = etree.Element(other(str(node.tag)), attributes, nsmap=nsmap)
    else:
        copied = etree.SubElement(parent, other(str(node.tag)), attributes, nsmap=nsmap)
    copied.text, copied.tail = node.text, node.tail
    for child in node:
        if isinstance(child.tag, str):
            _renamed(child, names, copied)
    return copied
