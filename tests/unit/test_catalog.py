"""How two catalogs differ: the object that is the cause, and not all that hangs on it."""

from kinetria_cli.domain.catalog import Difference, Fact, Fingerprint, differences

TABLE = Fact("table a", "schema public", "table")
COLUMN = Fact("column a.b", "table a", "int")
COMMENT = Fact("comment on column a.b", "column a.b", "'x'")
SCHEMA = Fact("schema public", None, "schema")


def test_two_equal_ones_differ_in_nothing_whatever_the_order() -> None:
    assert differences(Fingerprint([TABLE, COLUMN]), Fingerprint([COLUMN, TABLE])) == ()
    assert Fingerprint([TABLE, COLUMN]) == Fingerprint([COLUMN, TABLE])


def test_a_changed_definition_shows_both() -> None:
    changed = Fact(COLUMN.object, COLUMN.parent, "text")
    assert differences(Fingerprint([TABLE, COLUMN]), Fingerprint([TABLE, changed])) == (
        Difference("column a.b", "int", "text"),
    )


def test_what_hangs_on_a_missing_object_is_not_told_again() -> None:
    whole = Fingerprint([SCHEMA, TABLE, COLUMN, COMMENT])
    assert differences(Fingerprint([SCHEMA]), whole) == (Difference("table a", None, "table"),)
    assert differences(whole, Fingerprint([SCHEMA])) == (Difference("table a", "table", None),)


def test_what_belongs_to_something_that_is_no_fact_is_told() -> None:
    strange = Fact("type far.t", "schema far", "enum 'a'")
    assert differences(Fingerprint([]), Fingerprint([strange])) == (Difference("type far.t", None, "enum 'a'"),)


def test_differences_come_by_name() -> None:
    more = [Fact(f"index {name}", "table a", name) for name in "cab"]
    found = differences(Fingerprint([TABLE]), Fingerprint([TABLE, *more]))
    assert [difference.object for difference in found] == ["index a", "index b", "index c"]


def test_within_keeps_an_object_and_all_that_hangs_on_it() -> None:
    elsewhere = Fact("table other.z", "schema other", "table")
    whole = Fingerprint([SCHEMA, TABLE, COLUMN, COMMENT, elsewhere])
    assert {fact.object for fact in whole.within("schema public")} == {
        "schema public",
        "table a",
        "column a.b",
        "comment on column a.b",
    }
