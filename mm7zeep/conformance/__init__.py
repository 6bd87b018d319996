"""The conformance tool: judges captured messages (``capture``, ``rules``, ``verdict``) and says so (``report``).

Judges by the same pipeline that the library receives with, and by nothing of its own below it. Never sends anything.
"""
