"""The configuration file's tables and what may stand in each line of them, read by pydantic.

``read`` gives the whole file and every complaint about a single value at once: what is wrong is left out and the rest
kept, so that what several values say together can be judged, too. Opens nothing; no complaint repeats a value that may
be a secret.
"""

from __future__ import annotations

import copy
import difflib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError
from pydantic_core import ErrorDetails

from mm7zeep.gateway.config import field_types
from mm7zeep.gateway.config.handset import Outcome

Steps = tuple[str | int, ...]
"""Where a value stands: names of tables and settings, and places in lists, counted from 0."""


# --- tables -----------------------------------------------------------------------------------------------------------


class Section(BaseModel):
    """One table. What a file does not say stays None here; ``settings`` and ``accounts`` have the defaults."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, allow_inf_nan=False)

    def given(self) -> dict[str, Any]:
        """What the file says, by name; lists as tuples."""
        said = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}


class GatewaySection(Section):
    """``[gateway]``: where it listens, what it keeps, whom it trusts."""

    mm7: field_types.Listening | None = None
    admin: field_types.Listening | None = None
    database: field_types.Text | None = None
    allow_internal: bool | None = None
    trusted_proxies: list[field_types.Network] | None = None
    cert: field_types.Text | None = None
    key: field_types.Text | None = None
    admin_username: field_types.Text | None = None
    admin_password: field_types.Text | None = None
    admin_password_file: field_types.Text | None = None
    admin_hosts: list[field_types.HostName] | None = None
    workers: Annotated[int, Field(ge=1, le=64)] | None = None
    relay_id: field_types.Text | None = None
    policy: Literal["strict", "interop"] | None = None  # lenient is never used for submits
    connections: field_types.AtLeastOne | None = None
    connections_per_address: field_types.AtLeastOne | None = None
    handshake: field_types.Lasting | None = None
    poll: field_types.Lasting | None = None
    drain: field_types.Seconds | None = None
    log: Literal["text", "json"] | None = None
    show_numbers: bool | None = None


class LimitsSection(Section):
    """``[limits]``: ``mime.Limits``."""

    body: field_types.AtLeastOne | None = None
    root: field_types.AtLeastOne | None = None
    parts: field_types.AtLeastOne | None = None
    depth: Annotated[int, Field(ge=1, le=100)] | None = None
    header_bytes: field_types.AtLeastOne | None = None
    header_fields: field_types.AtLeastOne | None = None
    boundary: field_types.AtLeastOne | None = None
    spool: field_types.Count | None = None


class HttpSection(Section):
    """``[http]``: ``receiver.HttpLimits``."""

    header_bytes: field_types.AtLeastOne | None = None
    header_fields: field_types.AtLeastOne | None = None
    idle: field_types.Lasting | None = None
    upload: field_types.Lasting | None = None
    rate: field_types.Count | None = None


class CapacitySection(Section):
    """``[capacity]``: ``settings.Capacity``."""

    disk: field_types.Count | None = None
    outbox: field_types.AtLeastOne | None = None
    uploads: field_types.AtLeastOne | None = None
    retry_after: field_types.Lasting | None = None


class DeliverySection(Section):
    """``[delivery]``: ``settings.Delivery``."""

    waits: list[field_types.Seconds] | None = None
    spread: Annotated[float, Field(ge=0, lt=1)] | None = None
    longest_wait: field_types.Lasting | None = None
    timeout: field_types.Lasting | None = None
    lease: field_types.Lasting | None = None
    narrow: field_types.AtLeastOne | None = None
    wide: field_types.AtLeastOne | None = None
    expiry: field_types.Lasting | None = None


class RetentionSection(Section):
    """``[retention]``: ``settings.Retention``."""

    days: Annotated[float | None, PlainValidator(field_types.limit)] = None
    messages: Annotated[int | None, PlainValidator(field_types.whole_limit)] = None
    duplicates: field_types.Spanned | None = None


class CallbackSection(Section):
    """``[application.callback]``: where an application listens, what we show there, and how it is spoken to."""

    deliver: field_types.Text | None = None
    report: field_types.Text | None = None
    username: field_types.Text | None = None
    password: field_types.Text | None = None
    password_file: field_types.Text | None = None
    profile: field_types.ProfileName | None = None
    namespace: field_types.NamespaceName | None = None
    mm7_version: field_types.Text | None = None


class ApplicationSection(Section):
    """``[[application]]``: one VASP."""

    name: field_types.Text | None = None
    password: field_types.Text | None = None
    password_file: field_types.Text | None = None
    password_hash: field_types.Text | None = None
    vaspid: field_types.Text | None = None
    vasids: list[field_types.Text] | None = None
    allow: list[field_types.Network] | None = None
    short_codes: list[field_types.Text] | None = None
    callback: CallbackSection | None = None
    profile: field_types.ProfileName | None = None
    numbers: field_types.Text | None = None
    media: Literal["any", "listed"] | None = None
    duplicates: field_types.Spanned | None = None
    answers: field_types.NamespaceName | None = None
    refusals: Literal["fault", "response"] | None = None
    fault_status: Literal[500, 200] | None = None


class HandsetSection(Section):
    """``[[handset]]``: how the simulated network treats recipients."""

    prefix: field_types.Text | None = None
    outcome: Outcome | None = None
    delay: field_types.Seconds | None = None
    read: bool | None = None

    def given(self) -> dict[str, Any]:
        """As everywhere, the delay as a ``timedelta``."""
        said = super().given()
        return said | {"delay": timedelta(seconds=said["delay"])} if "delay" in said else said


class UpstreamSection(Section):
    """``[[upstream]]``: another MMSC."""

    name: field_types.Text | None = None
    url: field_types.Text | None = None
    username: field_types.Text | None = None
    password: field_types.Text | None = None
    password_file: field_types.Text | None = None
    vaspid: field_types.Text | None = None
    vasid: field_types.Text | None = None
    profile: field_types.ProfileName | None = None
    rate: Annotated[float, Field(gt=0)] | None = None
    callback_username: field_types.Text | None = None
    callback_password: field_types.Text | None = None
    callback_password_file: field_types.Text | None = None
    allow: list[field_types.Network] | None = None


class RouteSection(Section):
    """``[[route]]``: which recipients leave through which upstream."""

    prefix: field_types.Text | None = None
    via: field_types.Text | None = None


class File(Section):
    """The whole file."""

    gateway: GatewaySection = GatewaySection()
    limits: LimitsSection = LimitsSection()
    http: HttpSection = HttpSection()
    capacity: CapacitySection = CapacitySection()
    delivery: DeliverySection = DeliverySection()
    retention: RetentionSection = RetentionSection()
    application: list[ApplicationSection] = []
    handset: list[HandsetSection] = []
    route: list[RouteSection] = []
    upstream: list[UpstreamSection] = []


# --- reading ----------------------------------------------------------------------------------------------------------


def read(raw: Mapping[str, Any]) -> tuple[File, list[tuple[Steps, str]]]:
    """What the parsed TOML ``raw`` says, without what is wrong in it, and what that is."""
    try:
        return File.model_validate(raw), []
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
    pruned = copy.deepcopy(dict(raw))
    for one in wrong:
        _prune(pruned, one["loc"])
    return File.model_validate(pruned), [(one["loc"], _words(one)) for one in wrong]


def where(steps: Steps) -> str:
    """``steps`` as people count: ``application[1].callback.deliver`` is in the first application."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        else:
            text += ("." if text else "") + (step if re.fullmatch(r"[\w-]{1,64}", step) else json.dumps(step[:64]))
    return text


