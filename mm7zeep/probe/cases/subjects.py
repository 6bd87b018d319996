"""Role mmsc: the Subject of MM7_submit (catalogue A7)."""

from __future__ import annotations

from mm7zeep.probe.accept import OK, REF
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.probe.told import delivered


def _intact(lab: Lab, made: Stimulus, wanted: str) -> None:
    """Judged at the end: the message came with this Subject."""

    def look() -> None:
        for one in delivered(lab, made):
            lab.require(
                one.subject == wanted, "the Subject arrived as another", expected=wanted, actual=one.subject, shown=one
            )

    if lab.hears:
        lab.later(look)


def _utf8(name: str, what: str, text: str) -> Case:
    @case(
        f"submit/subject/utf8/{name}",
        "MUST",
        "XML 1.0 2.2",
        f"A Subject with {what} is accepted, and arrives as it was.",
    )
    def utf8(lab: Lab) -> None:
        made = lab.submit(subject=text)
        if lab.expect(lab.ask(made), OK):
            _intact(lab, made, text)

    return utf8


utf8 = (
    _utf8("cyrillic", "Cyrillic letters", "Привет, мир"),
    _utf8("emoji", "a character beyond the first 65,536", "Ebbe \U0001f30a und Flut"),
    _utf8("rtl", "letters written from right to left", "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627"),
)


def _entities(name: str, what: str, xml: str, text: str) -> Case:
    @case(
        f"submit/subject/entities/{name}",
        "MUST",
        "XML 1.0 4.1, 4.6, 2.7",
        f"A Subject with {what} is accepted, and arrives as what it means.",
    )
    def entities(lab: Lab) -> None:
        made = lab.submit().instead("Subject", f"<Subject>{xml}</Subject>")
        if lab.expect(lab.ask(made), OK):
            _intact(lab, made, text)

    return entities


entities = (
    _entities("predefined", "the entities of XML itself", "Fish &amp;amp; &lt;chips&gt;", "Fish &amp; <chips>"),
    _entities("cdata", "a CDATA section", "Fish <![CDATA[<b>&amp;]]> chips", "Fish <b>&amp; chips"),
    _entities("references", "character references", "Caf&#233; &#x1F30A;", "Café \U0001f30a"),
)


@case(
    "submit/subject/long",
    "INFO",
    "8.7.1",
    "A Subject of 4,000 characters is accepted, or refused for its length, and what follows is served.",
)
def long(lab: Lab) -> None:
    text = "tide " * 799 + "table"
    made = lab.submit(subject=text)
    lab.any(lab.ask(made), OK, REF(2007, 4004))

    def look() -> None:
        for one in delivered(lab, made):
            if one.subject != text:
                lab.note(f"a Subject of {len(text)} characters arrived with {len(one.subject)}", shown=one)

    if lab.hears:
        lab.later(look)


@case(
    "submit/subject/newline",
    "INFO",
    "8.7.1",
    "A Subject with a line break is refused, or accepted, and then all its words arrive.",
)
def newline(lab: Lab) -> None:
    made = lab.submit().instead("Subject", "<Subject>High water\nLow water</Subject>")
    lab.any(lab.ask(made))

    def look() -> None:
        for one in delivered(lab, made):
            lab.require(
                one.subject.split() == ["High", "water", "Low", "water"],
                "words of the Subject are missing",
                expected="High water Low water",
                actual=one.subject,
                shown=one,
            )

    if lab.hears:
        lab.later(look)
