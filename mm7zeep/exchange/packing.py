"""``pack``: a message to the HTTP message that carries it.

Refuses, with ``LocalError``, what is not valid in the namespace it is written in; sends nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import mime, profiles, schema
from mm7zeep.errors import LocalError
from mm7zeep.exchange.answering import answer_profile, in_kind
from mm7zeep.exchange.content import Content, compose, enclose
from mm7zeep.exchange.wire import Headers, Received, Wire
from mm7zeep.findings import finding
from mm7zeep.messages import Fault, Message, Part, Response, RSErrorRsp, VASPErrorRsp
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
) -> Wire:
    """The HTTP message that carries ``message`` with ``parts`` (default: those of the message).

    ``profile`` names the namespace, version and form (default ``generic-6.8.0``); ``reply_to`` answers a received
    request in its own namespaces and version, with its TransactionID. A SMIL presentation is added as the profile
    says. The whole envelope is valid by xmlschema, or ``LocalError`` is raised and says where it is not. Sends
    nothing, reads no file but for its size.
    """
    if not isinstance(message, Message):
        raise LocalError(f"pack takes an MM7 message such as SubmitReq, not {type(message).__name__}")
    odd = next((one for one in parts or () if not isinstance(one, Part)), None)
    if odd is not None:
        raise LocalError(f"parts are mm7zeep.Part values, not {type(odd).__name__}; wrap the content in Part(body=...)")
    chosen = answer_profile(reply_to) if reply_to is not None and profile is None else profiles.profile(profile)
    if transaction_id is None:
        transaction_id = (reply_to.transaction_id if reply_to is not None else None) or new_transaction_id()
    content = compose(getattr(message, "parts", ()) if parts is None else parts, chosen)
    message = pointing_to(content, message)
    tree = soap.write(message, transaction_id=transaction_id, profile=chosen)
    check(tree, chosen.namespace, echoed=reply_to is not None and transaction_id == reply_to.transaction_id)
    soap.extend(tree, message)
    if reply_to is not None:
        tree = in_kind(tree, reply_to, chosen)
    headers, body = enclose(soap.serialize(tree), content)
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
