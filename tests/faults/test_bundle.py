"""`kinetria doctor --bundle` of a real stack: all that helps is in it, and no secret."""

import base64
import json
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.stack import TestStack, stack_in
from tests.world import IDS, Cli, database_variables, kinetria

TOKEN = "SENTINEL-token:/x"
WRONG = "SENTINEL-wrong pw"
ROLE = "SENTINEL-role-pw"
PARTS = {
    "README.txt",
    "doctor.json",
    "health.json",
    "settings.json",
    "versions.json",
    "engine.json",
    "status.json",
    "migrations.json",
    "migration-history.json",
    "database.json",
    "logs/postgres.log",
    "logs/app.log",
}


def unpacked(path: Path) -> dict[str, str]:
    """The members of a bundle by their names."""
    found = {}
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            stream = archive.extractfile(member)
            assert stream is not None
            found[member.name] = stream.read().decode()
    return found


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[TestStack]:
    with stack_in(tmp_path / "stack home") as made:
        made.variables["HEALTH_TOKEN"] = TOKEN
        yield made


def leave_traces(stack: TestStack) -> None:
    """Leave secrets and personal data wherever a log, a record or a setting could have them."""
    params = stack.params
    with stack.connect() as connection:
        for statement in (
            f"CREATE ROLE twice LOGIN PASSWORD '{ROLE}'",
            f"CREATE ROLE twice\n\tPASSWORD '{ROLE}' LOGIN",
            f"ALTER ROLE nobody PASSWORD E'{ROLE}'",
            "INSERT INTO users (email, password_hash) VALUES ('ana.SENTINEL@example.com', 'SENTINEL-hash')",
            f"SELECT 'password={ROLE}', 'postgres://ana:{ROLE}@db/gym' FROM nowhere",
            f"SELECT 1 FROM nowhere WHERE token = '{params.password}'",
        ):
            try:
                connection.execute(statement)
            except psycopg.Error as error:
                assert error.sqlstate, statement
    refused = {**database_variables(params), "DB_PASSWORD": WRONG}
    assert kinetria("status", "--json", env={**stack.env, **refused}).code == 0
    lines = [
        f"password {params.password} as it is",
        f"url postgres://kinetria:{quote(params.password)}@127.0.0.1/kinetria",
        f"passfile 127.0.0.1:5432:kinetria:kinetria:{params.password}",
        "basic " + base64.b64encode(f"kinetria:{params.password}".encode()).decode(),
        f"Authorization: Bearer {TOKEN}",
        f"token {TOKEN} and {quote(TOKEN, safe='')} and {json.dumps(TOKEN)}",
        "got Bearer SENTINEL-unknown-token",
        'PGPASSWORD=SENTINEL-unknown-1 psql, {"db_password": "SENTINEL-unknown-2"}, https://u:SENTINEL-unknown-3@h/',
        "SCRAM-SHA-256$4096:SENTINEL=$SENTINEL:SENTINEL",
        "mail from ana.SENTINEL@example.com",
        '{"message": "request", "path": "/r/joe.SENTINEL@example.com"}',
    ]
    with stack.folder.app_log.open("a") as log:
        log.writelines(f"{line}\n" for line in lines)


@pytest.mark.parametrize("name", ["b.tar.gz", "b.zip"])
def test_no_secret_is_anywhere_in_it_and_what_helps_is(stack: TestStack, tmp_path: Path, name: str) -> None:
    assert stack.up().code == 0
    leave_traces(stack)
    path = tmp_path / name
    answer = stack("doctor", "--bundle", str(path), "--json")
    assert answer.code == 0, answer.err
    members = unpacked(path)
    assert set(members) == PARTS
    assert {part["status"] for part in answer.data["parts"]} == {"written"}
    assert answer.data["size_bytes"] == path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600

    password = stack.params.password
    secrets = ["SENTINEL", password, quote(TOKEN, safe=""), base64.b64encode(password.encode()).decode()[:-4]]
    for text in (*members.values(), path.read_bytes().decode("latin-1"), answer.out, answer.err):
        assert not [secret for secret in secrets if secret in text]
    taken = answer.data["redacted"]
    for what in ("known secrets", "tokens", "passwords in SQL", "passwords in addresses", "e-mail addresses"):
        assert taken[what] > 0
        assert f"{taken[what]} x {what}" in members["README.txt"]

    documents = {name: json.loads(text) for name, text in members.items() if name.endswith(".json")}
    assert documents["doctor.json"]["cause"] is None
    assert documents["health.json"]["status"] == "healthy"
    settings = {value["name"]: value for value in documents["settings.json"]["values"]}
    assert settings["HEALTH_TOKEN"] == {
        "name": "HEALTH_TOKEN",
        "value": None,
        "origin": "the environment",
        "secret": True,
    }
    assert documents["versions.json"]["libraries"]["psycopg"] == psycopg.__version__
    assert documents["engine.json"]["parts"]["postgres"]["pid"] == stack.postmaster
    assert datetime.fromisoformat(documents["engine.json"]["parts"]["app"]["started_at"]).tzinfo is not None
    assert [found["id"] for found in documents["migration-history.json"]["runs"]] == list(IDS)
    assert "users" in {table["name"] for table in documents["database.json"]["tables"]}
    assert 'role "twice" already exists' in members["logs/postgres.log"]
    assert "listening" in members["logs/app.log"]


