"""JSON that can be read on a terminal: what would steer it, or turn a line around, is escaped and means the same."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm7zeep.json_text import as_json

STEERING = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u061c\u200e\u200f\u2028\u2029\ufeff\u00ad"]
STEERING += [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2060, 0x2070)), "\U000e0041", "\ud800", "\udfff"]


@pytest.mark.parametrize("character", STEERING, ids=lambda one: f"{ord(one):04x}")
def test_steering_is_escaped(character: str) -> None:
    """C0, C1 and marks of direction are never raw, in values or names, and are read as what they were."""
    text = as_json({f"a{character}": [f"{character}b"]})
    assert character not in text
    assert json.loads(text) == {f"a{character}": [f"{character}b"]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_value(value: object) -> None:
    """Any value is read back as it was; no control or format character is raw, and the text can be encoded."""
    text = as_json(value)
    assert json.loads(text) == value
    text.encode()
    assert not [one for one in text if unicodedata.category(one) in ("Cc", "Cs")]


def test_letters_stay() -> None:
    """What people write is not escaped."""
    assert as_json({"a": "Grüße, 東京, \U0001f600"}) == '{"a": "Grüße, 東京, \U0001f600"}'
