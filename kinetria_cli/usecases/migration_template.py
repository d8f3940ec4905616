"""What a new migration's files say before anybody has written a statement: the rules, where they are needed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a migration's file and of the one that undoes it."""

    text: str
    rollback_text: str


def transactional_draft(table: str | None) -> Draft:
    """Return the files of a migration that runs in one transaction.

    Args:
        table: The table that it is about, if it is known.
    """
    name = table or "some_table"
    return Draft(
        f"""\
-- What this is for, in a sentence or two; the statements say what it does.
--
-- It runs in one transaction with its record: write no BEGIN and no COMMIT. When it fails, nothing of it stays.
-- A statement waits for everybody who uses its table, and whoever comes later waits behind it. So: few statements,
-- no UPDATE of many rows beside an ALTER TABLE, and
--   a column        without a volatile default; fill it in batches, not in here
--   a constraint    ADD ... NOT VALID here, VALIDATE CONSTRAINT in the next migration
--   an index        on a table that has rows, in a file of its own: kinetria migrate new --concurrent
-- Once it is applied anywhere else it is not edited any more: the next change is the next migration.

-- ALTER TABLE {name} ADD COLUMN some_column integer;
""",
        f"""\
-- Undoes it exactly: afterwards every table, column, index, type and function is as it was before. Say which data go.
--
-- It runs in one transaction with its record: write no BEGIN and no COMMIT. The last statement is undone first.

-- ALTER TABLE {name} DROP COLUMN some_column;
""",
    )


def concurrent_draft(table: str | None) -> Draft:
    """Return the files of a migration that builds an index while the table is written to.

    Args:
        table: The table of the index, if it is known.
    """
    name = table or "some_table"
    return Draft(
        f"""\
-- transactional: false
-- What this index is for: which query, or which foreign key's check.
--
-- It is built while others write, which cannot be done in a transaction: the file holds this one statement alone.
-- No IF NOT EXISTS: what an interrupted build leaves has the name too, and is of no use.
-- Once it is applied anywhere else it is not edited any more: the next change is the next migration.

-- CREATE INDEX CONCURRENTLY idx_{name}_some_column ON {name} (some_column);
""",
        f"""\
-- transactional: false
-- Which query becomes slow without it. This one statement alone, as above.

-- DROP INDEX CONCURRENTLY idx_{name}_some_column;
""",
    )
