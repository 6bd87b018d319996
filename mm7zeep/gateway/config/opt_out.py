"""The words by which a subscriber opts out of an application's messages, and in again: lists by language, and own ones.

Values only: what a text means, and nothing of what follows from it. A text means something only as a whole: "Stop."
does, "please stop the music" does not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import AfterValidator, BeforeValidator

from mm7zeep.gateway.config.field_types import Table, Text

Meaning = Literal["stop", "stop_all", "start"]
"""What a word asks: nothing more from this number, nothing more from any number of the application, messages again."""
Language = Literal["en", "de", "es", "fr", "it", "nl", "pt"]
"""The languages that have a list."""

_LONGEST = 40  # letters and digits of a word
_SHORT = 500  # characters of a text that may be a word and nothing else


class Words(NamedTuple):
    """A list of words, by what they ask."""

    stop: tuple[str, ...]
    stop_all: tuple[str, ...] = ("STOPALL",)
    start: tuple[str, ...] = ("START",)

    def meanings(self) -> Iterator[tuple[Meaning, str]]:
        """Each word with what it asks."""
        for meaning, words in zip(get_args(Meaning), self, strict=True):
            yield from ((meaning, word) for word in words)


# English: what US carriers ask for (CTIA) and 47 CFR 64.1200(a)(10) names; ARRET: Canada; STOP is known everywhere.
WORDS: Mapping[Language, Words] = MappingProxyType(
    {
        "en": Words(
            ("STOP", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"),
            start=("START", "UNSTOP"),
        ),
        "de": Words(("STOP", "STOPP", "ABMELDEN", "ABBESTELLEN"), start=("START", "ANMELDEN")),
        "es": Words(("STOP", "ALTO", "BAJA", "CANCELAR", "PARAR"), start=("START", "ALTA", "INICIAR")),
        "fr": Words(("STOP", "ARRET", "ARRETE", "ARRETER", "DESABONNER"), start=("START", "REPRENDRE")),
        "it": Words(("STOP", "BASTA", "ANNULLA", "CANCELLA"), start=("START", "INIZIA")),
        "nl": Words(("STOP", "STOPPEN", "AFMELDEN", "UITSCHRIJVEN"), start=("START", "AANMELDEN")),
        "pt": Words(("STOP", "PARAR", "SAIR", "CANCELAR"), start=("START", "INICIAR")),
    }
)
"""The words of each language."""


def normal(text: str) -> str:
    """``text`` as words are compared: without case, accents, blanks, punctuation and signs, in Unicode's NFKD.

    So OPT-OUT is OPTOUT, and ARRÊT is ARRET. Letters, digits and the marks of other scripts stay.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(one for one in plain if _counts(one))


def _counts(character: str) -> bool:
    if "\u0300" <= character <= "\u036f" or "\ufe00" <= character <= "\ufe0f":  # accents; forms of an emoji
        return False
    return unicodedata.category(character)[0] in "LMN"


def _word(value: str) -> str:
    length = len(normal(value))
    if not length:
        raise ValueError(f"{value!r} holds no letter and no digit; write a word")
    if length > _LONGEST:
        raise ValueError(f"has {length} letters and digits; a word may have {_LONGEST}")
    return value


Word = Annotated[Text, AfterValidator(_word)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut(Table):
    """Which words count: ``stop``, ``stop_all`` and ``start``, and besides, what these do not name of the lists of
    ``languages`` (``WORDS``).
    """

    languages: tuple[Language, ...] = ("en",)
    stop: tuple[Word, ...] = ()
    stop_all: tuple[Word, ...] = ()
    start: tuple[Word, ...] = ()

    @property
    def own(self) -> Words:
        """The words besides those of the languages."""
        return Words(self.stop, self.stop_all, self.start)

    def words(self) -> dict[str, tuple[Meaning, str]]:
        """What each word asks, and how it is written, by its normal form."""
        found: dict[str, tuple[Meaning, str]] = {}
        for one in (self.own, *(WORDS[name] for name in self.languages)):
            for meaning, word in one.meanings():
                found.setdefault(normal(word), (meaning, word))
        return found

    def meaning(self, text: str) -> Meaning | None:
        """What a text asks; None where it is no word of these."""
        found = self.words().get(normal(text)) if len(text) <= _SHORT else None
        return found[0] if found is not None else None

    def begins(self, text: str) -> bool:
        """Whether a text begins with one of the words: those that do not need not be known whole."""
        return normal(text[:_SHORT]).startswith(tuple(self.words()))


def _table(value: object) -> object:
    return {} if value is True else None if value is False else value


OptOutTable = Annotated[OptOut | None, BeforeValidator(_table)]
"""As a file has it: a table, or ``true`` for one without settings."""
