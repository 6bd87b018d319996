"""Our layer against libxml2 on random documents: valid ones of every schema, and ones spoilt in up to three places.

300 documents per schema. By hand: ``python tests/test_schema_differences.py 4000 7`` judges 4,000 per schema, seed 7,
and prints each difference. ``KNOWN`` is where the two differ rightly; ``mm7zeep.schema.judge`` says why.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator

import pytest
from lxml import etree
from schema_oracle import SCHEMAS, SOAP, Writer, libxml2, mutate

from mm7zeep import schema
from mm7zeep.profiles import NAMESPACE_PREFIX, SOAP_NAMESPACE

pytestmark = pytest.mark.once

# What libxml2 says where it is wrong, or where XSD 1.0 leaves room (part 2, 3.2.17: a processor need not check what an
# anyURI holds).
KNOWN_OF_LIBXML2 = re.compile(
    r"is not a valid value of the (list type '.*encodingStyle'|atomic type 'xs:anyURI')"
    r"|'(\s.*|.*\s)' is not a valid value of the (local )?atomic type 'xs:dateTime'"  # white space is collapsed
    # XML 1.0, fifth edition, takes more characters in a name than the second, which XSD 1.0 quotes.
    r"|'[^']*[\u0660-\u0669\uff10-\uff19][^']*' is not a valid value of the atomic type '.*(NMTOKEN|:ID|IDType)'"
)
KNOWN_OF_OURS = re.compile(r"invalid value '-?P.*T(\.[0-9]+|[0-9]+\.)S'")


def differences(name: str, seed: int, count: int) -> Iterator[str]:
    """What one judge accepts and the other does not, but for what is known; a tenth of the documents is unspoilt."""
    chance = random.Random(f"{seed} {name}")
    writer, judge = Writer(name, chance), libxml2(name)
    accepted = 0
    for number in range(count):
        document = writer.envelope()
        if number >= count // 10:
            document = mutate(document, chance)
        found = schema.violations(document, writer.namespace)
        valid = judge.validate(document)
        accepted += valid
        if number < count // 10 and (found or not valid):
            yield f"{name} {number}: the generator made an invalid document: {found} {judge.error_log}"
        if bool(found) is not valid:
            continue
        words = [KNOWN_OF_OURS.search(one.reason) for one in found] or [
            KNOWN_OF_LIBXML2.search(str(one.message)) for one in judge.error_log
        ]
        if not any(words):
            yield f"{name} {number}: ours {found}, libxml2 {judge.error_log}: {etree.tostring(document).decode()}"
    if not count // 5 < accepted < count - count // 5:
        yield f"{name}: {accepted} of {count} documents are valid: the mutations do not test both verdicts"


@pytest.mark.parametrize("name", SCHEMAS)
def test_same_verdict(name: str) -> None:
    """Our layer and libxml2 accept and reject the same documents."""
    assert list(differences(name, 1, 300)) == []


def cancel_rsp(inside: str = "", code: str = "1000", text: str = "") -> etree._Element:
    """A CancelRsp with ``inside`` as its Details."""
    return etree.fromstring(
        f'<e:Envelope xmlns:e="{SOAP_NAMESPACE}" xmlns="{NAMESPACE_PREFIX}REL-6-MM7-1-4" xmlns:x="urn:x" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Header>{text}</e:Header><e:Body><CancelRsp>'
        f"<MM7Version>6.8.0</MM7Version><Status><StatusCode>{code}</StatusCode><StatusText/>{inside}</Status>"
        "</CancelRsp></e:Body></e:Envelope>"
    )


NAMESPACE = NAMESPACE_PREFIX + "REL-6-MM7-1-4"

# What xmlschema alone says of these, and what we say: a new release of xmlschema that gets one right shows here, and
# the addition can go. None: it raises.
ADDITIONS: dict[str, tuple[etree._Element, bool | None, bool]] = {
    "text in Details": (cancel_rsp("<Details>text</Details>"), True, False),
    "text in Header": (cancel_rsp(text="text"), True, False),
    "odd white space between elements": (cancel_rsp("\u2003"), True, False),
    "odd white space around a value": (cancel_rsp(code="1000\u00a0"), True, False),
    "underscore in a number": (cancel_rsp(code="1_000"), True, False),
    "digits of another script": (cancel_rsp(code="\u0661\u0660"), True, False),
    "comment after a value": (cancel_rsp(code="1000<!-- -->"), False, True),
    "comment before a value": (cancel_rsp(code="<!-- -->1000"), False, True),
    "unknown xsi:type": (cancel_rsp('<Details xsi:type="nope"/>'), None, False),
    "xml:lang on a foreign element": (cancel_rsp('<Details><x:y xml:lang="en_US"/></Details>'), False, True),
    "xsi:nil on a foreign element": (cancel_rsp('<Details><x:y xsi:nil="true"/></Details>'), False, True),
}


@pytest.mark.parametrize("case", ADDITIONS)
def test_additions_are_needed(case: str) -> None:
    """Each addition to xmlschema changes a verdict, and libxml2 agrees with ours."""
    document, plain, expected = ADDITIONS[case]
    try:
        verdict = not list(schema.validator(NAMESPACE).iter_errors(document))
    except KeyError:
        verdict = None
    assert verdict is plain
    assert (not schema.violations(document, NAMESPACE)) is expected
    assert libxml2("REL-6-MM7-1-4").validate(document) is expected


def test_comment_does_not_hide_text() -> None:
    """What stands after a comment belongs to the value; the element of the violation is the one that was given."""
    document = cancel_rsp()
    version = document.find(".//{*}MM7Version")
    assert version is not None
    version.append(etree.Comment("x"))
    version[0].tail = "junk"
    [found] = schema.violations(document, NAMESPACE)
    assert found.element is version
    assert found.where == "/Envelope/Body/CancelRsp/MM7Version"
    assert "5.3.0" in found.reason
    assert version[0].tail == "junk"


def test_unknown_type_is_one_violation() -> None:
    """An xsi:type that names nothing is reported at its element, and the rest is judged as if it were not there."""
    document = cancel_rsp('<Details xsi:type="q:nope"><CancelRsp/></Details>')
    first, second = schema.violations(document, NAMESPACE)
    assert (first.where, first.kind) == ("/Envelope/Body/CancelRsp/Status/Details", "attribute")
    assert second.where == "/Envelope/Body/CancelRsp/Status/Details/CancelRsp"
    assert second.element is document.find(".//{*}Details")[0]  # type: ignore[index]
    assert "q:nope" in etree.tostring(document).decode()


def test_entity_is_not_judged_as_nothing() -> None:
    """Where the parser left an entity alone, its text is unknown: that is a violation, not an empty value."""
    parser = etree.XMLParser(resolve_entities=False)
    text = etree.tostring(cancel_rsp()).decode().replace("<StatusText/>", "<StatusText>a&amp;b</StatusText>")
    document = etree.fromstring(f'<!DOCTYPE x [<!ENTITY e "x">]>{text}'.replace("a&amp;b", "a&e;b"), parser)
    [found] = schema.violations(document, NAMESPACE)
    assert found.where == "/Envelope/Body/CancelRsp/Status/StatusText"
    assert found.kind == "text"


def test_root_must_be_declared() -> None:
    """An xsi:type does not make an envelope of any root."""
    text = '<x:y xmlns:x="urn:x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:e="{}" xsi:type="e:Body"/>'
    for root in (
        text.format(SOAP_NAMESPACE),
        "<x/>",
        '<schema xmlns="http://www.w3.org/2001/XMLSchema"/>',
        f'<y xmlns="{NAMESPACE}"/>',
    ):
        document = etree.fromstring(root)
        assert [one.kind for one in schema.violations(document, NAMESPACE)] == ["children"]
        assert not libxml2("REL-6-MM7-1-4").validate(document)


def test_depth() -> None:
    """What is nested deeper than Python's stack allows is a violation, not an exception."""
    document = cancel_rsp()
    inner = document[1]
    for _ in range(250):
        inner = etree.SubElement(inner, f"{SOAP}Body")
    limit = sys.getrecursionlimit()
    assert len(schema.violations(document, NAMESPACE)) <= 1  # as deep as the stack of the test leaves room for
    sys.setrecursionlimit(500)
    try:
        [found] = schema.violations(document, NAMESPACE)
    finally:
        sys.setrecursionlimit(limit)
    assert "too deeply" in found.reason


