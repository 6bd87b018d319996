"""Messages to and from SOAP 1.1 envelopes, through zeep's own operations.

``parse`` is the hardened XML door, ``write`` and ``read`` cross it with messages, ``sketch`` reads by local name what
no schema need accept. Refuses what is not one envelope with one Body; never opens a file, a socket or an entity. zeep
is imported where used.
"""

from __future__ import annotations

from mm7zeep.envelope.arguments import fitted, from_values, to_values
from mm7zeep.envelope.door import XmlLimits, parse, serialize
from mm7zeep.envelope.fields import paths
from mm7zeep.envelope.moments import moment_text, moment_value
from mm7zeep.envelope.operations import (
    OPERATIONS,
    Operation,
    element_name,
    operation_of,
    requested,
    zeep_operation,
)
from mm7zeep.envelope.reading import body_child, read
from mm7zeep.envelope.sketching import Sketch, glimpse, no_values, sketch
from mm7zeep.envelope.writing import SOAP_PREFIX, extend, finish, soap_headers, write

__all__ = [
    "OPERATIONS",
    "SOAP_PREFIX",
    "Operation",
    "Sketch",
    "XmlLimits",
    "body_child",
    "element_name",
    "extend",
    "finish",
    "fitted",
    "from_values",
    "glimpse",
    "moment_text",
    "moment_value",
    "no_values",
    "operation_of",
    "parse",
    "paths",
    "read",
    "requested",
    "serialize",
    "sketch",
    "soap_headers",
    "to_values",
    "write",
    "zeep_operation",
]
