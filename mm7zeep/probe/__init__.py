"""The examiner: numbered cases against a live MMSC or VASP, each a stimulus, a requirement and what may come of it.

``runner.run`` runs the cases of ``cases`` with ``settings`` and gives a ``results.Report``. Sends what is wrong on
purpose, to the one endpoint that it is given and to nobody else.
"""
