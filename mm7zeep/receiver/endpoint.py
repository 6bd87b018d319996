"""The pipeline of a request: head, body, reading, handler, answer; the one place where an exception becomes an answer.

Serves either role. Refuses by HTTP what is no MM7 request at all, by SOAP Fault what cannot be read or is not served;
what went wrong in a handler is logged, and answered without its reason.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field, replace

from mm7zeep import envelope, exchange, mime, profiles
from mm7zeep.errors import EnvelopeError, LocalError, RemoteError, StatusError
from mm7zeep.exchange import Judgement, Received, Wire
from mm7zeep.messages import Message, VASPErrorRsp
from mm7zeep.profiles import Policy, Profile
from mm7zeep.receiver import refused
from mm7zeep.receiver.faces import AsgiFace, WsgiFace
from mm7zeep.receiver.guard import (
    HTTP_LIMITS,
    Admission,
    Auth,
    Client,
    Gone,
    HttpLimits,
    ProxyAuthenticator,
    QueuedAuthenticator,
    Refusal,
    affordable,
    authenticator,
    too_large,
    unknown,
    well_formed,
    without_length,
)
from mm7zeep.receiver.handlers import Call, ErrorKind, Handler, Observe, PromptHandler, PromptHandlers, Turns
from mm7zeep.receiver.replies import (
    UNKNOWN_TRANSACTION,
    AnswerForm,
    addressee,
    end_to_end,
    fault,
    printable,
    reason,
    response,
)
from mm7zeep.receiver.waiting import ASYNCIO, BLOCKING, Mode, Pull, drive, puller, turn_at
from mm7zeep.status import Status

Reply = Wire
"""What ``answer`` gives: a ``Wire`` with a ``status``."""

_LOG = logging.getLogger("mm7zeep.receiver")
# Octets of a request that is read in the event loop, where it costs less than two hops to a thread; all others wait
# meanwhile, whosever they are. Of the envelope, what a request to forty recipients has.
_SMALL, _SMALL_ENVELOPE = 128 * 1024, 4 * 1024
_PRIVATE = frozenset({"authorization", "proxy-authorization", "cookie"})  # fields that no handler, log or repr needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What ``serve`` gives: the ``reply``, and whether the server has to ``close`` the connection after it."""

    reply: Reply
    close: bool


@dataclass(slots=True)
class _Turn:
    """What is known so far of the request being answered."""

    peer: str | None = None
    user: str | None = None
    size: int = 0  # of the body, as far as it was read
    raw: list[bytes] = field(default_factory=list)  # the body, where it is kept
    whole: bool = False  # its body was read to the end
    transaction_id: str | None = None
    reply_to: Received | None = None
    operation: envelope.Operation | None = None
    called: str | None = None  # the element of the request
    asked: envelope.Operation | None = None  # what a request that could not be read asks for
    code: int | None = None  # of the answer
    handed_over: bool = False  # to the handler: from here on nothing is the sender's fault
    names: list[str] = field(default_factory=list)  # of findings, for the log
    why: str | None = None  # it is refused, for the log
    accident: Exception | None = None  # that it could not be answered for


