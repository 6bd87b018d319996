"""The only opener of ``schemas/``: the WSDL for zeep, the XSDs for xmlschema and a plain model of them.

``files`` has the texts, ``judge`` the verdict on an envelope, ``operations`` the WSDL in zeep, ``shapes`` what each
element may hold, ``aliases`` what senders call it instead. Refuses every file, URL and schemaLocation that is not in
the package: no network, whatever a document names. What was loaded is remembered and never changes; zeep and xmlschema
are imported when they are first needed.
"""

from __future__ import annotations

from mm7zeep.schema.aliases import (
    ADDRESS_NAMES,
    ERROR_NAMES,
    address_name,
    content_reference,
    error_name,
    names_content,
)
from mm7zeep.schema.files import load, source, wsdl_location
from mm7zeep.schema.judge import (
    Violation,
    ViolationKind,
    local,
    namespace_of,
    parent_of,
    path,
    validator,
    violations,
)
from mm7zeep.schema.operations import package_transport, wsdl
from mm7zeep.schema.shapes import Child, Content, Type, model, operation_names, profile_of

__all__ = [
    "ADDRESS_NAMES", "Child", "Content", "ERROR_NAMES", "Type", "Violation", "ViolationKind", "address_name",
    "content_reference", "error_name", "load", "local", "model", "names_content", "namespace_of", "operation_names",
    "package_transport", "parent_of", "path", "profile_of", "source", "validator", "violations", "wsdl",
    "wsdl_location",
]  # fmt: skip
