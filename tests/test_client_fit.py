"""``submit(fit=...)`` of both clients: what arrives fits, what was done is told, the loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("PIL")
pytest.importorskip("pillow_heif")
from drawn import exif, octets, photo
from far_side import FarSide, proper
from PIL import Image

from mm7zeep import profiles
from mm7zeep.client import AsyncVaspClient, Submitted, VaspClient
from mm7zeep.client import fitter as fitter_module
from mm7zeep.client.fitter import Fitter
from mm7zeep.errors import LocalError
from mm7zeep.fitting.fit import Pool
from mm7zeep.messages import Part, SubmitReq

PHOTO = octets(photo(1600, 1200).transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif(6))
LIMITED = replace(profiles.VIBES_6_8, max_content=60_000)
CODED = replace(LIMITED, encoding="base64")


def sync(url: str, profile: profiles.Profile, **options: Any) -> Submitted:
    """By the blocking client."""
    with VaspClient(url, vaspid="v", vasid="s", profile=profile) as client:
        return client.submit(**options)


def asynchronous(url: str, profile: profiles.Profile, **options: Any) -> Submitted:
    """By its async twin."""

    async def submit() -> Submitted:
        async with AsyncVaspClient(url, vaspid="v", vasid="s", profile=profile) as client:
            return await client.submit(**options)

    return asyncio.run(submit())


Style = Callable[..., Submitted]
both = pytest.mark.parametrize("submit", [sync, asynchronous])


@both
@pytest.mark.parametrize("profile", [LIMITED, CODED], ids=["binary", "base64"])
def test_it_fits(submit: Style, profile: profiles.Profile) -> None:
    """The whole body of the request keeps to the limit, whatever the encoding; the picture is upright, and named."""
    with FarSide(proper) as far:
        part = Part(body=PHOTO, content_type="image/jpeg", name="a.jpg")
        sent = submit(far.url, profile, to=["+491700", "a@b.example"], content=["Hello", part], fit=True)
    [request] = far.requests
    assert 45_000 < len(request.body) <= 60_000
    message = request.unpack().message
    assert isinstance(message, SubmitReq)
    picture = Image.open(io.BytesIO(message.parts[2].read()))
    assert picture.width > picture.height
    assert not picture.getexif()
    assert {"fit/turned", "fit/metadata", "fit/scaled"} <= {one.id for one in sent.findings}
    assert {one.where for one in sent.findings} == {"a.jpg"}


def test_a_limit_beyond_the_carriers_is_the_carriers() -> None:
    """Who names a larger limit than the profile's gets what the carrier takes, not a refusal."""
    with FarSide(proper) as far:
        sync(far.url, LIMITED, to="+491700", content=[PHOTO], fit=2_000_000)
    assert len(far.requests[0].body) <= 60_000


@both
def test_once_for_all_recipients(submit: Style) -> None:
    """A split submit is fitted before it is split: each recipient gets the same octets, and it is told once."""
    with FarSide(proper, proper) as far:
        sent = submit(far.url, replace(LIMITED, split=True), to=["+1", "+2"], content=[PHOTO], fit=50_000)
    bodies = [request.unpack().message.parts[0].read() for request in far.requests]  # type: ignore[attr-defined]
    assert bodies[0] == bodies[1]
    assert len(sent.each) == 2
    assert [one.id for one in sent.findings].count("fit/coded") == 1


@both
def test_refused(submit: Style) -> None:
    """Nothing is sent where the limit is not known, where it cannot fit, and, with the way out, where fit is not on."""
    with FarSide() as far:
        with pytest.raises(LocalError, match=r"optus states no limit.*fit=300_000.*--limit"):
            submit(far.url, profiles.OPTUS, to="+1", content=[PHOTO], fit=True)
        clip = Part(body=b"\0\0\0\x18ftypisom" + bytes(90_000), content_type="video/mp4", name="c.mp4")
        with pytest.raises(LocalError, match=r"c\.mp4 has 90,012 octets.*the limit is 60,000.*shorter"):
            submit(far.url, LIMITED, to="+1", content=[clip], fit=True)
        with pytest.raises(LocalError, match=rf"{len(PHOTO)} octets.*takes 60000.*fit=True.*--fit"):
            submit(far.url, LIMITED, to="+1", content=[PHOTO])
    assert far.requests == []


