"""Named repairs of real-world deviations: on the bytes of the envelope (``readable``), then on its tree (``repair``).

Each repair leaves a finding, and what it cannot understand it keeps raw: nothing is dropped silently. What comes out is
meant to be valid by its schema; whether it is, the schema says afterwards. Refuses what could only be guessed.
"""

from __future__ import annotations

from mm7zeep.tolerance.charsets import Readable, readable
from mm7zeep.tolerance.repair import Repaired, repair
from mm7zeep.tolerance.soap import names_pre_standard, rename

__all__ = ["Readable", "Repaired", "names_pre_standard", "readable", "rename", "repair"]
