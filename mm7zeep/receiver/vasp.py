"""The VASP's side: functions registered for what an MMS Relay/Server sends.

Adapts a function to the endpoint's handler, and an MO that comes as SubmitReq to the DeliverReq it means. Refuses, with
``LocalError``, a second function for one kind of message, and one that cannot take a message.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from typing import Any, Protocol, TypeVar, cast

from mm7zeep import mime
from mm7zeep.errors import LocalError
from mm7zeep.exchange import Received
from mm7zeep.findings import finding
from mm7zeep.messages import (
    DeliverReq,
    DeliverRsp,
    DeliveryReportReq,
    DeliveryReportRsp,
    Message,
    ReadReplyReq,
    ReadReplyRsp,
    SubmitReq,
    SubmitRsp,
    VASPErrorRsp,
)
from mm7zeep.profiles import Policy, Profile
from mm7zeep.receiver.endpoint import Endpoint
from mm7zeep.receiver.guard import HTTP_LIMITS, Auth, HttpLimits
from mm7zeep.receiver.handlers import Call, Handler, PromptHandlers
from mm7zeep.status import Status

M_contra = TypeVar("M_contra", bound=Message, contravariant=True)
A_co = TypeVar("A_co", covariant=True)


class _WithReceived(Protocol[M_contra, A_co]):
    """A function that takes the ``Received`` by name."""

    def __call__(self, message: M_contra, /, *, received: Received) -> A_co | Awaitable[A_co]: ...


# What a function may be: of the message alone, or with the ``Received`` around it; blocking or asynchronous. Its own
# type is kept, so that a decorated function is still what it was.
_Function = (
    Callable[[M_contra], A_co | Awaitable[A_co]]
    | Callable[[M_contra, Received], A_co | Awaitable[A_co]]
    | _WithReceived[M_contra, A_co]
)
F = TypeVar("F", bound=Callable[..., Any])
OnDeliver = TypeVar("OnDeliver", bound=_Function[DeliverReq, DeliverRsp | Status | None])
OnReport = TypeVar("OnReport", bound=_Function[DeliveryReportReq, DeliveryReportRsp | Status | None])
OnRead = TypeVar("OnRead", bound=_Function[ReadReplyReq, ReadReplyRsp | Status | None])
OnSubmit = TypeVar("OnSubmit", bound=_Function[SubmitReq, SubmitRsp | Status | str | None])


class Receiver(Endpoint):
    """The VASP's listening side: MO messages, delivery reports and read replies come to the functions registered here.

    A function takes the message, and as a second parameter (without default, or named ``received``) the ``Received``
    around it. It may be asynchronous. Giving nothing answers 1000; ``StatusError(2002, "...")`` answers with that
    status; any other exception is logged and answered by a Fault with 3000. ``auth`` maps names to passwords, or is one
    (user, password) (None: nobody is asked). With a ``profile`` that has ``submit_as_deliver``, an MO that arrives as
    SubmitReq goes to the ``on_deliver`` function unless ``on_submit`` has one.

    ``answer(wire)`` serves any framework; ``asgi`` and ``wsgi`` are whole applications. Registration ends before
    serving begins. Raises ``LocalError`` for options that cannot be used.
    """

    def __init__(
        self,
        auth: Auth = None,
        *,
        profile: str | Profile | None = None,
        policy: Policy = "interop",
        limits: mime.Limits | None = None,
        http: HttpLimits = HTTP_LIMITS,
        realm: str = "mm7",
    ) -> None:
        self._registered: dict[type[Message], Handler] = {}
        self._asynchronous: dict[type[Message], Callable[[Call], Awaitable[object] | None]] = {}
        super().__init__(
            self._registered,
            error=VASPErrorRsp,
            auth=auth,
            profile=profile,
            policy=policy,
            limits=limits,
            http=http,
            realm=realm,
            prompt=PromptHandlers(self._asynchronous),
        )

    def on_deliver(self, function: OnDeliver) -> OnDeliver:
        """Register what takes a ``DeliverReq``: a message from a subscriber."""
        return self._register(DeliverReq, function)

    def on_delivery_report(self, function: OnReport) -> OnReport:
        """Register what takes a ``DeliveryReportReq``."""
        return self._register(DeliveryReportReq, function)

    def on_read_reply(self, function: OnRead) -> OnRead:
        """Register what takes a ``ReadReplyReq``."""
        return self._register(ReadReplyReq, function)

    def on_submit(self, function: OnSubmit) -> OnSubmit:
        """Register what takes a ``SubmitReq``, as some carriers send an MO; it may give the MessageID."""
        return self._register(SubmitReq, function)

    def _register(self, kind: type[Message], function: F) -> F:
        if not callable(function):
            raise LocalError(f"a function takes the {kind.__name__}, not {type(function).__name__}")
        handler = _adapted(function)
        if kind in self._registered:
            raise LocalError(f"there is a function for {kind.__name__} already")
        self._registered[kind] = handler
        if inspect.iscoroutinefunction(function):  # to call it makes the coroutine and does nothing yet
            self._asynchronous[kind] = cast(Callable[[Call], Awaitable[object]], handler)
        return function

    def route(self, received: Received) -> tuple[Handler, Received]:
        """The function for a message; an MO that came as SubmitReq goes to that for MO where the profile says so."""
        message = received.message
        if isinstance(message, SubmitReq) and self.profile.submit_as_deliver and SubmitReq not in self.handlers:
            noted = finding("sem/mo-as-submit", "/Envelope/Body/SubmitReq", action="repaired")
            received = replace(received, message=mo_of(message), findings=(*received.findings, noted))
        return super().route(received)


def mo_of(message: SubmitReq) -> DeliverReq:
    """The DeliverReq that an MO sent as SubmitReq means; what only a SubmitReq has is left out."""
    names = {one.name for one in fields(DeliverReq)} & {one.name for one in fields(SubmitReq)}
    return DeliverReq(sender=message.sender_address, **{name: getattr(message, name) for name in names})


def _adapted(function: Callable[..., object]) -> Handler:
    """``function`` as a ``Handler``: called with the message, and with the ``Received`` if it takes that too.

    Raises ``LocalError`` for one that cannot be called so: no message would ever reach it.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # some builtins tell no signature
        return lambda call: function(call.message)
    parameters = tuple(signature.parameters.values())
    places = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    named = any(one.name == "received" for one in parameters[1:])
    both = not named and len(places) > 1 and places[1].default is inspect.Parameter.empty
    try:
        signature.bind(*((0, 0) if both else (0,)), **({"received": 0} if named else {}))
    except TypeError as error:
        raise LocalError(
            f"{getattr(function, '__name__', 'the function')}{signature} cannot take a message: {error}; "
            "it takes the message, and if wanted the Received as a second parameter"
        ) from error
    if named:
        return lambda call: function(call.message, received=call.received)
    if both:
        return lambda call: function(call.message, call.received)
    return lambda call: function(call.message)
