"""The quick paths against the plain ones: the same package, message, findings and verdict, whatever comes.

Documents of every operation and namespace are learnt, then sent again with other values, and broken in single octets.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_mime_broken import PER_PACKAGE, Tree, broken, head, trees, write

from mm7zeep import exchange, mime, profiles
from mm7zeep.errors import LocalError, Mm7Error, RemoteError
from mm7zeep.exchange import plans
from mm7zeep.exchange.judge import judge_package
from mm7zeep.exchange.unpack import _read
from mm7zeep.messages import (
    CancelReq,
    DeliverReq,
    DeliverRsp,
    DeliveryReportReq,
    Fault,
    Message,
    Number,
    Part,
    ReadReplyReq,
    ReplaceReq,
    RFC2822Address,
    RSErrorRsp,
    ShortCode,
    SubmitReq,
    SubmitRsp,
)
from mm7zeep.mime import layouts
from mm7zeep.status import Status

# --- packages ---------------------------------------------------------------------------------------------------------


def streamed(headers: tuple[tuple[str, str], ...], body: bytes) -> mime.Package | str:
    """What the streaming reader makes of it."""
    reader = mime.Reader(headers)
    reader._whole = False
    try:
        reader.feed(body)
        return reader.finish()
    except RemoteError as error:
        return f"{error!r} {error.findings}"


def quick(headers: tuple[tuple[str, str], ...], body: bytes) -> mime.Package | str | None:
    """What the quick reader makes of it, None where it leaves it to the other one."""
    try:
        plain = layouts.plain_head(headers, mime.Limits())
        return None if plain is None else layouts.read_plain(plain, body, mime.Limits())
    except RemoteError as error:
        return f"{error!r} {error.findings}"


@given(tree=trees(), seed=st.integers(0, 10**6))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_packages(tree: Tree, seed: int) -> None:
    """Whole, with a broken delimiter, cut, or changed in one octet: the two readers agree."""
    written, rng = write(tree, b"\r\n"), random.Random(seed)
    bodies = [written.body]
    ways = [body for _, body in broken(written, rng)]
    bodies += rng.sample(ways, min(len(ways), PER_PACKAGE))
    for _ in range(PER_PACKAGE):
        at = rng.randrange(len(written.body))
        bodies.append(written.body[:at])
        bodies.append(written.body[:at] + rng.choice([b"-", b"\n", b"\r", b"C", b"\0", b""]) + written.body[at + 1 :])
        bodies.append(written.body[:at] + rng.choice([b"\r\n--", b"\ncontent-id: x\r\n\r\n"]) + written.body[at:])
    for body in bodies:
        found = quick(head(tree), body)
        assert found is None or found == streamed(head(tree), body)


@pytest.mark.parametrize("count", [1, 3, 20])
def test_our_own_packages_are_read_quickly(count: int) -> None:
    """What ``pack`` writes is plain, with text, pictures and base64."""
    for encoding in ("binary", "base64"):
        profile = replace(profiles.profile(None), encoding=encoding)
        parts = [Part(body=bytes(range(256)) * n, content_type="image/png") for n in range(1, count)]
        wire = exchange.pack(SENT[0], [Part(body=b"Hello", content_type="text/plain"), *parts], profile=profile)
        body = wire.read()
        [_, _, found] = [quick(wire.headers, body) for _ in range(3)]
        assert isinstance(found, mime.Package)
        assert found == streamed(wire.headers, body)


# --- envelopes --------------------------------------------------------------------------------------------------------

WHEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
SENT: tuple[Message, ...] = (
    SubmitReq(
        vaspid="TNN", vasid="News", to=[Number("+61412345678"), RFC2822Address("a.b@c.example")], cc=Number("0412"),
        subject="News for today", time_stamp=WHEN, expiry_date=timedelta(days=2), delivery_report=True,
        service_code="gold-SP33", linked_id="mms-77", message_class="Informational", priority="Normal",
        sender_address=ShortCode("111122"),
    ),
    SubmitReq(vaspid="v", to=Number("61412"), subject="L\u00e4nge, \u6771\u4eac", earliest_delivery_time=WHEN),
    DeliverReq(
        sender=Number("+61491570156"), to=ShortCode("111122"), linked_id="m-1", subject="Re: hello", time_stamp=WHEN,
        mms_relay_server_id="mmsc-1",
    ),
    DeliveryReportReq(
        message_id="m-1", recipient=Number("+61491570156"), sender=Number("111122"), mm_status="Retrieved", date=WHEN,
    ),
    ReadReplyReq(
        message_id="m-1", recipient=Number("+6149"), sender=Number("111122"), mm_status="Read", time_stamp=WHEN,
    ),
    CancelReq(vaspid="TNN", vasid="News", message_id="m-9"),
    ReplaceReq(vaspid="TNN", vasid="News", message_id="m-9", service_code="gold", time_stamp=WHEN),
    SubmitRsp(status=Status(1000), message_id="m-9"),
    SubmitRsp(status=Status(2007, "Message format corrupt & more"), message_id=None),
    DeliverRsp(status=Status(1000)),
    RSErrorRsp(status=Status(4004, "validation error", "no <b>")),
    Fault(fault_code="Client", fault_string="odd", error=RSErrorRsp(status=Status(3000, "server error"))),
)  # fmt: skip


def documents() -> Iterator[tuple[str, bytes]]:
    """An envelope of each message in each namespace that has a form for it."""
    for profile in profiles.NAMESPACES.values():
        for n, message in enumerate(SENT):
            try:
                tree = exchange.pack(message, [], profile=profile, transaction_id=f"tx-{n}")
            except LocalError:
                continue
            package = mime.read(tree.headers, tree.read())
            yield f"{profile.schema}-{n}-{type(message).__name__}", package.root


DOCUMENTS = dict(documents())
_TEXTS = re.compile(rb">([^<]+)</")
ODD_VALUES = [
    b"", b" ", b"-", b"0", b"1", b"+", b"+61412345678", b"61412345678", b" +614 ", b"a@b.example", b"@", b"tx-1",
    b"TX 1", b"2026-02-28T10:00:00Z", b"2026-02-30T10:00:00Z", b"2026-02-28T24:00:00Z", b"2026-13-01T00:00:00Z",
    b"2026-02-28T10:00:00+01:00", b"2026-02-28T10:00:00.5Z", b"2026-02-28", b"P2D", b"p2d",
    b"Sun, 1 Mar 2026 10:00:00 GMT", b"true", b"TRUE", b"yes", b"1000", b"2002", b"99", b"Retrieved", b"retrieved",
    b"Expired", b"Read", b"High", b"high", b"x &amp; y", b"x &#65; y", b"x > y", b"x ]]&gt; y", b"\xc3\xa9t\xc3\xa9",
    b"\xe9t\xe9", b"\xe6\x9d\xb1\xe4\xba\xac", b"\xef\xbf\xbe", b"\xc2\x85", b"\xe2\x80\xa8", b"\t x", b"x\r\ny",
    b"\x01", b'\'"', b"6.8.0", b"5.3.0", b"9.9.9", b"a" * 101, b"q" * 3000, b"<!-- -->x", b"<![CDATA[x]]>",
    b"<?x?>y", b"x<b/>y", b"none", b"cid:x", b"%41", b"Line, (1)", b"\xd0\x96",
]  # fmt: skip


def varied(rng: random.Random, octets: bytes) -> bytes:
    """The document with other values, and at times one octet changed anywhere."""
    texts = [found.span(1) for found in _TEXTS.finditer(octets)]
    for start, end in sorted(rng.sample(texts, rng.randint(0, min(3, len(texts)))), reverse=True):
        octets = octets[:start] + rng.choice(ODD_VALUES) + octets[end:]
    if rng.random() < 0.2:
        at = rng.randrange(len(octets))
        other = rng.choice(
            [b"", b" ", b'"', b"<", b">", b"/", b"&", b"x", b":", b"\xc3", b"=", bytes([rng.randrange(256)])]
        )
        octets = octets[:at] + other + octets[at + rng.randint(0, 1) :]
    return octets


def outcome(judged: exchange.Judgement) -> tuple[object, ...]:
    """All that a caller sees."""
    if judged.error is not None:
        return (type(judged.error), str(judged.error), judged.error.status, judged.findings)
    received = exchange.receive(judged)
    return (received.message, received.transaction_id, received.namespace, received.mm7_version, received.profile,
            received.dialect, received.findings, judged.sketch.transaction_id, judged.sketch.operation)  # fmt: skip


def package_of(octets: bytes, charset: str | None = "utf-8") -> mime.Package:
    """A package of an envelope alone."""
    label = "text/xml" + (f"; charset={charset}" if charset else "")
    return mime.read([("Content-Type", label)], octets)


def compared(kept: plans.Plans, octets: bytes, policy: profiles.Policy, charset: str | None) -> bool:
    """Whether a plan was used; what it gives is what the plain path gives."""
    package = package_of(octets, charset)

    def plain(package: mime.Package) -> exchange.Judgement:
        return judge_package(package, policy=policy)

    judged = kept.judged(package, policy=policy, size=10**6, plain=plain, receive=_read)
    if judged.planned is not None:
        assert outcome(judged) == outcome(plain(package)), octets
    return judged.planned is not None


@pytest.mark.parametrize("name", DOCUMENTS)
def test_third_of_a_shape_takes_a_plan(name: str) -> None:
    """Seen twice, an envelope has a plan, which its neighbours with other values take, too."""
    kept = plans.Plans(checked=0)
    assert [compared(kept, DOCUMENTS[name], "interop", "utf-8") for _ in range(3)] == [False, False, True]
    other = re.sub(rb"(TransactionID[^>]*>)[^<]+", rb"\1another-1", DOCUMENTS[name])
    assert compared(kept, other, "interop", "utf-8")


def run(seed: int, count: int) -> int:
    """Random neighbours of learnt documents; how many took plans."""
    rng, kept, used = random.Random(seed), plans.Plans(checked=0), 0
    kept._learning._credit = 1e9
    names = sorted(DOCUMENTS)
    for _ in range(max(1, count // 60)):
        octets, policy = DOCUMENTS[rng.choice(names)], rng.choice(["interop", "interop", "strict"])
        charset = rng.choice(["utf-8", "utf-8", None, "iso-8859-1"])
        base = varied(rng, octets) if rng.random() < 0.5 else octets
        for n in range(60):
            used += compared(kept, base if n < 3 else varied(rng, base), policy, charset)  # type: ignore[arg-type]
    return used


@pytest.mark.parametrize("seed", range(4))
def test_random_neighbours(seed: int) -> None:
    """Valid, invalid and mutated: whoever takes a plan comes out as on the plain path."""
    assert run(seed, 1200) > 60


@pytest.mark.once
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_random_neighbours(seed: int) -> None:
    """The same, 30,000 times in all; ``tox -e plans`` does it a million times."""
    assert run(seed, 3000) > 300


# --- writing ----------------------------------------------------------------------------------------------------------

TEXTS = [
    "a",
    "News-1",
    "x & y",
    "<b>",
    "]]>",
    '"it\'s"',
    " x ",
    "L\u00e4nge",
    "a" * 300,
    "1",
    "true",
    "-",
    "x\ty",
    "\u2028",
]
NUMBERS = ["+61412345678", "61412345678", "0", "+", "+61 4", "a@b.example", "x" * 50, "+61412345678/TYPE=PLMN"]
FIELDS = ("subject", "vaspid", "vasid", "service_code", "linked_id", "message_id", "priority", "applic_id", "mm_status")


def changed(rng: random.Random, message: Message) -> Message:
    """A message like it, with other values; at times one that cannot be written."""
    changes: dict[str, object] = {}
    for name in type(message).__dataclass_fields__:
        held = getattr(message, name)
        if rng.random() < 0.6:
            continue
        if name in FIELDS:
            changes[name] = rng.choice([held, held, *TEXTS])
        elif isinstance(held, datetime):
            changes[name] = rng.choice(
                [WHEN, WHEN + timedelta(days=rng.randrange(900), microseconds=rng.choice([0, 5]))]
            )
        elif isinstance(held, Number):
            changes[name] = Number(rng.choice(NUMBERS))
        elif isinstance(held, Status):
            changes[name] = Status(rng.choice([1000, 2002, 3000]), rng.choice(TEXTS), rng.choice([None, *TEXTS]))
        elif name in ("to", "cc"):
            changes[name] = tuple(Number(rng.choice(NUMBERS)) for _ in range(rng.randrange(3)))
    return replace(message, **changes)


def envelope_of(message: Message, transaction_id: str, options: dict[str, object], *, plans: bool) -> bytes | str:
    """The envelope, without the names that are drawn anew each time."""
    try:
        wire = exchange.pack(message, [], transaction_id=transaction_id, plans=plans, **options)  # type: ignore[arg-type]
    except Mm7Error as error:
        return f"{error!r} {error.findings}"
    return wire.read()


@pytest.mark.parametrize("seed", range(3))
def test_written_alike(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the values are, in every namespace, and in answers: the octets of the plain path, or its error."""
    rng, kept = random.Random(seed), plans.WritePlans(checked=0)
    kept._learning._credit = 1e9
    monkeypatch.setattr(plans, "shared_for_writing", lambda: kept)
    request = exchange.unpack(
        replace(
            exchange.pack(SENT[0], [], transaction_id="tx-0"),
            method="POST",
            body=DOCUMENTS["REL-6-MM7-1-4-0-SubmitReq"],
        )
    )
    for _ in range(60):
        message = rng.choice(SENT)
        options: dict[str, object] = {
            "profile": rng.choice(sorted(profiles.NAMESPACES.values(), key=lambda one: one.name))
        }
        if message in SENT[7:]:
            options = {"reply_to": request}
        for n in range(8):
            sent = message if n < 2 else changed(rng, message)
            transaction_id = rng.choice(["tx-0", f"tx-{n}", "a b", "x&y", f"{n}" * 8])
            quick = envelope_of(sent, transaction_id, options, plans=True)
            assert quick == envelope_of(sent, transaction_id, options, plans=False)
    assert len(kept._plans._young) > 12


