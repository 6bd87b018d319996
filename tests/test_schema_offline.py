"""Nothing but the package is opened: no socket, no other file, whatever a document or a URL names.

Python's audit events show what Python code opens. libxml2 opens files without them, but it is only ever given texts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from mm7zeep import schema
from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES

HERE = Path(__file__).parent

# Runs in a Python of its own: an audit hook cannot be taken off. "bait" opens one file and one socket, to prove that
# the hook sees them.
SCRIPT = r"""
import json, os, sys, sysconfig
sys.path.insert(0, sys.argv[1])
events = []
def hook(event, arguments):
    if event in ("open", "os.exec", "os.system") or event.split(".")[0] in ("socket", "subprocess", "urllib", "ftplib"):
        events.append([event, str(arguments[0] if arguments else ""), str(arguments[1:])])
sys.addaudithook(hook)

import mm7zeep.schema
cheap = sorted({"zeep", "xmlschema", "requests"} & set(sys.modules))

import zeep.transports, zeep.wsdl, xmlschema  # urllib3 tries an IPv6 socket and mimetypes reads /etc when imported
imported = len(events)

from lxml import etree
from mm7zeep import schema
from mm7zeep.profiles import NAMESPACES, SOAP_NAMESPACE

XSI = "http://www.w3.org/2001/XMLSchema-instance"
places = ["http://127.0.0.1:9/x.xsd", "https://mm7zeep.invalid/x.xsd", "file:///etc/hostname", "/etc/hostname", "x.xsd",
          "../schemas/REL-6-MM7-1-4.xsd", "ftp://127.0.0.1/x.xsd", "//127.0.0.1/x.xsd", "data:text/xml,x"]
verdicts = []
if sys.argv[2] == "bait":
    places = places[:1]
for namespace, profile in list(NAMESPACES.items())[: 1 if sys.argv[2] == "bait" else None]:
    schema.source(profile.schema)
    schema.model(namespace)
    schema.validator(namespace)
    schema.wsdl(namespace)
    for place in places:
        for where in ("e:Envelope", "e:Header", "TransactionID", "CancelReq", "unknown"):
            hints = f' xmlns:xsi="{XSI}" xsi:schemaLocation="{namespace} {place} {SOAP_NAMESPACE} {place}" '
            hints += f'xsi:noNamespaceSchemaLocation="{place}"'
            text = (f'<e:Envelope xmlns:e="{SOAP_NAMESPACE}" xmlns="{namespace}">'
                    "<e:Header><TransactionID>t</TransactionID></e:Header><e:Body><CancelReq>"
                    "<MM7Version>5.3.0</MM7Version><SenderIdentification/><MessageID>m</MessageID></CancelReq>"
                    '<unknown xmlns="urn:x"/><nothing xmlns=""/></e:Body></e:Envelope>')
            text = text.replace(f"<{where}", f"<{where}{hints}", 1)
            found = schema.violations(etree.fromstring(text), namespace)
            verdicts.append([place, where, profile.schema, [str(one) for one in found]])
            schema.violations(etree.fromstring(text.replace("5.3.0", "0.0.0")), namespace)
if sys.argv[2] == "bait":
    import socket
    open("/etc/hostname").close()
    socket.socket().close()
