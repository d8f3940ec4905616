"""TLS that cannot be agreed on, for real, and the one cause that doctor names."""

import os
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.usecases.environment import database_url
from tests.conftest import free_port
from tests.faults.doctoring import mended, one_cause, well
from tests.faults.tls import certificate, tls_before
from tests.world import Cli, database_variables


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", str(free_port()))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def root(authority: trustme.CA, tmp_path: Path) -> Path:
    """The file that makes the authority known."""
    path = tmp_path / "root.crt"
    authority.cert_pem.write_to_path(path)
    return path


def trust(authority: trustme.CA) -> None:
    """Put the root certificate to where libpq looks (PostgreSQL 16 manual, section 34.19.1)."""
    place = Path(os.environ["HOME"]) / ".postgresql"
    place.mkdir()
    authority.cert_pem.write_to_path(place / "root.crt")


def in_days(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def test_a_certificate_that_is_trusted(cli: Cli, migrated: ConnectionParams, authority: trustme.CA) -> None:
    trust(authority)
    with tls_before(migrated, certificate(authority, "127.0.0.1", until=in_days(9))) as behind:
        assert well(cli.use(replace(behind, sslmode="verify-full"))("doctor", "--json"))["tls"] == "ok"


def test_a_root_certificate_that_the_url_names(
    cli: Cli, migrated: ConnectionParams, authority: trustme.CA, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_before(migrated, certificate(authority, "127.0.0.1", until=in_days(9))) as behind:
        url = database_url(replace(behind, sslmode="verify-full", sslrootcert=str(root)))
        monkeypatch.setenv("DATABASE_URL", url)
        assert well(cli("doctor", "--json"))["tls"] == "ok"
        trustme.CA().cert_pem.write_to_path(root)
        cause = one_cause(cli("doctor", "--json"), "tls")
        assert "the server's certificate is not signed by one you trust" in cause.cause
        assert cause.command == f'read -r file && cat "$file" >>{root}'
        own = root.with_name("own.crt")
        authority.cert_pem.write_to_path(own)
        mended(cause.command, env={"DATABASE_URL": url}, stdin=f"{own}\n")


def test_no_root_certificate(cli: Cli, migrated: ConnectionParams, authority: trustme.CA, root: Path) -> None:
    with tls_before(migrated, certificate(authority, "127.0.0.1", until=in_days(9))) as behind:
        params = replace(behind, sslmode="verify-full")
        cause = one_cause(cli.use(params)("doctor", "--json"), "tls", secrets=(migrated.password,))
        assert "there is no root certificate to check the server's with" in cause.cause
        mended(cause.command, env=database_variables(params), stdin=f"{root}\n")


def test_a_certificate_of_another_authority(
    cli: Cli, migrated: ConnectionParams, authority: trustme.CA, root: Path
) -> None:
    trust(trustme.CA())
    with tls_before(migrated, certificate(authority, "127.0.0.1", until=in_days(9))) as behind:
        params = replace(behind, sslmode="verify-ca")
        cause = one_cause(cli.use(params)("doctor", "--json"), "tls")
        assert "the server's certificate is not signed by one you trust" in cause.cause
        mended(cause.command, env=database_variables(params), stdin=f"{root}\n")


def test_a_certificate_that_has_expired(cli: Cli, migrated: ConnectionParams, authority: trustme.CA) -> None:
    trust(authority)
    with tls_before(migrated, certificate(authority, "127.0.0.1", until=in_days(-1))) as behind:
        cause = one_cause(cli.use(replace(behind, sslmode="verify-full"))("doctor", "--json"), "tls")
    assert cause.cause == f"No TLS connection to {behind.address}: the server's certificate has expired."
    assert cause.command.endswith("| openssl x509 -noout -subject -dates")


def test_a_certificate_of_another_host(cli: Cli, migrated: ConnectionParams, authority: trustme.CA) -> None:
    trust(authority)
    with tls_before(migrated, certificate(authority, "db.example.com", until=in_days(9))) as behind:
        params = replace(behind, sslmode="verify-full")
        cause = one_cause(cli.use(params)("doctor", "--json"), "tls")
        assert cause.cause == f"No TLS connection to {behind.address}: the server's certificate is not for 127.0.0.1."
        assert cause.command == "export DB_SSL_MODE=verify-ca"
        mended(cause.command, env=database_variables(params))


def test_no_version_of_tls_that_both_speak(cli: Cli, migrated: ConnectionParams, authority: trustme.CA) -> None:
    old = certificate(authority, "127.0.0.1", until=in_days(9))
    with pytest.warns(DeprecationWarning):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with tls_before(migrated, old) as behind:
        cause = one_cause(cli.use(behind)("doctor", "--json"), "tls", secrets=(migrated.password,))
    assert cause.cause.startswith(f"No TLS connection to {behind.address}: SSL error: ")
    assert cause.command.startswith("openssl s_client -starttls postgres ")
