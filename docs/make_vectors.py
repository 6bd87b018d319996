"""Write docs/vectors.md: how other implementations use the test vectors, and what others make of them.

``PYTHONPATH=.:tests python docs/make_vectors.py [FOLDER]``; needs node, and npm unless FOLDER holds node-soap. A test
fails where the file is out of date: what needs neither at any time, the rest where the tests that run once have node.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

import node_soap
import vector_witnesses as witnesses
from test_vector_witnesses import ENDLESS, NODE_REFUSES

from mm7zeep.vectors.catalogue import AREAS, vectors
from mm7zeep.vectors.documents import INDEX, document, documents
from mm7zeep.vectors.statements import POLICIES, stated

TARGET = Path(__file__).with_name("vectors.md")
EXAMPLE = Path(__file__).with_name("vectors.mjs")
SHOWN = "soap/transaction-whitespace/transactionid-t-1-transactionid"

_HEAD = """# Test vectors

MM7 messages, right and wrong, for whoever writes an MMSC, a VASP or something between: each with what a receiver is to
make of it. `mm7zeep vectors DIR` writes them as JSON; no other part of mm7zeep is needed to use them. This file is made
by `docs/make_vectors.py`, and what it shows was printed.
"""
_FILES = """
`index.json` names the files, one for each area, with the number of their vectors and a SHA-256. `vectors.schema.json`
is the JSON Schema (draft 2020-12) of the files of the areas and says what each member means; `index.schema.json` is
that of the index. The same version writes the same octets.
"""
_MEMBERS = """
## A vector

Long values are cut here:
"""
_USE = """
- **octets** is the whole HTTP message, as it came over the wire; from **body_offset** on it is the body. A reader of
  envelopes alone can begin there, but then skips the areas `http` and `mime` and what is chunked.
- **verdicts** has what each policy says. `strict` refuses what breaks a rule of the package, the envelope or the
  schema. `interop` mends by name what real senders do, and refuses what could only be guessed. `lenient` refuses only
  what nobody can read. Choose the one that your receiver is meant to be.
- **findings** is all that there is to be noticed, with rule, place and clause ([all rules](rules.md)). A receiver that
  looks at less finds less, but nothing else.
- **fields** and **parts** is what `interop` reads, after its repairs; null where it refuses.
- **before** has the messages that came before it on the same connection, **arrives** the moment at which it is judged,
  where the rule needs them: %d vectors and %d. Who keeps no state and no clock skips those.
- **twin** names a vector on the other side of the same rule, most of them alike in all else. A receiver that cannot
  tell the two apart does not know the rule.

## Another language

[vectors.mjs](vectors.mjs) runs them against a receiver in JavaScript, with nothing but node. Its receiver is a careless
one, which takes whatever has an Envelope in it and finds the TransactionID with a pattern; put yours in its place:
"""
_MATRIX = """
## What others make of them

What is to be made of each vector is written down, and our reader is compared with it as anybody else is. Places and
fields were first drafted with that reader, so three things that share no code with it have to agree: the author of each
wrong message named its rules beside it; the verdicts follow from the findings by a table; Python's standard library
(h11, `email`, ElementTree) reads the same fields and digests in the %d vectors that are right to `strict` and that it
can open. Others are each asked a question of their own, and a vector is right or wrong to that question.

- **h11** reads the HTTP message; **email**, of Python's standard library, takes the package apart, and has to find the
  same parts with the same digests; **xmlschema** and **libxml2** validate the envelope by our schemas; **zeep** (stock,
  without what mm7zeep does before it) and **node-soap** read it by our WSDL; node-soap has to find the operation and
  the TransactionID, too.
- *accepts though wrong*: it does not know the rule, as a validator knows nothing of TransactionIDs and a reader of mail
  nothing of `start`. *refuses though right* would be a wrong vector, or a fault of the witness.
