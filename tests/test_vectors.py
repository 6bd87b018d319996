"""The test vectors: each is what its statement says, to our reader and by the principle that the policies follow."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import mutation_check
import pytest
from click.testing import CliRunner
from vector_policies import UNREADABLE, UNREADABLE_AT_TIMES, refused_by_interop, refused_by_strict
from vector_reading import judged, reading, word

from mm7zeep.cli import main
from mm7zeep.findings import KINDS
from mm7zeep.vectors.catalogue import AREAS, Vector, vectors
from mm7zeep.vectors.documents import INDEX, INDEX_SCHEMA, SCHEMA, documents
from mm7zeep.vectors.statements import Statement, stated

VECTORS = {one.id: one for one in vectors()}


@cache
def statements() -> dict[str, Statement]:
    """Every statement, by the id of its vector."""
    return {id: one for area in AREAS for id, one in stated(area).items()}


@cache
def written() -> dict[str, bytes]:
    """Every file by its name."""
    return documents()


@cache
def files() -> dict[str, Any]:
    """Every file as JSON, by its name."""
    return {name: json.loads(data) for name, data in written().items()}


def of_area(area: str) -> list[Vector]:
    """The vectors of one area."""
    return [one for one in VECTORS.values() if one.area == area]


# --- what is stated, and what our reader says -------------------------------------------------------------------------


def test_each_has_a_statement() -> None:
    """No vector without a statement, no statement without its vector, no id or message twice; at least 400."""
    assert len(VECTORS) == len(vectors()) >= 400
    assert set(statements()) == set(VECTORS)
    assert all(id in stated(one.area) for id, one in VECTORS.items())
    assert len({(one.octets, one.before, one.now) for one in VECTORS.values()}) == len(VECTORS)


@pytest.mark.parametrize("area", AREAS)
def test_our_reader_says_what_is_stated(area: str) -> None:
    """Verdicts, findings with their places, fields and digests are those stated: no less, and no more."""
    said = stated(area)
    assert {one.id: reading(one, doubtful_only=True) for one in of_area(area)} == {
        one.id: said[one.id] for one in of_area(area)
    }


@pytest.mark.once
def test_every_policy_says_what_is_stated() -> None:
    """Each policy is asked of each vector: none refuses what a stricter one accepts."""
    for id, one in VECTORS.items():
        for policy, verdict in statements()[id].verdicts.items():
            assert word(one, policy) == verdict, (id, policy)


def test_a_broken_reader_is_noticed() -> None:
    """Of mutants of the rules, those that concern a vector's rule change what is read of a vector of that rule."""
    said = statements()
    chosen = [one for one in mutation_check.mutants() if one.kind == "silent" and one.module.endswith("rules.wording")]
    assert len(chosen) >= 4
    for mutant in chosen:
        concerned = [one for one in VECTORS.values() if one.rule in mutant.ids and one.breaks]
        assert concerned, mutant
        with mutation_check.applied(mutant):
            assert any(
                sorted(found.id for found in judged(one).findings)
                != sorted(found.id for found in said[one.id].findings)
                for one in concerned
            ), mutant


def test_authors_stated_the_same() -> None:
    """What stands beside the message where it is made, and what stands in ``stated``, are the same ids."""
    wrong = {
        id: (one.raises, [found.id for found in statements()[id].findings])
        for id, one in VECTORS.items()
        if one.raises is not None and sorted(one.raises) != sorted(found.id for found in statements()[id].findings)
    }
    assert wrong == {}
    assert sum(one.raises is not None for one in VECTORS.values()) > 600


def test_twins_differ_in_their_rule() -> None:
    """What breaks a rule raises it; what keeps it does not; a twin exists, and is on the other side."""
    for id, one in VECTORS.items():
        if one.rule is not None:
            assert (one.rule in {found.id for found in statements()[id].findings}) == one.breaks, id
        if one.twin is not None:
            twin = VECTORS[one.twin]
            assert one.rule not in {found.id for found in statements()[twin.id].findings} or not one.breaks, id
            assert twin.octets != one.octets, id


def test_every_kind_of_finding_is_there() -> None:
    """Each rule that one reader of messages can check is broken by a vector; those that are not need somebody else."""
    broken = {found.id for one in statements().values() for found in one.findings}
    elsewhere = {id for id, kind in KINDS.items() if kind.needs in ("gateway", "fit")}
    assert set(KINDS) - broken - elsewhere == {"sem/content-empty", "sem/mo-as-submit"}


# --- the principle of the policies, from which the verdicts follow ----------------------------------------------------


@pytest.mark.parametrize("area", AREAS)
def test_verdicts_follow_from_the_findings(area: str) -> None:
    """By the table above strict refuses, interop what is said to be refused, lenient what nobody can read."""
    for id, one in stated(area).items():
        found = {found.id for found in one.findings}
        interop = any(map(refused_by_interop, one.findings))
        strict = interop or any(map(refused_by_strict, one.findings))
        assert one.verdicts["interop"] == ("reject" if interop else "accept"), id
        assert one.verdicts["strict"] == ("reject" if strict else "accept"), id
        if one.verdicts["lenient"] == "reject":
            assert found & (UNREADABLE | UNREADABLE_AT_TIMES), id
            assert interop, id
        else:
            assert not found & UNREADABLE, id


