"""The VASP's side: functions registered for what an MMS Relay/Server sends.

Adapts a function to the endpoint's handler, and an MO that comes as SubmitReq to the DeliverReq it means. Refuses, with
``ValueError``, a second function for one kind of message.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import TypeVar

from mm7zeep import mime
from mm7zeep.exchange import Received
from mm7zeep.findings import finding
from mm7zeep.messages import DeliverReq, DeliveryReportReq, Message, ReadReplyReq, SubmitReq, VASPErrorRsp
from mm7zeep.profiles import Policy, Profile
from mm7zeep.receiver.endpoint import Endpoint, Handler
from mm7zeep.receiver.guard import HTTP_LIMITS, BasicAuth, Door, HttpLimits

H = TypeVar("H", bound=Callable[..., object])


class Receiver(Endpoint):
    """The VASP's listening side: MO messages, delivery reports and read replies come to the functions registered here.

    A function takes the message, and as a second parameter (without default, or named ``received``) the ``Received``
    around it. It may be asynchronous. Giving nothing answers 1000; ``StatusError(2002, "...")`` answers with that
    status; any other exception is logged and answered by a Fault with 3000. ``auth`` maps names to passwords (None:
    nobody is asked). With a ``profile`` that has ``submit_as_deliver``, an MO that arrives as SubmitReq goes to the
    ``on_deliver`` function unless ``on_submit`` has one.

    ``answer(wire)`` serves any framework; ``asgi`` and ``wsgi`` are whole applications. Registration ends before
    serving begins.
    """

    def __init__(
        self,
        auth: Mapping[str, str] | BasicAuth | Door | None = None,
        *,
        profile: str | Profile | None = None,
        policy: Policy = "interop",
        limits: mime.Limits | None = None,
        http: HttpLimits = HTTP_LIMITS,
        realm: str = "mm7",
    ) -> None:
        self._registered: dict[type[Message], Handler] = {}
        super().__init__(
            self._registered,
            error=VASPErrorRsp,
            auth=auth,
            profile=profile,
            policy=policy,
            limits=limits,
            http=http,
            realm=realm,
        )

    def on_deliver(self, function: H) -> H:
        """Register what takes a ``DeliverReq``: a message from a subscriber."""
        return self._register(DeliverReq, function)

    def on_delivery_report(self, function: H) -> H:
        """Register what takes a ``DeliveryReportReq``."""
        return self._register(DeliveryReportReq, function)

    def on_read_reply(self, function: H) -> H:
        """Register what takes a ``ReadReplyReq``."""
        return self._register(ReadReplyReq, function)

    def on_submit(self, function: H) -> H:
        """Register what takes a ``SubmitReq``, as some carriers send an MO; it may give the MessageID."""
        return self._register(SubmitReq, function)

    def _register(self, kind: type[Message], function: H) -> H:
        if kind in self._registered:
            raise ValueError(f"there is a function for {kind.__name__} already")
        self._registered[kind] = _adapted(function)
        return function

    def route(self, received: Received) -> tuple[Handler, Received]:
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
    """``function`` as a ``Handler``: called with the message, and with the ``Received`` if it takes that too."""
    try:
        parameters = tuple(inspect.signature(function).parameters.values())
    except ValueError:  # some builtins tell no signature
        parameters = ()
    if any(one.name == "received" for one in parameters[1:]):
        return lambda call: function(call.message, received=call.received)
    places = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if len(places) > 1 and places[1].default is inspect.Parameter.empty:
        return lambda call: function(call.message, call.received)
    return lambda call: function(call.message)
