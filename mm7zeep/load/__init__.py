"""``mm7zeep load``: requests at a rate that no answer moves, and what came of them.

``schedule`` says when each request is due; ``templates`` renders it; ``sender`` sends it over kept connections, one
process each, started by ``crew``; ``answers`` reads what comes back; ``tally`` and ``histogram`` count; ``callbacks``
takes reports, and ``ledger`` holds them against what was accepted; ``result`` is the verdict, ``report`` and ``page``
show it. Refuses to send beyond this machine to numbers that nobody allowed (``plan``).
"""

from __future__ import annotations

from mm7zeep.load.plan import Plan
from mm7zeep.load.schedule import Schedule

__all__ = ["Plan", "Schedule"]
