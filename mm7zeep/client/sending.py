"""Composing a request: its TransactionID, its content, the zeep operation and its arguments.

Sends nothing itself. Refuses what cannot be written, with ``LocalError``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, TypeVar

import requests
import zeep
from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import profiles
from mm7zeep.client.outcomes import Retry
from mm7zeep.credentials import endpoint, header_fields
from mm7zeep.errors import LocalError
from mm7zeep.exchange import (
    Content,
    check_message,
    compose,
    emptiness,
    new_transaction_id,
    plans_are_on,
    pointing_to,
    shared_for_writing,
)
from mm7zeep.findings import Finding
from mm7zeep.messages import Extension, Fault, Message, ReplyCharging, Response
from mm7zeep.profiles import Policy, Profile
from mm7zeep.transport import (
    AsyncMm7Client,
    AsyncSwaTransport,
    HttpExchange,
    Mm7Client,
    Progress,
    Role,
    SwaTransport,
    ValidationPlugin,
    bind,
)
from mm7zeep.transport.clients import binding_of, read_answer, write_envelope, zeep_options

M = TypeVar("M", bound=Message)
_WRITTEN = frozenset({"accept-encoding", "content-length", "content-type", "soapaction"})  # for each request, by us


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request, as often as it is sent: the same message, content, TransactionID and ``headers`` each time.

    ``findings`` are what its caller is to know of the message itself.
    """

    message: Message
    content: Content | None
    transaction_id: str
    profile: Profile
    policy: Policy
    progress: Progress | None
    findings: tuple[Finding, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, headers: Mapping[str, str] | None) -> Sending:
        """The same with header fields of its own. Raises ``LocalError`` for those that cannot be sent."""
        if headers is None:
            return self
        given = header_fields(headers)
        ours = next((name for name in given if name.lower() in _WRITTEN), None)
        if ours is not None:
            raise LocalError(f"{ours} is not given: it is written with each request")
        return replace(self, headers=given)

    @property
    def expected(self) -> type[Response]:
        """The class of the answer to this message."""
        return soap.operation_of(type(self.message)).response

    def exchange(self) -> HttpExchange:
        """What belongs to one attempt."""
        return HttpExchange(content=self.content, message=self.message, profile=self.profile, progress=self.progress)


@dataclass(frozen=True, slots=True)
class Call:
    """The request of one attempt: ``post`` it, then ``read`` what comes back.

    ``envelope`` is octets where plans are used, else the tree that zeep made.
    """

    client: Mm7Client | AsyncMm7Client
    exchange: HttpExchange
    envelope: bytes | etree._Element
    headers: Mapping[str, str]
    message: Message

    def post(self) -> Any:
        """What the client's transport gives for it: a response, or of an asynchronous one what is awaited for it."""
        transport: Any = self.client.transport.bound(self.exchange)
        post = transport.post_written if isinstance(self.envelope, bytes) else transport.post_xml
        return post(self.client.address, self.envelope, self.headers)

    def read(self, response: requests.Response) -> Any:
        """What zeep and its plugins make of the answer; None where it was read by a plan, as the exchange says."""
        if self.exchange.judgement is not None and self.exchange.judgement.planned is not None:
            return None
        return read_answer(bind(self.client, self.exchange), soap.operation_of(type(self.message)).name, response)


