"""What a case may need of the settings, and why it is skipped where they do not give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType

from mm7zeep.probe.settings import FEATURES, LIMITS, Numbers, Settings


def _given(value: object) -> bool:
    return bool(value)


NEEDS: Mapping[str, tuple[Callable[[Settings], bool], str]] = MappingProxyType(
    {
        "listen": (lambda one: bool(one.listen), "no callback of ours is known to the peer (listen)"),
        "second": (lambda one: one.second is not None, "no second account is given ([second])"),
        "refuses": (
            lambda one: bool(one.account.refuses or (one.second is not None and one.second.refuses)),
            "no media type is known that is refused (account.refuses, second.refuses)",
        ),
        "authenticated": (
            lambda one: one.authenticated and bool(one.account.username),
            "the endpoint asks for no credentials (authenticated), or none are given (account.username)",
        ),
        "trigger": (lambda one: bool(one.trigger), "no command makes the VASP submit (trigger)"),
        "state": (lambda one: bool(one.state), "no command makes the state that is needed (state)"),
        "seen": (lambda one: bool(one.seen), "no command tells what the VASP got (seen)"),
        **{
            f"numbers.{name}": (
                lambda one, name=name: _given(getattr(one.numbers, name)),  # type: ignore[misc]
                f"no such number is given (numbers.{name})",
            )
            for name in (one.name for one in fields(Numbers))
        },
        **{
            f"limits.{name}": (
                lambda one, name=name: name in one.limits,  # type: ignore[misc]
                f"no such limit is given (limits.{name})",
            )
            for name in LIMITS
        },
        **{
            f"can.{name}": (
                lambda one, name=name: name not in one.unsupported,  # type: ignore[misc]
                f"declared as not supported: {what}",
            )
            for name, what in FEATURES.items()
        },
    }
)
"""What a case may need: whether the settings give it, and the reason of the SKIP where they do not."""
