"""The listening side: a request in, its handler called, the answer out; sans-I/O, with thin ASGI and WSGI faces.

``Endpoint`` is what both roles share (head, authentication, limits, faults), ``Receiver`` is the VASP's, with
decorators. ``guard`` judges who and how much comes in, ``endpoint`` is the pipeline, ``handlers`` what it calls,
``replies`` what goes out, ``refused`` what the log says of a refusal, ``faces`` the two applications, ``waiting`` how
they wait. Refuses by HTTP what is no MM7 request at all, by SOAP Fault what cannot be read; opens no socket, logs no
body, password or number.
"""

from __future__ import annotations

from mm7zeep.receiver.endpoint import Endpoint, Reply, Served
from mm7zeep.receiver.faces import Receive, Scope, Send
from mm7zeep.receiver.guard import (
    CLIENT,
    Admission,
    Auth,
    Authenticator,
    BasicAuth,
    Client,
    Gone,
    HttpLimits,
    ProxyAuthenticator,
    QueuedAuthenticator,
    Refusal,
)
from mm7zeep.receiver.handlers import Call, Handler, PromptHandlers
from mm7zeep.receiver.replies import AnswerForm
from mm7zeep.receiver.vasp import Receiver, mo_of

__all__ = [
    "CLIENT", "Admission", "AnswerForm", "Auth", "Authenticator", "BasicAuth", "Call", "Client", "Endpoint", "Gone",
    "Handler", "HttpLimits", "PromptHandlers", "ProxyAuthenticator", "QueuedAuthenticator", "Receive", "Receiver",
    "Refusal", "Reply", "Scope", "Send", "Served", "mo_of",
]  # fmt: skip
