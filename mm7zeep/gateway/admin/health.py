"""What the admin listener tells of the gateway itself: whether it lives and is ready, counts."""

from __future__ import annotations

from starlette.responses import Response

from mm7zeep.gateway.admin import outputs
from mm7zeep.gateway.admin.request import AdminRequest
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.json_response import JSONResponse


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
