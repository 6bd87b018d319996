"""What others make of the vectors: where they and our statements differ, it is for a reason that stands here."""

from __future__ import annotations

import logging
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import needed
import node_soap
import pytest
import vector_witnesses as witnesses
from made_docs import made_by
from vector_witnesses import ACCEPTS, AGREES, OUTCOMES, REFUSES, SILENT, Judged, Witness, statements

from mm7zeep.vectors.catalogue import vectors

DOCS = Path(__file__).parents[1] / "docs"
VECTORS = {one.id: one for one in vectors()}

BLIND = {
    "h11": {"http/length-and-chunked"},  # RFC 9112 6.1 lets a receiver take the chunks and drop the length
    "email": {
        # it is made for mail: what RFC 2387 says of a related package it does not look at
        "mime/related-start", "mime/related-start-resolves", "mime/related-type", "mime/related-type-root",
        "mime/start-brackets", "mime/root-charset-alias", "mime/root-cte", "mime/xop-outer", "mime/content-id-unique",
        "mime/content-id-brackets", "mime/part-content-type",
        # it takes parameters, names and characters as they come
        "mime/boundary-length", "mime/boundary-quoted", "mime/boundary-syntax", "mime/charset-alias",
        "mime/disposition-syntax", "mime/parameter-trailing", "mime/part-header-syntax", "mime/type-syntax",
        # it decodes only when asked, and then what it can
        "mime/base64", "mime/cte-decodes", "mime/cte-known", "mime/quoted-printable", "mime/text-bare-cr",
        "mime/text-charset-decodes",
        # it knows no delimiter but the one that is announced, and any line end
        "mime/boundary-near-miss", "mime/boundary-used", "mime/delimiter-crlf", "mime/delimiter-missing",
        "mime/header-line-endings",
    },
}  # fmt: skip
"""Rules that a witness does not know, so that it accepts what breaks them."""
_SCHEMA = {
    # a validator is given the tree: of the octets it knows nothing, and of HTTP neither
    "xml/no-dtd", "xml/no-pi", "xml/charset-agrees", "xml/declaration-true", "xml/encoding-forbidden",
    # Header, Body and detail may hold anything by the schema of SOAP 1.1
    "soap/body-direct-error", "soap/body-one-child", "soap/operation-known", "soap/unknown-mu", "soap/transaction-once",
    "soap/transaction-present", "soap/transaction-namespace", "schema/name-case", "schema/version-element",
    # a string may be empty, and may hold blanks
    "soap/transaction-value", "schema/value",
}  # fmt: skip
BLIND["libxml2"] = _SCHEMA
# xmlschema lets text stand beside a wildcard; it does so in Details, Header and Body
BLIND["xmlschema"] = _SCHEMA - {"xml/declaration-true"} | {"schema/details", "schema/unstated"}

ENDLESS = {"schema/address-name/number-4670000001-number"}
"""Envelopes that stock zeep reads for ever; whoever reads with it has them validated first, as we have."""

AS_UTF_8 = "it decodes every envelope as UTF-8"
FIRST_PART = "it takes the first part as the envelope, whatever start says"
PARSER = "its multipart parser, which is made for forms, knows neither folded lines nor padding after a delimiter"
NODE_REFUSES = {
    "form/xml/utf-16-be": AS_UTF_8,
    "form/xml/utf-16-le": AS_UTF_8,
    "xml/charset-agrees/utf-16-labelled-utf-8/kept": AS_UTF_8,
    "xml/declaration-true/utf-16-declared-as-utf-8/kept": AS_UTF_8,
    "mime/root-first/the-soap-part-last": FIRST_PART,
    "form/package/header-folded": PARSER,
    "mime/delimiter-padding/a-blank-after-cut-here": PARSER,
    "mime/type-syntax/text-plain-charset-utf-8-4/kept": PARSER,
    "http/content-type-known/content-type-multipart-mixed": "it takes packages apart that are multipart/related only",
}
"""Right envelopes that node-soap refuses, or reads otherwise, each with the reason."""


def make_vectors() -> Any:
    """The module that writes docs/vectors.md."""
    with made_by("make_vectors") as module:
        return module


def documented(witness: Witness, judged: dict[str, Judged]) -> bool:
    """Whether the row of the matrix in docs/vectors.md is what came out; it speaks of one version of the witness."""
    page = DOCS.joinpath("vectors.md").read_text(encoding="utf-8")
    if f"| {witness.name} | {witness.version} |" not in page:
        return f"| {witness.name} |" in page
    return witnesses.row(witness, judged) in page


def counted(judged: dict[str, Judged]) -> Counter[str]:
    """How often each outcome came."""
    counts = Counter(one.outcome for one in judged.values())
    assert set(counts) <= set(OUTCOMES)
    assert counts.total() == len(VECTORS)
    return counts