def test_places_are_there() -> None:
    """A place is an element of the envelope or of what was mended, an octet of the message, or a header name."""
    for id, one in statements().items():
        octets = VECTORS[id].octets.replace(b"\0", b"")
        for found in one.findings:
            if found.place.startswith("/"):
                last = re.sub(r"\[\d+\]$", "", found.place.rpartition("/")[2]).lstrip("@").encode()
                parent = re.sub(r"\[\d+\]$", "", found.place.split("/")[-2]).encode()
                assert last.lower() in octets.lower() or parent.lower() in octets.lower(), (id, found)
            elif found.place.startswith("byte "):
                assert 0 <= int(found.place[5:]) <= len(octets), (id, found)
            elif found.place.startswith("line "):
                assert re.fullmatch(r"line [0-9]+ column [0-9]+", found.place), (id, found)
            else:
                assert re.fullmatch(r"[A-Za-z-]*(?: [a-z-]+)*", found.place), (id, found)


# --- the files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [SCHEMA, INDEX_SCHEMA])
def test_schemas_are_schemas(name: str) -> None:
    """Both are valid by the meta-schema of draft 2020-12, and say so."""
    assert files()[name]["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
    jsonschema.Draft202012Validator.check_schema(files()[name])


@pytest.mark.parametrize("area", AREAS)
def test_each_file_is_valid(area: str) -> None:
    """Every vector of every area, by the schema beside it."""
    schema = jsonschema.Draft202012Validator(files()[SCHEMA], format_checker=jsonschema.FormatChecker())
    assert [one.message for one in schema.iter_errors(files()[f"area-{area}.json"])] == []


def test_index() -> None:
    """The index is valid, and names each file with the number of its vectors and its digest."""
    index = files()[INDEX]
    jsonschema.Draft202012Validator(files()[INDEX_SCHEMA]).validate(index)
    assert {row["file"] for row in index["areas"]} | {INDEX, SCHEMA, INDEX_SCHEMA} == set(files())
    assert index["vectors"] == sum(row["vectors"] for row in index["areas"]) == len(VECTORS)
    for row in index["areas"]:
        assert row["sha256"] == hashlib.sha256(written()[row["file"]]).hexdigest()
        assert row["vectors"] == len(files()[row["file"]]["vectors"])


SPOILT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no verdict": lambda one: one["verdicts"].pop("strict"),
    "another verdict": lambda one: one["verdicts"].update(strict="perhaps"),
    "not base64": lambda one: one.update(octets="~"),
    "another side": lambda one: one.update(sender="handset"),
    "breaks no rule": lambda one: one.update(rule=None),
    "breaks it unseen": lambda one: one.update(findings=[]),
    "fields of a refused one": lambda one: one["verdicts"].update(strict="reject", interop="reject"),
    "accepted without fields": lambda one: one.update(fields=None),
    "refused by lenient alone": lambda one: one["verdicts"].update(lenient="reject"),
    "another digest": lambda one: one["parts"].append(
        {"content_type": "a/b", "content_id": None, "size": 1, "sha256": "0"}
    ),
    "a recipient of no list": lambda one: one["fields"]["recipients"][0].pop("list"),
    "more than there is": lambda one: one.update(tide="low"),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_schema_refuses(spoil: Callable[[dict[str, Any]], Any]) -> None:
    """What no vector may be."""
    document = json.loads(written()["area-http.json"])
    one = next(held for held in document["vectors"] if held["id"] == "http/method/put-mm7")
    schema = jsonschema.Draft202012Validator(files()[SCHEMA])
    assert schema.is_valid(document)
    spoil(one)
    assert not schema.is_valid(document)


def test_documents_hold_what_is_stated() -> None:
    """Octets, sides, text and body of some vectors, as another program reads them."""
    held = {one["id"]: one for name in files() if name.startswith("area-") for one in files()[name]["vectors"]}
    assert {id: base64.b64decode(one["octets"]) for id, one in held.items()} == {
        id: one.octets for id, one in VECTORS.items()
    }
    plain = held["base/submit"]
    assert (plain["role"], plain["sender"], plain["receiver"], plain["rule"]) == ("request", "vasp", "mmsc", None)
    assert VECTORS["base/submit"].octets[plain["body_offset"] :].startswith(b"<env:Envelope")
    assert plain["text"].encode() == VECTORS["base/submit"].octets
    assert held["form/content/all-octets"]["text"] is None
    assert held["http/blank-line/no-empty-line"]["body_offset"] is None
    sides = {id.rpartition("/")[2]: held[id]["sender"] for id in held if id.startswith("full/rel-6-mm7-1-4/")}
    of_mmsc = {
        "submitrsp", "cancelrsp", "replacersp", "extendedcancelrsp", "extendedreplacersp", "deliverreq",
        "deliveryreportreq", "readreplyreq", "rserrorrsp",
    }  # fmt: skip
    assert {name for name, side in sides.items() if side == "mmsc"} == of_mmsc
    assert held["soap/fault-detail-role/vasperrorrsp-from-the-mmsc"]["sender"] == "mmsc"


# --- the command ------------------------------------------------------------------------------------------------------


def run(*words: str | Path) -> tuple[int, str, str]:
    """Exit status, output and errors."""
    done = CliRunner().invoke(main, ["vectors", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


def test_command(tmp_path: Path) -> None:
    """Every file is written; none is overwritten but with --force; a file in the way is told."""
    folder = tmp_path / "deep" / "vectors"
    assert run(folder)[:2] == (0, f"read {folder / INDEX} first\n")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == written()
    (folder / SCHEMA).write_text("mine")
    code, _, errors = run(folder)
    assert (code, "--force overwrites it" in errors) == (3, True)
    assert (folder / SCHEMA).read_text() == "mine"
    assert run(folder, "--force")[0] == 0
    assert (folder / SCHEMA).read_bytes() == written()[SCHEMA]
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file" / "below")[0] == 3
