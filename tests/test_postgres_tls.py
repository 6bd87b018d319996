"""A database behind TLS: whom the gateway trusts, and what is said where it does not."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from postgres_server import PostgresServer, server_owner

from mm7zeep.gateway.store.database import Database, StoreError

pytestmark = pytest.mark.postgres


class Secured(NamedTuple):
    """A server that speaks TLS under the name localhost, and the folder of the files of ``ca`` and ``other``."""

    server: PostgresServer
    folder: Path

    def url(self, **options: str) -> str:
        """Its URL with options of libpq."""
        return f"{self.server.url()}?" + "&".join(f"{name}={value}" for name, value in options.items())


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    """Made once for all tests here; its key belongs to whom the server runs as."""
    folder = Path(tempfile.mkdtemp(prefix="mm7zeep-postgres-tls-"))
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    certificate, key = folder / "server.pem", folder / "server.key"
    certificate.write_bytes(leaf.cert_chain_pems[0].bytes())
    key.write_bytes(leaf.private_key_pem.bytes())
    (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())
    (folder / "other.pem").write_bytes(trustme.CA().cert_pem.bytes())
    (folder / "text.pem").write_text("no certificate\n", encoding="ascii")
    key.chmod(0o600)
    if owner := server_owner():
        for one in (folder, certificate, key):
            os.chown(one, owner.pw_uid, owner.pw_gid)
    files = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
    try:
        with PostgresServer(files) as server:
            yield Secured(server, folder)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("host", "name", "words", "fix"),
    [
        ("localhost", "other.pem", "certificate verify failed", "names the file of the authority that issued"),
        ("localhost", "none.pem", "root certificate file .* does not exist", "names a file of certificates"),
        ("localhost", "text.pem", "root certificate file", "names a file of certificates"),
        ("127.0.0.1", "ca.pem", "does not match host name", "as its certificate does"),
    ],
)
def test_what_is_wrong_with_a_certificate(host: str, name: str, words: str, fix: str, secured: Secured) -> None:
    """Each flaw has its own advice, and none says that the server does not run."""
    url = secured.url(sslmode="verify-full", sslrootcert=str(secured.folder / name))
    with pytest.raises(StoreError, match=words) as info:
        Database(url.replace("@127.0.0.1", f"@{host}"))
    assert fix in (str(info.value))


def test_the_right_authority(secured: Secured) -> None:
    """With the file of its authority the gateway's tables are made there."""
    url = secured.url(sslmode="verify-full", sslrootcert=str(secured.folder / "ca.pem"))
    database = Database(url.replace("@127.0.0.1", "@localhost"))
    database.close()
