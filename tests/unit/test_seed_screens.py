"""What people see of a verification and of a removal, in full."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from kinetria_cli.presentation.encoder import encode
from kinetria_cli.presentation.human import render
from kinetria_cli.presentation.human.seed_commands import seed_command
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.usecases.profiles import minimal
from kinetria_cli.usecases.seeding.remove import RemovedTable, SeedRemoval
from kinetria_cli.usecases.seeding.results import SeedResult, SeedTable
from kinetria_cli.usecases.seeding.verification import (
    Counted,
    DifferentRow,
    RecordedSeed,
    SeedVerification,
    VerifiedTable,
)
from kinetria_cli.usecases.up import describe
from tests.seeding import ToyProfile

AS_OF = ToyProfile.as_of
A, B = Counted(1200, "00112233445566ff"), Counted(1199, "ff00112233445566")
ROW = UUID("019b8dcb-0007-7abc-8def-0123456789ab")
GOOD = SeedVerification(
    "demo", 42, 5, AS_OF, "d1", (VerifiedTable("users", A, A, 0, 0, 0),), (), 0, RecordedSeed(5, AS_OF, "d1"), (), 0.05
)
BAD = replace(
    GOOD,
    tables=(VerifiedTable("users", A, B, 2, 1, 1),),
    differences=(
        DifferentRow("users", ROW, "missing"),
        DifferentRow("users", ROW, "changed", ("email", "name")),
        DifferentRow("users", ROW, "unexpected"),
    ),
    more=1,
    notes=("it was seeded with 5 users",),
)
SEEDED = SeedResult("demo", 42, (SeedTable("users", 1, 0, 0),), 0.2, 5, AS_OF)
OTHER = datetime(2025, 6, 1, 6, tzinfo=UTC)
REMOVAL = SeedRemoval("demo", 42, (RemovedTable("users", 5), RemovedTable("audit_log", 1234)), None, 0.2)


def text(result: object) -> str:
    stream = io.StringIO()
    render(result, Screen(stream, no_color=True, force_color=False, utf8=True, essential=True))
    return stream.getvalue()


@pytest.mark.parametrize(("result", "expected"), [
    (GOOD, """\
ok demo, random seed 42, 5 users: all 1,200 rows are there as the profile has them, as of 2026-11-16 18:30; 50 ms
table   rows  hash
users  1,200  00112233445566ff
"""),
    (BAD, """\
xx demo, random seed 42, 5 users: 4 rows differ; 50 ms
table   rows  expected  missing  changed  unexpected  hash
users  1,199     1,200        2        1           1  differs

table  id                                    state       columns
users  019b8dcb-0007-7abc-8def-0123456789ab  missing
users  019b8dcb-0007-7abc-8def-0123456789ab  changed     email, name
users  019b8dcb-0007-7abc-8def-0123456789ab  unexpected
and 1 more
!! it was seeded with 5 users
  kinetria seed            inserts what is missing
  kinetria seed --restore  sets back what was changed, and inserts what is missing
  kinetria seed --remove   takes away all rows with the seed's mark, the unexpected ones too
"""),
])  # fmt: skip
def test_a_proof(result: SeedVerification, expected: str) -> None:
    assert result.ok == (result is GOOD)
    assert text(result) == expected


@pytest.mark.parametrize(
    ("changes", "option", "command"),
    [
        ({}, "", "kinetria seed"),
        ({}, "--restore", "kinetria seed --restore"),
        ({"random_seed": -7}, "--verify", "kinetria seed --profile demo --random-seed -7 --verify"),
        ({"as_of": OTHER}, "--restore", "kinetria seed --as-of 2025-06-01T06:00:00+00:00 --restore"),
        ({"profile": "minimal", "as_of": minimal.AS_OF}, "--restore", "kinetria seed --profile minimal --restore"),
        ({"profile": "load"}, "--restore", "kinetria seed --profile load --users 5 --restore"),
        (
            {"profile": "load", "random_seed": 7, "as_of": OTHER},
            "--verify",
            "kinetria seed --profile load --random-seed 7 --users 5 --as-of 2025-06-01T06:00:00+00:00 --verify",
        ),
        (
            {"profile": "load", "random_seed": 7, "as_of": OTHER},
            "--remove",
            "kinetria seed --profile load --random-seed 7 --remove",
        ),
        (
            {"profile": "gym"},
            "--restore",
            "kinetria seed --profile FILE.toml --users 5 --as-of 2026-11-16T18:30:00+00:00 --restore",
        ),
    ],
)
def test_a_command_to_paste_is_about_the_same_seed(changes: dict[str, Any], option: str, command: str) -> None:
    assert seed_command(replace(GOOD, **changes), option) == command


@pytest.mark.parametrize(
    ("table", "last"),
    [
        (SeedTable("users", 1, 0, 0, 4), "would insert 1 row and restore 4"),
        (SeedTable("users", 0, 0, 4, 1), "would restore 1 row"),
        (SeedTable("users", 2, 0, 0, 0), "would insert 2 rows"),
        (SeedTable("users", 0, 0, 5, 0), "would insert 0 rows"),
    ],
)
def test_a_dry_run_tells_what_would_be_written(table: SeedTable, last: str) -> None:
    told = text(replace(SEEDED, tables=(table,), dry_run=True)).splitlines()
    assert told[-1] == f"demo, random seed 42: {last}; nothing was written"


def test_one_row_is_one_row() -> None:
    assert text(SEEDED) == "ok 1 row in 0.2 s: users 1\n"
    assert text(replace(SEEDED, tables=(SeedTable("users", 0, 0, 1),))).endswith("nothing to do, 1 row is there\n")
    assert describe(SEEDED) == "1 user"


def test_the_json_of_a_proof() -> None:
    found = encode(BAD)
    assert found["tables"] == [
        {
            "name": "users",
            "expected": {"rows": 1200, "hash": "00112233445566ff"},
            "found": {"rows": 1199, "hash": "ff00112233445566"},
            "missing": 2,
            "changed": 1,
            "unexpected": 1,
        }
    ]
    assert found["differences"][1] == {
        "table": "users",
        "id": str(ROW),
        "state": "changed",
        "columns": ["email", "name"],
    }
    assert found["recorded"] == {"users": 5, "as_of": "2026-11-16T18:30:00+00:00", "definition": "d1"}


@pytest.mark.parametrize(("result", "expected"), [
    (REMOVAL, """\
table      removed
users            5
audit_log    1,234
ok demo, random seed 42: removed 1,239 rows in 0.2 s
"""),
    (replace(REMOVAL, dry_run=True, kept="another seed uses it: load, random seed 1"), """\
table      would remove
users                 5
audit_log         1,234
demo, random seed 42: would remove 1,239 rows; nothing was written
The exercise catalogue stays: another seed uses it: load, random seed 1.
"""),
    (replace(REMOVAL, tables=()), "demo, random seed 42: nothing to do, no row of it is there\n"),
])  # fmt: skip
def test_a_removal(result: SeedRemoval, expected: str) -> None:
    assert text(result) == expected
