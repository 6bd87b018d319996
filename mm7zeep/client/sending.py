"""Composing a request: its TransactionID, its content, the zeep operation and its arguments.

Sends nothing itself. Refuses what cannot be written, with ``LocalError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import zeep

from mm7zeep import envelope as soap
from mm7zeep import exchange, profiles
from mm7zeep.client.outcomes import Retry
from mm7zeep.credentials import endpoint, header_fields
from mm7zeep.errors import LocalError
from mm7zeep.messages import Message, Response
from mm7zeep.profiles import Policy, Profile
from mm7zeep.transport import Call, Progress, Role, ValidationPlugin, bind
from mm7zeep.transport.clients import zeep_options

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request, as often as it is sent: the same message, content and TransactionID each time."""

    message: Message
    content: exchange.Content | None
    transaction_id: str
    profile: Profile
    policy: Policy
    progress: Progress | None

    @property
    def expected(self) -> type[Response]:
        return soap.operation_of(type(self.message)).response

    def call(self) -> Call:
        """What belongs to one attempt."""
        return Call(content=self.content, message=self.message, profile=self.profile, progress=self.progress)


class Sender:
    """Composes requests for one address, as one profile speaks; sends nothing itself."""

    role: Role
    client: zeep.Client

    def __init__(self, url: str, *, profile: str | Profile | None, policy: Policy | None, retry: Retry) -> None:
        if not isinstance(retry, Retry):
            raise LocalError(f"retry is a Retry, such as Retry(times=0), not {type(retry).__name__}")
        self.url = endpoint(url)
        self.profile = self._spoken(_known(profile))
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
        if transaction_id is None:
            transaction_id = exchange.new_transaction_id()
        if not isinstance(transaction_id, str):
            raise LocalError(f"the TransactionID is a str, not {type(transaction_id).__name__}")
        if not transaction_id.strip():
            raise LocalError("the TransactionID is empty; give one (TS 23.140 8.7.1)")
        if not transaction_id.isprintable():
            raise LocalError(f"the TransactionID {transaction_id!r} holds what is no printable character")
        try:
            content = exchange.compose(getattr(message, "parts", ()), self.profile)
        except OSError as error:
            raise LocalError(f"a part cannot be read: {error.strerror}") from error
        if content is not None:
            message = replace(message, content_href=content.href)  # type: ignore[call-arg]
        return Sending(
            message=message,
            content=content,
            transaction_id=transaction_id,
            profile=self.profile,
            policy=self.policy,
            progress=progress,
        )

    def _proxy(self, sending: Sending, call: Call) -> tuple[Any, dict[str, Any]]:
        """The zeep operation bound to this call, and its arguments."""
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
            return bind(self.client, call).service[operation.name], arguments
        except AttributeError as error:  # zeep's, for what its binding does not have
            kind = type(sending.message).__name__
            raise LocalError(f"{type(self).__name__} sends no {kind}; the other side does") from error


def _known(profile: str | Profile | None) -> Profile:
    try:
        return profiles.profile(profile)
    except ValueError as error:
        raise LocalError(str(error)) from error


def build(kind: type[M], **values: Any) -> M:
    """A message made of what the caller gave. Raises ``LocalError`` for what it cannot be made of."""
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        raise LocalError(str(error)) from error
