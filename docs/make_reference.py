"""Write docs/reference/{status_codes,metrics,json_api,admin_api}.md from the tables and models of the code.

``python -P docs/make_reference.py``. A test fails where a page is out of date.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from mm7zeep import status
from mm7zeep.gateway.admin import routes as admin_routes
from mm7zeep.gateway.api import routes as api_routes
from mm7zeep.gateway.rest.openapi import document
from mm7zeep.gateway.testing import Trial

FOLDER = Path(__file__).parent / "reference"


def pages() -> Mapping[Path, str]:
    """Every page, with what it should hold."""
    made = {"status_codes": status_codes(), "metrics": metrics(), "json_api": json_api(), "admin_api": admin_api()}
    return {FOLDER / f"{name}.md": text for name, text in made.items()}


# --- status codes -----------------------------------------------------------------------------------------------------


def status_codes() -> str:
    """The StatusCodes of MM7."""
    lines = [
        "# Status codes", "",
        "The StatusCode in the Status of an answer or of a Fault (TS 23.140 8.7). `mm7zeep explain 2004` tells a row of this table;"
        " in Python `StatusError.status` has `code`, `text` and `details`, and `status.temporary` is the last column.", "",
        "A code outside the table is taken as the x000 of its class, and one outside 1xxx to 4xxx as 3000. Vendors use x500 to x999 for"
        " codes of their own.", "",
        "| Code | StatusText | Means | Since release | The same request may succeed later |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for row in status.STATUS_CODES.values():
        again = "-" if status.is_success(row.code) else "yes" if status.is_temporary(row.code) else "no"
        lines.append(f"| {row.code} | {row.text} | {row.meaning} | {row.release} | {again} |")
    lines += ["", "Our gateway answers besides:", "", "| Code | StatusText | Means |", "|---|---|---|"]
    lines += [f"| {row.code} | {row.text} | {row.meaning} |" for row in status.OWN_CODES.values()]
    return "\n".join([*lines, ""])


# --- metrics ----------------------------------------------------------------------------------------------------------


def metrics() -> str:
    """What /metrics of a gateway has."""
    lines = [
        "# Metrics", "",
        "What `GET /metrics` of the admin listener tells Prometheus; [what they are good for](../gateway.md#health-counts-logs), and"
        " [alerts and a dashboard](../deploy.md#prometheus) that use them. Counts are since the start of the gateway, of all its"
        " processes on a machine together; `mm7_kept_...` is what the database holds.", "",
        "| Metric | Kind | What it is |", "|---|---|---|",
    ]  # fmt: skip
    for family in sorted(_families(), key=lambda one: str(one.name)):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        lines.append(f"| `{name}` | {family.type} | {family.documentation} |")
    return "\n".join([*lines, ""])


def _families() -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder))
        try:
            gateway = trial.gateway
            page, _ = gateway.metrics.exposition(gateway.database)
        finally:
            trial.close()
    return [one for one in text_string_to_metric_families(page.decode()) if not one.name.endswith("_created")]


# --- REST -------------------------------------------------------------------------------------------------------------


def json_api() -> str:
    """The JSON API for programs, from its OpenAPI document."""
    return "\n".join(_rest(
        "JSON API, route by route",
        "What [the JSON API](../api.md) of the gateway serves, made of its OpenAPI document, which `GET /v1/openapi.json` of a running"
        " gateway gives to programs.",
        document(api_routes.ABOUT, api_routes.ROUTES),
    ))  # fmt: skip


def admin_api() -> str:
    """The API of the admin listener, from its OpenAPI document."""
    return "\n".join(_rest(
        "Admin API, route by route",
        "What the [admin listener](../gateway.md#rest-api) of the gateway serves besides [the viewer](../viewer.md), made of its OpenAPI"
        " document.",
        document(admin_routes.ABOUT, admin_routes.ROUTES),
    ))  # fmt: skip


def _rest(title: str, says: str, api: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"# {title}", "", says, "", "## Routes", "", "| Route | What it does | Answers |", "|---|---|---|")
    for path, methods in api["paths"].items():
        for method, found in methods.items():
            answers = ", ".join(sorted(found["responses"]))
            yield f"| `{method.upper()} {path}` | {_plain(found['summary'])} | {answers} |"
    yield ""
    parameters = [(f"{method.upper()} {path}", one) for path, methods in api["paths"].items()
                  for method, found in methods.items() for one in found.get("parameters", ())]  # fmt: skip
    if parameters:
        yield from ("## Parameters", "", "| Route | Parameter | In | Form | |", "|---|---|---|---|---|")
        for route, one in parameters:
            said = _plain(one.get("description", one["schema"].get("description", "")))
            yield f"| `{route}` | `{one['name']}` | {one['in']} | {_form(one['schema'])} | {said} |"
        yield ""
    yield from ("## Models", "")
    for name, model in sorted(api["components"]["schemas"].items()):
        yield from (f"### {name}", "")
        if "description" in model:
            yield from (_plain(model["description"]), "")
        if "properties" not in model:
            yield from (_form(model), "")
            continue
        yield from ("| Member | Form | |", "|---|---|---|")
        for member, schema in model["properties"].items():
            needed = " (needed)" if member in model.get("required", ()) else ""
            yield f"| `{member}`{needed} | {_form(schema)} | {_plain(schema.get('description', ''))} |"
        yield ""


def _form(schema: Mapping[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_form(one) for one in schema[several]))
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_form(schema.get('items', {}))}"
    kind = schema.get("type", "any")
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    bounds = {"minimum": "from", "maximum": "to", "maxLength": "up to", "format": ""}
    said = [f"{words} {schema[key]}".strip() for key, words in bounds.items() if key in schema]
    return f"{kind} ({', '.join(said)})" if said else str(kind)


def _plain(text: str) -> str:
    """Text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content, encoding="utf-8")
