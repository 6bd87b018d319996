"""What is said of verdicts: for a terminal or a program (``text_json``, ``tree``), or to be handed on (``junit``,
``sarif``, ``html``; all three through ``view``, which masks). ``excerpts`` finds the line that a finding speaks of.
"""
