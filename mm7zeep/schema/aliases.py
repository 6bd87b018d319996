"""Names and places by which senders mean an element of the schemas that is called, or stands, otherwise there.

Looks at names alone: whether the schema has room for the element where it stands is not asked. Gives None for a name
that could only be guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree

from mm7zeep.schema.judge import local

ADDRESS_NAMES = ("Number", "RFC2822Address", "ShortCode")
ERROR_NAMES = ("RSErrorRsp", "VASPErrorRsp")

_NOTHING = re.compile(r"[\s<>]*(?:cid\s*:?[\s<>]*)?", re.IGNORECASE)


def address_name(name: str) -> str | None:
    """The address element that ``name`` means, in any case of letters; RFC 822 is what RFC 2822 made obsolete."""
    plain = name.lower().replace("rfc822", "rfc2822", 1)
    return next((one for one in ADDRESS_NAMES if one.lower() == plain), None)


def error_name(name: str) -> str | None:
    """The element of a Fault's detail that ``name`` means, in any case of letters, with MM7 before it or not."""
    plain = name.lower().removeprefix("mm7")
    return next((one for one in ERROR_NAMES if one.lower() == plain), None)


def names_content(reference: str | None) -> bool:
    """Whether what Content refers to can name a part at all: not without href, blank, or ``cid:`` alone."""
    return reference is not None and _NOTHING.fullmatch(unquote(reference)) is None


def content_reference(content: etree._Element) -> str | None:
    """What ``content`` refers to: its href in any case or namespace; where that names nothing, what stands for it."""
    given = content.get("href")
    if given is None:
        given = next((value for name, value in content.attrib.items() if _plain(name) == "href"), None)
    return given if names_content(given) else next(_instead_of_href(content), given)


def _instead_of_href(content: etree._Element) -> Iterator[str]:
    """References where no href is: a ``src``, a child called href, or a text that is a ``cid:`` URL (RFC 2392 2)."""
    for name, value in content.attrib.items():
        if _plain(name) == "src" and names_content(value):
            yield value
    for text in (*(one.text for one in content if local(one).lower() == "href"), content.text):
        if text is not None and text.strip().lower().startswith("cid:") and names_content(text):
            yield text.strip()


def _plain(attribute: str) -> str:
    return etree.QName(attribute).localname.lower()
