"""A gateway makes content fit into what an upstream takes, where it is told so or knows the limit."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PIL")
pytest.importorskip("pillow_heif")
import pillow_heif
from click.testing import CliRunner
from drawn import BLUE, RED, exif, octets, photo
from far_side import FarSide, http
from gateway_room import CALLED, ONE, SUBMIT, TEXT, Make, Room, basic, rooms
from PIL import Image

from mm7zeep import exchange, profiles
from mm7zeep.cli import main
from mm7zeep.fitting.fit import Pool
from mm7zeep.gateway.config import describe, validate
from mm7zeep.gateway.config.parties import Route, Upstream
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store import content
from mm7zeep.gateway.store import messages as store
from mm7zeep.messages import Number, Part, ReplaceReq, SubmitReq

PICTURE = octets(photo(1600, 1200).transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif(6))
pillow_heif.register_heif_opener()
LIMITED = replace(profiles.VIBES_6_8, max_content=60_000)
AWAY = replace(
    SUBMIT,
    to=(Number("+64211"),),
    parts=(Part(body=PICTURE, content_type="image/jpeg", name="a.jpg", content_id="a@x"),),
)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Make]:
    """Makes gateways."""
    with rooms(tmp_path) as make:
        yield make


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[FarSide]:
    """The upstream, whose carrier takes 60,000 octets."""
    monkeypatch.setattr(Upstream, "upstream_profile", property(lambda self: LIMITED))
    with FarSide() as side:
        yield side


def upstream(far: FarSide, **options: bool) -> dict[str, object]:
    """The settings of a gateway that submits to ``far``."""
    return {"upstreams": (Upstream(name="far", url=far.url, **options),), "routes": (Route(prefix="+64", via="far"),)}


@pytest.mark.parametrize("options", [{}, {"fit": True}])
def test_it_fits(room: Make, far: FarSide, options: dict[str, bool]) -> None:
    """Where the limit is known it is on: what leaves fits, and the message tells what was done to it."""
    one = room(CALLED, **upstream(far, **options))
    message_id = one.submitted(AWAY)
    one.gateway.run_pending()
    [request] = far.requests
    assert 40_000 < len(request.body) <= 60_000
    message = request.unpack().message
    assert isinstance(message, SubmitReq)
    image = Image.open(io.BytesIO(message.parts[0].read()))
    assert image.width > image.height
    assert one.states(message_id) == ["Sent"]
    told = [row["id"] for row in json.loads(one.messages[0].findings)]
    assert {"fit/turned", "fit/metadata", "fit/scaled"} <= set(told)


def test_made_once_for_all_recipients(room: Make, far: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each recipient's copy leaves by itself, and a refused one again later; its picture is fitted once."""
    runs: list[int] = []
    plain = Pool.fit

    def fit(self: Pool, data: bytes, *given: Any, **options: Any) -> Any:
        runs.append(len(data))
        return plain(self, data, *given, **options)

    monkeypatch.setattr(Pool, "fit", fit)
    far.answers[:0] = [lambda request: [http(503, b"")]]
    one = room(CALLED, **upstream(far))
    message_id = one.submitted(replace(AWAY, to=(Number("+64211"), Number("+6421100001"), Number("+64213"))))
    one.gateway.run_pending()
    one.clock.move(minutes=5)
    one.gateway.run_pending()
    assert one.states(message_id) == ["Sent"] * 3
    assert len(far.requests) == 4
    assert len({request.unpack().message.parts[0].read() for request in far.requests}) == 1  # type: ignore[attr-defined]
    assert runs == [len(PICTURE)]


@pytest.mark.parametrize("whose", ["upstream", "application"])
def test_it_is_off(room: Make, far: FarSide, whose: str) -> None:
    """An upstream or an application may turn it off: then it is refused here, and nothing leaves."""
    own = replace(CALLED, fit=False) if whose == "application" else CALLED
    one = room(own, **upstream(far, **({"fit": False} if whose == "upstream" else {})))
    message_id = one.submitted(AWAY)
    one.gateway.run_pending()
    assert far.requests == []
    assert one.states(message_id) == ["Rejected"]
    assert "takes 60000" in (one.copies(message_id)[0].detail or "")


def test_what_cannot_fit(room: Make, far: FarSide) -> None:
    """It is rejected with the reason, and others go on."""
    clip = Part(body=b"\0\0\0\x18ftypisom" + bytes(90_000), content_type="video/mp4", name="c.mp4", content_id="c@x")
    one = room(CALLED, **upstream(far))
    bad = one.submitted(replace(AWAY, parts=(clip,)), transaction_id="bad")
    good = one.submitted(AWAY, transaction_id="good")
    one.gateway.run_pending()
    assert (one.states(bad), one.states(good)) == (["Rejected"], ["Sent"])
    assert "c.mp4 has 90,012 octets" in (one.copies(bad)[0].detail or "")
    assert len(far.requests) == 1


def test_replace(room: Make, far: FarSide) -> None:
    """What a replace puts in the place of a message that an upstream has fits, too; what cannot is refused."""
    one = room(CALLED, **upstream(far))
    message_id = one.submitted(replace(AWAY, parts=(TEXT,)))
    one.gateway.run_pending()
    assert one.code(ReplaceReq(vaspid="TNN", vasid="News", message_id=message_id, parts=AWAY.parts)) == 1000
    assert 40_000 < len(far.requests[-1].body) <= 60_000
    assert isinstance(far.requests[-1].unpack().message, ReplaceReq)
    clip = Part(body=b"\0\0\0\x18ftypisom" + bytes(90_000), content_type="video/mp4", content_id="c@x")
    assert one.code(ReplaceReq(vaspid="TNN", vasid="News", message_id=message_id, parts=(clip,))) == 3001
    assert len(far.requests) == 2


