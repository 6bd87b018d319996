"""The page to log in at, and logging out. Log-ins are judged, and slowed down, as every name and password is."""

from __future__ import annotations

import base64
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mm7zeep.gateway.admin.app import LOGIN, log_refusal
from mm7zeep.gateway.admin.authentication import Authentication
from mm7zeep.gateway.admin.sessions import COOKIE, Sessions
from mm7zeep.gateway.rest.scope import client_of, head_of, peer_of
from mm7zeep.gateway.viewer.page_request import PageRequest, own_path
from mm7zeep.receiver import Refusal


async def answer(asked: PageRequest, authentication: Authentication, request: Request) -> Response:
    """The page to log in at; with a name and a password, the page that was wanted."""
    if not asked.logs_in:
        return RedirectResponse("/", 303)
    if request.method != "POST":
        return _page(asked, own_path(asked.query.get("next")))
    wanted = own_path(asked.form.text("next"))
    name, password = asked.form.text("name") or "", _password(asked)
    shown = base64.b64encode(f"{name}:{password}".encode()).decode()
    head = head_of(request.scope)
    fields = tuple(one for one in head.headers if one[0].lower() != "authorization")
    trying = replace(head, headers=(*fields, ("Authorization", f"Basic {shown}")))
    try:
        user = await authentication.by_password(trying, peer_of(request.scope), client_of(request.scope))
    except Refusal as error:
        log_refusal(request.scope, trying, error)
        if error.status != 401:
            raise
        return _page(asked, wanted, name, "This name and password do not go together.", 401)
    cookie = await run_in_threadpool(authentication.sessions.begin, user)
    there = RedirectResponse(wanted or "/", 303)
    # behind a proxy with TLS the page was sent by its origin
    secure = (head.header("Origin") or "").lower().startswith("https:")
    there.set_cookie(COOKIE, cookie, path="/", httponly=True, samesite="lax", secure=secure)
    return there


def _password(asked: PageRequest) -> str:
    """As it was typed: spaces count."""
    return next((value for name, value in reversed(asked.form.fields) if name == "password"), "")


def _page(asked: PageRequest, wanted: str | None, name: str = "", wrong: str = "", status: int = 200) -> Response:
    return asked.page("login.html", status=status, wanted=wanted or "/", name=name, wrong=wrong)


def log_out(asked: PageRequest, sessions: Sessions) -> Response:
    """End the session of this browser."""
    if asked.session is not None:
        sessions.end(asked.session)
    there = RedirectResponse(LOGIN, 303)
    there.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return there
