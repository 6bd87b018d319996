"""What an answer says, read with as little judgement as possible: by local names, in any namespace, at any place.

So that a case can judge the one thing that it is about, while the common assertions (``common``) judge the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from mm7zeep import mime, namespaces, schema
from mm7zeep.errors import RemoteError
from mm7zeep.exchange import Wire
from mm7zeep.probe.wire import MAX_ANSWER, Answer

ERROR_ELEMENTS = ("RSErrorRsp", "VASPErrorRsp")
"""What MM7 has in the detail of a Fault, from an MMSC or a VASP."""

_TOO_LARGE = f"the answer is larger than {MAX_ANSWER:,} octets, and no more of it was read"


@dataclass(frozen=True)
class Said:
    """One document, read; ``tree`` is None where there is no well-formed XML, and ``trouble`` then says why."""

    answer: Answer

    @cached_property
    def document(self) -> bytes:
        """The octets of the SOAP part: those of the body, or of the root part of a multipart."""
        kind = (self.answer.field("content-type") or "").strip().lower()
        if kind.startswith("multipart/"):
            try:
                found = mime.read(self.answer.fields, self.answer.body)
            except RemoteError:
                return self.answer.body
            return found.root
        return self.answer.body

    @cached_property
    def _parsed(self) -> tuple[etree._Element | None, str]:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            return namespaces.parse(self.document.strip(), parser), ""
        except (etree.XMLSyntaxError, ValueError) as error:
            return None, str(error)

    @property
    def tree(self) -> etree._Element | None:
        """The root element."""
        return self._parsed[0]

    @property
    def trouble(self) -> str:
        """Why there is no tree."""
        return self._parsed[1]

    @cached_property
    def elements(self) -> tuple[etree._Element, ...]:
        """Every element of the document, in order."""
        return () if self.tree is None else tuple(one for one in self.tree.iter() if isinstance(one.tag, str))

    def all(self, name: str) -> tuple[etree._Element, ...]:
        """The elements of that local name."""
        return tuple(one for one in self.elements if schema.local(one) == name)

    def text(self, name: str) -> str | None:
        """The text of the first element of that local name, without blanks around it; None where there is none."""
        found = self.all(name)
        return "".join(str(one) for one in found[0].itertext()).strip() if found else None

    @property
    def is_mm7(self) -> bool:
        """Whether it is an envelope with a Status or a Fault in it."""
        return self.tree is not None and schema.local(self.tree) == "Envelope"

    @cached_property
    def body(self) -> etree._Element | None:
        """The SOAP Body."""
        return next(iter(self.all("Body")), None)

    @cached_property
    def operation(self) -> str | None:
        """The local name of the first element in the Body: ``SubmitRsp``, ``Fault``, ..."""
        if self.body is None:
            return None
        return next((schema.local(one) for one in self.body if isinstance(one.tag, str)), None)

    @property
    def fault(self) -> etree._Element | None:
        """The SOAP Fault, wherever it stands."""
        return next(iter(self.all("Fault")), None)

    @property
    def faultcode(self) -> str:
        """What faultcode says behind its prefix."""
        return (self.text("faultcode") or "").rpartition(":")[2]

    @cached_property
    def status(self) -> int | None:
        """StatusCode, where it is a number."""
        said = self.text("StatusCode") or ""
        return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None

    @property
    def refused(self) -> bool:
        """Whether it is a refusal: a Fault, an error element, or a Status of another class than 1."""
        if self.fault is not None or (self.operation in ERROR_ELEMENTS):
            return True
        return self.status is not None and not 1000 <= self.status < 2000

    @property
    def accepted(self) -> bool:
        """Whether it says success: a StatusCode of class 1 that is not in a refusal's place."""
        return self.status is not None and not self.refused

    @property
    def message_id(self) -> str | None:
        """MessageID, where there is one that says something."""
        return self.text("MessageID") or None

    @cached_property
    def transaction_ids(self) -> tuple[str, ...]:
        """Every TransactionID, as it is written."""
        return tuple("".join(str(one) for one in found.itertext()) for found in self.all("TransactionID"))

    @property
    def wire(self) -> Wire:
        """The answer as the library takes it."""
        return Wire(headers=self.answer.fields, body=self.answer.body, status=self.answer.status)

    @property
    def summary(self) -> str:
        """What came, in a few words."""
        answer = self.answer
        if answer.status is None:
            words = {
                "closed": "the connection was closed without an answer",
                "reset": "the connection was reset before an answer",
                "timeout": f"no answer within {answer.took:.1f} s",
                "refused": "the connection was refused",
                "large": _TOO_LARGE,
            }
            return words.get(answer.ended, f"no HTTP answer ({answer.ended}): {answer.raw[:60]!r}")
        told = [f"HTTP {answer.status}"]
        if answer.ended == "large":
            told.append(_TOO_LARGE)
        elif answer.ended != "whole":
            told.append(f"{answer.ended} after {len(answer.body)} octets of the body")
        elif not answer.body:
            told.append("no body")
        elif self.tree is None:
            told.append(f"no XML ({(answer.field('content-type') or 'no Content-Type')[:60]})")
        else:
            told.append(self.operation or schema.local(self.tree))
            if self.fault is not None:
                told.append(f"faultcode {self.text('faultcode')!r}")
            if self.text("StatusCode") is not None:
                told.append(f"StatusCode {self.text('StatusCode')} {self.text('StatusText') or ''}".strip())
        return ", ".join(told)