class Endpoint:
    """Answers MM7 requests, as the MMS Relay/Server (``error=RSErrorRsp``) or as the VASP (``error=VASPErrorRsp``).

    ``handlers`` are by class of the request. ``auth`` None lets everybody in. ``error`` may also be a function of the
    user, where both roles are played. ``answers`` tells how a user is answered. ``profile`` is what a fault is written
    in when the request does not show its namespace. ``keep_raw`` gives handlers the body as it came. ``admission`` is
    asked, after ``auth`` and before the body is read, for room. ``turns`` gives the turn of a user, in which the
    request is worked on once it has been read; it is asked where an event loop runs. ``prompt`` are handlers that an
    event loop may call itself. ``observe`` is called with each answer; what it raises is logged. ``show_numbers`` lets
    telephone numbers and mail addresses stand in what the log says of a refusal.

    Raises ``LocalError`` for options that cannot be used.
    """

    def __init__(
        self,
        handlers: Mapping[type[Message], Handler],
        *,
        error: ErrorKind | Callable[[str | None], ErrorKind],
        auth: Auth = None,
        profile: str | Profile | None = None,
        policy: Policy = "interop",
        limits: mime.Limits | None = None,
        http: HttpLimits = HTTP_LIMITS,
        realm: str = "mm7",
        answers: Callable[[str | None], AnswerForm] = lambda user: AnswerForm(),
        keep_raw: bool = False,
        admission: Callable[[Wire], Admission] | None = None,
        turns: Turns | None = None,
        prompt: PromptHandlers | None = None,
        observe: Observe | None = None,
        show_numbers: bool = False,
    ) -> None:
        if not isinstance(limits, mime.Limits | None) or not isinstance(http, HttpLimits):
            raise LocalError("limits is a mime.Limits, such as Limits(body=5_000_000), and http an HttpLimits")
        if not isinstance(realm, str) or not realm.isprintable() or not realm.isascii() or set(realm) & {'"', "\\"}:
            raise LocalError(f"the realm {realm!r} needs printable ASCII without quotes or backslashes")
        self.handlers = handlers
        self._served = {envelope.operation_of(kind) for kind in handlers}
        self.error = error
        self.auth = authenticator(auth)
        self._queued = self.auth if isinstance(self.auth, QueuedAuthenticator) else None
        self._auth_executor = ThreadPoolExecutor(1, "mm7zeep-auth")  # starts its thread only where the check is slow
        self.profile, self.policy = profiles.profile(profile), profiles.policy(policy)
        self.limits = limits or mime.Limits()
        self.http = http
        self.realm = realm
        self.answers = answers
        self.keep_raw = keep_raw
        self.admission = admission
        self.turns = turns
        self.prompt = prompt or PromptHandlers({})
        self.observe = observe
        self.show_numbers = show_numbers
        self.asgi = AsgiFace(self)
        self.wsgi = WsgiFace(self)

    def close(self) -> None:
        """End the thread in which a slow ``auth`` was asked, once it has answered; may be called again.

        Call it when no request comes any more: one whose ``auth`` is slow is answered by a Fault (3000) from then on.
        """
        self._auth_executor.shutdown()

    def answer(self, wire: Wire, *, peer: str | None = None) -> Reply:
        """Answer one request, from the address ``peer`` if that is known. Never raises for what it holds.

        The reply has end-to-end fields only, as WSGI (PEP 3333) and web frameworks want them: no Connection, no
        Transfer-Encoding. Its length is not among them.
        The handler runs in this thread, an asynchronous one in an event loop of its own; inside a running loop, await
        ``answer_async``.
        """
        _is_wire(wire)
        with ExitStack() as held:
            return drive(self.serve(wire, puller(wire.chunks()), BLOCKING, peer=peer, held=held)).reply

    async def answer_async(self, wire: Wire, *, peer: str | None = None) -> Reply:
        """``answer`` for a running asyncio loop: a handler that blocks runs in a thread."""
        _is_wire(wire)
        with ExitStack() as held:
            served = await self.serve(wire, puller(wire.chunks()), ASYNCIO, peer=peer, held=held)
            return served.reply

    async def serve(
        self,
        head: Wire,
        pull: Pull,
        mode: Mode,
        *,
        held: ExitStack,
        peer: str | None = None,
        version: str | None = None,
        client: Client | None = None,
    ) -> Served:
        """The pipeline: head, body, reading, handler, answer. The one place where an exception becomes an answer.

        ``held`` is closed by the caller once the answer is written. ``version`` is that of HTTP, ``client`` the
        connection, where they are known.
        """
        begun, turn = time.monotonic(), _Turn(peer=peer)
        try:
            well_formed(head, version)
            turn.user = await self._ask(head, peer, mode, client)
            if client is not None:
                client.recognised()
            affordable(head, self.http, self.limits.body)
            room = self.admission(head) if self.admission is not None else None
            if room is not None:
                held.enter_context(room)
            package = await self._take(head, pull, turn, room)
            result = await self._handled(head, package, turn, mode)
            # quick: what the answer is written with was made ready by reading the request
            answer: Wire = self._write(response(result, turn.operation, turn.reply_to), turn)
        except Gone:
            raise
        except Refusal as error:
            answer, turn.why = error.wire(), str(error)  # costs nothing, and waits for no thread
        except Exception as error:  # noqa: BLE001  every one is answered, and the unexpected ones are logged
            answer = await mode.run(self._refuse, error, turn)
        self._say(head, turn, answer)
        self._tell(turn, answer, time.monotonic() - begun)
        # what is left of a body that was not read would be taken for the next request
        headers = end_to_end(answer.headers)
        reply = answer if len(headers) == len(answer.headers) else replace(answer, headers=headers)
        return Served(reply=reply, close=not turn.whole)

    # --- in -----------------------------------------------------------------------------------------------------------

    async def _ask(self, head: Wire, peer: str | None, mode: Mode, client: Client | None) -> str | None:
        """Who asks; None where nobody is asked. Raises ``Refusal`` (401) for somebody unknown."""
        if self.auth is None:
            return None
        user: str | None
        if self._queued is not None:
            decided = self._queued.decide(head, peer)
            user = await turn_at(decided, mode, client) if isinstance(decided, Future) else decided
        elif not self.auth.slow(head, peer):
            user = self.auth.user(head, peer)
        else:
            user = await mode.apart(self._auth_executor, self.auth.user, head, peer)
        if user is None:
            raise unknown(self.realm)
        return user

    def _due(self, turns: Turns | None, user: str | None, mode: Mode) -> AbstractAsyncContextManager[object]:
        return turns(user) if turns is not None and mode is ASYNCIO else nullcontext()

    async def _take(self, head: Wire, pull: Pull, turn: _Turn, room: Admission | None) -> mime.Package:
        """The package, read as it comes. Raises ``Refusal`` over the limit, ``RemoteError`` for what is no package."""
        reader = mime.Reader(head.headers, self.limits)
        total, failed = 0, None
        while (chunk := await pull()) is not None:
            total += len(chunk)
            if total > self.limits.body:
                raise too_large(self.limits.body)
            if room is not None:
                room.took(len(chunk))
            turn.size = total
            if self.keep_raw:
                turn.raw.append(chunk)
            try:
                if failed is None:
                    reader.feed(chunk)
            except RemoteError as error:
                failed = error  # the rest is read all the same: who is still sending would not hear the answer
        turn.whole = True
        if not total and (head.header("Transfer-Encoding") or "").strip().lower().endswith("chunked"):
            raise without_length()
        if failed is not None:
            raise failed
        return reader.finish()

    async def _handled(self, head: Wire, package: mime.Package, turn: _Turn, mode: Mode) -> object:
        """What the handler for this package gives: a prompt one here, any other in a thread."""
        prompt: PromptHandler | None = None
        judgement = self._known(head, package, turn) if mode is ASYNCIO and self.prompt.handlers else None
        if judgement is not None:
            handler, call = self._called(head, judgement, turn)
            prompt = self.prompt.handlers.get(type(call.message))
            if prompt is not None:
                async with self._due(self.prompt.turns, turn.user, mode):
                    asked = prompt(call)
                    if asked is not None:
                        return await asked
        async with self._due(self.turns, turn.user, mode):
            if judgement is not None:
                result = await mode.run(handler, call)
            else:
                result = await mode.run(self._hand_over, head, package, turn)
        return await mode.wait(result) if inspect.isawaitable(result) else result

    def _known(self, head: Wire, package: mime.Package, turn: _Turn) -> Judgement | None:
        """The judgement of a small package whose shape is known; None where it has to be worked out in a thread."""
        if turn.size > _SMALL or len(package.root) > _SMALL_ENVELOPE or not exchange.plans_are_on():
            return None
        return exchange.examine_known(head, package, policy=self.policy, limits=self.limits)

    def _hand_over(self, head: Wire, package: mime.Package, turn: _Turn) -> object:
        """What the handler for this package gives. Raises ``RemoteError`` for what cannot be read or is not served."""
        plans = exchange.plans_are_on()
        judgement = exchange.examine(
            replace(head, body=b""), policy=self.policy, limits=self.limits, package=package, plans=plans
        )
        handler, call = self._called(head, judgement, turn)
        return handler(call)

    def _called(self, head: Wire, judgement: Judgement, turn: _Turn) -> tuple[Handler, Call]:
        """The handler for what was judged, and the call that it gets. Raises ``RemoteError`` as ``_hand_over``."""
        turn.transaction_id = judgement.sketch.transaction_id or getattr(judgement.error, "transaction_id", None)
        turn.reply_to = addressee(judgement) if judgement.planned is None else None
        turn.names = [one.id for one in judgement.findings]
        if judgement.error is not None:
            turn.asked = envelope.requested(judgement.sketch.operation)
            raise judgement.error
        headers = tuple((name, value) for name, value in head.headers if name.lower() not in _PRIVATE)
        received = exchange.receive(judgement, headers)
        turn.reply_to, turn.called = received, received.operation
        handler, routed = self.route(received)
        turn.operation = envelope.operation_of(type(received.message))
        turn.handed_over = True
        raw, turn.raw = b"".join(turn.raw), []
        return handler, Call(message=routed.message, received=routed, user=turn.user, peer=turn.peer, raw=raw)

    def route(self, received: Received) -> tuple[Handler, Received]:
        """The handler for a message, and the message as it takes it. Raises ``EnvelopeError`` (4003) without one."""
        handler = self.handlers.get(type(received.message))
        if handler is None:
            raise EnvelopeError(f"{received.operation} is not served here", received.findings, status=4003)
        return handler, received

    # --- out ----------------------------------------------------------------------------------------------------------

    def _refuse(self, error: Exception, turn: _Turn) -> Wire:
        """The answer that an exception stands for."""
        if isinstance(error, RemoteError) and not turn.handed_over:
            turn.why = refused.of_error(error, turn.names, show_numbers=self.show_numbers)
            status = Status(error.status, details=printable(str(error))[:500])
            by_answer = turn.asked in self._served and error.fault in (None, "Client", "Server")
            if by_answer and self.answers(turn.user).refusals == "response":
                return self._write(response(status, turn.asked, turn.reply_to), turn)
            return self._write(fault(self._kind(turn), status, error.fault), turn)
        # a StatusError with an answer is a client's: somebody else refused something else
        if isinstance(error, StatusError) and error.answer is None and turn.operation is not None:
            if self.answers(turn.user).refusals == "fault" and not error.status.ok:
                return self._write(fault(self._kind(turn), error.status), turn)
            return self._write(response(error.status, turn.operation, turn.reply_to), turn)
        turn.accident = error
        return self._write(fault(self._kind(turn), Status(3000)), turn)

    def _write(self, message: Message, turn: _Turn) -> Wire:
        """``message`` as the answer of this turn; where it has no form there, a fault; at last one in generic-6.8.0."""
        known, form = turn.transaction_id or UNKNOWN_TRANSACTION, self.answers(turn.user)
        asked = form.asked_in(turn.reply_to) if turn.reply_to is not None else None
        failed = fault(self._kind(turn), Status(3000))
        default = None if turn.reply_to is not None else self._default(turn)
        tries: tuple[tuple[Message, Received | None, Profile | None, str], ...] = (
            (message, asked, default, known),
            (failed, asked, default, known),
            (failed, None, profiles.GENERIC_6_8_0, known),
            (failed, None, profiles.GENERIC_6_8_0, UNKNOWN_TRANSACTION),
        )
        for wanted, reply_to, profile, transaction_id in tries:
            try:
                wire = exchange.pack(wanted, (), reply_to=reply_to, profile=profile, transaction_id=transaction_id)
            except Exception as error:  # noqa: BLE001  logged; the next form is tried
                _LOG.error("%s cannot be written: %s", type(wanted).__name__, reason(error))
            else:
                status = getattr(wanted, "status", None)
                turn.code = getattr(status, "code", None)
                if isinstance(status, Status) and not status.ok and turn.why is None:
                    turn.why = refused.of_status(status, show_numbers=self.show_numbers)
                return replace(wire, status=form.fault_status) if wire.status == 500 else wire
        return Refusal(500, "no answer could be written").wire()

    def _default(self, turn: _Turn) -> Profile:
        """What to write in where the request does not show its namespace."""
        one = self.profile
        return profiles.profile(one.report_schema) if one.report_schema and self._kind(turn) is VASPErrorRsp else one

    def _kind(self, turn: _Turn) -> ErrorKind:
        """What a fault holds for this user."""
        return self.error if isinstance(self.error, type) else self.error(turn.user)

    def _say(self, head: Wire, turn: _Turn, answer: Wire) -> None:
        """Log what was refused: one line that says what, from whom, why, and what was answered."""
        if turn.why is None and turn.accident is None:
            return
        who = refused.asker(head, turn.user, self._origin(head, turn.peer), asked=self.auth is not None)
        answered = refused.answered(answer.status, turn.code)
        if turn.accident is not None:
            what = turn.operation.request.__name__ if turn.operation is not None else "a request"
            told = {"fields": {"from": who, "answered": answered}}
            _LOG.error("answering %s failed", what, exc_info=turn.accident, extra=told)
            return
        # whoever is let in nowhere can have it said as often as he likes
        stranger = {"seldom": f"refused {answer.status}"} if self.auth is not None and turn.user is None else {}
        what = turn.called or "a request"
        _LOG.info("refused %s of %s: %s; answered %s", what, who, turn.why, answered, extra=stranger)

    def _origin(self, head: Wire, peer: str | None) -> str | None:
        """Where a request comes from, as far as is known."""
        try:
            return self.auth.origin(head, peer) if isinstance(self.auth, ProxyAuthenticator) else peer
        except Exception:  # noqa: BLE001  logged; the answer stands
            _LOG.exception("the authenticator could not tell where a request comes from")
            return peer

    def _tell(self, turn: _Turn, answer: Wire, seconds: float) -> None:
        if self.observe is None:
            return
        try:
            self.observe(turn.called, turn.code, answer.status or 500, seconds, turn.user)
        except Exception:  # noqa: BLE001  logged; the answer stands
            _LOG.exception("the observer of answers failed")


def _is_wire(wire: object) -> None:
    if not isinstance(wire, Wire):
        raise LocalError(f"a request is Wire(method=..., headers=..., body=...), not {type(wire).__name__}")
