"""Content made to fit within what a carrier takes (extra ``fit``: Pillow, pillow-heif).

``fit`` is the door; pictures are decoded and coded in ``worker`` processes that ``pool`` starts and bounds. Nothing is
loaded here, so that a worker starts with nothing but what it needs. Refuses, with ``LocalError``, what cannot fit.
"""
