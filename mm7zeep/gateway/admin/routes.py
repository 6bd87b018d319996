"""The routes of the admin listener, one row each; the OpenAPI document is made of them, too."""

from __future__ import annotations

from mm7zeep.gateway.admin import callbacks, deliver, handset, health, keys, messages, opt_outs, outputs
from mm7zeep.gateway.admin.request import AdminRequest
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.openapi import Api, document
from mm7zeep.gateway.rest.output import Document
from mm7zeep.gateway.rest.route import Route

API = "/api/v1"


ABOUT = Api(
    title="mm7zeep gateway",
    description="Health, metrics, messages and callbacks of a gateway. Times are ISO 8601 in UTC.",
    prefix=API,
    refusal=outputs.Error,
    schemes={"basic": {"type": "http", "scheme": "basic"}},
    optional=True,
    refusals=(401, 403, 421, 429, 503),
)


async def _openapi(asked: AdminRequest[Nothing, Nothing]) -> Document:
    return Document(**document(ABOUT, ROUTES))


# fmt: off
ROUTES: tuple[Route, ...] = (
    Route(method="GET", path="/livez", function=health.livez, public=True,
          summary="Whether the process lives: 200 while its event loop runs."),
    Route(method="GET", path="/readyz", function=health.readyz, public=True, refusals=(503,),
          refused_with={503: outputs.Ready},
          summary="Whether requests can be taken; 503 with the reasons where not."),
    Route(method="GET", path="/metrics", function=health.metrics, media_type="text/plain", operator=True,
          summary="Counts, for Prometheus."),
    Route(method="GET", path=f"{API}/openapi.json", function=_openapi, summary="This document."),

    Route(method="GET", path=f"{API}/messages", function=messages.listed,
          summary="Messages, the newest first, that fit everything given."),
    Route(method="GET", path=f"{API}/messages/{{id}}", function=messages.one, refusals=(404,),
          summary="One message with its parts, findings and calls."),
    Route(method="GET", path=f"{API}/messages/{{id}}/raw", function=messages.raw,
          media_type="application/octet-stream", refusals=(404,),
          summary="A request about a message as it came, with its head but without the credentials."),
    Route(method="GET", path=f"{API}/messages/{{id}}/parts/{{n}}", function=messages.part,
          media_type="application/octet-stream", refusals=(404,),
          summary="One part, decoded: an image, audio or video as what its octets show, anything else a download."),
    Route(method="DELETE", path=f"{API}/messages/{{id}}", function=messages.delete, status=204, refusals=(404, 409),
          summary="Delete a message with its octets, copies and calls; not while a call of it is being made."),
    Route(method="GET", path=f"{API}/wait", function=messages.wait, refusals=(404,),
          summary="The newest message that fits everything given, as soon as there is one; 404 after the timeout."),

    Route(method="POST", path=f"{API}/deliver", function=deliver.deliver, status=202, refusals=(409,),
          summary="A handset sends a message to an application: now or later, new, in answer, or passed on."),
    Route(method="POST", path=f"{API}/messages/{{id}}/report", function=handset.report, status=202, refusals=(404, 409),
          summary="A copy, or all that wait, reach a state, whatever their handsets would have done; it is reported."),
    Route(method="POST", path=f"{API}/messages/{{id}}/read", function=handset.read, status=202, refusals=(404, 409),
          summary="A recipient has read or deleted a message; its application is told, asked for or not."),

    Route(method="GET", path=f"{API}/callbacks", function=callbacks.listed,
          summary="Calls to applications and upstreams, the newest first."),
    Route(method="POST", path=f"{API}/callbacks/replay", function=callbacks.replay, status=202,
          summary="Make dead calls again: by endpoint (it is resumed), by when they died, or both."),
    Route(method="GET", path=f"{API}/callbacks/{{id}}", function=callbacks.one, refusals=(404,),
          summary="One call with what was answered to it."),
    Route(method="POST", path=f"{API}/callbacks/{{id}}/replay", function=callbacks.replay_one, status=202,
          refusals=(404, 409),
          summary="Make one call again, whatever came of it; it keeps its TransactionID."),
    Route(method="GET", path=f"{API}/endpoints", function=callbacks.paused_endpoints,
          summary="Endpoints that are paused: no calls go there until they are resumed."),
    Route(method="POST", path=f"{API}/endpoints/pause", function=callbacks.pause, refusals=(404,),
          summary="Make no calls to an endpoint until it is resumed; what is planned for it waits."),
    Route(method="POST", path=f"{API}/endpoints/resume", function=callbacks.resume, refusals=(404,),
          summary="Make calls to an endpoint again."),

    Route(method="GET", path=f"{API}/opt-outs", function=opt_outs.listed,
          summary="Who has opted out of what an application sends, the newest first."),
    Route(method="POST", path=f"{API}/opt-outs", function=opt_outs.add, refusals=(409,),
          summary="A subscriber wants nothing more from a number; what is kept already stays as it is."),
    Route(method="DELETE", path=f"{API}/opt-outs", function=opt_outs.remove, refusals=(404,),
          summary="A subscriber may be sent messages from a number again."),

    Route(method="GET", path=f"{API}/handsets", function=handset.handsets, operator=True,
          summary="The handset scripts in force: those that were set, and then those of the configuration file."),
    Route(method="PUT", path=f"{API}/handsets", function=handset.set_handsets, operator=True,
          summary="Set these handset scripts, and no others; an empty list returns to those of the file alone."),
    Route(method="GET", path=f"{API}/chaos", function=handset.chaos, operator=True,
          summary="The trouble that is made on purpose."),
    Route(method="PUT", path=f"{API}/chaos", function=handset.set_chaos, operator=True,
          summary="Make this trouble, and no other; an empty list ends it."),
    Route(method="GET", path=f"{API}/clock", function=handset.clock,
          summary="The time that counts, and whether a jump of the clock waits to be confirmed."),
    Route(method="POST", path=f"{API}/clock/confirm", function=handset.confirm_clock, operator=True, refusals=(409,),
          summary="Go by the clock as it is now: what was held expires, is deleted or given up again."),
    Route(method="GET", path=f"{API}/keys", function=keys.listed, operator=True,
          summary="The keys of the JSON API, the oldest first, also those that were revoked."),
    Route(method="POST", path=f"{API}/keys", function=keys.issue, operator=True, status=201, refusals=(409,),
          summary="Make a key of an application for the JSON API; this answer alone tells it."),
    Route(method="DELETE", path=f"{API}/keys/{{id}}", function=keys.revoke, operator=True, refusals=(404,),
          summary="Let a key open nothing any more."),
    Route(method="GET", path=f"{API}/applications", function=handset.applications,
          summary="The applications that are served, without their secrets."),
)
# fmt: on
