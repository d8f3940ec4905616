"""The certificate of a server, read for real: good, ending, ended, and none at all."""

from datetime import UTC, datetime, timedelta

import pytest
import trustme

from kinetria_cli.domain.errors import TlsRefused
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.certificate import certificate_end
from tests.cli.test_health import checks
from tests.faults.fakepg import fake_postgres
from tests.faults.tls import certificate, tls_before
from tests.world import Cli

HERE = ("localhost", "127.0.0.1")


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers where the service would, whatever else runs on this machine."""
    monkeypatch.setenv("HTTP_PORT", "1")


@pytest.mark.parametrize(
    ("left", "code", "status", "words"),
    [
        (timedelta(days=400), 0, "ok", "days left"),
        (timedelta(days=10, hours=1), 0, "warn", "10 days left"),
        (timedelta(days=-3), 1, "fail", "ended on "),
    ],
)
def test_the_end_of_the_certificate_is_read_whoever_signed_it(
    cli: Cli, migrated: ConnectionParams, left: timedelta, code: int, status: str, words: str
) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + left
    with tls_before(migrated, certificate(trustme.CA(), *HERE, until=until)) as params:
        assert certificate_end(params, timeout=30) == until
        answer = cli.use(params)("health", "--json")
    found = checks(answer)
    assert (answer.code, found["certificate"][0]) == (code, status)
    assert f"{until:%Y-%m-%d}" in found["certificate"][1]
    assert words in found["certificate"][1]
    assert found["login"][:2] == ("ok", "kinetria, TLS require")


@pytest.mark.parametrize("year", [2049, 2050, 2061])
def test_an_end_far_away_is_read_in_either_way_of_writing_it(migrated: ConnectionParams, year: int) -> None:
    until = datetime(year, 2, 3, 4, 5, 6, tzinfo=UTC)
    with tls_before(migrated, certificate(trustme.CA(), *HERE, until=until)) as params:
        assert certificate_end(params, timeout=30) == until


def test_a_server_without_tls_has_no_certificate(
    cli: Cli, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert certificate_end(migrated, timeout=30) is None
    cli.use(migrated)
    monkeypatch.setenv("DB_SSL_MODE", "prefer")
    answer = cli("health", "--json")
    assert answer.code == 0
    assert checks(answer)["certificate"][:2] == ("skipped", "TLS is off")


def test_what_breaks_off_the_handshake_is_told(server: ConnectionParams) -> None:
    with fake_postgres(b"", times=9) as fake:
        # It says that it has no TLS, which is an answer.
        assert certificate_end(ConnectionParams("127.0.0.1", fake.port, "u", "p", "d", "require"), timeout=30) is None
    with pytest.raises(TlsRefused, match=r"the certificate of 127\.0\.0\.1:1 cannot be read: Connection refused"):
        certificate_end(ConnectionParams("127.0.0.1", 1, "u", "p", "d", "require"), timeout=30)