# --- the store of plans -----------------------------------------------------------------------------------------------


def test_plan_that_disagrees_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """One of so many uses is compared: a wrong plan is logged, not believed, and not used again."""
    kept = plans.Plans(checked=1)
    octets = DOCUMENTS["REL-6-MM7-1-4-0-SubmitReq"]
    for _ in range(2):
        compared(kept, octets, "interop", "utf-8")
    [shape] = kept._shapes._young.values()
    [(marks, plan)] = shape.plans.items()
    assert plan is not None
    shape.plans[marks] = replace(plan, given={**plan.given, "priority": "High"})
    assert not compared(kept, octets, "interop", "utf-8")
    assert "disagreed with the plain path" in caplog.text
    assert shape.plans[marks] is None
    assert not compared(kept, octets, "interop", "utf-8")


def test_flood_of_shapes_is_bounded() -> None:
    """Ten thousand shapes, each seen three times, leave some hundred, and are not all learnt."""
    kept, learnt = plans.Plans(checked=0), 0
    octets = DOCUMENTS["REL-6-MM7-1-4-5-CancelReq"]
    package = package_of(octets)
    judged = judge_package(package, policy="interop")
    calls = 0

    def plain(package: mime.Package) -> exchange.Judgement:
        nonlocal calls
        calls += 1
        return replace(judged, package=package)

    for n in range(3000):
        other = replace(package, root=octets.replace(b"<soap-env:Body>", b"<soap-env:Body>" + b" " * (n + 1)))
        for _ in range(3):
            kept.judged(other, policy="interop", size=10**6, plain=plain, receive=_read)
    learnt = calls - 9000
    assert 0 < learnt < 9000 / 8
    assert len(kept._shapes._young) + len(kept._shapes._old) <= 512


