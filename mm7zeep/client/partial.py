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
from mm7zeep.messages import Address, RFC2822Address, Status

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_.:-]")
_PARTIAL = re.compile(r"\bpartial(?:ly)?\W+success\w*")
_GOOD = re.compile(r"\b(?:accepted|ok|success\w*|succeeded|delivered|sent|queued|valid|1\d{3})\b")
_BAD = re.compile(
    r"\b(?:not|no|non|cannot|never|fail\w*|refus\w*|reject\w*|error\w*|invalid|unknown|un\w+ed|un\w+able|unsuccessful\w*"
    r"|barred|blocked|denied|missing|wrong|[234]\d{3})\b"
)


def left_out(recipients: Sequence[Address], status: Status) -> tuple[Address, ...]:
    """Those of ``recipients`` that ``status`` says were left out, in their order; none where it does not say."""
    if not is_partial(status):
        return ()
    named = _by_details(recipients, status.details or "") or _by_text(recipients, status.text or "")
    found = tuple(one for one in recipients if one in named)
    return found if len(found) < len(recipients) else ()


def is_partial(status: Status) -> bool:
    """Whether the request was carried out for some recipients or parts only: 1100, and the finer 11xx."""
    return status.code // 100 == 11


def _by_details(recipients: Sequence[Address], details: str) -> set[Address]:
    tree = _tree(details)
    if tree is None:
        return set() if _says_good(details) else _named(recipients, details)
    return set(_walk(recipients, tree))


def _by_text(recipients: Sequence[Address], text: str) -> set[Address]:
    """Prose may as well name who was served: it has to say that something went wrong."""
    words = _words(text)
    return _named(recipients, text) if _BAD.search(words) and not _GOOD.search(words) else set()


def _tree(details: str) -> etree._Element | None:
    if not details.lstrip().startswith("<"):
        return None
    try:
        return etree.fromstring(
            f"<Details>{details}</Details>", etree.XMLParser(resolve_entities=False, no_network=True)
        )
    except etree.XMLSyntaxError:  # text that begins with "<"
        return None


def _walk(recipients: Sequence[Address], element: etree._Element) -> Iterator[Address]:
    """The addresses below ``element``, but where an element, or a status beside the address, says that all is well."""
    children = [one for one in element if isinstance(one.tag, str)]
    texts = [element.text or "", *(one.tail or "" for one in element), *map(str, element.attrib.values())]
    own = " ".join(texts)
    leaves = " ".join(one.text or "" for one in children if not len(one))
    if _says_good(f"{schema.local(element)} {_without(recipients, f'{own} {leaves}')}"):
        # one status for several addresses is theirs; what has elements of its own speaks for itself
        children, own = [one for one in children if len(one)], ""
    yield from _named(recipients, own)
    for child in children:
        yield from _walk(recipients, child)


def _says_good(text: str) -> bool:
    words = _words(text)
    return _GOOD.search(words) is not None and _BAD.search(words) is None


def _words(text: str) -> str:
    return _PARTIAL.sub(" ", _CAMEL.sub(" ", text).lower())


def _named(recipients: Sequence[Address], text: str) -> set[Address]:
    return {one for one in recipients if _pattern(one).search(text)}


def _without(recipients: Sequence[Address], text: str) -> str:
    """``text`` without the addresses: digits and words of theirs say nothing."""
    for one in recipients:
        text = _pattern(one).sub(" ", text)
    return text


def _pattern(address: Address) -> re.Pattern[str]:
    """The address where it stands alone: a number with or without its plus, never as a piece of a longer one."""
    value = address.bare.strip()
    if isinstance(address, RFC2822Address):
        return re.compile(rf"(?<![\w.+-]){re.escape(value)}(?![\w-]|\.\w)", re.IGNORECASE)
    return re.compile(rf"(?<![\w+])\+?{re.escape(value.removeprefix('+'))}(?!\w)")
