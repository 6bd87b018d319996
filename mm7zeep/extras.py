"""What an extra of the package brings, and what to say where it is not installed.

Imports nothing of it. A module that no extra brings is somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType

EXTRAS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "gateway": (
            "h11", "httptools", "jinja2", "phonenumbers", "PIL", "pillow_heif", "prometheus_client", "pydantic",
            "python_multipart", "sqlalchemy", "starlette", "uvicorn",
        ),
        "fit": ("PIL", "pillow_heif"),
        "postgres": ("psycopg",),
        "async": ("anyio", "httpx", "packaging"),
        "otel": ("opentelemetry",),
        "pcap": ("dpkt",),
    }
)  # fmt: skip
"""The modules that each extra of setup.cfg brings, as they are imported."""


def missing(error: ModuleNotFoundError) -> str | None:
    """What to do about a module that was not found: the extra and the command; None where no extra brings it."""
    module = (error.name or "").partition(".")[0]
    extra = next((name for name, modules in EXTRAS.items() if module in modules), None)
    return _instruction(module, extra) if extra is not None else None


def wanting(extra: str) -> str | None:
    """As ``missing``, of the first module of ``extra`` that is not installed; None where all are."""
    absent = next((one for one in EXTRAS[extra] if not _found(one)), None)
    return _instruction(absent, extra) if absent is not None else None


def _found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # a finder of somebody else's that keeps it away
        return False


def _instruction(module: str, extra: str) -> str:
    return f'{module} is not installed; pip install "mm7zeep[{extra}]"'
