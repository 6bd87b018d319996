"""A Sphinx extension: a Markdown twin beside each built page, and ``llms.txt``, the list of them for language models.

The twin of ``how-to/backup.html`` is ``how-to/backup.md``. It is the page's source; a page that a directive fills (the
API, made of docstrings) has its text as it came out of the build, so that no twin is emptier than its page.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.text import TextBuilder
from sphinx.util.osutil import ensuredir
from sphinx.writers.text import TextWriter

_FILLED = re.compile(r"(?m)^```\{eval-rst\}$")
_INCLUDE = re.compile(r"(?ms)^```\{include\} (\S+)\n.*?^```$")
_FENCED = re.compile(r"(?ms)^```.*?^```$")
_LINK = re.compile(r"\]\(([^)#:\s]+)")
_TOCTREE = re.compile(r"(?ms)^```\{toctree\}\n.*?^```\n*")


def _text_of(app: Sphinx, name: str) -> str:
    """The page as plain text, as Sphinx's text builder writes it."""
    builder = TextBuilder(app, app.env)
    builder.init()
    writer = TextWriter(builder)
    writer.write(app.env.get_and_resolve_doctree(name, builder), _Sink())  # type: ignore[arg-type]
    return str(writer.output)


class _Sink:
    """Where docutils lets a writer write: nowhere, the text is taken from the writer."""

    destination: Any = None

    def write(self, text: str) -> str:
        return text


def twin(app: Sphinx, name: str) -> str:
    """The Markdown of the page ``name``, without what only arranges the site."""
    path = Path(app.env.doc2path(name))
    source = path.read_text(encoding="utf-8")
    if _FILLED.search(source):
        return f"# {_title(app, name)}\n\n```text\n{_text_of(app, name).strip()}\n```\n"
    whole = _INCLUDE.sub(
        lambda m: path.parent.joinpath(m[1]).read_text(encoding="utf-8").replace("](docs/", "]("), source
    )
    # In the repository the changes stand above docs/; on the site they are a page.
    return _TOCTREE.sub("", whole).replace("](../CHANGELOG.md)", "](changes.md)").rstrip() + "\n"


def _bring(app: Sphinx, target: Path, text: str) -> None:
    """Copy the files that a twin links to and that are no pages, to where its links lead."""
    for link in _LINK.findall(_FENCED.sub("", text)):
        source = Path(app.srcdir, target.parent.relative_to(app.outdir), link)
        beside = target.parent / link
        if source.is_file() and source.suffix != ".md" and not beside.exists():
            ensuredir(beside.parent)
            shutil.copy(source, beside)


def _title(app: Sphinx, name: str) -> str:
    return app.env.titles[name].astext()


def _summary(text: str) -> str:
    """The first sentence of the first paragraph, without markup; empty where there is none."""
    for paragraph in text.split("\n\n"):
        if re.match(r"#|<|\||```|- |\d+\. |!\[", paragraph):
            continue
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
        return re.split(r"(?<=[.])\s", plain)[0]
    return ""


def _order(app: Sphinx) -> list[tuple[str, list[str]]]:
    """The captions of the front page's tables of contents, each with its pages and theirs, in order."""

    def below(name: str) -> list[str]:
        found = [name]
        for page in app.env.toctree_includes.get(name, []):
            found += below(page)
        return found

    root = app.env.get_doctree(app.config.root_doc)
    return [
        (tree["caption"], [page for _, first in tree["entries"] for page in below(first)])
        for tree in root.findall(addnodes.toctree)
    ]


def write_twins(app: Sphinx, failure: Exception | None) -> None:
    """After a build of HTML that went well: the twins, and ``llms.txt`` (https://llmstxt.org)."""
    if failure is not None or app.builder.format != "html":
        return
    lines = [f"# {app.config.project}", "", f"> {_summary(twin(app, app.config.root_doc))}", ""]
    for name in app.env.found_docs:
        target = Path(app.outdir, f"{name}.md")
        ensuredir(target.parent)
        text = twin(app, name)
        target.write_text(text, encoding="utf-8")
        _bring(app, target, text)
    for caption, pages in _order(app):
        lines += [f"## {caption}", ""]
        for name in pages:
            said = _summary(Path(app.outdir, f"{name}.md").read_text(encoding="utf-8"))
            lines.append(f"- [{_title(app, name)}]({name}.md){': ' + said if said else ''}")
        lines.append("")
    Path(app.outdir, "llms.txt").write_text("\n".join(lines), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    app.connect("build-finished", write_twins)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
