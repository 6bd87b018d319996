"""Hostile XML and SOAP: refused or harmless within a second and 50 MB, with errors of ours, no file and no socket."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from envelopes import MINIMAL, OK, SCHEMA, TO, VERSION, WHO, envelope, fault, message, sent, transaction, uri

pytestmark = pytest.mark.once

SECONDS, MEGABYTES = 1.0, 50
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def submit(more: str) -> bytes:
    """A SubmitReq with ``more`` in it."""
    return sent("SubmitReq", more=more).encode()


def before(prolog: str) -> bytes:
    """A SubmitReq after ``prolog``."""
    return (prolog + sent("SubmitReq", more="<Subject>&e;</Subject>")).encode()


def header(block: str) -> bytes:
    """A SubmitReq with another header block."""
    return envelope(message("SubmitReq", MINIMAL["SubmitReq"]), transaction() + block).encode()


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
LATER = "http://127.0.0.1:9/x"

# what is sent, under which Content-Type; the error and its status, or the findings of what is accepted
CASES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "a DOCTYPE": (lambda: before("<!DOCTYPE x>"), "text/xml", "EnvelopeError 4004 xml/no-dtd"),
    "an entity bomb": (
        lambda: before(f'<!DOCTYPE x [<!ENTITY e0 "x">{BOMB}<!ENTITY e "&e11;">]>'),
        "text/xml",
        "EnvelopeError 4004 xml/no-dtd",
    ),
    "a quadratic bomb": (
        lambda: before(f'<!DOCTYPE x [<!ENTITY e "{"x" * 100_000}">]>').replace(b"&e;", b"&e;" * 10_000),
        "text/xml",
        "EnvelopeError 4004 xml/no-dtd",
    ),
    "an entity from a file": (
        lambda: before('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'),
        "text/xml",
        "EnvelopeError 4004 xml/no-dtd",
    ),
    "an entity from the net": (
        lambda: before(f'<!DOCTYPE x [<!ENTITY e SYSTEM "{LATER}">]>'),
        "text/xml",
        "EnvelopeError 4004 xml/no-dtd",
    ),
    "a parameter entity": (
        lambda: before(f'<!DOCTYPE x [<!ENTITY % e SYSTEM "{LATER}">%e;]>'),
        "text/xml",
        "EnvelopeError 4004 xml/no-dtd",
    ),
    "an external DTD": (
        lambda: before(f'<!-- x --><!DOCTYPE x SYSTEM "{LATER}">'),
        "text/xml",
        "EnvelopeError 4004 xml/no-dtd",
    ),
    "a DOCTYPE after a second mark": (
        lambda: b"\xef\xbb\xbf" * 2 + before("<!DOCTYPE x>"),
        "text/xml",
        "EnvelopeError 2007 xml/well-formed",
    ),
    "a DOCTYPE in UTF-16": (
        lambda: before("<!DOCTYPE x>").decode().encode("utf-16"),
        "text/xml",
        "EnvelopeError 4004 xml/no-dtd",
    ),
    "an entity nobody declared": (lambda: before(""), "text/xml", "EnvelopeError 2007 xml/well-formed"),
    "XInclude": (
        lambda: submit('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>'),
        "text/xml",
        "accepted schema/unknown-element",
    ),
    "a stylesheet": (
        lambda: b'<?xml-stylesheet href="file:///etc/hostname"?>' + submit(""),
        "text/xml",
        "accepted xml/no-pi",
    ),
    "schemaLocation to the net": (
        lambda: (
            sent("SubmitReq")
            .replace("<MM7Version>", f'<MM7Version {XSI} xsi:schemaLocation="{uri(SCHEMA)} {LATER}">')
            .encode()
        ),
        "text/xml",
        "accepted",
    ),
    "schemaLocation to a file": (
        lambda: (
            sent("SubmitReq")
            .replace(
                "<env:Envelope",
                f'<env:Envelope {XSI} xsi:schemaLocation="urn:x /etc/hostname" '
                'xsi:noNamespaceSchemaLocation="file:///etc/hostname"',
            )
            .encode()
        ),
        "text/xml",
        "accepted",
    ),
    "schemaLocation inside Details": (
        lambda: sent(
            "CancelRsp",
            VERSION
            + OK.replace(
                "</Status>",
                f'<Details><k:x xmlns:k="urn:k" {XSI} xsi:schemaLocation="urn:k {LATER}"/></Details></Status>',
            ),
        ).encode(),
        "text/xml",
        "accepted",
    ),
    "schemaLocation in a header block": (
        lambda: header(f'<k:x xmlns:k="urn:k" {XSI} xsi:schemaLocation="urn:k {LATER}"/>'),
        "text/xml",
        "accepted",
    ),
    "a schema in Details": (
        lambda: sent(
            "CancelRsp",
            VERSION
            + OK.replace(
                "</Status>",
                '<Details><s:schema xmlns:s="http://www.w3.org/2001/XMLSchema">'
                f'<s:import namespace="urn:k" schemaLocation="{LATER}"/></s:schema></Details></Status>',
            ),
        ).encode(),
        "text/xml",
        "accepted",
    ),
    "a schema in the Header": (
        lambda: header(
            f'<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema"><s:import namespace="urn:k" '
            f'schemaLocation="{LATER}"/></s:schema>'
        ),
        "text/xml",
        "accepted",
    ),
    "a schema in a Fault": (
        lambda: envelope(
            fault(
                '<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema"><s:import namespace="urn:k" '
                f'schemaLocation="{LATER}"/></s:schema>'
            )
        ).encode(),
        "text/xml",
        "accepted soap/fault-detail",
    ),
    "a schema as the message": (
        lambda: envelope(
            f'<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema"><s:import namespace="urn:k" '
            f'schemaLocation="{LATER}"/></s:schema>'
        ).encode(),
        "text/xml",
        "EnvelopeError 4003 soap/operation-known",
    ),
    "an operation in Details": (
        lambda: sent(
            "CancelRsp", VERSION + OK.replace("</Status>", f"<Details>{message('SubmitReq', '')}</Details></Status>")
        ).encode(),
        "text/xml",
        "accepted",
    ),
    "depth 200": (lambda: submit("<x>" * 200 + "</x>" * 200), "text/xml", "LimitError 2007 xml/limit"),
    "depth 10,000": (
        lambda: submit("<x>" * 10_000 + "</x>" * 10_000),
        "text/xml",
        "EnvelopeError 2007 xml/well-formed",
    ),
    "1,000,000 elements": (lambda: submit("<x/>" * 1_000_000), "text/xml", "LimitError 2007 mime/limit"),
    "200,000 elements": (lambda: submit("<x/>" * 200_000), "text/xml", "LimitError 2007 xml/limit"),
    "40,000 elements": (lambda: submit("<x/>" * 40_000), "text/xml", "LimitError 2007 xml/limit"),
    "40,000 Subjects": (lambda: submit("<Subject/>" * 40_000), "text/xml", "LimitError 2007 xml/limit"),
    "40,000 comments": (lambda: submit("<!-- x -->" * 40_000), "text/xml", "accepted"),
    "40,000 instructions": (lambda: submit("<?x y?>" * 40_000), "text/xml", "accepted xml/no-pi"),
    "40,000 header blocks": (
        lambda: header('<k:x xmlns:k="urn:k"/>' * 20_000 + "<x/>" * 20_000),
        "text/xml",
        "LimitError 2007 xml/limit",
    ),
    "2,000 header blocks in no namespace": (lambda: header("<x/>" * 1999), "text/xml", "SchemaError 4004 schema/valid"),
    "40,000 blocks after the Body": (
        lambda: submit("").replace(b"</env:Envelope>", b"<x/>" * 40_000 + b"</env:Envelope>"),
        "text/xml",
        "LimitError 2007 xml/limit",
    ),
    "40,000 blocks in a Fault": (
        lambda: envelope(fault("<x/>" * 40_000)).encode(),
        "text/xml",
        "LimitError 2007 xml/limit",
    ),
    "40,000 blocks in the Body": (
        lambda: envelope(message("SubmitReq", MINIMAL["SubmitReq"]) + "<x/>" * 40_000).encode(),
        "text/xml",
        "LimitError 2007 xml/limit",
    ),
    "40,000 blocks in Details": (
        lambda: sent(
            "CancelRsp", VERSION + OK.replace("</Status>", f"<Details>{'<x/>' * 40_000}</Details></Status>")
        ).encode(),
        "text/xml",
        "LimitError 2007 xml/limit",
    ),
    "20,000 recipients": (
        lambda: sent(
            "SubmitReq",
            VERSION + WHO + TO.replace("</Recipients>", "<To><Number>1</Number></To>" * 20_000 + "</Recipients>"),
        ).encode(),
        "text/xml",
        "LimitError 2007 xml/limit",
    ),
    "20,000 namespaces": (
        lambda: submit("".join(f'<x xmlns="urn:{n}"/>' for n in range(20_000))),
        "text/xml",
        "LimitError 2007 xml/limit",
    ),
    "20,000 namespaces of one element": (
        lambda: submit("<x " + " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(20_000)) + "/>"),
        "text/xml",
        "LimitError 2007 xml/limit",
    ),
    "100,000 attributes": (
        lambda: submit("<x " + " ".join(f'a{n}=""' for n in range(100_000)) + "/>"),
        "text/xml",
        "LimitError 2007 xml/limit",
    ),
    "an attribute of 900,000 characters": (
        lambda: submit(f'<Subject lang="{"x" * 900_000}"/>'),
        "text/xml",
        "accepted schema/attribute",
    ),
    "a text of 900,000 characters": (lambda: submit(f"<Subject>{'x' * 900_000}</Subject>"), "text/xml", "accepted"),
    "11 MB of text": (
        lambda: submit(f"<Subject>{'x' * 11_000_000}</Subject>"),
        "text/xml",
        "LimitError 2007 mime/limit",
    ),
    "a StatusCode of 100,000 digits": (
        lambda: sent("CancelRsp").replace("1000", "9" * 100_000).encode(),
        "text/xml",
        "SchemaError 4004 schema/value",
    ),
    "a date of 100,000 digits": (
        lambda: submit(f"<TimeStamp>{'1' * 100_000}-01-01T00:00:00</TimeStamp>"),
        "text/xml",
        "accepted schema/date-range",
    ),
    "a span of 100,000 digits": (
        lambda: submit(f"<ExpiryDate>P{'1' * 100_000}D</ExpiryDate>"),
        "text/xml",
        "accepted schema/date-range",
    ),
    "a boolean of blanks": (
        lambda: submit(f"<DeliveryReport>{' ' * 500_000}x{' ' * 400_000}</DeliveryReport>"),
        "text/xml",
        "accepted schema/value",
    ),
    "an MMStatus of 900,000 letters": (
        lambda: sent("DeliveryReportReq").replace("Retrieved", "x " * 450_000).encode(),
        "text/xml",
        "accepted schema/enumeration",
    ),
    "a declaration of 900,000 blanks": (
        lambda: b"<?xml" + b" " * 900_000 + submit(""),
        "text/xml",
        "EnvelopeError 2007 xml/well-formed",
    ),
    "an open comment": (lambda: b"<!--" * 200_000, "text/xml", "LimitError 2007 xml/limit"),
    "open instructions": (lambda: b"<?x " * 200_000, "text/xml", "LimitError 2007 xml/limit"),
    "UTF-7 by label": (lambda: submit(""), "text/xml; charset=UTF-7", "EnvelopeError 2007 xml/encoding-forbidden"),
    "UTF-7 by declaration": (
        lambda: b'<?xml version="1.0" encoding="utf-7"?>' + submit(""),
        "text/xml; charset=utf-8",
        "EnvelopeError 2007 xml/encoding-forbidden",
    ),
    "UTF-7 by a second declaration": (
        lambda: b'<?xml version="1.0"?><?xml version="1.0" encoding="utf-7"?>' + submit(""),
        "text/xml",
        "EnvelopeError 2007 xml/well-formed",
    ),
    "an encoding that contradicts": (
        lambda: b'<?xml version="1.0" encoding="utf-16"?>' + submit(""),
        "text/xml; charset=utf-8",
        "accepted xml/declaration-true",
    ),
    "NUL": (lambda: submit("<Subject>a\0b</Subject>"), "text/xml", "EnvelopeError 2007 xml/well-formed"),
    "NUL by reference": (lambda: submit("<Subject>&#0;</Subject>"), "text/xml", "EnvelopeError 2007 xml/well-formed"),
    "a number that is no character": (
        lambda: submit(f"<Subject>&#x{'F' * 100_000};</Subject>"),
        "text/xml",
        "EnvelopeError 2007 xml/well-formed",
    ),
    "two Bodies": (
        lambda: sent("SubmitReq").replace("</env:Body>", "</env:Body><env:Body/>").encode(),
        "text/xml",
        "EnvelopeError 4004 soap/structure",
    ),
    "two TransactionIDs": (lambda: header(transaction("t-2")), "text/xml", "EnvelopeError 4004 soap/transaction-once"),
    "what must be understood": (
        lambda: header('<k:x xmlns:k="urn:k" env:mustUnderstand="1"/>'),
        "text/xml",
        "EnvelopeError 4004 soap/unknown-mu",
    ),
    "SOAP 1.2": (
        lambda: submit("").replace(
            b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope"
        ),
        "text/xml",
        "EnvelopeError 4004 soap/version-mismatch",
    ),
    "an href to the net": (
        lambda: submit(f'<Content href="{LATER}"/>'),
        "text/xml",
        "EnvelopeError 2004 sem/content-href-cid sem/content-href-resolves sem/content-without-part",
    ),
}

RUNNER = textwrap.dedent(
    """
    import base64, json, sys, tempfile, time

    opened = []

    def hook(event, arguments):
        if event in ("open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.open") and watched:
            if not str(arguments[0]).startswith(own) and not str(arguments[0]).endswith((".py", ".pyc")):
                opened.append(f"{event} {arguments[0]}")

    own = tempfile.gettempdir()  # large parts are kept in temporary files; a codec may be imported late
    watched = False
    sys.addaudithook(hook)
    from mm7zeep import exchange
    from mm7zeep.errors import Mm7Error

    def memory(name):
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(name))

    def mark():
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")  # proc(5): the peak begins again from here
        return memory("VmRSS")

    if sys.platform != "linux":
        memory = lambda name: 0
        mark = lambda: 0
    warm = json.loads(sys.stdin.readline())
    exchange.unpack(exchange.Wire(body=base64.b64decode(warm)))  # loads schemas and zeep, once
    for line in sys.stdin:
        name, kind, data = json.loads(line)
        wire = exchange.Wire(body=base64.b64decode(data), headers=(("Content-Type", kind),))
        seconds, before = [], mark()
        for policy in ("interop", "strict", "lenient"):
            watched, began = True, time.process_time()
            try:
                received = exchange.unpack(wire, policy=policy)
                outcome = ["accepted", *dict.fromkeys(one.id for one in received.findings)]
            except Mm7Error as error:
                outcome = [type(error).__name__, str(error.status), *dict.fromkeys(one.id for one in error.findings)]
            seconds.append(time.process_time() - began)
            if policy == "interop":
                first = " ".join(outcome)
        watched = False
        grown = memory("VmHWM") - before
        print(json.dumps([name, first, max(seconds), grown, opened]))
        opened = []
    """
)


def run(cases: dict[str, tuple[bytes, str]]) -> dict[str, list[Any]]:
    """What became of each case, in one process that watches what it opens."""
    import base64

    lines = [json.dumps(base64.b64encode(sent("SubmitReq").encode()).decode())]
    lines += [json.dumps([name, kind, base64.b64encode(data).decode()]) for name, (data, kind) in cases.items()]
    done = subprocess.run(
        [sys.executable, "-c", RUNNER], input="\n".join(lines), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {row[0]: row[1:] for row in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[Any]]:
    """All cases, run once."""
    return run({name: (make(), kind) for name, (make, kind, _) in CASES.items()})


@pytest.mark.parametrize("name", CASES)
def test_hostile_xml(name: str, outcomes: dict[str, list[Any]]) -> None:
    """The defined outcome, under every policy within a second of processor time, little memory, nothing opened."""
    outcome, seconds, grown, opened = outcomes[name]
    assert outcome == CASES[name][2]
    assert opened == []
    assert seconds < SECONDS
    assert grown < MEGABYTES * 1_000_000  # of the whole process, so that what libxml2 takes counts, too


def test_the_hook_sees() -> None:
    """The watch is awake: what opens a file is noticed."""
    script = RUNNER.replace(
        "received = exchange.unpack", "open(__import__('os').devnull).close(); received = exchange.unpack"
    )
    line = json.dumps(["x", "text/xml", ""])
    warm = json.dumps(__import__("base64").b64encode(sent("SubmitReq").encode()).decode())
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=f"{warm}\n{line}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert [row.split()[0] for row in json.loads(done.stdout)[4]] == ["open"] * 3
