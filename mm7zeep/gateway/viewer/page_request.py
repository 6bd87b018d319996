"""A request for a page, once it was read, and the answers that pages give."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mm7zeep.gateway.admin.request import AdminRequest, WaiterCount
from mm7zeep.gateway.admin.sessions import Session
from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.rest.fields import Input, Nothing
from mm7zeep.gateway.viewer.addresses import urls_of
from mm7zeep.gateway.viewer.copies import Urls
from mm7zeep.gateway.viewer.forms import NO_FORM, Form
from mm7zeep.gateway.viewer.previews import Previews
from mm7zeep.gateway.viewer.rendering import Templates

if TYPE_CHECKING:
    from mm7zeep.gateway.gateway import Gateway

NOTHING = Nothing()
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""What a page may load: nothing that is not the listener's own."""
_FIELDS = {
    "Content-Security-Policy": POLICY,
    # without any referrer browsers send the forms of a page with "Origin: null" (Fetch 3.2), as those of other sites
    "Referrer-Policy": "same-origin",
}
_LONGEST = 2000  # characters of a path that a form leads back to


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A request for a page: who asks, what path, query and form say.

    ``csrf`` is what its forms send along; ``session`` the log-in of the browser, if there is one; ``logs_in`` whether
    a password is asked for at all.
    """

    gateway: Gateway
    templates: Templates
    previews: Previews
    user: User
    session: Session | None
    csrf: str
    logs_in: bool
    path: str
    parameters: Mapping[str, str]
    query: QueryParams
    headers: Mapping[str, str]
    form: Form = NO_FORM

    @property
    def here(self) -> str:
        """The path of this page, with its query."""
        return f"{self.path}?{self.query}" if str(self.query) else self.path

    @property
    def urls(self) -> Urls:
        """Where the gateway's listeners are reached from where this browser is."""
        return urls_of(self.gateway.settings, self.headers, self.user.name if self.logs_in else None)

    @property
    def trouble(self) -> bool:
        """Whether trouble is made on purpose, as far as this process knows."""
        return self.gateway.chaos.active

    @property
    def several(self) -> bool:
        """Whether a list has messages of several applications."""
        return self.user.is_operator and len(self.gateway.settings.applications) > 1

    def rest(self, parameters: Input = NOTHING, body: Input = NOTHING) -> AdminRequest[Any, Any]:
        """The same request of the REST API: what a page shows and does goes by the same functions."""
        return AdminRequest(
            gateway=self.gateway,
            user=self.user,
            clock=time.time,
            parameters=parameters,
            body=body,
            gone=_never,
            crowd=WaiterCount(),
        )

    def page(self, template: str, /, *, status: int = 200, **values: Any) -> Response:
        """The page that ``template`` makes of ``values``."""
        octets = self.templates.page(template, asked=self, **values).encode("utf-8", "replace")  # halves of pairs
        return HTMLResponse(octets, status, _FIELDS)

    def back(self, default: str) -> Response:
        """To the page whose form this is, as its field ``back`` says; to ``default`` where that is no page of ours."""
        return RedirectResponse(own_path(self.form.text("back")) or default, 303)


async def _never() -> bool:
    return False


def own_path(text: str | None) -> str | None:
    """``text`` where it is a path of this listener, and nothing that leads elsewhere; None otherwise."""
    if not text or len(text) > _LONGEST or not text.startswith("/") or text.startswith(("//", "/\\")):
        return None
    if not text.isprintable():
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if not parts.scheme and not parts.netloc and "\\" not in text else None
