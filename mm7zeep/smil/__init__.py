"""Slides to and from the MMS profile of SMIL 2.0 (OMA MMS conformance document), and which parts a presentation names.

``slides`` has the values, ``write`` makes a presentation, ``read`` understands one that ``document`` let in. Nothing is
ever fetched, and no entity is ever expanded. Refuses, with ``MimeError``, what is not well-formed, not SMIL, or beyond
the limits; and, with ``LocalError``, to generate slides for parts that a ``cid:`` URL cannot name.
"""

from __future__ import annotations

from mm7zeep.smil.document import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, characters
from mm7zeep.smil.read import parse, references
from mm7zeep.smil.recognise import is_presentation
from mm7zeep.smil.slides import MEDIA_TYPE, Item, Presentation, Region, Slide, Time
from mm7zeep.smil.write import cid_url, generate

__all__ = [
    "MAX_BYTES", "MAX_DEPTH", "MAX_ELEMENTS", "MEDIA_TYPE", "Item", "Presentation", "Region", "Slide", "Time",
    "characters", "cid_url", "generate", "is_presentation", "parse", "references",
]  # fmt: skip
