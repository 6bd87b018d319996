"""The twenty assertions that every answer has to pass, whatever it answers; counted once each, over all cases.

Each looks at one exchange and says what is wrong with it, with the place. The clauses are those of the catalogue;
``UNSURE`` marks what TS 23.140 is only remembered to say.
"""

from __future__ import annotations

from mm7zeep.probe.answer_content import CONTENT, FOREIGN
from mm7zeep.probe.answer_form import FORM, LEAK
from mm7zeep.probe.assertion import Common

COMMON: tuple[Common, ...] = (*FORM, *CONTENT, LEAK, FOREIGN)
"""The common assertions, in the order of the catalogue."""
