"""The locks that a statement takes, read off its words."""

import pytest

from kinetria_cli.gateways.migrations.locks import LockMode, lock_needs
from kinetria_cli.gateways.migrations.sqltext import statements


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ALTER TABLE users ADD COLUMN x int", ["users ACCESS EXCLUSIVE"]),
        ("alter table if exists only public.users drop column x", ["public.users ACCESS EXCLUSIVE"]),
        (
            "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES c (id)",
            ["a SHARE ROW EXCLUSIVE", "c SHARE ROW EXCLUSIVE"],
        ),
        ("ALTER TABLE a ADD COLUMN b int REFERENCES c", ["a ACCESS EXCLUSIVE", "c SHARE ROW EXCLUSIVE"]),
        ("ALTER TABLE a VALIDATE CONSTRAINT f", ["a SHARE UPDATE EXCLUSIVE"]),
        ("ALTER TABLE a VALIDATE CONSTRAINT f, DROP COLUMN x", ["a ACCESS EXCLUSIVE"]),
        ("ALTER TABLE a DISABLE TRIGGER t", ["a SHARE ROW EXCLUSIVE"]),
        ("CREATE TABLE n (id int REFERENCES o (id))", ["o SHARE ROW EXCLUSIVE"]),
        ("CREATE TABLE n (id int)", []),
        ("CREATE INDEX i ON t (a)", ["t SHARE"]),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", ["t SHARE UPDATE EXCLUSIVE"]),
        ("CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()", ["t SHARE ROW EXCLUSIVE"]),
        ("CREATE OR REPLACE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()", ["t SHARE ROW EXCLUSIVE"]),
        ("DROP TRIGGER g ON t", ["t ACCESS EXCLUSIVE"]),
        ("DROP TABLE a, b.c CASCADE", ["a ACCESS EXCLUSIVE", "b.c ACCESS EXCLUSIVE"]),
        ("DROP INDEX CONCURRENTLY i", []),
        ("DROP INDEX i", ["i ACCESS EXCLUSIVE"]),
        ("TRUNCATE TABLE a, b", ["a ACCESS EXCLUSIVE", "b ACCESS EXCLUSIVE"]),
        ("LOCK TABLE a IN SHARE ROW EXCLUSIVE MODE", ["a SHARE ROW EXCLUSIVE"]),
        ("LOCK a", ["a ACCESS EXCLUSIVE"]),
        ("VACUUM FULL a", ["a ACCESS EXCLUSIVE"]),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY m", ["m EXCLUSIVE"]),
        ("INSERT INTO a VALUES (1)", []),
        ("SELECT 'ALTER TABLE users'", []),
    ],
)
def test_a_statement_takes_these_locks(text: str, found: list[str]) -> None:
    (statement,) = statements(text)
    assert [f"{need.relation} {need.mode.title}" for need in lock_needs(statement)] == found


def test_a_strong_lock_waits_for_more_than_a_weak_one() -> None:
    assert "AccessShareLock" in LockMode.ACCESS_EXCLUSIVE.conflicts
    assert "AccessShareLock" not in LockMode.EXCLUSIVE.conflicts
    assert "RowExclusiveLock" in LockMode.SHARE.conflicts
    assert "ShareLock" not in LockMode.SHARE.conflicts
    assert "RowExclusiveLock" not in LockMode.SHARE_UPDATE_EXCLUSIVE.conflicts
    assert "ShareUpdateExclusiveLock" in LockMode.SHARE_UPDATE_EXCLUSIVE.conflicts
