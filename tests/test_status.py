"""The status codes: the table, the classes, and what becomes of a code that nobody listed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from mm7zeep.status import STATUS_CODES, Status, StatusCode, is_success, is_temporary, known, lookup, status_class

LISTED = {
    1: [1000, 1100],
    2: [2000, 2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008, 2009],
    3: [3000, 3001, 3002, 3003, 3004],
    4: [4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007, 4008],
}


def test_the_table() -> None:
    """TS 23.140 lists these 26 codes, each with text and meaning; five of them since release 6."""
    assert sorted(STATUS_CODES) == sorted(code for codes in LISTED.values() for code in codes)
    assert all(row.text and row.meaning and row.code == code for code, row in STATUS_CODES.items())
    assert [code for code, row in STATUS_CODES.items() if row.release == 6] == [2008, 2009, 3004, 4008]
    with pytest.raises(TypeError):
        STATUS_CODES[1] = StatusCode(1, "x", "y")  # type: ignore[index]


@pytest.mark.parametrize(("first", "name"), [(1, "success"), (2, "client"), (3, "server"), (4, "service")])
def test_the_first_digit_is_the_class(first: int, name: str) -> None:
    """Of listed and unlisted codes alike; the text of an unlisted one is that of x000."""
    for code in (*LISTED[first], first * 1000 + 550, first * 1000 + 999):
        assert status_class(code) == Status(code).status_class == lookup(code).status_class == name
        assert is_success(code) is Status(code).ok is (first == 1)
    assert lookup(first * 1000 + 550) is STATUS_CODES[first * 1000]
    assert Status(first * 1000 + 550).text == STATUS_CODES[first * 1000].text


@pytest.mark.parametrize("code", [1, 999, 5000, 9999, 10**9])
def test_codes_of_no_class(code: int) -> None:
    """What is outside 1xxx-4xxx counts as 3000, and never as success."""
    assert (status_class(code), lookup(code).code, is_success(code), known(code)) == ("server", 3000, False, False)


@pytest.mark.parametrize("code", [0, -1, -1000])
def test_no_code_below_one(code: int) -> None:
    """A StatusCode is a positive integer."""
    with pytest.raises(ValueError, match="positive"):
        Status(code)


def test_what_is_temporary() -> None:
    """3000 and 4006 may succeed later, nothing else."""
    assert [code for code in STATUS_CODES if is_temporary(code)] == [3000, 4006]
    assert [Status(code).temporary for code in (3000, 4006, 2000, 4005, 3999)] == [True, True, False, False, False]


def test_a_status() -> None:
    """Takes the standard's text where none is given, keeps an empty one, and cannot be changed."""
    assert str(Status(2002)) == "2002 Address Error"
    assert (str(Status(2002, "")), Status(2002, "").text, Status(2002).details) == ("2002", "", None)
    assert Status(2002) == Status(2002, "Address Error") != Status(2002, "x")
    assert known(2002)
    with pytest.raises(FrozenInstanceError):
        Status(2002).code = 1000  # type: ignore[misc]
