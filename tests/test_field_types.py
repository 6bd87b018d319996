"""Every field of every message that was read has a value of its annotated type, whether it was sent or is a default."""

from __future__ import annotations

import types
import typing
from dataclasses import fields, is_dataclass
from typing import Any, Literal

import pytest
from envelopes import sent, wire

from mm7zeep import schema
from mm7zeep.exchange import pack, unpack
from mm7zeep.messages import Address
from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES

Extent = Literal["least", "elements", "all"]

TEXTS = {
    "boolean": "1",
    "dateTime": "2026-03-01T06:00:00Z",
    "moment": "P1D",
    "positiveInteger": "7",
    "NMTOKEN": "x",
    "ID": "x",
}
# of these a message is made by other classes, or they are in a Fault
OPERATIONS = sorted(schema.operation_names())


def text_of(kind: schema.Type, name: str) -> str:
    """A text that the schema takes."""
    if kind.values:
        return kind.values[0]
    return "1000" if name == "StatusCode" else TEXTS.get(kind.simple, "x")


def build(name: str, kind: schema.Type, extent: Extent, ids: list[int]) -> str:
    """An element with the least that it must hold, with all elements, or with all attributes besides."""
    attributes = ""
    for attribute, (simple, required) in kind.attributes.items():
        if "{" in attribute or attribute == "*" or not (required or extent == "all"):
            continue
        ids.append(1)
        value = {"addressCoding": "encrypted", "id": f"i{len(ids)}", "href": "cid:note@kiosk.example"}.get(attribute)
        attributes += f' {attribute}="{value or TEXTS.get(simple, "x")}"'
    if kind.content == "text":
        return f"<{name}{attributes}>{text_of(kind, name)}</{name}>"
    wanted = [one for one in kind.children if one.min or extent != "least"]
    if kind.choice:
        wanted = list(kind.children[-1:]) if kind.child("Number") else wanted[: 1 if extent == "least" else None]
    inner = "".join(build(one.name, one.type, extent, ids) for one in wanted)
    return f"<{name}{attributes}>{inner}</{name}>"


def fits(value: Any, wanted: Any) -> bool:
    """Whether ``value`` is of the annotated type, all the way down; a bool is no int."""
    origin, inside = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted is Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inside)
    if origin is Literal:
        return value in inside
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if inside[-1] is Ellipsis:
            return all(fits(one, inside[0]) for one in value)
        return len(value) == len(inside) and all(map(fits, value, inside))
    if wanted is type(None):
        return value is None
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        return False
    return not is_dataclass(value) or not misfits(value)


def misfits(value: Any) -> list[str]:
    """The fields of a dataclass that hold what they should not."""
    hints = typing.get_type_hints(type(value))
    given = [(one.name, getattr(value, one.name)) for one in fields(value)]
    return [f"{type(value).__name__}.{name} = {one!r}" for name, one in given if not fits(one, hints[name])]


@pytest.mark.parametrize("policy", ["strict", "interop", "lenient"])
@pytest.mark.parametrize("extent", ["least", "elements", "all"])
@pytest.mark.parametrize("name", [one.schema for one in NAMESPACES.values()])
def test_types(name: str, extent: Extent, policy: Any) -> None:
    """Each operation of each namespace, with the least, all elements, all attributes: only annotated types come out."""
    kinds = {one: kind for one, kind in schema.model(NAMESPACE_PREFIX + name).items() if one != "TransactionID"}
    assert set(kinds) <= set(OPERATIONS)
    for operation, kind in kinds.items():
        text = build(operation, kind, extent, [])
        inner = text[text.index(">") + 1 : text.rindex("<")]
        note = "Content-Type: text/plain\r\nContent-ID: <note@kiosk.example>\r\n\r\nhello"
        given = wire(sent(operation, inner, name), *([note] if "<Content" in inner else []))
        direct = operation in schema.ERROR_NAMES  # straight in the Body, which strict does not take
        received = unpack(given, policy="interop" if direct else policy)
        assert not misfits(received.message), (operation, misfits(received.message))
        assert "<Content" not in inner or received.message.content_href  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [one.schema for one in NAMESPACES.values()])
def test_adaptations(name: str) -> None:
    """What allowAdaptations says is what was sent; where it is absent, the default of the schema, if there is one."""
    least = schema.model(NAMESPACE_PREFIX + name)["SubmitReq"]
    text = build("SubmitReq", least, "least", []).removeprefix("<SubmitReq>").removesuffix("</SubmitReq>")
    note = "Content-Type: text/plain\r\nContent-ID: <note@kiosk.example>\r\n\r\nhello"
    default = True if name in ("REL-6-MM7-1-1", "REL-6-MM7-1-2", "REL-6-MM7-1-3", "REL-6-MM7-1-4") else None
    for attribute, value in (("", default), (' allowAdaptations="0"', False), (' allowAdaptations="true"', True)):
        content = f'<Content href="cid:note@kiosk.example"{attribute}/>'
        message = unpack(wire(sent("SubmitReq", text + content, name), note)).message
        assert message.allow_adaptations is value  # type: ignore[attr-defined]
        again = unpack(pack(message, profile=name)).message
        assert again.allow_adaptations is value  # type: ignore[attr-defined]


def test_what_does_not_fit() -> None:
    """The test's own eye: a text is no bool, a bool no int, and an address in a tuple is looked into."""
    from mm7zeep.messages import Number, SubmitReq

    made = SubmitReq(to=Number("7", id="x"))
    object.__setattr__(made, "allow_adaptations", "true")
    object.__setattr__(made.to[0], "display_only", "false")
    assert [one.partition(" =")[0] for one in misfits(made)] == ["SubmitReq.to", "SubmitReq.allow_adaptations"]
    assert fits(1, int)
    assert not fits(True, int)
    assert fits(None, Address | None)
