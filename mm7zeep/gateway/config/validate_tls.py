"""The files that calls over https are made with, looked at when the configuration is read.

Opens them and changes nothing; refuses nothing, and gives what is wrong as remarks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mm7zeep import credentials
from mm7zeep.errors import LocalError
from mm7zeep.gateway.config.errors import Remark
from mm7zeep.gateway.config.parties import CalledTable, TlsFiles


def wrong(here: str, party: CalledTable, urls: Sequence[str]) -> Iterator[Remark]:
    """What is wrong with the files that calls to ``party`` are made with; ``urls`` are all that it is called at."""
    ca_file, client_cert = party.tls_files
    if client_cert is None and party.client_key is not None:
        yield Remark(f"{here}.client_key", "stands without client_cert; name the certificate that it belongs to, too")
    given = "client_cert" if ca_file is None else "ca_file"
    if (ca_file or client_cert) and urls and all(url.lower().startswith("http:") for url in urls):
        yield Remark(f"{here}.{given}", "is for https, and the URL is http://; write https://, or leave it out")
    if ca_file is not None and (why := _unusable(TlsFiles(ca_file=ca_file))):
        yield Remark(f"{here}.ca_file", f"{why}; name a file of certificates in PEM that this user may read")
        ca_file = None
    if client_cert is not None and (why := _unusable(TlsFiles(ca_file, client_cert))):
        yield Remark(f"{here}.client_cert", f"{why}{_remedy(why)}")


def _remedy(why: str) -> str:
    """What to do about a client certificate that cannot be used, as far as ``why`` does not say it."""
    if "without its key" in why:
        return ", or name its file as client_key"
    if "cannot be read" in why:
        return "; name a PEM file that this user may read"
    return "; name a certificate and its key, both in PEM and without passphrase"


def _unusable(files: TlsFiles) -> str | None:
    try:
        credentials.tls(*files)
    except LocalError as error:
        return str(error).removeprefix("ca_file ")
    return None
