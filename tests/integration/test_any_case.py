"""Letters beyond ASCII in any case: in new clusters by the server, in a database with LC_CTYPE C by the queries."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import EngineFailed
from kinetria_cli.domain.records import Contains
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.embedded import EmbeddedEngine, cluster
from kinetria_cli.gateways.http.probe import HttpClientProbe
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from kinetria_cli.gateways.postgres.letters import Folded, fold
from tests.conftest import free_port, gateway_for
from tests.contract.records import a_user
from tests.world import connect_to

LOCALES = "SELECT datcollate, datctype FROM pg_database WHERE datname = current_database()"


@pytest.fixture(scope="module")
def ascii_only(server: ConnectionParams) -> Iterator[ConnectionParams]:
    """A migrated database as `kinetria up` made it until 0.1.0: LC_CTYPE is C."""
    with connect_to(server) as admin:
        admin.execute("CREATE DATABASE ascii_only TEMPLATE template0 LC_CTYPE 'C'")
    params = replace(server, dbname="ascii_only")
    gateway_for(params).apply(lock_wait=5)
    yield params
    with connect_to(server) as admin:
        admin.execute("DROP DATABASE ascii_only WITH (FORCE)")


def test_a_database_of_an_earlier_version_is_searched_in_any_case(ascii_only: ConnectionParams) -> None:
    with connect_to(ascii_only) as sql:
        assert sql.execute("SELECT lower('ÅA'), 'Å' ILIKE 'å'").fetchone() == ("Åa", False)
    database = PostgresDatabase(ascii_only, timeout=5)
    user = replace(a_user(), name="Ægir Ångström 100%_", email="Ägir@Example.com")
    database.repositories.users.add(user)
    database.repositories.users.add(replace(a_user(2), name="Angstrom"))
    try:
        for text in ("ÅNGSTRÖM", "ångström", "ægir å", "STRÖM 100%_"):
            for filters in ({"search": Contains(text)}, {"name": Contains(text)}):
                assert [found.id for found in database.repositories.users.list(filters, limit=9).items] == [user.id]
                assert database.repositories.users.count(filters) == 1
        assert database.repositories.users.count({"search": Contains("ström 100_")}) == 0
        assert database.repositories.trails.users_with_email("äGIR@example.com", limit=2) == (user.id,)
        assert database.repositories.trails.users_with_email("agir@example.com", limit=2) == ()
    finally:
        database.close()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ("", "", "")),
        ("Ann %", ("Ann %", "", "")),
        ("Åse", ("åse", "Å", "å")),
        ("ßİ日", ("ßİ日", "", "")),  # no capital, one whose small form has two characters, no case at all
        (
            "\N{LATIN SMALL LETTER DOTLESS I}",
            ("\N{LATIN SMALL LETTER DOTLESS I}", "", ""),
        ),
        ("Ǆ", ("ǆ", "Ǆǅ", "ǆǆ")),
    ],
)
def test_a_text_is_folded_one_character_for_one(text: str, folded: tuple[str, str, str]) -> None:
    assert fold(text) == Folded(*folded)


@pytest.mark.parametrize(("present", "ctype"), [(("C.UTF-8", "C"), "C.UTF-8"), (("xx_YY.UTF-8", "C"), "C")])
def test_a_new_cluster_has_the_first_locale_that_the_system_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: tuple[str, ...], ctype: str
) -> None:
    monkeypatch.setattr(cluster, "CTYPES", present)
    engine = EmbeddedEngine(tmp_path, "locale", default_http_port=free_port(), probe=HttpClientProbe())
    try:
        started = engine.start_database(port=free_port(), http_port=None, app_wanted=False, deadline=Deadline(60))
        assert started.record is not None
        with connect_to(started.record.database) as sql:
            assert sql.execute(LOCALES).fetchone() == ("C", ctype)
    finally:
        engine.stop_database(Deadline(60))


def test_a_system_without_any_of_the_locales_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CTYPES", ("xx_YY.UTF-8", "yy_XX.UTF-8"))
    engine = EmbeddedEngine(tmp_path, "locale", default_http_port=free_port(), probe=HttpClientProbe())
    with pytest.raises(EngineFailed, match="initdb failed") as failed:
        engine.start_database(port=free_port(), http_port=None, app_wanted=False, deadline=Deadline(60))
    assert any('"yy_XX.UTF-8"' in line for line in failed.value.details)
    assert not engine.volumes()