- *does not judge*: there is no such thing in it, as no package in a plain envelope, and no envelope in a broken package.
"""


def text(rows: Mapping[str, str], printed: str) -> str:
    """The whole file: ``rows`` of the matrix by witness, and what the example ``printed``."""
    known = vectors()
    before, timed = sum(bool(one.before) for one in known), sum(one.now is not None for one in known)
    return "\n".join(
        [
            _HEAD,
            "```text",
            "$ mm7zeep vectors DIR 2>&1 | tail -n 4",
            *(f"DIR/{name}  {len(data)} octets" for name, data in [*documents().items()][-3:]),
            f"read DIR/{INDEX} first",
            "```",
            _FILES,
            *_areas(),
            _MEMBERS,
            "```json",
            json.dumps(_shown(), ensure_ascii=False, indent=1),
            "```",
            _USE % (before, timed),
            "```text",
            "$ node vectors.mjs DIR interop",
            printed.rstrip("\n"),
            "```",
            _MATRIX % witnesses.comparable(),
            witnesses.HEADING,
            *rows.values(),
            *_reasons(),
        ]
    )


def _areas() -> list[str]:
    names = ("Area", "What is in it", "Vectors", "break a rule", "strict rejects", "interop rejects")
    heading = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    total = [0, 0, 0, 0]
    lines = []
    for area, description in AREAS.items():
        held, said = [one for one in vectors() if one.area == area], stated(area).values()
        counts = [len(held), sum(one.breaks for one in held)]
        counts += [sum(one.verdicts[policy] == "reject" for one in said) for policy in POLICIES[:2]]
        total = [one + more for one, more in zip(total, counts, strict=True)]
        lines.append(f"| `{area}` | {description} | {' | '.join(map(str, counts))} |")
    return [*heading, *lines, f"| | all | {' | '.join(map(str, total))} |"]


def _shown() -> dict[str, Any]:
    [vector] = (one for one in vectors() if one.id == SHOWN)
    shown = document(vector, stated(vector.area)[vector.id])
    for name in ("octets", "text"):
        shown[name] = f"{shown[name][:60]}..."
    fields: dict[str, Any] = shown["fields"]
    shown["fields"] = {name: value for name, value in fields.items() if value} | {"...": "what it has not is null"}
    return shown


def _reasons() -> list[str]:
    [endless] = ENDLESS
    lines = [
        "",
        f"Zeep by itself reads `{endless}` for ever: whoever uses it validates first.",
        "What node-soap refuses, or reads otherwise, although it is right:",
        "",
        "| Vector | Reason |",
        "|---|---|",
    ]
    return [*lines, *(f"| `{id}` | {reason} |" for id, reason in NODE_REFUSES.items()), ""]


def rows(place: Path) -> dict[str, str]:
    """The rows of the matrix, made by asking every witness; node-soap is in ``place``."""
    asked = (*witnesses.HTTP_AND_MIME, *witnesses.ENVELOPES, witnesses.of_node(place))
    return {one.name: witnesses.row(one, witnesses.judge(one)) for one in asked}


def printed(file: Path = EXAMPLE) -> str:
    """What the example prints, run by node on the vectors of now."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in documents().items():
            Path(folder, name).write_bytes(data)
        done = subprocess.run(["node", str(file), folder], check=True, capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    return "\n".join(line if len(line) < 119 else shorten(line, 118, placeholder=" ...") for line in lines)


def written() -> tuple[dict[str, str], str]:
    """The rows and what the example printed, as they stand in the file."""
    there = TARGET.read_text(encoding="utf-8")
    found = dict(re.findall(r"(?m)^(?=\| ([\w-]+) \| [\w. ]+ \| (?:HTTP|package|envelope) \|)(.*)$", there))
    shown = re.search(r"(?ms)^\$ node vectors\.mjs DIR interop\n(.*?)\n```", there)
    return found, shown[1] if shown else ""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        soap = Path(sys.argv[1]) if sys.argv[1:] else node_soap.fetch(Path(temporary))
        TARGET.write_text(text(rows(soap), printed()), encoding="utf-8")
