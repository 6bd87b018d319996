"""The keys that programs show at the JSON API, as an operator makes, lists and revokes them.

A key is told once, when it is made; afterwards nobody can tell it. Refuses, with ``Refusal``, an application that is
not served (409) and a key that is not there (404).
"""

from __future__ import annotations

from typing import Any

from mm7zeep.gateway.admin import outputs
from mm7zeep.gateway.admin.inputs import ApiKeyKey, ApiKeyQuery, NewApiKey
from mm7zeep.gateway.admin.request import AdminRequest
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.store import api_keys
from mm7zeep.gateway.store.rows import ApiKeyRow
from mm7zeep.receiver import Refusal


def listed(asked: AdminRequest[ApiKeyQuery, Nothing]) -> outputs.ApiKeys:
    """All keys, the oldest first, also those that were revoked."""
    with asked.gateway.database.read() as connection:
        rows = api_keys.listed(connection, asked.parameters.application)
    return outputs.ApiKeys(keys=[outputs.ApiKey(**_members(one)) for one in rows])


def issue(asked: AdminRequest[Nothing, NewApiKey]) -> outputs.IssuedApiKey:
    """A new key of an application."""
    gateway, application = asked.gateway, asked.body.application
    if gateway.settings.application(application) is None:
        raise Refusal(409, f"no application {application!r} is served; GET /api/v1/applications lists them")
    with gateway.database.write() as connection:
        row, key = api_keys.issue(connection, application, asked.body.name or "", gateway.clock.now(connection))
    return outputs.IssuedApiKey(**_members(row), key=key)


def revoke(asked: AdminRequest[ApiKeyKey, Nothing]) -> outputs.ApiKey:
    """Let a key open nothing any more; one that does not already is told as it is."""
    gateway, id = asked.gateway, asked.parameters.id
    with gateway.database.write() as connection:
        api_keys.revoke(connection, id, gateway.clock.now(connection))
        row = api_keys.one(connection, id)
    if row is None:
        raise Refusal(404, "no key has that id; GET /api/v1/keys lists all")
    return outputs.ApiKey(**_members(row))


def _members(row: ApiKeyRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "application": row.application,
        "name": row.name,
        "hint": row.hint,
        "created_at": row.created,
        "revoked_at": row.revoked,
    }
