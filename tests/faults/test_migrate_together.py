"""Eight command lines at once on an empty database, twenty times."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.migrating import assert_recorded_once, index_valid, states, variables
from tests.integration.test_catalog import catalog, missing
from tests.world import IDS, MIGRATIONS, NEXT, connect_to, start_kinetria

ROUNDS = 20
RUNNERS = 8
INDEX = f"{NEXT}_index"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The project's own migrations, and an index that is built outside a transaction."""
    copy = tmp_path / "own"
    shutil.copytree(MIGRATIONS, copy)
    (copy / f"{INDEX}.sql").write_text(
        "-- transactional: false\nCREATE INDEX CONCURRENTLY together ON sessions (workout_id, user_id);\n"
    )
    return copy


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_eight_runners_apply_each_file_once_and_all_succeed(empty: ConnectionParams, folder: Path, _round: int) -> None:
    runs = [start_kinetria("migrate", "--json", env=variables(empty, folder)) for _ in range(RUNNERS)]
    answers = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0] * RUNNERS, answers
    data = [json.loads(out)["data"] for out, _ in answers]
    ids = (*IDS, INDEX)
    assert Counter(run["id"] for found in data for run in found["applied"]) == dict.fromkeys(ids, 1)
    assert {(found["pending"], found["head"]) for found in data} == {(0, INDEX)}
    assert states(empty) == [(name, "applied") for name in ids]
    assert_recorded_once(empty, folder, *ids)
    assert index_valid(empty, "together") is True
    with connect_to(empty) as sql:
        logged = sql.execute("SELECT migration_id, count(*) FROM _yoyo_log GROUP BY 1 ORDER BY 1").fetchall()
        assert logged == [(name, 1) for name in ids]
        sql.execute("DROP INDEX together")
        assert missing(catalog(sql)) == []
