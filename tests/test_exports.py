"""The public names of mm7zeep are pinned; taking one away, or adding one, is a decision and shows here."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import mm7zeep
from mm7zeep import errors, messages

PUBLIC = [
    "Address", "AsyncMmscClient", "AsyncVaspClient", "AuthError", "Basic", "Bearer", "Blob", "CancelReq", "CancelRsp",
    "DeliverReq", "DeliverRsp", "DeliveryReportReq", "DeliveryReportRsp", "Digest", "EnvelopeError",
    "ExtendedCancelReq", "ExtendedCancelRsp", "ExtendedReplaceReq", "ExtendedReplaceRsp", "Extension", "Fault",
    "Finding", "Fitted", "LimitError", "LocalError", "Message", "MimeError", "Mm7Error", "MmscClient", "Number", "Part",
    "PreviouslySent", "Profile", "RFC2822Address", "RSErrorRsp", "ReadReplyReq", "ReadReplyRsp", "Received",
    "Receiver", "RemoteError", "ReplaceReq", "ReplaceRsp", "ReplyCharging", "Response", "Retry", "RsRequest",
    "SchemaError", "ShortCode", "Status", "StatusError", "SubmitReq", "SubmitRsp", "SwaTransport", "Timeouts",
    "TransportError", "UACapabilities", "VASPErrorRsp", "ValidationPlugin", "VaspClient", "VaspRequest",
    "VersionError", "Wire", "__version__", "address", "addresses", "attach", "fit", "pack", "part_of", "profile",
    "unpack", "zeep_client",
]  # fmt: skip

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ["zeep", "xmlschema", "lxml", "requests"]


def run(code: str) -> str:
    """What a fresh interpreter prints for ``code``."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_public_names_are_pinned() -> None:
    """``__all__`` is exactly the pinned list."""
    assert mm7zeep.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_name_resolves(name: str) -> None:
    """A public name can be fetched, and is called the same where it lives."""
    value = getattr(mm7zeep, name)
    assert getattr(value, "__name__", name) == name


def test_type_checkers_see_the_same_names() -> None:
    """What the table opens at run time is what the TYPE_CHECKING block imports, from the same modules."""
    tree = ast.parse(Path(str(mm7zeep.__file__)).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    shown = {a.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for a in node.names}
    assert shown == {name: f"mm7zeep.{home}" for name, home in mm7zeep._HOMES.items()}
    assert {*shown, "__version__"} == set(mm7zeep.__all__)


def test_every_message_is_public() -> None:
    """All that ``messages`` offers is offered at the front door."""
    assert set(messages.__all__) <= set(mm7zeep.__all__)


def test_every_error_is_public() -> None:
    """The whole error tree is offered at the front door."""
    tree = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert "Mm7Error" in tree
    assert tree <= set(mm7zeep.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    """A name outside the table is refused as Python refuses it."""
    with pytest.raises(AttributeError, match="no attribute 'VaspClinet'"):
        _ = mm7zeep.VaspClinet  # type: ignore[attr-defined]


def test_dir_lists_the_public_names() -> None:
    """Completion in a shell sees the names that are not loaded yet."""
    assert set(PUBLIC) <= set(dir(mm7zeep))


def test_import_is_light() -> None:
    """``import mm7zeep`` loads none of the heavy libraries."""
    loaded = run(f"import sys, mm7zeep; print([n for n in {HEAVY!r} if n in sys.modules])")
    assert loaded == "[]"


def test_words_are_light() -> None:
    """Messages and errors, which a web application imports everywhere, load none of them either."""
    words = "import sys; from mm7zeep import SubmitReq, Mm7Error"
    loaded = run(f"{words}; print([n for n in {HEAVY!r} if n in sys.modules])")
    assert loaded == "[]"


def test_every_package_is_shipped() -> None:
    """setup.cfg lists each package folder of the checkout, and schemas/, which is installed inside mm7zeep."""
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    folders = [path.parent.relative_to(ROOT) for path in ROOT.joinpath("mm7zeep").rglob("__init__.py")]
    listed = setup["options"]["packages"].split()
    assert listed == sorted({".".join(folder.parts) for folder in folders} | {"mm7zeep.schemas"})


def test_async_brings_what_zeep_wants_for_it() -> None:
    """The extra ``async`` names all that zeep's own does: zeep's AsyncTransport starts with nothing less."""
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    ours = {re.split(r"[^\w-]", line)[0] for line in setup["options.extras_require"]["async"].split()}
    theirs = [line for line in metadata.requires("zeep") or [] if "extra" in line and line.endswith('"async"')]
    assert len(theirs) >= 2
    assert {re.split(r"[^\w-]", line)[0] for line in theirs} <= ours
