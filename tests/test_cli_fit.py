"""``mm7zeep fit`` and ``mm7zeep send --fit``: what is written, what is said, how it ends."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("PIL")
pytest.importorskip("pillow_heif")
import pillow_heif
from drawn import exif, octets, photo
from far_side import FarSide, proper
from PIL import Image

from mm7zeep.cli import main

pillow_heif.register_heif_opener()
PHOTO = photo(1600, 1200)
HEIC = octets(photo(480, 360), "HEIF", quality=95)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a photo, a HEIC, a text and a film."""
    (tmp_path / "a.jpg").write_bytes(octets(PHOTO, "JPEG", quality=95, exif=exif(3)))
    (tmp_path / "b.heic").write_bytes(HEIC)
    (tmp_path / "c.txt").write_text("Hello")
    (tmp_path / "d.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(400_000))
    return tmp_path


def run(*words: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, [str(word) for word in words])


def test_table_and_files(files: Path) -> None:
    """A row for each file, with its size before and after; what is written is what the table says."""
    done = run("fit", files / "a.jpg", files / "b.heic", files / "c.txt", "--limit", "150k", "-o", files / "out")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["file", "before", "after", "type", "what", "was", "done"]
    rows = {line.split()[0]: line for line in lines[1:4]}
    written = {path.name: path for path in (files / "out").iterdir()}
    assert set(written) == {"a.jpg", "b.jpg", "c.txt"}
    for name, to in (("a.jpg", "a.jpg"), ("b.heic", "b.jpg"), ("c.txt", "c.txt")):
        before, after = (int(cell.replace(",", "")) for cell in rows[name].split()[1:3])
        assert (before, after) == ((files / name).stat().st_size, written[to].stat().st_size)
    assert "turned (EXIF orientation 3); metadata (EXIF)" in rows["a.jpg"]
    assert "converted (image/heic to image/jpeg)" in rows["b.heic"]
    assert rows["c.txt"].endswith("text/plain  nothing")
    assert lines[4].startswith("the message has 1")
    assert lines[4].endswith("octets; the limit is 150,000")
    assert written["b.jpg"].read_bytes().startswith(b"\xff\xd8\xff")
    again = run("fit", files / "c.txt", "--limit", "150k", "-o", files / "out")
    assert (again.exit_code, "c.txt is there already; --force" in again.output) == (3, True)
    assert run("fit", files / "c.txt", "--limit", "150k", "-o", files / "out", "--force").exit_code == 0


def test_what_cannot_fit(files: Path) -> None:
    """Exit status 1, a line on standard error with size, limit and remedy, nothing written."""
    done = run("fit", files / "d.mp4", files / "a.jpg", "--limit", "300k", "-o", files / "out")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("mm7zeep fit: d.mp4 has 400,012 octets")
    assert "the limit is 300,000" in done.stderr
    assert not (files / "out").exists()


def test_several_that_cannot(files: Path) -> None:
    """Each has its line."""
    (files / "e.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (files / "f.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture")
    done = run("fit", files / "e.jpg", files / "f.png", "--limit", "300k")
    assert done.exit_code == 1
    assert [line.split()[2] for line in done.stderr.splitlines()] == ["e.jpg", "f.png"]


def test_profile(files: Path) -> None:
    """The limit may be that of a carrier; one that states none is told so."""
    done = run("fit", files / "a.jpg", "--profile", "vibes-6.8")
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("the limit is 1,000,000\n")
    assert "optus states no limit; give --limit" in run("fit", files / "a.jpg", "--profile", "optus").stderr


@pytest.mark.parametrize("limit", ["0", "-1", "many", "3 kB", "0k"])
def test_wrong_limit(files: Path, limit: str) -> None:
    """Wrong usage ends with 2."""
    assert run("fit", files / "a.jpg", "--limit", limit).exit_code == 2


def test_missing_file(files: Path) -> None:
    """A file that is not there ends with 3."""
    done = run("fit", files / "x.jpg", "--limit", "1M")
    assert (done.exit_code, "x.jpg cannot be read" in done.stderr) == (3, True)


@pytest.mark.parametrize("how", [("--profile", "vibes-6.8", "--fit"), ("--limit", "120Ki")])
def test_send(files: Path, how: tuple[str, ...]) -> None:
    """What is sent fits, and what was done is among the findings."""
    big = octets(photo(2400, 1800), "JPEG", quality=98)
    (files / "big.jpg").write_bytes(big)
    assert len(big) > 1_000_000
    with FarSide(proper) as far:
        words = ("--vaspid", "v", "--vasid", "s", "--to", "+1", "--json", *how)
        done = run("send", far.url, files / "big.jpg", *words)
    assert done.exit_code == 0, done.output
    [request] = far.requests
    assert len(request.body) <= (1_000_000 if "--fit" in how else 122_880)
    assert any(line.startswith("fit/coded at big.jpg") for line in json.loads(done.stdout)["findings"])
    [picture] = request.unpack().message.parts  # type: ignore[attr-defined]
    Image.open(io.BytesIO(picture.read())).load()


def test_send_without(files: Path) -> None:
    """What exceeds the limit of the profile is not sent, and the way out is named."""
    (files / "big.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(1_000_000))
    done = run("send", "http://127.0.0.1:1/mm7", files / "big.jpg", "--to", "1", "--profile", "vibes-6.8")
    assert done.exit_code == 2
    assert all(word in done.stderr for word in ("octets, with its envelope", "vibes-6.8 takes 1000000", "--fit"))
