"""What the admin listener tells of the gateway itself: a page for a browser, whether it lives and is ready, counts."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from mm7zeep.gateway.admin import outputs
from mm7zeep.gateway.admin.request import AdminRequest
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.json_response import JSONResponse

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>mm7zeep gateway</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em }</style></head>
<body>
<h1>mm7zeep gateway</h1>
<p>MM7 is served on another port, at <code>/mm7</code>. Here are:</p>
<ul>
<li><a href="/api/v1/messages">/api/v1/messages</a>: the newest messages</li>
<li><a href="/api/v1/callbacks">/api/v1/callbacks</a>: calls to applications</li>
<li><a href="/api/v1/openapi.json">/api/v1/openapi.json</a>: what the REST API does, as OpenAPI 3.1</li>
<li><a href="/metrics">/metrics</a>: counts, for Prometheus</li>
<li><a href="/livez">/livez</a>, <a href="/readyz">/readyz</a>: whether it lives, and takes messages</li>
</ul>
</body></html>
"""


async def front(asked: AdminRequest[Nothing, Nothing]) -> Response:
    """What is here, for a browser."""
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": policy})


async def livez(asked: AdminRequest[Nothing, Nothing]) -> outputs.Alive:
    """Whether the process lives."""
    return outputs.Alive(status="alive")


async def readyz(asked: AdminRequest[Nothing, Nothing]) -> outputs.Ready | Response:
    """Whether requests can be taken."""
    reasons = asked.gateway.ready()
    if reasons:
        return JSONResponse(outputs.Ready(status="not ready", reasons=list(reasons)).as_dict(), 503)
    return outputs.Ready(status="ready")


def metrics(asked: AdminRequest[Nothing, Nothing]) -> Response:
    """Counts, for Prometheus."""
    gateway = asked.gateway
    page, content_type = gateway.metrics.exposition(gateway.database, gateway.waiting_for_rate)
    return Response(page, headers={"Content-Type": content_type})
