"""``/readyz`` of the listeners for applications: whether they take messages, in two words for a load balancer.

Asks nothing of the disk and the database: it repeats what was found within the last second. Refuses to say why not,
which is for the operator (``/readyz`` of the admin listener), and every method but GET and HEAD.
"""

from __future__ import annotations

from collections.abc import Callable

from mm7zeep.receiver import Receive, Scope, Send

PATH = "/readyz"
"""Where it is asked for."""

_HEAD = ((b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"))


class Readiness:
    """The ASGI application of ``/readyz``: 200 where ``why_not`` gives no reason, otherwise 503; 405 for methods that
    ask for something else.
    """

    def __init__(self, why_not: Callable[[], tuple[str, ...]]) -> None:
        self._why_not = why_not

    def is_asked(self, scope: Scope) -> bool:
        """Whether a request is for it."""
        path = str(scope.get("path", "")).removeprefix(scope.get("root_path", ""))
        return scope["type"] == "http" and path == PATH

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        more: tuple[tuple[bytes, bytes], ...] = ()
        if method not in ("GET", "HEAD"):
            status, body = 405, b"GET or HEAD\n"
            more = ((b"allow", b"GET, HEAD"), (b"connection", b"close"))  # a body that nobody reads may follow
        elif self._why_not():
            status, body = 503, b"not ready\n"
        else:
            status, body = 200, b"ready\n"
        head = [*_HEAD, (b"content-length", b"%d" % len(body)), *more]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