def _prune(raw: Any, steps: Steps) -> None:
    """Take out the value at ``steps``: a table in a list becomes empty, of a list of values nothing stays."""
    if isinstance(steps[-1], int) and len(steps) > 2:
        steps = steps[:-1]
    for step in steps[:-1]:
        raw = raw[int(step)] if isinstance(raw, list) else raw.get(step, {})
    if isinstance(raw, list):
        raw[int(steps[-1])] = {}
    else:
        raw.pop(steps[-1], None)


_HINTS: Mapping[str, str] = {
    "string_type": "must be a text; write it in quotes",
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "finite_number": "must be a number that ends",
}


def _words(error: ErrorDetails) -> str:
    """What is wrong with one value, and how to mend it."""
    kind, steps = error["type"], error["loc"]
    if kind == "extra_forbidden":
        return _unknown(str(steps[-1]), _model(steps[:-1]))
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "list_type":
        tables = len(steps) == 1
        return f"may stand more than once; write [[{steps[0]}]]" if tables else 'must be a list; write ["..."]'
    if kind == "model_type":
        name = ".".join(one for one in steps if isinstance(one, str))
        return (
            f"must be a table; write [[{name}]]" if isinstance(steps[-1], int) else f"must be a table; write [{name}]"
        )
    return _HINTS.get(kind) or error["msg"].replace("Input should be", "must be")


def _unknown(name: str, model: type[BaseModel]) -> str:
    near = difflib.get_close_matches(name, model.model_fields, n=1)
    instead = f"did you mean {near[0]}?" if near else "remove it."
    return f"is not known; {instead} Known here: {', '.join(model.model_fields)}"


def _model(steps: Steps) -> type[BaseModel]:
    """The table that stands at ``steps``."""
    model: type[BaseModel] = File
    for name in (one for one in steps if isinstance(one, str)):
        model = next(_models(model.model_fields[name].annotation))
    return model


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
