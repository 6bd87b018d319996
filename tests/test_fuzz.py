"""Fuzzing in short: a few hundred edits of the corpus for each target, the same ones every time; and what was found.

``tox -e fuzz`` runs the long version (``fuzz_long.py``).
"""

from __future__ import annotations

from collections.abc import Callable

import envelopes
import fuzz_seeds
import pytest
from fuzz_targets import TARGETS, Target, check
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mm7zeep import exchange

EDITS = st.lists(
    st.builds(
        fuzz_seeds.Edit,
        st.integers(0, 10),
        st.integers(0, 7),
        st.integers(0, 2**20),
        st.integers(0, 2**20),
    ),
    min_size=1,
    max_size=8,
)


def examples(target: Target, most: int, *, derandomize: bool = True, ran: Callable[[], None] = lambda: None) -> None:
    """Check so many inputs: seeds of ``target`` with edits. Raises what the first bad one raised, shrunk."""

    @settings(
        max_examples=most,
        derandomize=derandomize,
        database=None,
        deadline=None,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(target.seeds()), EDITS)
    def body(seed: bytes, edits: list[fuzz_seeds.Edit]) -> None:
        ran()
        data = fuzz_seeds.edited(seed, edits)
        try:
            check(target, data)
        except Exception as error:
            error.add_note(f"input: {data!r}")
            raise

    body()


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.name)
def test_edited_seeds(target: Target) -> None:
    """Whatever is done to a seed, only an error of ours leaves, in time, and what is accepted is valid."""
    examples(target, 300 if target.name == "mime" else 120)


def leaf(content_type: str) -> bytes:
    """A package whose content calls itself ``content_type`` and is text."""
    labels = f"Content-Type: {content_type}\r\nContent-ID: <note@kiosk.example>\r\n\r\n"
    return fuzz_seeds.framed(envelopes.wire(envelopes.sent("SubmitReq", more=envelopes.content()), labels + "x"))


def coded(encoding: str, text: str, step: int) -> bytes:
    """A package of one part, ``text`` said to be in ``encoding``, read in chunks of ``step`` octets."""
    body = f"--b\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{text}\r\n--b--".encode()
    return fuzz_seeds.framed(
        exchange.Wire(headers=(("Content-Type", "multipart/related; boundary=b"),), body=body), step
    )


# What fuzzing found once: the target, the input, and what was wrong.
FOUND = [
    pytest.param("dump", leaf("multipart/related"), id="a rule took the first part of a multipart that has none"),
    pytest.param(
        "dump", leaf("multipart/related; boundary=in; start=y"), id="the same with a boundary that never comes"
    ),
    pytest.param("mime", coded("base64", "!" * 9 + "QUJD", 3), id="what is told of base64 depended on the chunks"),
    pytest.param(
        "mime", coded("base64", "QUJD=QQ" + " " * 90 + "!", 1), id="which defect is told depended on the chunks"
    ),
    pytest.param("mime", coded("7bit", "a\0" + "b" * 90 + "ä", 3), id="what is told of 7bit depended on the chunks"),
]


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found(name: str, data: bytes) -> None:
    """An input that once broke a promise keeps it now."""
    target = next(one for one in TARGETS if one.name == name)
    if name == "dump":
        _, content_type, body = fuzz_seeds.split(data)
        data = f"POST /mm7 HTTP/1.1\r\nContent-Type: {content_type}\r\n\r\n".encode() + body
    check(target, data)
