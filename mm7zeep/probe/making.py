"""The sound requests that cases begin with: each is valid, and asks what the settings allow."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mm7zeep import messages as m
from mm7zeep import profiles
from mm7zeep.messages import Message, Part
from mm7zeep.probe.case import Skip
from mm7zeep.probe.needs import NEEDS
from mm7zeep.probe.settings import Account, Settings
from mm7zeep.probe.stimulus import Stimulus, of
from mm7zeep.profiles import NAMESPACES, Profile

_NO_PLUS = ("REL-5-MM7-1-0", "REL-5-MM7-1-1")  # their Number is an NMTOKEN, and DeliverReq has a ReplyChargingID


class Maker:
    """Makes the requests of one case; the same ``seed`` makes the same words again."""

    def __init__(self, settings: Settings, seed: str) -> None:
        self.settings = settings
        self.random = random.Random(seed)  # noqa: S311  so that a seed repeats it
        self._lock = threading.RLock()

    @property
    def profile(self) -> Profile:
        """The profile of the namespace that the run uses."""
        return self.settings.profile

    def word(self) -> str:
        """A fresh word for TransactionID, MessageID or a mark: letters and digits."""
        with self._lock:
            return f"p{self.random.getrandbits(60):015x}"

    def good(self, place: int = 0, namespace: str | None = None) -> str:
        """A number that is served (``numbers.good``), the others in turn; as the namespace writes it."""
        known = self.settings.numbers.good
        if not known:
            raise Skip(NEEDS["numbers.good"][1])
        return written(known[place % len(known)], self._profile(namespace))

    def several(self, count: int, namespace: str | None = None) -> list[str]:
        """So many numbers that are served: those from ``numbers.many`` on where it is given, else the good in turn."""
        first = self.settings.numbers.many
        if not first:
            return [self.good(place, namespace) for place in range(count)]
        plus, digits = first[: first.startswith("+")], first.removeprefix("+")
        row = (f"{plus}{int(digits) + place:0{len(digits)}d}" for place in range(count))
        return [written(one, self._profile(namespace)) for one in row]

    def submit(
        self,
        *,
        parts: Sequence[Part] | None = None,
        namespace: str | None = None,
        account: Account | None = None,
        mark: str | None = None,
        **fields: Any,
    ) -> Stimulus:
        """A sound MM7_submit: one text part, to ``numbers.loop`` where there is one, else to a number that is served.

        ``fields`` are those of ``SubmitReq``. ``namespace`` is a name such as REL-5-MM7-1-2, or a whole URI. A message
        with an own ``to`` or ``earliest_delivery_time`` does not come back by itself (``looped``).
        """
        profile, account, mark = self._profile(namespace), account or self.settings.account, mark or self.word()
        looped = bool(self.settings.numbers.loop) and not {"to", "cc", "bcc", "earliest_delivery_time"} & set(fields)
        given: dict[str, Any] = {"vaspid": account.vaspid, "vasid": account.vasid, "subject": f"Probe {mark}"}
        if "to" not in fields and not ("cc" in fields or "bcc" in fields):
            given["to"] = [m.ShortCode(self.settings.numbers.loop)] if looped else [self.good(0, profile.schema)]
        parts = [text_part(f"Hello from the probe: {mark}")] if parts is None else parts
        made = self.of(m.SubmitReq(**{**given, **fields}), parts, namespace=profile.schema, account=account, mark=mark)
        return replace(made, looped=looped and account == self.settings.account)

    def cancel(self, message_id: str, *, namespace: str | None = None, account: Account | None = None) -> Stimulus:
        """A sound MM7_cancel."""
        who = account or self.settings.account
        message = m.CancelReq(vaspid=who.vaspid, vasid=who.vasid, message_id=message_id)
        return self.of(message, (), namespace=namespace, account=who)

    def replacement(
        self,
        message_id: str,
        *,
        parts: Sequence[Part] | None = None,
        namespace: str | None = None,
        account: Account | None = None,
        **fields: Any,
    ) -> Stimulus:
        """A sound MM7_replace, by default with one text part."""
        who, mark = account or self.settings.account, self.word()
        parts = [text_part(f"Replaced by the probe: {mark}")] if parts is None else parts
        message = m.ReplaceReq(vaspid=who.vaspid, vasid=who.vasid, message_id=message_id, **fields)
        return self.of(message, parts, namespace=namespace, account=who, mark=mark)

    def deliver(
        self,
        *,
        parts: Sequence[Part] | None = None,
        namespace: str | None = None,
        mark: str | None = None,
        **fields: Any,
    ) -> Stimulus:
        """A sound MM7_deliver to the VASP: one text part, from a number to the VASP's short code."""
        profile, mark = self._profile(namespace), mark or self.word()
        numbers = self.settings.numbers
        given: dict[str, Any] = {"reply_charging_id": self.word()} if profile.schema in _NO_PLUS else {}
        given |= {
            "sender": m.Number(written(next(iter(numbers.good), "+15550100"), profile)),
            "to": [m.ShortCode(numbers.sender or "7777")],
            "subject": f"Probe {mark}",
            "time_stamp": datetime.now(UTC).replace(microsecond=0),
        }
        parts = [text_part(f"Hello from the probe: {mark}")] if parts is None else parts
        message = m.DeliverReq(**{**given, **fields})
        return self.of(message, parts, namespace=profile.schema, account=self.settings.account, mark=mark)

    def report(self, *, namespace: str | None = None, **fields: Any) -> Stimulus:
        """A sound MM7_delivery_report: Retrieved, of a MessageID that was never issued unless given."""
        return self._told(m.DeliveryReportReq, "date", "Retrieved", namespace, fields)

    def read(self, *, namespace: str | None = None, **fields: Any) -> Stimulus:
        """A sound MM7_read_reply_report: Read."""
        return self._told(m.ReadReplyReq, "time_stamp", "Read", namespace, fields)

    def _told(self, kind: Any, moment: str, state: str, namespace: str | None, fields: Mapping[str, Any]) -> Stimulus:
        profile, numbers = self._profile(namespace), self.settings.numbers
        given: dict[str, Any] = {
            "message_id": self.word(),
            "recipient": m.Number(written(next(iter(numbers.good), "+15550100"), profile)),
            "sender": m.ShortCode(numbers.sender or "7777"),
            moment: datetime.now(UTC).replace(microsecond=0),
            "mm_status": state,
        }
        return self.of(kind(**{**given, **fields}), (), namespace=profile.schema, account=self.settings.account)

    def of(
        self,
        message: Message,
        parts: Sequence[Part] = (),
        *,
        namespace: str | None = None,
        account: Account | None = None,
        mark: str = "",
    ) -> Stimulus:
        """The sound request that carries any message."""
        return of(
            message,
            parts,
            profile=self._profile(namespace),
            transaction_id=self.word(),
            account=account or self.settings.account,
            mark=mark,
        )

    def _profile(self, namespace: str | None) -> Profile:
        if namespace is None:
            return self.settings.profile
        name = namespace if namespace in NAMESPACES else profiles.NAMESPACE_PREFIX + namespace
        return NAMESPACES[name]


def text_part(text: str, **fields: Any) -> Part:
    """A text part in UTF-8."""
    return Part(body=text.encode(), content_type="text/plain", parameters=(("charset", "utf-8"),), **fields)


def written(number: str, profile: Profile) -> str:
    """A number as the namespace takes it: the oldest two have no + (XSD NMTOKEN)."""
    return number.removeprefix("+") if profile.schema in _NO_PLUS else number


def step(profile: Profile) -> str:
    """A namespace as a step of an id: rel5-1-2."""
    return profile.schema.lower().replace("rel-", "rel").replace("-mm7", "")