def test_a_stopped_stack_gives_what_can_be_had_and_says_what_not(stack: TestStack, tmp_path: Path) -> None:
    assert stack.up("--no-app").code == 0
    assert stack("down").code == 0
    path = tmp_path / "b.zip"
    answer = stack("doctor", "--bundle", str(path), "--log-lines", "1", "--json")
    assert answer.code == 0, answer.err
    missing = {part["name"] for part in answer.data["parts"] if part["status"] == "failed"}
    assert missing == {"migrations.json", "migration-history.json", "database.json"}
    members = unpacked(path)
    assert json.loads(members["doctor.json"])["command"] == "kinetria up --no-app"
    assert "error" in json.loads(members["database.json"])
    assert members["README.txt"].count("COULD NOT BE HAD") == len(missing)
    assert len(members["logs/postgres.log"].splitlines()) == 1


def test_with_settings_that_cannot_be_used_it_is_written_all_the_same(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PORT", "no number")
    monkeypatch.setenv("DB_PASSWORD", "SENTINEL-pw")
    monkeypatch.setenv("DATABASE_URL", "postgres://ana:SENTINEL-url@db:1/SENTINEL-pw")
    path = tmp_path / "b.zip"
    answer = cli("doctor", "--bundle", str(path), "--json")
    assert answer.code == 0, answer.err
    members = unpacked(path)
    assert "DB_PORT" in json.loads(members["doctor.json"])["cause"]
    assert {value["name"] for value in json.loads(members["settings.json"])["values"]} >= {"DB_PORT", "DB_PASSWORD"}
    assert json.loads(members["versions.json"])["kinetria"]
    assert "SENTINEL" not in "".join(members.values()) + answer.out + answer.err


def test_a_database_of_the_users_own(cli: Cli, migrated: ConnectionParams, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    answer = cli.use(migrated)("doctor", "--bundle", str(path))
    assert answer.code == 0, answer.err
    assert "Read it before you send it" in answer.out
    members = unpacked(path)
    assert migrated.password not in "".join(members.values())
    assert json.loads(members["database.json"])["server"]["max_connections"] > 0


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (("--bundle", "b.rar"), 2, "parameters.malformed"),
        (("--bundle", "there.zip"), 5, "refused"),
        (("--bundle", "link.zip"), 5, "refused"),
        (("--bundle", "no/such/folder/b.zip"), 1, "file.unwritable"),
        (("--bundle", "b.zip", "--fix"), 2, "parameters.malformed"),
        (("--force",), 2, "parameters.malformed"),
        (("--log-lines", "5"), 2, "parameters.malformed"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_asked(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], exit_code: int, code: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    (place / "there.zip").write_text("mine")
    (place / "link.zip").symlink_to("there.zip")
    error = cli("doctor", *arguments, "--json").error
    assert (error["exit_code"], error["code"]) == (exit_code, code)
    assert error["hint"]
    assert sorted(path.name for path in place.iterdir()) == ["link.zip", "there.zip"]
    assert (place / "there.zip").read_text() == "mine"


def test_force_replaces_what_is_there(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    path.write_text("old")
    assert cli("doctor", "--bundle", str(path), "--force").code == 0
    assert "doctor.json" in unpacked(path)