def test_loop_goes_on() -> None:
    """While a picture is fitted, other tasks of the loop run."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    async def submit(url: str) -> None:
        async with AsyncVaspClient(url, vaspid="v", vasid="s", profile=LIMITED) as client:
            other = asyncio.create_task(tick())
            message = client._submit_req("+1", [PHOTO[:-100]], {})  # what was made of PHOTO would be kept
            await asyncio.to_thread(client._fitted, message, True)
            before = ticks
            await client.submit("+1", [PHOTO], fit=True)
            assert ticks - before > 3
            other.cancel()

    with FarSide(proper) as far:
        asyncio.run(submit(far.url))


def test_processes_end_with_the_client() -> None:
    """The processes are kept for the next message, and end with the client."""
    with FarSide(proper, proper) as far, VaspClient(far.url, vaspid="v", vasid="s", profile=LIMITED) as client:
        for _ in range(2):
            client.submit("+1", [PHOTO], fit=True)
        pool = client._fitter._pool
        assert pool is not None
        [process] = pool._idle
    assert process.poll() is not None


# --- what was made is kept --------------------------------------------------------------------------------------------


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the pictures that were decoded."""
    found: list[int] = []
    plain = Pool.fit

    def fit(self: Pool, data: bytes, *given: Any, **options: Any) -> Any:
        found.append(len(data))
        return plain(self, data, *given, **options)

    monkeypatch.setattr(Pool, "fit", fit)
    return found


def picture(name: str = "a.jpg", body: bytes = PHOTO) -> Part:
    """A part that does not fit as it is."""
    return Part(body=body, content_type="image/jpeg", name=name)


def test_same_content_is_made_once(runs: list[int]) -> None:
    """The same content to another recipient, or again, is what was made before; the message is its own."""
    fitter = Fitter()
    parts = (picture(), Part(body=b"x"))
    to = [SubmitReq(to=(one,), subject=f"s{n}", parts=parts) for n, one in enumerate("123")]  # type: ignore[arg-type]
    done = [fitter.fitted(one, True, LIMITED) for one in (*to, to[0])]
    fitter.close()
    assert runs == [len(PHOTO)]
    assert {message.parts for message, _ in done} == {done[0][0].parts}
    assert [message.subject for message, _ in done] == ["s0", "s1", "s2", "s0"]
    assert all(found == done[0][1] for _, found in done)


def test_other_content_is_made_anew(runs: list[int]) -> None:
    """Another picture, name, limit or carrier is another."""
    other = octets(photo(1600, 1200, seed=2), "JPEG", quality=95)
    given = [
        (picture(), 50_000, LIMITED), (picture("b.jpg"), 50_000, LIMITED), (picture(body=other), 50_000, LIMITED),
        (picture(), 40_000, LIMITED), (picture(), 50_000, CODED),
    ]  # fmt: skip
    fitter = Fitter()
    for part, limit, profile in given:
        message, found = fitter.fitted(SubmitReq(to=("1",), parts=(part,)), limit, profile)  # type: ignore[arg-type]
        assert {one.where for one in found} == {part.name}
        assert message.parts[0].size < limit
    fitter.close()
    assert len(runs) == len(given)


def test_several_at_a_time_wait_for_one(runs: list[int]) -> None:
    """Threads that ask for the same content at the same time have it made once."""
    fitter = Fitter()
    message = SubmitReq(to=("1",), parts=(picture(),))  # type: ignore[arg-type]
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: fitter.fitted(message, True, LIMITED)[0].parts, range(8)))
    fitter.close()
    assert len(set(done)) == 1
    assert len(runs) == 1


def test_failure_is_not_kept(runs: list[int]) -> None:
    """What could not be made is tried again."""
    fitter = Fitter()
    bad = SubmitReq(to=("1",), parts=(picture(body=PHOTO[:300]),))  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(LocalError):
            fitter.fitted(bad, 2_000, LIMITED)
    fitter.close()
    assert len(fitter._made_before._results) == 0


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes where too many octets, or too many results, would be held."""
    kept = fitter_module._Made()
    part = Part(body=bytes(1_000))
    for count, most, left in ((256, 3_500, 3), (2, 10**9, 2)):
        monkeypatch.setattr(fitter_module, "_MOST", most)
        monkeypatch.setattr(fitter_module, "_COUNT", count)
        for n in range(10):
            kept.get(n, lambda: fitter_module._Result((part, None), ()))
        assert list(kept._results) == list(range(10 - left, 10))
