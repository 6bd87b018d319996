"""Composing a request: its TransactionID, its content, the zeep operation and its arguments.

Sends nothing itself. Refuses what cannot be written, with ``LocalError``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, TypeVar

import zeep

from mm7zeep import envelope as soap
from mm7zeep import profiles
from mm7zeep.client.outcomes import Retry
from mm7zeep.credentials import endpoint, header_fields
from mm7zeep.errors import LocalError
from mm7zeep.exchange import Content, compose, emptiness, new_transaction_id, pointing_to
from mm7zeep.findings import Finding
from mm7zeep.messages import Extension, Fault, Message, ReplyCharging, Response
from mm7zeep.profiles import Policy, Profile
from mm7zeep.transport import HttpExchange, Progress, Role, ValidationPlugin, bind
from mm7zeep.transport.clients import zeep_options

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request, as often as it is sent: the same message, content and TransactionID each time.

    ``findings`` are what its caller is to know of the message itself.
    """

    message: Message
    content: Content | None
    transaction_id: str
    profile: Profile
    policy: Policy
    progress: Progress | None
    findings: tuple[Finding, ...] = ()

    @property
    def expected(self) -> type[Response]:
        """The class of the answer to this message."""
        return soap.operation_of(type(self.message)).response

    def exchange(self) -> HttpExchange:
        """What belongs to one attempt."""
        return HttpExchange(content=self.content, message=self.message, profile=self.profile, progress=self.progress)


class Sender:
    """Composes requests for one address, as one profile speaks; sends nothing itself."""

    role: Role
    client: zeep.Client

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
            content = compose(getattr(message, "parts", ()), self.profile)
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

    def _proxy(self, sending: Sending, exchange: HttpExchange) -> tuple[Any, dict[str, Any]]:
        """The zeep operation bound to this exchange, and its arguments."""
        operation = soap.operation_of(type(sending.message))
        soap.zeep_operation(operation, self.profile.namespace)  # says which namespace has it, if this one has not
        try:
            arguments = soap.to_values(sending.message, self.profile)
        except LocalError:
            raise
        except (TypeError, ValueError) as error:
            raise LocalError(f"the {soap.element_name(type(sending.message))} cannot be written: {error}") from error
        arguments["_soapheaders"] = soap.soap_headers(sending.transaction_id, self.profile)
        try:
            return bind(self.client, exchange).service[operation.name], arguments
        except AttributeError as error:  # zeep's, for what its binding does not have
            kind = type(sending.message).__name__
            raise LocalError(f"{type(self).__name__} sends no {kind}; the other side does") from error


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
