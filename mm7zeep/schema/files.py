"""The texts of ``schemas/``: each XSD, and the WSDL of each namespace.

Refuses every name that is not a file of that folder, and every URL that is not below the package's own base. Opens
nothing else and fetches nothing.
"""

from __future__ import annotations

import importlib.resources
import re
import threading
from collections.abc import Callable
from functools import cache, wraps
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from lxml import etree

from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES

BASE = "https://mm7zeep.invalid/"
"""What zeep and xmlschema resolve locations against; nothing is ever fetched from there."""

SOAP_SCHEMA = "soap-envelope.xsd"

_WSDL_SCHEMA = "REL-6-MM7-1-4"  # the namespace that mm7.wsdl is written for
_EXTENDED = ("extendedCancel", "extendedReplace")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\.(xsd|wsdl)")

T = TypeVar("T")


def once(build: Callable[[str], T]) -> Callable[[str], T]:
    """Remember what ``build`` gives for each name, and build it once even when several threads ask at the same time.

    The names are those of the bundled schemas, so there are eleven at most; an error is not remembered.
    """
    built: dict[str, T] = {}
    lock = threading.RLock()  # an alias asks for the schema it stands for

    @wraps(build)
    def ask(name: str) -> T:
        if name not in built:
            with lock:
                if name not in built:
                    built[name] = build(name)
        return built[name]

    return ask


def _folder() -> Traversable:
    installed = importlib.resources.files("mm7zeep") / "schemas"
    if installed.is_dir():
        return installed
    return Path(__file__).parents[2] / "schemas"  # a checkout that is not installed


def _file(name: str) -> str:
    if not _PLAIN_NAME.fullmatch(name):
        raise FileNotFoundError(name)
    return (_folder() / name).read_text(encoding="utf-8")


@once
def source(schema: str) -> str:
    """The XSD text of ``schema`` (``REL-6-MM7-1-4``).

    REL-5-MM7-1-5, whose file was never seen, is REL-5-MM7-1-3 under another name with the versions that the alias
    profile lists. Raises ``ValueError`` for a schema that is not bundled.
    """
    profile = NAMESPACES.get(NAMESPACE_PREFIX + schema)
    if profile is None:
        known = ", ".join(one.schema for one in NAMESPACES.values())
        raise ValueError(f"{schema!r} is no MM7 schema; bundled are {known}")
    if profile.alias_of is None:
        return _file(f"{schema}.xsd")
    original = source(profile.alias_of)
    more = [f'<xsd:enumeration value="{v}"/>' for v in profile.versions if f'"{v}"' not in original]
    anchor = '<xsd:enumeration value="5.6.0"/>'
    return original.replace(profile.alias_of, schema).replace(anchor, anchor + "".join(more), 1)


@cache
def soap_source() -> str:
    """The XSD text of the SOAP 1.1 envelope."""
    return _file(SOAP_SCHEMA)


def wsdl_location(namespace: str) -> str:
    """The name under which ``package_transport`` loads the WSDL of ``namespace``."""
    return f"{BASE}{namespace.removeprefix(NAMESPACE_PREFIX)}/mm7.wsdl"


def load(url: str) -> bytes:
    """What ``url`` holds: ``<base>/<schema>/`` and ``mm7.wsdl``, ``<schema>.xsd`` or ``soap-envelope.xsd``.

    Raises ``ValueError`` for any other URL: nothing is fetched, and no other file is opened.
    """
    schema, _, name = url.removeprefix(BASE).partition("/")
    if url.startswith(BASE) and NAMESPACE_PREFIX + schema in NAMESPACES:
        if name == "mm7.wsdl":
            return _wsdl_text(schema)
        if name == f"{schema}.xsd":
            return source(schema).encode()
        if name == SOAP_SCHEMA:
            return soap_source().encode()
    raise ValueError(f"{url!r} is not in the package; only its own schemas are loaded")


def _wsdl_text(schema: str) -> bytes:
    tree = etree.fromstring(_file("mm7.wsdl").replace(_WSDL_SCHEMA, schema).encode())
    if not NAMESPACES[NAMESPACE_PREFIX + schema].extended:
        for element in list(tree.iter("{*}operation", "{*}message")):
            parent = element.getparent()
            if parent is not None and element.get("name", "").startswith(_EXTENDED):
                parent.remove(element)
    return etree.tostring(tree)
