"""The error tree: its shape, what each leaf answers, and that no repr tells a secret."""

from __future__ import annotations

import inspect
import re

import pytest

from mm7zeep import errors
from mm7zeep.findings import finding
from mm7zeep.messages import SubmitRsp
from mm7zeep.status import Status

FOUND = [finding("schema/order", "/Envelope")]


def classes() -> list[type[Exception]]:
    """Every exception of the module."""
    return [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, Exception)]


def test_the_tree_is_as_drawn() -> None:
    """The drawing at the head of the module is the tree."""
    drawn: dict[str, str] = {}
    stack: list[tuple[int, str]] = []
    for indent, name in re.findall(r"^( *)(\w+Error) {2,}", errors.__doc__ or "", re.MULTILINE):
        while stack and stack[-1][0] >= len(indent):
            stack.pop()
        drawn[name] = stack[-1][1] if stack else "Exception"
        stack.append((len(indent), name))
    assert drawn == {one.__name__: one.__bases__[0].__name__ for one in classes()}
    assert issubclass(errors.LocalError, ValueError)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.MimeError, 2007),
        (errors.EnvelopeError, 4004),
        (errors.SchemaError, 4004),
        (errors.VersionError, 4002),
        (errors.LimitError, 2007),
    ],
)
def test_each_leaf_knows_its_answer(kind: type[errors.RemoteError], status: int) -> None:
    """Status and faultcode by class, or as given."""
    plain = kind("no", FOUND)
    assert (plain.status, plain.fault, plain.findings, str(plain)) == (status, "Client", tuple(FOUND), "no")
    assert (plain.transaction_id, plain.namespace, plain.raw) == (None, None, None)
    given = kind("no", status=2004, fault="MustUnderstand", transaction_id="t", namespace="urn:n", raw=b"<")
    assert (given.status, given.fault, given.transaction_id, given.namespace, given.raw) == (
        2004,
        "MustUnderstand",
        "t",
        "urn:n",
        b"<",
    )


def test_local_error() -> None:
    """Ours: a ValueError with findings."""
    error = errors.LocalError("no", FOUND)
    assert (str(error), error.findings) == ("no", tuple(FOUND))


def test_status_error() -> None:
    """From a status, or from a code with or without text; it knows whether to try again."""
    assert errors.StatusError(2002).status == Status(2002)
    assert str(errors.StatusError(2002, "nobody there")) == "2002 nobody there"
    answer = SubmitRsp(status=Status(4006))
    whole = errors.StatusError(answer.status, answer=answer, transaction_id="t", findings=FOUND)
    assert (whole.status, whole.answer, whole.transaction_id, whole.findings) == (
        Status(4006),
        answer,
        "t",
        tuple(FOUND),
    )
    assert (whole.temporary, errors.StatusError(2002).temporary) == (True, False)
    with pytest.raises(ValueError, match="positive"):
        errors.StatusError(0)


def test_auth_error() -> None:
    """What the server said, but not in the text."""
    error = errors.AuthError("401", http_status=401, challenge='Basic realm="pier"', body=b"go away")
    assert (error.http_status, error.challenge, error.body) == (401, 'Basic realm="pier"', b"go away")


def test_transport_error() -> None:
    """Whether the request may have been taken must be said."""
    error = errors.TransportError("cut", maybe_accepted=True, http_status=502, body=b"<html>", findings=FOUND)
    assert (error.maybe_accepted, error.http_status, error.body, error.findings) == (True, 502, b"<html>", tuple(FOUND))
    with pytest.raises(TypeError):
        errors.TransportError("cut")  # type: ignore[call-arg]


def test_reprs_tell_no_secret() -> None:
    """Bodies, challenges and raw text are attributes; neither str nor repr shows them."""
    shown = [
        errors.AuthError("401", http_status=401, challenge="hidden", body=b"hidden"),
        errors.TransportError("cut", maybe_accepted=False, body=b"hidden"),
        errors.EnvelopeError("bad", raw=b"hidden", transaction_id="t"),
    ]
    assert not any("hidden" in f"{one!r} {one}" for one in shown)