def test_settings() -> None:
    """It cannot be wanted where no limit is known; who looks at the settings sees that it is on."""
    unknown = Upstream(name="up", url="https://mmsc.example/mm7", profile="optus", fit=True)
    known = Upstream(name="up", url="https://mmsc.example/mm7", profile="vibes-6.8")
    found = [str(one) for one in validate.problems(Settings(upstreams=(unknown,)))]
    assert found == ["upstream[1].fit: the profile optus states no limit to fit; leave it out"]
    [line] = [one for one in describe.describe(Settings(upstreams=(known,))) if one.startswith("upstream")]
    assert line.endswith("never calls us, content made to fit 1000000 octets")
    assert not replace(known, fit=False).fits
    assert not replace(unknown, fit=None).fits


# --- a gateway that plays the carrier ---------------------------------------------------------------------------------

BEYOND = {
    "vibes-6.8": (1_000_001,),
    "telnyx": (300_000, 300_001),
    "sinch": (1_000_001,),
}


@pytest.mark.parametrize("name", BEYOND)
def test_limits_of_the_carrier_that_it_plays(room: Make, name: str) -> None:
    """What an application's profile does not take is refused as its carrier does; what it just takes is taken."""
    one = room(replace(CALLED, profile=name))
    given = [Part(body=bytes(size), content_type="image/jpeg") for size in BEYOND[name]]
    wire = exchange.pack(replace(ONE, parts=tuple(given)))
    answer = one.gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn"))))
    if name == "vibes-6.8":
        assert answer.status == 413
    else:
        assert exchange.unpack(answer).message.status.code == 2004  # type: ignore[attr-defined]
    given[-1] = replace(given[-1], body=bytes(BEYOND[name][-1] - 20_000))
    assert one.code(replace(ONE, parts=tuple(given))) == 1000


def test_number_of_parts_of_the_carrier_that_it_plays(room: Make) -> None:
    """So is a part too many; the presentation is none of them."""
    one = room(replace(CALLED, profile="telnyx"))
    parts = tuple(Part(body=bytes([n]), content_type="image/jpeg") for n in range(11))
    assert one.code(replace(SUBMIT, parts=parts)) == 2004
    assert one.code(replace(SUBMIT, parts=parts[:10])) == 1000


def sent(one: Room, url: str, file: Path, *words: str) -> tuple[int, str]:
    """Exit status and output of ``mm7zeep send`` to a room's gateway."""
    given = [
        "send",
        f"{url}/mm7",
        str(file),
        "--to",
        "+61400000001",
        "--auth",
        "tnn:t",
        "--vaspid",
        "TNN",
        "--vasid",
        "News",
    ]
    done = CliRunner().invoke(main, [*given, *words])
    return done.exit_code, done.output


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    """Whether a pixel has about that colour."""
    return isinstance(pixel, tuple) and all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=True))


@pytest.fixture(scope="module")
def heic() -> bytes:
    """A turned photo of more than 6 MB."""
    noise = Image.effect_noise((3000, 2200), 120).convert("RGB")
    upright = Image.blend(photo(3000, 2200), noise, 0.6)
    for box, colour in (((0, 0, 750, 550), RED), ((2250, 1650, 3000, 2200), BLUE)):
        upright.paste(colour, box)
    made = octets(upright.transpose(Image.Transpose.ROTATE_90), "HEIF", quality=95, exif=exif(6).tobytes())
    assert len(made) > 6_000_000
    return made


@pytest.mark.once
@pytest.mark.parametrize("name", BEYOND)
def test_heic_of_six_megabytes(room: Make, heic: bytes, tmp_path: Path, name: str) -> None:
    """``send --fit --profile P`` of a turned photo, against a gateway that plays P: 1000, and the handset shows it
    upright; without ``--fit`` nothing is sent.
    """
    from mm7zeep.gateway.server.listener import serve_in_thread

    file = tmp_path / "IMG_0001.heic"
    file.write_bytes(heic)
    one = room(replace(CALLED, profile=name))
    with serve_in_thread(one.gateway.asgi) as url:
        refused, said = sent(one, url, file, "--profile", name)
        assert (refused, "--fit" in said) == (2, True), said
        assert one.messages == []
        taken, said = sent(one, url, file, "--profile", name, "--fit")
    assert taken == 0, said
    [message] = one.messages
    assert message.size <= (profiles.profile(name).max_size or 0)
    one.gateway.run_pending()
    assert one.states(message.id) == ["Retrieved"]
    with one.gateway.database.read() as connection:
        raw = store.raw(connection, message.id, message.content)
    assert raw is not None
    shown = next(part for part in content.parts_of(raw) if part.content_type == "image/jpeg")
    picture = Image.open(io.BytesIO(shown.read()))
    assert picture.width > picture.height
    assert not picture.getexif()
    assert near(picture.getpixel((20, 20)), RED)
    assert near(picture.getpixel((picture.width - 20, picture.height - 20)), BLUE)
