"""What a carrier states of its limits: where it states it, and that it is judged before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from far_side import FarSide, proper

from mm7zeep import exchange, profiles
from mm7zeep.client import AsyncMmscClient, AsyncVaspClient, MmscClient, VaspClient
from mm7zeep.errors import LocalError
from mm7zeep.messages import DeliverReq, Number, Part, ReplaceReq, SubmitReq
from mm7zeep.profiles import CARRIERS, Profile

LIMITS = [one.name for one in fields(Profile) if one.name.startswith("max_") or one.name == "media_types"]
STATED = [(one, name) for one in CARRIERS.values() for name in LIMITS if getattr(one, name) is not None]
TEXT = "text/plain"


def part(size: int, n: int = 0, content_type: str = "image/jpeg", **more: Any) -> Part:
    """A part of so many octets."""
    return Part(body=bytes([n]) * size, content_type=content_type, **more)


Case = tuple[dict[str, Any], str]
BEYOND: dict[str, Callable[[Any], Case]] = {
    "max_message": lambda most: ({"content": [part(most)]}, f"takes {most}.*--fit"),
    "max_content": lambda most: (
        {"content": [part(most // 3, n) for n in range(4)]}, f"{most // 3 * 4} octets together.*takes {most}.*--fit",
    ),
    "max_part": lambda most: ({"content": [part(most + 1)]}, f"has {most + 1} octets.*takes {most}.*--fit"),
    "max_parts": lambda most: ({"content": [part(9, n) for n in range(most + 1)]}, f"{most + 1} parts.*takes {most}"),
    "max_subject": lambda most: ({"content": [], "subject": "s" * (most + 1)}, f"{most + 1} characters.*takes {most}"),
    "max_recipients": lambda most: (
        {"to": [f"+6140000000{n}" for n in range(most + 1)], "content": []}, f"takes {most} recipient.*not {most + 1}",
    ),
    "max_content_id": lambda most: (
        {"content": [part(9, content_id="i" * (most + 1))]}, f"{most + 1} characters.*takes {most}",
    ),
    "media_types": lambda types: (
        {"content": [part(9, content_type="image/heic", name="a.heic")]}, f"a.heic is image/heic.*{types[0]}.*--fit",
    ),
}  # fmt: skip


def submit_by_sync(url: str, profile: Profile, **given: Any) -> None:
    """A submit of the blocking client."""
    with VaspClient(url, vaspid="v", vasid="s", profile=profile, split=False) as client:
        client.submit(**{"to": "+61400000000", **given})


def submit_by_async(url: str, profile: Profile, **given: Any) -> None:
    """A submit of its async twin."""

    async def submit() -> None:
        async with AsyncVaspClient(url, vaspid="v", vasid="s", profile=profile, split=False) as client:
            await client.submit(**{"to": "+61400000000", **given})

    asyncio.run(submit())


by_both = pytest.mark.parametrize("submit", [submit_by_sync, submit_by_async], ids=["sync", "async"])


@pytest.mark.parametrize("one", CARRIERS.values(), ids=lambda one: one.name)
def test_each_limit_has_its_source(one: Profile) -> None:
    """What is stated says where; what is not stated is not invented."""
    stated = [name for name in LIMITS if getattr(one, name) is not None]
    assert sorted(source.limit for source in one.sources) == sorted(stated)
    assert all(source.document for source in one.sources)


def test_each_kind_of_limit_is_tried() -> None:
    """A limit that a profile comes to have is judged below."""
    assert set(BEYOND) == set(LIMITS) == {name for _, name in STATED}


@by_both
@pytest.mark.parametrize(("one", "name"), STATED, ids=lambda one: getattr(one, "name", one))
def test_what_exceeds_is_not_sent(submit: Callable[..., None], one: Profile, name: str) -> None:
    """Beyond each limit of each profile: the value, the limit and the way out are said, and nothing was sent."""
    given, words = BEYOND[name](getattr(one, name))
    alone = replace(one, **{other: None for other in LIMITS if other != name})
    with FarSide(proper) as far:
        for plans in (1, 2, 3):  # with a plan of that shape, too
            with pytest.raises(LocalError, match=words):
                submit(far.url, alone, **{**given, "subject": given.get("subject", f"again {plans}")})
    assert far.requests == []


@by_both
def test_what_keeps_within_is_sent(submit: Callable[..., None]) -> None:
    """At the limit itself a message goes out."""
    within = replace(
        profiles.GENERIC_6_8_0, max_content=300, max_part=100, max_parts=3, max_subject=5, max_content_id=5,
        max_recipients=2, media_types=("image/jpeg",), smil="never",
    )  # fmt: skip
    content = [part(100, n, content_id=f"id-0{n}") for n in range(3)]
    with FarSide(proper, proper) as far:
        submit(far.url, within, to=["+61400000000", "+61400000001"], content=content, subject="12345")
        size = len(far.requests[0].body)
        submit(far.url, replace(within, max_message=size), to=["+61400000000", "+61400000001"], content=content,
               subject="12345")  # fmt: skip
    assert len(far.requests) == 2


def test_types_by_their_other_names() -> None:
    """A type is taken under each of its names, and in any case; text and SMIL always."""
    one = replace(profiles.GENERIC_6_8_0, media_types=("text/vcard", "audio/mpeg"))
    for content_type in ("text/x-vcard", "audio/mp3", "TEXT/VCARD", TEXT, "application/smil"):
        exchange.pack(SubmitReq(to=(Number("+1"),)), [part(3, 65, content_type)], profile=one)


def test_pack_and_replace() -> None:
    """``pack`` judges as the clients do, and of a replace, too; what an MMSC sends has no such limits."""
    one = replace(profiles.GENERIC_6_8_0, max_content=20, max_message=5000)
    with pytest.raises(LocalError, match=r"30 octets together.*takes 20.*--fit"):
        exchange.pack(ReplaceReq(message_id="m", parts=(part(30),)), profile=one)
    with pytest.raises(LocalError, match=r"takes 5000.*--fit"):
        exchange.pack(SubmitReq(to=(Number("+1"),), parts=(part(4900),)), profile=replace(one, max_content=None))
    exchange.pack(DeliverReq(sender=Number("+1"), parts=(part(6000),)), profile=one)


def test_mo_is_no_submit() -> None:
    """An MMSC's client brings what is larger than the carrier takes from a VASP."""
    one = replace(profiles.VIBES_6_8, max_message=3000)
    message = DeliverReq(sender=Number("+1"), to=(Number("+2"),), parts=(part(6000),))

    async def by_async(url: str) -> None:
        async with AsyncMmscClient(url, profile=one) as client:
            await client.deliver(message)

    with FarSide(proper, proper) as far:
        with MmscClient(far.url, profile=one) as client:
            client.deliver(message)
        asyncio.run(by_async(far.url))
    assert len(far.requests) == 2


@pytest.mark.parametrize("count", [1, 2, 12])
def test_content_ids_that_are_made_keep_the_limit(count: int) -> None:
    """OpenMarket takes fewer than 20 characters: those that we make have that, and differ."""
    wire = exchange.pack(SubmitReq(to=(Number("+1"),)), [part(9, n) for n in range(count)], profile=profiles.OPENMARKET)
    found = [line for line in wire.read().split(b"\r\n") if line.lower().startswith(b"content-id:")]
    ids = [line.partition(b":")[2].strip().strip(b"<>") for line in found]
    assert len(set(ids)) == len(ids) >= count + 1
    assert all(len(one) < 20 for one in ids)
    assert len(exchange.unpack(wire, policy="strict").parts) >= count


def test_least_of_the_sizes() -> None:
    """What fits into the smallest limit that is stated keeps each of them."""
    assert profiles.SINCH.max_size == 1_000_000
    assert profiles.VIBES_5_5.max_size == 1_000_000
    assert profiles.TELNYX.max_size == 600_000
    assert profiles.OPTUS.max_size is None
