"""Sphinx's configuration of the documentation site: ``tox -e docs`` builds and examines it, ``tox -e site`` serves.

The pages are Markdown (MyST) and stay readable as they are. Nothing in the built pages comes from another host: Furo
brings its own style sheets and scripts, and no font is fetched.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "_site"))

project = "mm7zeep"
author = "mm7zeep developers"
copyright = author
release = version = version_of("mm7zeep")

extensions = ["myst_parser", "sphinx.ext.autodoc", "markdown_twins"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_site", "deploy"]

# Headings down to the fourth level have anchors, as the links between the pages expect.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
# One parameter a line, where a signature is long.
maximum_signature_line_length = 80

# Requests with attachments are no HTTP that Pygments can colour to the end.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "mm7zeep"
html_copy_source = False  # the twins below are the sources, under readable addresses
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5c8a", "color-brand-content": "#0b5c8a"},
    "dark_css_variables": {"color-brand-primary": "#7cc4f0", "color-brand-content": "#7cc4f0"},
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def _changes_of_the_site(app: Sphinx, name: str, source: list[str]) -> None:
    """In the repository the changes stand above docs/; on the site they are a page."""
    source[0] = source[0].replace("](../CHANGELOG.md)", "](changes.md)")


def _named_functions(
    app: Sphinx, what: str, name: str, value: object, options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Defaults that are functions, by their names: ``<built-in function sleep>`` is no Python that could be shown."""
    return signature and re.sub(r"<(?:built-in )?function ([\w.]+)(?: at 0x\w+)?>", r"\1", signature), returns


def setup(app: Sphinx) -> None:
    """What Sphinx calls."""
    app.connect("autodoc-process-signature", _named_functions)
    app.connect("source-read", _changes_of_the_site)
