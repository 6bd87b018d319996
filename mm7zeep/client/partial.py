"""Who was left out of a message that was taken in part: the recipients that an answer of 1100 names.

TS 23.140 8.7, status table: the Details "may indicate what parts of the request were not completed". In which elements,
no document says; so an address of the request that stands there was left out, unless what is around it says the
contrary. Refuses to guess: where the answer names nobody, or everybody, nobody is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lxml import etree

from mm7zeep import schema
from mm7zeep.messages import Address, Status

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_.:-]")
_PARTIAL = re.compile(r"\bpartial(?:ly)?\W+success\w*")
_GOOD = re.compile(r"\b(?:accepted|ok|success\w*|succeeded|delivered|sent|queued|valid|1\d{3})\b")
_BAD = re.compile(
    r"\b(?:not|no|non|cannot|never|fail\w*|refus\w*|reject\w*|error\w*|invalid|unknown|un\w+ed|un\w+able|unsuccessful\w*"
    r"|barred|blocked|denied|missing|wrong|[234]\d{3})\b"
)
_WORD = re.compile(r"[\w.+@-]+")


def left_out(recipients: Sequence[Address], status: Status) -> tuple[Address, ...]:
    """Those of ``recipients`` that ``status`` says were left out, in their order; none where it does not say."""
    if not is_partial(status):
        return ()
    known = frozenset(map(_key, recipients))
    named = _by_details(known, status.details or "") or _by_text(known, status.text or "")
    found = tuple(one for one in recipients if _key(one) in named)
    return found if len(found) < len(recipients) else ()


def is_partial(status: Status) -> bool:
    """Whether the request was carried out for some recipients or parts only: 1100, and the finer 11xx."""
    return status.code // 100 == 11


Keys = frozenset[str]
"""Addresses as they are compared: a number with or without its plus, a mail address in any case."""


def _key(address: Address) -> str:
    return _normal(address.bare.strip())


def _normal(word: str) -> str:
    return word.removeprefix("+").casefold()


def _by_details(known: Keys, details: str) -> set[str]:
    tree = _tree(details)
    if tree is None:
        return set() if _says_good(details) else _named(known, details)
    return set(_walk(known, tree))


def _by_text(known: Keys, text: str) -> set[str]:
    """Prose may as well name who was served: it has to say that something went wrong."""
    words = _words(_without(known, text))
    return _named(known, text) if _BAD.search(words) and not _GOOD.search(words) else set()


def _tree(details: str) -> etree._Element | None:
    if not details.lstrip().startswith("<"):
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        return etree.fromstring(f"<Details>{details}</Details>", parser)
    except (etree.XMLSyntaxError, ValueError):  # text that begins with "<", or holds what XML cannot
        return None


def _walk(known: Keys, element: etree._Element) -> Iterator[str]:
    """The addresses below ``element``, but where an element, or a status beside the address, says that all is well."""
    children = [one for one in element if isinstance(one.tag, str)]
    own = " ".join([element.text or "", *(one.tail or "" for one in element), *map(str, element.attrib.values())])
    leaves = " ".join(one.text or "" for one in children if not len(one))
    if _says_good(f"{schema.local(element)} {_without(known, f'{own} {leaves}')}"):
        # one status for several addresses is theirs; what has elements of its own speaks for itself
        children, own = [one for one in children if len(one)], ""
    yield from _named(known, own)
    for child in children:
        yield from _walk(known, child)


def _says_good(text: str) -> bool:
    words = _words(text)
    return _GOOD.search(words) is not None and _BAD.search(words) is None


def _words(text: str) -> str:
    return _PARTIAL.sub(" ", _CAMEL.sub(" ", text).lower())


def _named(known: Keys, text: str) -> set[str]:
    """The addresses that stand alone in ``text``, never as a piece of a longer one."""
    return {key for word in _WORD.findall(text) if (key := _normal(word.rstrip(".-"))) in known}


def _without(known: Keys, text: str) -> str:
    """``text`` without the addresses: digits and words of theirs say nothing."""
    return _WORD.sub(lambda word: " " if _normal(word[0].rstrip(".-")) in known else word[0], text)
