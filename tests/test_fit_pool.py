"""The processes that decode pictures: bombs cost their own refusal, and nothing that they say is trusted."""

from __future__ import annotations

import io
import json
import os
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("PIL")
pytest.importorskip("pillow_heif")
from drawn import RED, huge_png, long_gif, octets, photo, slow_jpeg, thick_tiff
from PIL import Image

from mm7zeep.errors import LocalError
from mm7zeep.fitting import pool as pools
from mm7zeep.fitting.limits import Limits
from mm7zeep.fitting.pool import Pool, Unfit

KINDS = ("image/jpeg", "image/png", "image/gif")
SMALL = octets(photo(160, 120), "JPEG")

BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "png": (huge_png, "has 65535 x 65535 pixels, more than 64,000,000"),
    "gif": (long_gif, "has more than 600 frames"),
    "tiff": (thick_tiff, "has more than 600 frames or pages"),
    "jpeg": (slow_jpeg, "is a JPEG of more than 40 scans"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    """Each is refused within two seconds, with a reason, and the same process serves the next picture."""
    make, reason = BOMBS[name]
    bomb = make()
    with Pool(1) as pool:
        pool.fit(SMALL, 50_000, KINDS)
        process = pool._idle[0].pid
        started = time.monotonic()
        with pytest.raises(Unfit, match=reason):
            pool.fit(bomb, 50_000, KINDS)
        assert time.monotonic() - started < 2
        assert pool.fit(SMALL, 50_000, KINDS).data == SMALL
        assert pool._idle[0].pid == process


def test_processor_time_is_bounded() -> None:
    """What no look at the head shows ends when its time is over, however it goes on; others are served meanwhile."""
    slow = slow_jpeg(600)
    with Pool(2, Limits(scans=10_000, seconds=0.3)) as pool:
        pool.fit(SMALL, 50_000, KINDS)
        served: list[float] = []

        def others() -> None:
            for _ in range(5):
                pool.fit(SMALL, 50_000, KINDS)
                served.append(time.monotonic())

        thread = threading.Thread(target=others)
        thread.start()
        with pytest.raises(Unfit, match=r"takes more than 0\.3 s to decode"):
            pool.fit(slow, 50_000, KINDS)
        ended = time.monotonic()
        thread.join()
        assert len(served) == 5
        assert served[0] < ended
        assert pool.fit(SMALL, 50_000, KINDS).data == SMALL


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is kept on Linux")
def test_memory_is_bounded() -> None:
    """A picture that needs more memory than there is, is refused; the process lives, or is replaced."""
    with Pool(1, Limits(memory=260 * 1024 * 1024, octets=10**9)) as pool:
        with pytest.raises(Unfit, match=r"MiB|cannot be decoded|ended"):
            pool.fit(octets(Image.new("RGB", (7900, 7900), RED), "BMP"), 50_000, KINDS)
        assert pool.fit(SMALL, 50_000, KINDS).data == SMALL


def test_clock() -> None:
    """One that does not answer at all is killed."""
    with Pool(1, Limits(wait=0.01)) as pool, pytest.raises(Unfit, match=r"is not done after 0\.01 s"):
        pool.fit(SMALL, 50_000, KINDS)


def test_a_killed_process_is_replaced() -> None:
    """Whatever ended it, the next picture has another."""
    with Pool(1) as pool:
        pool.fit(SMALL, 50_000, KINDS)
        pool._idle[0].kill()
        pool._idle[0].wait()
        assert pool.fit(SMALL, 50_000, KINDS).data == SMALL


def test_closing_ends_the_processes() -> None:
    """None is left, and none that was lent comes back."""
    pool = Pool(1)
    pool.fit(SMALL, 50_000, KINDS)
    process = pool._idle[0]
    pool.close()
    assert process.poll() is not None
    pool.fit(SMALL, 50_000, KINDS)
    assert pool._idle == []


def test_no_secret_is_in_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a worker has nothing that it needs not."""
    monkeypatch.setenv("MM7ZEEP_SEND_AUTH", "tnn:secret")
    seen: dict[str, Any] = {}
    start = pools.subprocess.Popen

    def popen(*words: Any, **options: Any) -> Any:
        seen.update(options)
        return start(*words, **options)

    monkeypatch.setattr(pools.subprocess, "Popen", popen)
    with Pool(1) as pool:
        pool.fit(SMALL, 50_000, KINDS)
    assert "MM7ZEEP_SEND_AUTH" not in seen["env"]
    assert set(seen["env"]) <= set(os.environ)


GOOD = {"kind": "image/jpeg", "steps": [], "octets": len(SMALL), "memory": 1}


def answer(header: object, data: bytes = SMALL) -> io.BytesIO:
    """What a worker could say."""
    head = json.dumps(header).encode()
    return io.BytesIO(struct.pack(">I", len(head)) + head + data)


def test_a_good_answer() -> None:
    """So it looks where nothing is wrong."""
    assert pools._answer(answer(GOOD), 50_000, KINDS).data == SMALL


@pytest.mark.parametrize(
    "said",
    [
        answer([]), answer({}), answer({**GOOD, "octets": -1}), answer({**GOOD, "octets": True}),
        answer({**GOOD, "octets": 10**12}), answer({**GOOD, "kind": "text/html"}),
        answer({**GOOD, "kind": "image/png"}),
        answer({**GOOD, "steps": [["fit/coded"]]}), answer({**GOOD, "steps": [["a", "b"]] * 51}),
        answer({**GOOD, "memory": "much"}), answer(GOOD, b"short"), io.BytesIO(b""),
        io.BytesIO(struct.pack(">I", 2**31) + b"x"), answer({**GOOD, "steps": [["no/such", ""]]}),
    ],
)  # fmt: skip
def test_a_worker_that_lies(said: io.BytesIO) -> None:
    """What is not the answer to what was asked is none."""
    with pytest.raises((ValueError, EOFError)):
        pools._answer(said, 50_000, KINDS)


def test_limits() -> None:
    """A limit is a positive number."""
    with pytest.raises(LocalError, match=r"Limits\.pixels is a positive number, not 0"):
        Limits(pixels=0)
    with Pool(1, Limits(octets=100)) as pool, pytest.raises(Unfit, match="more than 100"):
        pool.fit(SMALL, 50_000, KINDS)