def refused(judged: dict[str, Judged]) -> dict[str, str]:
    """Right vectors that a witness refuses, with what it says."""
    return {id: one.reason for id, one in judged.items() if one.outcome == REFUSES}


def kinds(judged: dict[str, Judged]) -> set[str | None]:
    """The rules of the wrong vectors that a witness accepts."""
    return {VECTORS[id].rule for id, one in judged.items() if one.outcome == ACCEPTS}


def test_h11() -> None:
    """Every head and framing is what RFC 9112 says it is, right or wrong, but for one rule that h11 leaves to us."""
    judged = witnesses.judge(witnesses.HTTP_AND_MIME[0])
    assert refused(judged) == {}
    assert kinds(judged) <= BLIND["h11"]
    assert documented(witnesses.HTTP_AND_MIME[0], judged)
    assert counted(judged)[SILENT] == 0
    noticed = {VECTORS[id].rule for id, one in judged.items() if one.reason and one.outcome == AGREES}
    assert noticed >= {
        "http/blank-line", "http/content-length", "http/field-continued", "http/field-syntax", "http/host",
        "http/no-length", "http/request-line", "http/status-line", "http/transfer-encoding-known", "http/truncated",
    }  # fmt: skip


def test_email() -> None:
    """Every right package has the parts and digests that the standard library finds; some rules it does not know."""
    judged = witnesses.judge(witnesses.HTTP_AND_MIME[1])
    assert refused(judged) == {}
    assert kinds(judged) <= BLIND["email"]
    assert documented(witnesses.HTTP_AND_MIME[1], judged)
    assert counted(judged)[AGREES] > 150


def test_fields_by_the_standard_library() -> None:
    """ElementTree reads of every message that strict accepts what is stated of it; digests and parts, too."""
    compared = 0
    for id, statement in statements().items():
        if not witnesses.is_comparable(VECTORS[id]):
            continue
        assert statement.fields is not None
        assert witnesses.fields(VECTORS[id]) == dict(statement.fields), id
        found = witnesses.digests(VECTORS[id])
        assert statement.parts is not None
        assert (found or []) == [(one["content_type"], one["content_id"], one["sha256"]) for one in statement.parts], id
        compared += 1
    assert compared > 400


@pytest.mark.once
@pytest.mark.parametrize("witness", witnesses.ENVELOPES, ids=lambda one: one.name)
def test_envelopes(witness: Witness, caplog: pytest.LogCaptureFixture) -> None:
    """No envelope that we call valid is refused; a schema is blind to the rules listed, zeep to more."""
    caplog.set_level(logging.CRITICAL, logger="zeep")
    judged = witnesses.judge(witness)
    assert refused(judged) == {}
    assert documented(witness, judged)
    if witness.name == "zeep":
        assert {id for id, one in judged.items() if one.reason == witnesses.ENDLESS} <= ENDLESS
        assert counted(judged)[AGREES] > 600
    else:
        assert kinds(judged) <= BLIND[witness.name]
        assert counted(judged)[AGREES] > 700


@pytest.mark.once
def test_node_soap(tmp_path: Path) -> None:
    """node-soap reads every envelope that we call valid, with its operation and TransactionID, but for those listed."""
    place = os.environ.get(node_soap.FOLDER)
    if not place:
        if shutil.which("npm") is None:
            needed.absent(f"needs node-soap: install npm, or name its folder in {node_soap.FOLDER}")
        place = str(node_soap.fetch(tmp_path))
    witness = witnesses.of_node(Path(place))
    judged = witnesses.judge(witness)
    assert documented(witness, judged)
    assert set(refused(judged)) == set(NODE_REFUSES), refused(judged)
    assert counted(judged)[AGREES] > 500


def test_page() -> None:
    """docs/vectors.md is what docs/make_vectors.py makes of the vectors as they are now."""
    made = make_vectors()
    rows, printed = made.written()
    names = [one.name for one in (*witnesses.HTTP_AND_MIME, *witnesses.ENVELOPES)]
    assert list(rows) == [*names, "node-soap"]
    assert DOCS.joinpath("vectors.md").read_text(encoding="utf-8") == made.text(rows, printed), "run make_vectors.py"


@pytest.mark.once
def test_example_of_the_page() -> None:
    """What the page shows of the receiver in JavaScript is what node prints."""
    needed.program("node", "nodejs")
    made = make_vectors()
    assert made.printed() == made.written()[1]


def test_a_wrong_statement_is_noticed() -> None:
    """A witness that is told the contrary of every statement agrees with none that it judges."""
    told = witnesses.HTTP_AND_MIME[0]
    contrary = told._replace(wrong=lambda one: not told.wrong(one))
    assert counted(witnesses.judge(contrary))[AGREES] == counted(witnesses.judge(told))[ACCEPTS] <= 1