def test_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    """``plans=False`` and MM7ZEEP_PLANS=0 go the plain way."""
    plans.plans_are_on.cache_clear()
    monkeypatch.setenv(plans.SWITCH, "0")
    try:
        assert not plans.plans_are_on()
    finally:
        plans.plans_are_on.cache_clear()
    wire = exchange.pack(SENT[0], [Part(body=b"x", content_type="text/plain")], transaction_id="t")
    body = wire.read()
    wire = replace(wire, body=body)
    found = [exchange.unpack(wire, plans=on) for on in (True, True, True, False)]
    assert found[0] == found[1] == found[2] == found[3]
    with pytest.raises(Mm7Error):
        exchange.unpack(replace(wire, body=body.replace(b"SubmitReq>", b"SubmitMe>")), plans=True)


@pytest.mark.parametrize(
    "values",
    [(1, "abc"), ("abc", 1), (1, True), (True, 1), ("1", 1), (1, "1"), (2, "a b"), ("a b", 2)],
    ids=repr,
)
@pytest.mark.parametrize("name", ["vasid", "subject", "service_code", "linked_id"])
def test_value_of_another_type_has_another_plan(name: str, values: tuple[Any, Any]) -> None:
    """A number where a text is usual is no class of texts: no other value goes where it does not belong."""
    writing = plans.WritePlans(checked=0)

    def written(value: Any, number: str) -> bytes:
        given = {"vaspid": "TNN", "vasid": "News", "subject": "Hi", name: value}
        message = SubmitReq(to=(Number(number),), **given)
        return writing.written(message, "t-1", "form", _plain)

    def _plain(message: Any, transaction_id: str) -> bytes:
        return exchange.pack(message, transaction_id=transaction_id, plans=False).read()

    first, second = values
    for n in range(4):
        written(first, f"+44700000{n}")
    message = SubmitReq(to=(Number("+447999999"),), **{"vaspid": "TNN", "vasid": "News", "subject": "Hi", name: second})
    assert written(second, "+447999999") == _plain(message, "t-1")