KINDS = {
    "children": (cancel_rsp("<Details/><Details/>"), "/Envelope/Body/CancelRsp/Status"),
    "value": (cancel_rsp(code="none"), "/Envelope/Body/CancelRsp/Status/StatusCode"),
    "attribute": (cancel_rsp('<Details x="1"/>'), "/Envelope/Body/CancelRsp/Status/Details"),
    "text": (cancel_rsp("text"), "/Envelope/Body/CancelRsp/Status"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kind_and_place(kind: str) -> None:
    """A violation says what kind it is and where."""
    document, where = KINDS[kind]
    found = schema.violations(document, NAMESPACE)
    assert (found[0].kind, found[0].where) == (kind, where)
    assert str(found[0]) == f"{where}: {found[0].reason}"
    assert found[0].element is not None
    assert schema.path(found[0].element) == where


def test_path_numbers_what_repeats() -> None:
    """Where a name repeats, the path counts."""
    document = cancel_rsp("<Details><x:y/><x:z/><x:y><x:y/></x:y></Details>")
    assert [schema.path(one) for one in document.iter("{urn:x}*")] == [
        f"/Envelope/Body/CancelRsp/Status/Details/{step}" for step in ("y[1]", "z", "y[2]", "y[2]/y")
    ]


def test_unknown_namespace() -> None:
    """A namespace that is not bundled is refused by name."""
    for ask in (schema.validator, schema.model, schema.wsdl):
        with pytest.raises(ValueError, match=r"REL-7-MM7-1-0.*bundled are REL-5-MM7-1-0"):
            ask(NAMESPACE_PREFIX + "REL-7-MM7-1-0")


def test_threads() -> None:
    """Threads that ask at once get one schema, and the same verdicts as one thread alone."""
    script = """
import random, sys, threading
sys.path.insert(0, sys.argv[1])
from schema_oracle import Writer, mutate
from mm7zeep import schema
from mm7zeep.profiles import NAMESPACE_PREFIX

names = ("REL-5-MM7-1-3", "REL-6-MM7-1-4")
chance = random.Random(5)
work = [(NAMESPACE_PREFIX + name, mutate(Writer(name, chance).envelope(), chance)) for name in names * 40]
start, results, schemas = threading.Barrier(4), {}, {}
def run(number):
    start.wait()
    asked = (schema.validator, schema.model, schema.wsdl)
    schemas[number] = [id(ask(NAMESPACE_PREFIX + name)) for name in names for ask in asked]
    results[number] = [[str(one) for one in schema.violations(document, namespace)] for namespace, document in work]
sys.setswitchinterval(1e-5)
threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
alone = [[str(one) for one in schema.violations(document, namespace)] for namespace, document in work]
assert len(results) == 4 and all(one == alone for one in results.values()), "verdicts differ"
assert len({tuple(one) for one in schemas.values()}) == 1, "built more than once"
assert sum(map(bool, alone)) > 10
print("done")
"""
    assert run_python(script) == "done\n"


def run_python(script: str) -> str:
    """What ``script`` prints in a Python of its own, with this folder as its argument."""
    import subprocess
    from pathlib import Path

    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", script, str(here)], capture_output=True, text=True, timeout=60, cwd=here.parent
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def main() -> None:
    """Compare as many documents as asked for."""
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    for name in SCHEMAS:
        for one in differences(name, seed, count):
            sys.stdout.write(one + "\n")


if __name__ == "__main__":
    main()
