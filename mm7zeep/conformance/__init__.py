"""The conformance tool: reads captured messages (``input``), judges them (``verdict`` with ``rules``; ``pairs`` for
what takes more than one message), and says so (``report``).

Judges by the same pipeline that the library receives with, and by nothing of its own below it. Never sends anything.
"""
