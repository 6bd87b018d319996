"""The viewer: pages of the admin listener that show messages as their subscribers see them, and act in their place.

``app`` is the door; ``routes`` names every page. Pages are made on the server of templates, work as plain forms, and
get livelier where JavaScript runs. Refuses what ``forms`` and the pages refuse, on a page that says so.
"""
