"""The routes of the API, one row each; the OpenAPI document is made of them, too."""

from __future__ import annotations

from starlette.responses import Response

from mm7zeep.gateway.api import media, media_urls, messages, outputs, problems
from mm7zeep.gateway.api.forms import FORM
from mm7zeep.gateway.api.request import ApiRequest
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.openapi import Api, document
from mm7zeep.gateway.rest.output import Document
from mm7zeep.gateway.rest.route import Route
from mm7zeep.json_text import as_json

ABOUT = Api(
    title="mm7zeep API",
    description="Send MMS and hear what became of them. Times are ISO 8601 in UTC. Refusals are problems (RFC 9457).",
    prefix="/v1",
    refusal=problems.Body,
    refusal_type=problems.MEDIA_TYPE,
    schemes={"key": {"type": "http", "scheme": "bearer"}, "basic": {"type": "http", "scheme": "basic"}},
    refusals=(401, 500, 503),
    event=outputs.Event,
)


async def _openapi(asked: ApiRequest[Nothing, Nothing]) -> Document | Response:
    return Response(_DOCUMENT, media_type="application/json")


# fmt: off
ROUTES: tuple[Route, ...] = (
    Route(method="POST", path=messages.PATH, function=messages.send, form=FORM,
          status=202, refusals=(408, 422),
          summary="Send a message to one or several recipients; answered when it is kept on the disk."),
    Route(method="GET", path=messages.PATH, function=messages.listed,
          summary="The application's messages, the newest first, that fit everything given."),
    Route(method="GET", path=f"{messages.PATH}/{{id}}", function=messages.one, refusals=(404,),
          summary="One message, and what became of it for each recipient."),
    Route(method="DELETE", path=f"{messages.PATH}/{{id}}", function=messages.cancel, refusals=(404, 409),
          summary="Take a message back from all who have not got it yet."),
    Route(method="GET", path=f"{messages.PATH}/{{id}}/parts/{{n}}", function=messages.part, refusals=(404,),
          media_type="application/octet-stream",
          summary="One part, decoded: an image, audio or video as what its octets show, anything else a download."),
    Route(method="GET", path=f"{media_urls.PATH}/{{id}}/{{n}}", function=media.media, public=True,
          refusals=(403, 404, 410, 500, 503), media_type="application/octet-stream",
          summary="The same for whoever has its URL from an event: signed, and good until it expires."),
    Route(method="GET", path="/v1/openapi.json", function=_openapi, public=True, summary="This document."),
)
# fmt: on

_DOCUMENT = as_json(document(ABOUT, ROUTES)).encode()  # once: whoever asks for it need not be anybody