package = os.path.dirname(mm7zeep.__file__)
allowed = {sys.prefix, sys.base_prefix, package, os.path.join(os.path.dirname(package), "schemas")}
allowed |= {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
allowed = {os.path.realpath(path) for path in allowed}
def inside(name):
    path = os.path.realpath(name)
    return any(path == folder or path.startswith(folder + os.sep) for folder in allowed)
events = events[imported:]
local = {"open", "urllib.Request"}  # xmlschema asks urllib for the file: URLs of its own folder
strange = [event for event in events if event[0] not in local or not inside(event[1].removeprefix("file://"))]
opened = {os.path.basename(event[1]) for event in events if event[0] == "open"}
ours = sorted(name for name in opened if name.endswith((".xsd", ".wsdl")))
seen = {"cheap": cheap, "events": len(events), "imported": imported, "strange": strange, "ours": ours}
print(json.dumps(seen | {"verdicts": verdicts}))
"""


def audited(bait: str) -> Any:
    """What the hook of the other Python saw."""
    command = [sys.executable, "-c", SCRIPT, str(HERE), bait]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=HERE.parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def seen() -> Any:
    """The run without bait."""
    return audited("none")


def test_only_our_files_are_opened(seen: Any) -> None:
    """Loading every schema and WSDL, and judging documents with locations, opens no socket and no foreign file."""
    assert seen["strange"] == []
    assert seen["imported"] > 50  # the hook worked: at least the modules were read
    assert seen["events"] > 11
    assert {f"{one.schema}.xsd" for one in NAMESPACES.values() if not one.alias_of} <= set(seen["ours"])
    assert {"mm7.wsdl", "soap-envelope.xsd"} <= set(seen["ours"])


def test_the_hook_sees() -> None:
    """With one file and one socket opened on purpose, the same hook reports both."""
    found = {event[0]: event[1] for event in audited("bait")["strange"]}
    assert found["open"] == "/etc/hostname"
    assert "socket.__new__" in found


def test_locations_change_no_verdict(seen: Any) -> None:
    """A location is neither followed nor held against a document."""
    assert len(seen["verdicts"]) == 11 * 9 * 5
    assert [one for one in seen["verdicts"] if one[3]] == []


def test_import_is_cheap(seen: Any) -> None:
    """``import mm7zeep.schema`` imports neither zeep nor xmlschema nor requests."""
    assert seen["cheap"] == []


BASE = schema.wsdl_location(NAMESPACE_PREFIX + "REL-6-MM7-1-4").removesuffix("mm7.wsdl")
ROOT = BASE.removesuffix("REL-6-MM7-1-4/")


@pytest.mark.parametrize("profile", [pytest.param(one, id=one.schema) for one in NAMESPACES.values()])
def test_load(profile: Any) -> None:
    """The three names of a schema are loaded, and speak of its namespace."""
    for name in ("mm7.wsdl", f"{profile.schema}.xsd", "soap-envelope.xsd"):
        root = etree.fromstring(schema.load(f"{ROOT}{profile.schema}/{name}"))
        if name.startswith("REL"):
            assert root.get("targetNamespace") == profile.namespace
        elif name == "mm7.wsdl":
            assert root.nsmap["m"] == profile.namespace


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "mm7.wsdl", "/etc/hostname", "file:///etc/hostname", "http://127.0.0.1:9/mm7.wsdl",
        "https://mm7zeep.invalid",
        "https://mm7zeep.invalid.example/REL-6-MM7-1-4/mm7.wsdl", ROOT, BASE, ROOT + "mm7.wsdl",
        ROOT + "REL-7-MM7-1-0/mm7.wsdl",
        ROOT.replace("https", "http") + "REL-6-MM7-1-4/mm7.wsdl", BASE.upper() + "mm7.wsdl",
        BASE + "REL-5-MM7-1-3.xsd", BASE + "/mm7.wsdl",
        BASE + "../REL-6-MM7-1-4/mm7.wsdl", BASE + "../mm7.wsdl", BASE + "../../etc/hostname",
        BASE + "/etc/hostname", BASE + "..",
        BASE + "..%2f..%2fetc/hostname", BASE + "..\\..\\etc\\hostname", ROOT + "../../../etc/hostname",
        ROOT + "./REL-6-MM7-1-4/mm7.wsdl",
        ROOT + "..//etc/hostname", BASE + "mm7.wsdl?x", BASE + "mm7.wsdl#x", BASE + "mm7.wsdl\x00",
        BASE + " mm7.wsdl", BASE + "mm7.wsdl\n",
        BASE + "__init__.py", BASE + "soap-envelope.xsd/..", BASE + ".", " " + BASE + "mm7.wsdl",
    ],
)  # fmt: skip
def test_load_refuses(url: str) -> None:
    """Every other URL is refused by name, whatever it leads to."""
    with pytest.raises(ValueError, match="only its own schemas are loaded"):
        schema.load(url)


@pytest.mark.parametrize(
    "name",
    ["", "x", "../schemas/REL-6-MM7-1-4", "/etc/hostname", "soap-envelope", "mm7", "rel-6-mm7-1-4", "REL-6-MM7-1-4\n"],
)
def test_source_refuses(name: str) -> None:
    """Only a bundled schema has a source."""
    with pytest.raises(ValueError, match="is no MM7 schema; bundled are"):
        schema.source(name)


def test_transport_cannot_send() -> None:
    """The transport that zeep loads with refuses foreign URLs and has no session to send by."""
    transport = schema.package_transport()
    assert transport.load(BASE + "mm7.wsdl") == schema.load(BASE + "mm7.wsdl")
    with pytest.raises(ValueError, match="only its own schemas"):
        transport.load("http://127.0.0.1:9/mm7.wsdl")
    with pytest.raises(AttributeError):
        transport.post("http://127.0.0.1:9/", b"", {})
