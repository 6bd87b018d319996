"""The WSDL of each namespace in zeep, and a transport for zeep that loads from the package only.

Refuses to send: what goes over the wire is the business of ``mm7zeep.transport``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mm7zeep.profiles import NAMESPACE_PREFIX
from mm7zeep.schema import files

if TYPE_CHECKING:
    import zeep.wsdl


@files.once
def wsdl(namespace: str) -> zeep.wsdl.Document:
    """The WSDL of the MM7 ``namespace`` as loaded by zeep: bindings ``MmscBinding`` and ``VaspBinding``.

    Only REL-6-MM7-1-4 has the extended operations. Raises ``ValueError`` for a namespace that is not bundled.
    """
    files.source(namespace.removeprefix(NAMESPACE_PREFIX))  # refuses an unknown one before zeep wraps the error
    import zeep.wsdl

    settings = zeep.Settings(forbid_dtd=True, force_https=False)
    return zeep.wsdl.Document(files.wsdl_location(namespace), package_transport(), settings=settings)


def package_transport() -> Any:
    """A ``zeep.Transport`` that loads from the package and cannot send."""
    import zeep.transports

    class PackageTransport(zeep.transports.Transport):
        def __init__(self) -> None:  # without the session that zeep would open
            self._close_session = False

        def load(self, url: str) -> bytes:
            return files.load(url)

    return PackageTransport()
