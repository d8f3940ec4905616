"""The data move between the engines, row by row, and are never in doubt."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kinetria_cli.domain import constants
from kinetria_cli.domain.stack import ConnectionParams
from tests.docker.kinetria_stack import DockerStack, docker_stack_in, json_of
from tests.docker.plain import attempt
from tests.faults.stack import wait_for
from tests.world import connect_to

TABLES = (*constants.TABLES, "_yoyo_migration")
OLDER = "the data of project {} are in the {} engine; what {} still has is an older copy"


@pytest.fixture
def both(docker_engine: None, tmp_path: Path) -> Iterator[DockerStack]:
    """A project that may be on either engine."""
    with docker_stack_in(tmp_path / "home") as made:
        made.variables = {"KINETRIA_ENGINE": "auto", "HTTP_PORT": str(made.http_port)}
        yield made


def rows(params: ConnectionParams) -> dict[str, Any]:
    """A digest of every row of every table, whatever their order."""
    with connect_to(params) as connection:
        return {
            table: connection.execute(
                f"SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM {table} AS t".encode()
            ).fetchone()
            for table in TABLES
        }


def add_user(params: ConnectionParams, email: str) -> None:
    with connect_to(params) as connection:
        connection.execute("INSERT INTO users (email, name, password_hash) VALUES (%s, 'New', 'x')", [email])


def test_there_and_back_the_rows_are_the_same_and_an_older_copy_is_never_taken_for_them(both: DockerStack) -> None:
    assert both("up", "--engine", "docker", "--seed", "demo").code == 0
    before = rows(both.params)
    refused = both("up", "--engine", "embedded", "--json")
    assert (refused.code, refused.error["code"]) == (5, "refused")
    assert refused.error["hint"].startswith("kinetria up --engine embedded --carry takes them along")

    there = json_of(both("up", "--engine", "embedded", "--carry", "--json"))
    assert (there["engine"], there["migrations"]["applied"]) == ("embedded", [])
    assert rows(both.params) == before
    assert both.containers() == []
    assert both("health").code == 0
    assert both("up").out.startswith("engine        embedded")

    back = both("up", "--engine", "docker", "--json")
    assert back.code == 5
    assert back.error["message"] == OLDER.format(both.project, "embedded", "docker")
    add_user(both.params, "moved@example.com")
    changed = rows(both.params)
    again = both("up", "--engine", "docker", "--carry")
    assert again.code == 0, again.err
    assert "what was here before is kept as database kinetria_superseded" in again.out
    assert rows(both.params) == changed
    assert rows(replace_name(both.params, "kinetria_superseded")) == before
    assert both("up", "--engine", "docker", "--carry").code == 0, "there already: nothing to carry"

    removed = json_of(both("down", "--volumes", "--yes", "--json"))["removed_volumes"]
    assert removed == [str(both.folder.data), f"{both.project}_postgres_data", f"{both.project}_secret"]
    assert both.volumes() == set()
    assert not both.folder.data.exists()


def replace_name(params: ConnectionParams, dbname: str) -> ConnectionParams:
    return ConnectionParams(params.host, params.port, params.user, params.password, dbname, params.sslmode)


def test_a_stopped_stack_is_carried_as_well(both: DockerStack) -> None:
    both("up", "--engine", "embedded", "--seed", "minimal", "--no-app")
    before = rows(both.params)
    both("down")
    assert both("up", "--engine", "docker", "--carry", "--no-app").code == 0
    assert rows(both.params) == before


def test_carry_asks_where_to(both: DockerStack) -> None:
    answer = both("up", "--carry", "--json")
    assert (answer.code, answer.error["code"]) == (2, "parameters.malformed")


def test_an_open_change_stops_it_and_everything_goes_on_as_before(both: DockerStack) -> None:
    both("up", "--engine", "embedded", "--seed", "minimal")
    with connect_to(both.params) as writer, writer.transaction():
        writer.execute("UPDATE users SET name = 'Changed'")
        answer = both("up", "--engine", "docker", "--carry", "--json")
    assert (answer.code, answer.error["code"]) == (4, "database.busy")
    assert "is changing rows" in answer.error["message"]
    status = json_of(both("status", "--json"))
    assert (status["engine"], status["health"]) == ("embedded", "healthy")
    assert not any(both.look(service)["State"]["Running"] for service in ("postgres",))
    assert both("up", "--engine", "docker", "--carry", "--no-app").code == 0
    with both.connect() as connection:
        assert connection.execute("SELECT name FROM users").fetchone() == ("Changed",)


@pytest.mark.parametrize("moment", ["landing", "dump", "arrived"])
def test_killed_half_way_the_old_stack_still_has_the_data_and_the_next_run_takes_them(
    both: DockerStack, moment: str
) -> None:
    both("up", "--engine", "embedded", "--seed", "demo", "--no-app")
    before = rows(both.params)
    run = both.start("up", "--engine", "docker", "--carry", "--no-app")
    reached: dict[str, Callable[[], bool]] = {
        "landing": lambda: both.folder.password("docker").exists(),
        "dump": (both.folder.root / "carry.dump").exists,
        "arrived": lambda: arrived(both),
    }
    wait_for(lambda: run.poll() is not None or reached[moment](), 60)
    run.kill()
    run.communicate()
    if json_of(both("status", "--json"))["engine"] == "embedded":
        both("up", "--no-app")
        assert rows(both.params) == before
    done = both("up", "--engine", "docker", "--carry", "--no-app")
    assert done.code == 0, done.err
    assert rows(both.params) == before
    assert list(both.folder.root.glob("carry.*")) == []


def arrived(stack: DockerStack) -> bool:
    """Whether the first table stands in the database that the rows land in."""
    inside = "PGPASSWORD=$(cat /run/kinetria/db_password) psql -h 127.0.0.1 -U kinetria -d kinetria_carried -Atc"
    words = ("exec", stack.container("postgres"), "sh", "-c", f'{inside} "SELECT count(*) FROM users"')
    return attempt(*words).stdout.strip().isdigit()
