"""What is destroyed, as sentences and as file names."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetria_cli.domain.loss import Loss, LossKind, age_text, distinct, placed
from kinetria_cli.usecases.losses import rollback_warning

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOTES = Loss(LossKind.DROPS, "sessions", "notes", rows=812, newest=NOW - timedelta(minutes=3), counted_at=NOW)
SETS = Loss(LossKind.DROPS, "set_records", rows=1962, newest=NOW - timedelta(minutes=3), counted_at=NOW, size=400_000)


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        (NOTES, "drops sessions.notes: 812 non-null values, the last written 3 minutes ago"),
        (SETS, "drops set_records: 1,962 rows, the newest 3 minutes old"),
        (Loss(LossKind.DROPS, "x", rows=0), "drops empty table x"),
        (Loss(LossKind.DROPS, "x", "y", rows=0), "drops x.y: no values"),
        (Loss(LossKind.DROPS, "x", "y", rows=1), "drops x.y: 1 non-null value"),
        (Loss(LossKind.DROPS, "Things", "a b", schema="app", rows=2), 'drops app."Things"."a b": 2 non-null values'),
        (Loss(LossKind.DROPS, "x\ny", rows=2), 'drops "x\\ny": 2 rows'),
        (Loss(LossKind.EMPTIES, "x", rows=2), "empties x: 2 rows"),
        (
            Loss(LossKind.DELETES, "audit_log", rows=7),
            "deletes rows of audit_log: how many cannot be counted beforehand, so the whole table counts (7 rows)",
        ),
        (
            Loss(LossKind.CHANGES, "audit_log", rows=1),
            "changes rows of audit_log: how many cannot be counted beforehand, so the whole table counts (1 row)",
        ),
        (
            Loss(LossKind.RETYPES, "x", "y", rows=3),
            "changes the type of x.y: 3 non-null values, which may lose precision",
        ),
        (Loss(LossKind.SEQUENCE, "s", rows=41), "drops sequence s, which stands at 41"),
        (Loss(LossKind.NO_ROWS, "type t"), "drops type t (no rows)"),
        (
            Loss(LossKind.UNKNOWN, "DO $$ x $$"),
            "runs DO $$ x $$: what it destroys cannot be told beforehand",
        ),
    ],
)
def test_a_loss_is_a_sentence(loss: Loss, sentence: str) -> None:
    assert loss.sentence() == sentence


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than a second"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (200, "3 minutes"),
        (7200, "2 hours"),
        (86400 * 3, "3 days"),
        (86400 * 61, "2 months"),
        (86400 * 800, "2 years"),
        (-5, "less than a second"),
    ],
)
def test_an_age_is_short(seconds: float, text: str) -> None:
    assert age_text(timedelta(seconds=seconds)) == text


def test_what_says_most_is_said_once() -> None:
    table = Loss(LossKind.DROPS, "t", rows=2)
    other = Loss(LossKind.DELETES, "u", rows=2)
    column = Loss(LossKind.DROPS, "u", "c", rows=2)
    found = distinct(
        [Loss(LossKind.DELETES, "t", rows=2), Loss(LossKind.DROPS, "t", "c", rows=1), table, other, column]
    )
    assert found == (table, other, column)
    # The key of the rows that are deleted may be among the columns that go.
    emptied = Loss(LossKind.EMPTIES, "u", rows=2)
    assert distinct([emptied, column]) == (emptied, column)


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (Loss(LossKind.DROPS, "set_records"), "set_records.csv"),
        (Loss(LossKind.DROPS, "set_records", "rpe"), "set_records.rpe.csv"),
        (Loss(LossKind.DROPS, "things", schema="app"), "app-things.csv"),
    ],
)
def test_a_plain_name_is_the_file_name(loss: Loss, name: str) -> None:
    assert loss.file_name == name


names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=63)
places = st.tuples(names, names, st.none() | names)


@given(places, places)
def test_file_names_are_safe_and_differ(
    first: tuple[str, str, str | None], second: tuple[str, str, str | None]
) -> None:
    one, other = (Loss(LossKind.DROPS, table, column, schema=schema) for schema, table, column in (first, second))
    assert re.fullmatch(r"[A-Za-z0-9_.-]+\.csv", one.file_name)
    assert len(one.file_name) < 250
    assert not one.file_name.startswith(".")
    assert (one.file_name.lower() == other.file_name.lower()) == (first == second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Loss(LossKind.DROPS, "a", "b"), Loss(LossKind.DROPS, "a.b")),
        (Loss(LossKind.DROPS, "b", schema="a"), Loss(LossKind.DROPS, "a", "b")),
        (Loss(LossKind.DROPS, "a/b"), Loss(LossKind.DROPS, "a_b")),
        (Loss(LossKind.DROPS, "Users"), Loss(LossKind.DROPS, "users")),
        (Loss(LossKind.DROPS, "b", schema="a"), Loss(LossKind.DROPS, "a-b")),
    ],
)
def test_alike_names_make_different_files(first: Loss, second: Loss) -> None:
    assert first.file_name.lower() != second.file_name.lower()


def test_the_question_of_one_column_names_its_file() -> None:
    loss = Loss(LossKind.DROPS, "set_records", "rpe", rows=18204, newest=NOW - timedelta(minutes=3), counted_at=NOW)
    own = placed([loss], "kept/0009_add_rpe")
    assert rollback_warning({"0009_add_rpe": own}, place="kinetria@db:5433/kinetria", kept_folder="kept") == (
        "0009_add_rpe would drop set_records.rpe: 18,204 non-null values, the last written 3 minutes ago.\n"
        "On kinetria@db:5433/kinetria. The values are kept in kept/0009_add_rpe/set_records.rpe.csv (about 0.1 MB)."
    )


def test_the_question_of_several_names_the_folder() -> None:
    text = rollback_warning(
        {"0002_b": placed([NOTES], "kept/0002_b"), "0001_a": (SETS, Loss(LossKind.NO_ROWS, "type t"))},
        place="there",
        kept_folder=str(Path("kept")),
    )
    assert text == (
        "0002_b would drop sessions.notes: 812 non-null values, the last written 3 minutes ago.\n"
        "0001_a would drop set_records: 1,962 rows, the newest 3 minutes old.\n"
        "0001_a would drop type t (no rows).\n"
        "On there. The rows are kept in kept (about 0.4 MB)."
    )


def test_the_question_says_when_nothing_is_kept_or_lost() -> None:
    assert rollback_warning({"a": (SETS,)}, place="there", kept_folder=None).endswith(
        "On there. Nothing of it is kept."
    )
    assert rollback_warning({"a": ()}, place="there", kept_folder="kept") == "a would destroy no data.\nOn there."