class Sender:
    """Composes requests for one address, as one profile speaks; sends nothing itself."""

    role: Role
    client: Mm7Client | AsyncMm7Client

    def __init__(self, url: str, *, profile: str | Profile | None, policy: Policy | None, retry: Retry) -> None:
        if not isinstance(retry, Retry):
            raise LocalError(f"retry is a Retry, such as Retry(times=0), not {type(retry).__name__}")
        self.url = endpoint(url)
        self.profile = self._spoken(profiles.profile(profile))
        self.policy = profiles.policy(policy or self.profile.policy)
        self.retry = retry

    @staticmethod
    def _spoken(profile: Profile) -> Profile:
        """The profile of what this side sends."""
        return profile

    def __repr__(self) -> str:
        return f"<{type(self).__name__} profile={self.profile.name}>"

    def _zeep_options(self) -> dict[str, Any]:
        plugin = ValidationPlugin(self.policy, prefix=self.profile.prefix)
        return {"role": self.role, **zeep_options(self.profile, plugin)}

    def _headers(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        """What every request says besides MM7: the carrier's fields, then the caller's."""
        return {**dict(self.profile.headers), **header_fields(headers)}

    def _sending(self, message: Message, transaction_id: str | None, progress: Progress | None) -> Sending:
        if isinstance(message, Response | Fault):
            raise LocalError(f"a request is sent, such as a SubmitReq, not a {type(message).__name__}")
        if transaction_id is None:
            transaction_id = new_transaction_id()
        if not isinstance(transaction_id, str):
            raise LocalError(f"the TransactionID is a str, not {type(transaction_id).__name__}")
        if not transaction_id.strip():
            raise LocalError("the TransactionID is empty; give one (TS 23.140 8.7.1)")
        if not transaction_id.isprintable():
            raise LocalError(f"the TransactionID {transaction_id!r} holds what is no printable character")
        try:
            parts = getattr(message, "parts", ())
            check_message(message, parts, self.profile)
            content = compose(parts, self.profile)
            findings = emptiness(message)
        except OSError as error:
            raise LocalError(f"a part cannot be read: {error.strerror}") from error
        message = pointing_to(content, message)
        return Sending(
            message=message,
            content=content,
            transaction_id=transaction_id,
            profile=self.profile,
            policy=self.policy,
            progress=progress,
            findings=findings,
        )

    def _call(self, sending: Sending, exchange: HttpExchange) -> Call:
        """The request of one attempt, written by zeep's operation and judged by its plugins, or by the plan of that."""
        soap.operation_of(type(sending.message))  # raises for what is no request
        if not (plans_are_on() and self._is_plain):
            tree, headers = self._written(sending, exchange)
            return Call(self.client, exchange, tree, {**headers, **sending.headers}, sending.message)
        exchange.planned = sending.policy
        exchange.transaction_id = sending.transaction_id.strip()

        def write(message: Message, transaction_id: str) -> bytes:
            other = replace(sending, message=message, transaction_id=transaction_id)
            try:
                tree, _ = self._written(other, other.exchange())
            except zeep.exceptions.Error as error:
                raise LocalError(f"zeep cannot write the message: {error}") from error
            return soap.serialize(tree)

        form = (self.role, sending.profile)
        envelope = shared_for_writing().written(sending.message, sending.transaction_id, form, write)
        headers = {"SOAPAction": f'"{self._operation(sending.message).soapaction}"', **sending.headers}
        return Call(self.client, exchange, envelope, headers, sending.message)

    @property
    def _is_plain(self) -> bool:
        """Whether nobody has given the zeep client what looks at every message, which a plan would not."""
        client = self.client
        own = all(type(one) is ValidationPlugin and one.on_findings is None for one in client.plugins)
        own = own and type(client.transport) in (SwaTransport, AsyncSwaTransport)
        return own and client.wsse is None and not client.settings.extra_http_headers

    def _operation(self, message: Message) -> Any:
        """Zeep's operation for a message. Raises ``LocalError`` for one that the other side sends."""
        name = soap.operation_of(type(message)).name
        operations = binding_of(self.client).all()
        if name not in operations:
            raise LocalError(f"{type(self).__name__} sends no {type(message).__name__}; the other side does")
        return operations[name]

    def _written(self, sending: Sending, exchange: HttpExchange) -> tuple[etree._Element, Mapping[str, str]]:
        """The envelope and its header fields: made by zeep, finished and judged by the plugins of its client."""
        operation = soap.operation_of(type(sending.message))
        soap.zeep_operation(operation, self.profile.namespace)  # says which namespace has it, if this one has not
        try:
            arguments = soap.to_values(sending.message, self.profile)
        except LocalError:
            raise
        except (TypeError, ValueError) as error:
            raise LocalError(f"the {soap.element_name(type(sending.message))} cannot be written: {error}") from error
        arguments["_soapheaders"] = soap.soap_headers(sending.transaction_id, self.profile)
        self._operation(sending.message)
        return write_envelope(bind(self.client, exchange), operation.name, arguments)


# fields that nothing below could make sense of: other values become text, as they are, or are refused by the schema
_PIECES: Mapping[str, type] = MappingProxyType(
    {"message_id": str, "cancel_id": str, "replace_id": str, "reply_charging": ReplyCharging}
)


def build(kind: type[M], **values: Any) -> M:
    """A message made of what the caller gave.

    Raises ``LocalError`` for what it cannot be made of, and for a field that it does not have.
    """
    names = [one.name for one in fields(kind)]
    for given in values:
        if given not in names:
            close = difflib.get_close_matches(given, names, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; it has {', '.join(names)}"
            raise LocalError(f"a {kind.__name__} has no field {given!r}{hint}")
    for name, value in values.items():
        wanted = _PIECES.get(name)
        if wanted is not None and value is not None and not isinstance(value, wanted):
            raise LocalError(f"{name} is a {wanted.__name__}, not {type(value).__name__}")
    if not all(isinstance(one, Extension) for one in values.get("extensions") or ()):
        raise LocalError("extensions are mm7zeep.Extension values")
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        raise LocalError(str(error)) from error
