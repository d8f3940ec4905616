"""The use case of exports, on the ports in memory."""

import pytest

from kinetria_cli.domain.errors import FileUnwritable, RecordNotFound
from kinetria_cli.domain.export import Export, ExportFormat
from kinetria_cli.usecases.export import export_records
from tests.contract.records import a_user, a_workout, an_exercise
from tests.fake_repositories import FakeDatabase
from tests.fakes import FakeProgress

NDJSON = Export(ExportFormat.NDJSON, {})


@pytest.fixture
def database() -> FakeDatabase:
    database = FakeDatabase()
    for number in (1, 2):
        user = a_user(number)
        database.repositories.users.add(user)
        database.repositories.workouts.add(a_workout(user))
    return database


def exported(database: FakeDatabase, entity: str, wanted: Export) -> tuple[int, bytes]:
    written: list[bytes] = []
    records = export_records(entity, wanted, database=database, write=written.append, progress=FakeProgress())
    return records, b"".join(written)


def test_everything_is_written_and_counted(database: FakeDatabase) -> None:
    records, data = exported(database, "users", NDJSON)
    assert (records, data.count(b"\n")) == (2, 2)


def test_an_entity_has_the_words_of_the_command_line(database: FakeDatabase) -> None:
    assert exported(database, "set-records", NDJSON) == (0, b"")


@pytest.mark.parametrize("key", ["user2@example.com", str(a_user(2).id)])
def test_a_user_is_named_by_id_or_email(database: FakeDatabase, key: str) -> None:
    records, data = exported(database, "workouts", Export(ExportFormat.NDJSON, {"user": key, "status": None}))
    assert records == 1
    assert str(a_user(2).id).encode() in data


def test_nothing_is_written_for_a_user_that_is_not_there(database: FakeDatabase) -> None:
    with pytest.raises(RecordNotFound) as caught:
        exported(database, "workouts", Export(ExportFormat.CSV, {"user": "no@example.com"}))
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("error", [FileUnwritable("full"), KeyboardInterrupt()])
def test_what_ends_it_half_way_says_how_far_it_was(database: FakeDatabase, error: BaseException) -> None:
    def write(_: bytes) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        export_records("users", NDJSON, database=database, write=write, progress=FakeProgress())
    assert caught.value.__notes__ == ["what was written is not all: at least 0 records"]


def test_progress_has_a_beginning_and_an_end(database: FakeDatabase) -> None:
    database.repositories.exercises.add(an_exercise())
    progress = FakeProgress()
    export_records("exercises", NDJSON, database=database, write=lambda _: None, progress=progress)
    assert progress.told == ["begin export of exercises", "end export: 1 records"]
