"""Write docs/reference/api/*.md: a page for each group of the public names, which Sphinx fills from their docstrings.

``python -P docs/make_api.py``. A test fails where a page is out of date, and this fails where a public name has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from inspect import isclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import mm7zeep

FOLDER = Path(__file__).parent / "reference" / "api"


class Page(NamedTuple):
    """One page: title, what is said first, the public names in their order, and dotted names beside them."""

    title: str
    says: str
    names: tuple[str, ...]
    more: tuple[str, ...] = ()


PAGES: Mapping[str, Page] = MappingProxyType({
    "clients": Page(
        "Clients",
        "`VaspClient` sends to an MMSC, `MmscClient` to a VASP; the others are the same for asyncio (extra `async`).",
        (
            "VaspClient", "AsyncVaspClient", "MmscClient", "AsyncMmscClient", "Retry", "Timeouts", "Basic", "Digest",
            "Bearer", "part_of", "fit", "Fitted",
        ),
        (
            "mm7zeep.client.outcomes.Accepted", "mm7zeep.client.outcomes.Submitted", "mm7zeep.client.outcomes.Each",
        ),
    ),
    "receiver": Page("Receiver", "What answers an MMSC, in any web framework.", ("Receiver", "Received")),
    "messages": Page(
        "Messages",
        "Every message of MM7 as a frozen dataclass; the fields are named by the specification.",
        (
            "SubmitReq", "SubmitRsp", "DeliverReq", "DeliverRsp", "CancelReq", "CancelRsp", "ReplaceReq", "ReplaceRsp",
            "ExtendedCancelReq", "ExtendedCancelRsp", "ExtendedReplaceReq", "ExtendedReplaceRsp", "DeliveryReportReq",
            "DeliveryReportRsp", "ReadReplyReq", "ReadReplyRsp", "RSErrorRsp", "VASPErrorRsp", "Fault", "Status",
            "Part", "Blob", "Number", "RFC2822Address", "ShortCode", "address", "addresses", "PreviouslySent", "ReplyCharging",
            "UACapabilities", "Extension", "Message", "VaspRequest", "RsRequest", "Response", "Address",
        ),
    ),
    "exchange": Page(
        "Packing and unpacking",
        "Messages to octets and back, without any network; carriers and findings.",
        ("pack", "unpack", "Wire", "Profile", "profile", "Finding"),
    ),
    "errors": Page(
        "Errors",
        "Whose fault it is shows in the type.",
        (
            "Mm7Error", "LocalError", "LimitError", "RemoteError", "MimeError", "EnvelopeError", "SchemaError",
            "VersionError", "StatusError", "AuthError", "TransportError",
        ),
    ),
    "zeep": Page(
        "With a zeep client of your own",
        "The transport and the plug-in work with any `zeep.Client`.",
        ("zeep_client", "attach", "SwaTransport", "ValidationPlugin"),
    ),
})  # fmt: skip


def text(name: str) -> str:
    """The page ``name``.

    Raises:
        ValueError: a public name has no page, or two.
    """
    shown = sorted(one for page in PAGES.values() for one in page.names)
    public = sorted({*mm7zeep.__all__} - {"__version__"})
    if shown != public:
        raise ValueError(f"pages and mm7zeep.__all__ differ: {sorted({*shown} ^ {*public}) or 'a name is shown twice'}")
    page = PAGES[name]
    lines = [f"# {page.title}", "", page.says, "", "```{eval-rst}"]
    for one in page.names:
        lines += _directive(f"mm7zeep.{one}", getattr(mm7zeep, one))
    for one in page.more:
        module, _, inner = one.rpartition(".")
        lines += _directive(one, getattr(import_module(module), inner))
    return "\n".join([*lines, "```", ""])


def _directive(dotted: str, value: object) -> list[str]:
    if not isclass(value):
        return [f".. auto{'function' if callable(value) else 'data'}:: {dotted}", ""]
    lines = [f".. autoclass:: {dotted}", "   :members:"]
    if issubclass(value, BaseException):
        return [f".. autoexception:: {dotted}", "   :members:", "   :show-inheritance:", ""]
    return [*lines, "   :inherited-members:" if dotted.endswith("Client") else "   :show-inheritance:", ""]


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for each in PAGES:
        FOLDER.joinpath(f"{each}.md").write_text(text(each), encoding="utf-8")
