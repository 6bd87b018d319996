"""The OpenAPI 3.1 document of the admin listener: made of its table of routes, and of the schemas written down here.

The schemas of parameters and bodies are those that requests are judged by; those of answers, a test holds against
answers. Values only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, get_args

from mm7zeep.gateway.admin.request import Parameter, Route, Schema
from mm7zeep.gateway.config.handset import Outcome
from mm7zeep.gateway.store.rows import CANCELLED, DEFERRED, DELIVERED, PENDING, REFUSED, SENT, SHOWN

_LARGEST, _INT = 2**63 - 1, 2**31 - 1  # what a column holds
_OUTCOMES: tuple[str, ...] = get_args(Outcome)
_STATES = tuple(dict.fromkeys((PENDING, SENT, DEFERRED, *_OUTCOMES, DELIVERED, CANCELLED, REFUSED, SHOWN)))
_CALL_STATES = ("ready", "done", "dead", "paused")


def _text(words: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "string", **({"description": words} if words else {}), **more}


def _whole(words: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "integer", **({"description": words} if words else {}), **more}


def _or_null(schema: Schema) -> dict[str, Any]:
    kind = schema["type"]
    words = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [*([kind] if isinstance(kind, str) else kind), "null"], **words}


def _list(items: Schema, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def _object(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> dict[str, Any]:
    """An object with these members and no others; an optional one may be null."""
    others = {name: _or_null(one) for name, one in (optional or {}).items()}
    return {
        "type": "object",
        "properties": {**required, **others},
        "required": list(required),
        "additionalProperties": False,
    }


_TRUTH: Schema = {"type": "boolean"}
_TIME = _text(format="date-time")
_SINCE: Schema = {
    "type": ["string", "number"],
    "description": "ISO 8601 (UTC, where no zone is named), or seconds since 1970",
}
_ADDRESS = _text("a number as +61412345678, a mail address, or a short code", minLength=1, maxLength=512)


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


# --- what requests say ------------------------------------------------------------------------------------------------

MESSAGE_ID = Parameter(name="id", words="MessageID, LinkedID of an MO, or latest", schema=_text(maxLength=200))
CALL_ID = Parameter(name="id", words="Id of the callback", schema=_whole(minimum=1, maximum=_LARGEST))
PART_N = Parameter(name="n", words="Which part, from 0", schema=_whole(minimum=0, maximum=_INT))


def _query(name: str, words: str, schema: Schema | None = None) -> Parameter:
    return Parameter(name=name, words=words, schema=schema or _text(maxLength=512))


QUERY: Mapping[str, tuple[Parameter, ...]] = {
    "filters": (
        _query("application", "Whose message"),
        _query("direction", "mt: to handsets; mo: to applications", _text(enum=["mt", "mo"])),
        _query("to", "An address among To, Cc and Bcc, whole", _text(format="address", maxLength=512)),
        _query("from", "The sender's address, whole", _text(format="address", maxLength=512)),
        _query("q", "A piece of subject, texts or addresses; a whole id", _text(format="address", maxLength=512)),
        _query("state", "The state of at least one copy", _text(enum=list(_STATES))),
    ),
    "page": (
        _query("limit", "How many at most", _whole(minimum=1, maximum=500, default=50)),
        _query("before", "next of the page before", _whole(minimum=1, maximum=_LARGEST)),
    ),
    "raw": (_query("n", "Which request about the message: 0 began it", _whole(minimum=0, maximum=_INT, default=0)),),
    "wait": (
        _query("subject", "A piece of the subject"),
        _query("timeout", "Seconds", {"type": "number", "minimum": 0, "maximum": 300, "default": 30}),
        _query("since", "Accepted at or after: ISO 8601, or seconds since 1970", _text(format="date-time")),
    ),
    "calls": (
        _query("state", "ready also while it is being made", _text(enum=list(_CALL_STATES))),
        _query("application", "Who is called: an application, or upstream:NAME"),
        _query("message", "Id of the message"),
    ),
}

_PART = _object(
    {"data": _text("the octets in base64")},
    {
        "content_type": _text("by default, what octets and name show", maxLength=255),
        "name": _text(maxLength=255),
        "content_id": _text(maxLength=255),
    },
)
_RULE = _object(
    {},
    {
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
        "delay": {"type": "number", "minimum": 0, "maximum": 300},
        "http_status": _whole(minimum=400, maximum=599),
        "mm7_status": _whole(minimum=1000, maximum=9999),
        "reset": _TRUTH,
        "when": _text(enum=["before", "after"]),
        "application": _text(),
        "operation": _text(),
    },
)

BODY: Mapping[str, Schema] = {
    "deliver": _object(
        {"application": _text("the name of the application", minLength=1), "from": _ADDRESS},
        {
            "to": _ADDRESS,
            "subject": _text(maxLength=1000),
            "text": {"type": ["string", "array"], "items": _text(), "maxItems": 100, "description": "one, or several"},
            "parts": _list(_PART, maxItems=100),
        },
    ),
    "report": _object(
        {
            "recipient": _text("an address of the message", minLength=1),
            "status": _text("the MMStatus", enum=list(_OUTCOMES)),
        },
        {"text": _text("StatusText", maxLength=1000)},
    ),
    "read": _object(
        {"recipient": _text("an address of the message", minLength=1)},
        {"status": _text("the MMStatus; Read, if not given", enum=["Read", "Deleted"])},
    ),
    "replay": _object({}, {"endpoint": _text("a URL", minLength=1), "since": _SINCE}),
    "resume": _object({"endpoint": _text("its URL", minLength=1)}, {"application": _text("only this one's")}),
    "chaos": _object({"rules": {**_list(_RULE, maxItems=1000), "description": "an empty list ends all trouble"}}),
}

# --- what answers say -------------------------------------------------------------------------------------------------

_ATTRIBUTES = {
    "type": "object",
    "description": "what the address carries besides its value",
    "properties": {"displayOnly": _TRUTH, "addressCoding": _text(enum=["encrypted", "obfuscated"]), "id": _text()},
}
_COPY = {
    "n": _whole(), "address": _text(), "kind": _text(), "attributes": _ATTRIBUTES,
    "place": _text(enum=["to", "cc", "bcc"]), "state": _text(),
    "detail": _or_null(_text()), "changed_at": _TIME,
    "destination": _text("handset, upstream:NAME, application:NAME, none"),
}  # fmt: skip
_MESSAGE = {
    "id": _text(), "direction": _text(enum=["mt", "mo"]), "application": _text(),
    "state": _text("Pending while any copy is, else the state of all, else Mixed"),
    "transaction_id": _or_null(_text()), "namespace": _or_null(_text()), "mm7_version": _or_null(_text()),
    "from": _or_null(_text()), "from_attributes": _ATTRIBUTES,
    "to": _list(_text()), "cc": _list(_text()), "bcc": _list(_text()),
    "subject": _or_null(_text()), "accepted_at": _TIME, "earliest_at": _or_null(_TIME), "expires_at": _or_null(_TIME),
    "size": _whole("octets of all parts"), "delivery_report": _TRUTH, "read_reply": _TRUTH, "excerpt": _text(),
    "recipients": _list(_ref("Recipient")),
}  # fmt: skip
_SHOWN_PART = {
    "n": _whole(), "content_type": _text("as declared"), "charset": _or_null(_text()), "content_id": _or_null(_text()),
    "name": _or_null(_text()), "size": _whole("octets"), "sha256": _text(), "generated": _TRUTH,
}  # fmt: skip
_FINDING = {
    "id": _text(), "level": _text(), "where": _or_null(_text()), "detail": _or_null(_text()),
    "action": _or_null(_text()),
}  # fmt: skip
_CALL = {
    "id": _whole(), "kind": _text(enum=["deliver", "report", "read", "submit"]), "application": _text(),
    "endpoint": _text("the URL"), "message_id": _text(), "recipient": _whole("n of the recipient"),
    "transaction_id": _text(), "state": _text(enum=list(_CALL_STATES)), "under_way": _TRUTH, "attempts": _whole(),
    "due_at": _or_null(_TIME), "created_at": _TIME, "ended_at": _or_null(_TIME), "expires_at": _TIME,
    "reason": _or_null(_text()), "http_status": _or_null(_whole()),
}  # fmt: skip
_ENDPOINT = {
    "endpoint": _text("the URL"), "application": _text(), "paused": _TRUTH, "reason": _or_null(_text()), "since": _TIME,
}  # fmt: skip
_APPLICATION = {
    "name": _text(), "vaspid": _or_null(_text()), "vasids": _list(_text()), "short_codes": _list(_text()),
    "allow": _list(_text()), "profile": _text(), "numbers": _or_null(_text()), "media": _text(),
    "callback": _or_null(_object({"deliver": _text(), "report": _text()})),
}  # fmt: skip
_NEXT = _or_null(_whole("before of the next page; null on the last one"))
_ANY: Schema = {"type": "object", "additionalProperties": True}

SCHEMAS: Mapping[str, Schema] = {
    "Error": _object({"error": _text("what is wrong, where, and how to put it right")}),
    "Alive": _object({"status": _text(enum=["alive"])}),
    "Ready": _object({"status": _text(enum=["ready", "not ready"])}, {"reasons": _list(_text())}),
    "Document": _ANY,
    "Recipient": _object(_COPY),
    "Message": _object(_MESSAGE),
    "Messages": _object({"messages": _list(_ref("Message")), "next": _NEXT}),
    "Part": _object(_SHOWN_PART),
    "Finding": _object(_FINDING),
    "WholeMessage": _object(
        {
            **_MESSAGE,
            "fields": _ANY,
            "parts": _list(_ref("Part")),
            "findings": _list(_ref("Finding")),
            "calls": _list(_ref("Callback")),
        }
    ),
    "Delivered": _object({"id": _text("LinkedID of the MO"), "callback": _or_null(_whole())}),
    "Reported": _object({"id": _text(), "status": _text()}),
    "Told": _object({"told": {**_TRUTH, "description": "whether its application has a callback"}}),
    "Callback": _object(_CALL),
    "Callbacks": _object({"callbacks": _list(_ref("Callback")), "next": _NEXT}),
    "WholeCallback": _object({**_CALL, "told": _ANY, "answer": _or_null(_text("the first 20 kB, where it failed"))}),
    "Replayed": _object({"replayed": _whole("how many calls")}),
    "Endpoint": _object(_ENDPOINT),
    "Endpoints": _object({"endpoints": _list(_ref("Endpoint"))}),
    "Resumed": _object({"resumed": _whole("how many endpoints: each application has its own")}),
    "Chaos": _object({"rules": _list(_RULE)}),
    "Clock": _object(
        {
            "held": {**_TRUTH, "description": "whether expiry, retention and giving up are held"},
            "now": _TIME,
            "jump": {"type": "number", "description": "seconds that the clock jumped by, the last time"},
            "since": _or_null(_TIME),
        }
    ),
    "Application": _object(_APPLICATION),
    "Applications": _object({"applications": _list(_ref("Application"))}),
}


# --- the document -----------------------------------------------------------------------------------------------------


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The document that describes ``routes``."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mm7zeep gateway",
            "version": version("mm7zeep"),
            "description": "Health, metrics, messages and callbacks of a gateway. Times are ISO 8601 in UTC.",
        },
        "paths": paths,
        "components": {
            "schemas": dict(SCHEMAS),
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
        },
        "security": [{"basic": []}, {}],
    }


def _operation(route: Route) -> dict[str, Any]:
    given = [*((one, "path") for one in route.parameters), *((one, "query") for one in route.query)]
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.words,
        "parameters": [
            {
                "name": one.name,
                "in": place,
                "required": place == "path",
                "description": one.words,
                "schema": dict(one.schema),
            }
            for one, place in given
        ],
        "responses": {str(route.status): _answer(route), **_refusals(route)},
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": dict(route.body)}}}
    if route.open:
        operation["security"] = []
    return operation


def _name(route: Route) -> str:
    steps = re.findall(r"[A-Za-z0-9]+", route.path.removeprefix("/api/v1")) or ["front"]
    return "_".join((route.method.lower(), *steps))


def _answer(route: Route) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.answer is None:
        return told
    if "/" in route.answer:
        return {**told, "content": {route.answer: {"schema": {"type": "string"}}}}
    return {**told, "content": {"application/json": {"schema": _ref(route.answer)}}}


def _refusals(route: Route) -> dict[str, Any]:
    statuses = {400, *route.refusals, *(() if route.open else (401, 421, 429, 503))}
    statuses |= {403} if route.method != "GET" else set()
    statuses |= {413, 415} if route.method in ("POST", "PUT") else set()
    refusal = {"application/json": {"schema": _ref("Error")}}
    found = {str(one): {"description": HTTPStatus(one).phrase, "content": refusal} for one in sorted(statuses)}
    if route.answer == "Ready":
        found["503"]["content"] = {"application/json": {"schema": _ref("Ready")}}
    return found
