"""The MIME tree of a captured message, as ``check --tree`` shows it: places, sizes, labels, and a hash of each leaf.

Turns what the reader gave into rows of JSON or lines of text; parses nothing. What steers a terminal is made visible.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mm7zeep.conformance.report import excerpts
from mm7zeep.conformance.verdict import Verdict
from mm7zeep.mime import Node, Package

if TYPE_CHECKING:
    from rich.tree import Tree

Row = dict[str, Any]
"""One node: all sizes in octets.

``offset`` is where its header begins in the body of the message, ``body_offset`` where its content begins. ``encoded``
is the size as sent; ``decoded`` and ``sha256`` are those of a leaf's content, None for a multipart. ``root`` marks the
SOAP part.
"""


def rows(verdict: Verdict) -> Row | None:
    """The tree of one judged message as nested rows; None where its MIME package could not be taken apart."""
    package = verdict.judgement.package
    return None if package is None else _row(package.tree, package)


def _row(node: Node, package: Package) -> Row:
    return {
        **labels(node, package),
        "sha256": node.part.sha256() if node.part is not None else None,
        "children": [_row(one, package) for one in node.children],
    }


def labels(node: Node, package: Package) -> Row:
    """What a row says of one node by itself, without a hash: cheap, whatever the size of its content."""
    return {
        "content_type": node.content_type,
        "parameters": dict(node.parameters),
        "content_id": node.content_id,
        "content_location": node.content_location,
        "name": node.name,
        "encoding": node.encoding,
        "root": node is package.root_node,
        "offset": node.offset,
        "body_offset": node.body_offset,
        "encoded": node.size_encoded,
        "decoded": node.part.size if node.part is not None else None,
    }


def as_text(trees: Sequence[tuple[str, Row | None]], *, colour: bool = False) -> str:
    """The trees of messages, each under its name, drawn with rich; lines are as long as they are."""
    from rich.console import Console
    from rich.tree import Tree

    out = io.StringIO()
    console = Console(
        file=out,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        width=10_000,  # nothing is cut or broken: a hash is there to be copied
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )
    for name, row in trees:
        tree = Tree(_styled((_plain(name), "bold")), guide_style="dim")
        if row is None:
            tree.add(_styled(("the MIME package could not be taken apart", "red")))
        else:
            _grow(tree, row)
        console.print(tree)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _styled(*pieces: tuple[str, str]) -> Any:
    from rich.text import Text

    return Text.assemble(*pieces)


def _grow(tree: Tree, row: Row) -> None:
    pieces = [(_plain(row["content_type"] or "no type"), "bold cyan" if row["root"] else "bold")]
    if row["root"]:
        pieces.append(("  SOAP part", "cyan"))
    labels = (("id", row["content_id"]), ("name", row["name"]), ("location", row["content_location"]))
    pieces += [(f"  {label} {_plain(value)}", "") for label, value in labels if value]
    pieces.append((f"\n{_place(row)}", "dim"))
    if row["sha256"] is not None:
        pieces.append((f"\nsha256 {row['sha256']}", "dim"))
    branch = tree.add(_styled(*pieces))
    for child in row["children"]:
        _grow(branch, child)


def _place(row: Row) -> str:
    begins = f"byte {row['offset']}, content {row['body_offset']}"
    if row["decoded"] is None:
        return f"{begins}, {row['encoded']} octets, {len(row['children'])} parts"
    encoding = _plain(row["encoding"]) if row["encoding"] else "no encoding named"
    return f"{begins}, {row['encoded']} octets as sent, {row['decoded']} decoded, {encoding}"


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else excerpts.visible(one) for one in text)
