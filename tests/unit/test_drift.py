"""The statements that mend a drift, and their order, without a server."""

from dataclasses import replace

import pytest

from kinetria_cli.domain.catalog import Fact, Fingerprint
from kinetria_cli.domain.definitions import Definitions, Part
from kinetria_cli.domain.drift import Comparison
from kinetria_cli.domain.drift_findings import findings
from kinetria_cli.domain.undoing import LABEL, script, superfluous_labels, to_change

NAME = "type public.mood"
SCHEMA = Fact("schema public", None, "schema")


def enum(labels: str) -> Definitions:
    parts = tuple(
        Part(NAME, LABEL + place / 1e6, False, True, label, f"'{label}'", None, None, "ALTER TYPE public.mood")
        for place, label in enumerate(labels.split(), start=1)
    )
    return Definitions({NAME: parts})


@pytest.mark.parametrize(
    ("here", "made", "statements"),
    [
        ("a c", "a b c", ["ADD VALUE 'b' AFTER 'a'"]),
        ("c", "a b c", ["ADD VALUE 'b' BEFORE 'c'", "ADD VALUE 'a' BEFORE 'b'"]),
        ("a", "a b c", ["ADD VALUE 'b' AFTER 'a'", "ADD VALUE 'c' AFTER 'b'"]),
        ("b", "a b c", ["ADD VALUE 'a' BEFORE 'b'", "ADD VALUE 'c' AFTER 'b'"]),
        ("a x c", "a b c", ["RENAME VALUE 'x' TO 'b'"]),
        ("x y", "a b", ["RENAME VALUE 'x' TO 'a'", "RENAME VALUE 'y' TO 'b'"]),
        ("a x", "a b c", ["ADD VALUE 'b' AFTER 'a'", "ADD VALUE 'c' AFTER 'b'"]),
        ("x", "a b", ["ADD VALUE 'a'", "ADD VALUE 'b' AFTER 'a'"]),
        ("b a", "a b", None),
        ("a b", "a", None),
    ],
)
def test_labels_are_added_and_renamed_and_never_dropped_or_moved(
    here: str, made: str, statements: list[str] | None
) -> None:
    found = to_change(enum(here), enum(made), Fingerprint([]), NAME)
    assert found == ([None] if statements is None else [f"ALTER TYPE public.mood {each}" for each in statements])


def test_a_label_that_only_has_another_name_is_not_superfluous() -> None:
    assert superfluous_labels(enum("a x c"), enum("a b c"), NAME) == ()
    assert superfluous_labels(enum("a x c d"), enum("a b c"), NAME) == ("'x'", "'d'")


def test_several_statements_can_run_in_one_transaction() -> None:
    one = "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)"
    assert script([one]) == f"{one};"
    assert script(["DROP INDEX CONCURRENTLY i", one]) == "DROP INDEX i;\nCREATE UNIQUE INDEX i ON t (a);"
    assert script([one, None]) is None
    assert script([]) is None


def test_a_name_that_says_concurrently_stays_as_it_is() -> None:
    statement = """DROP INDEX public."INDEX CONCURRENTLY i\""""
    assert script([statement, statement]) == f"{statement};\n{statement};"


def table(name: str) -> Fact:
    return Fact(f"table public.{name}", "schema public", "table")


def whole(name: str) -> Part:
    return Part(f"table public.{name}", 40, True, False, "table", "a table", f"CREATE {name}", f"DROP {name}")


@pytest.mark.parametrize(
    ("needs", "order"),
    [({"a": "b", "b": "c"}, "cba"), ({"a": "c", "b": "a"}, "cab"), ({"a": "b", "b": "a"}, "cab")],
)
def test_what_is_needed_comes_first_and_a_circle_ends(needs: dict[str, str], order: str) -> None:
    parts = {f"table public.{name}": (whole(name),) for name in "abc"}
    edges = {f"table public.{name}": frozenset({f"table public.{other}"}) for name, other in needs.items()}
    made = Fingerprint([SCHEMA, *map(table, "abc")])
    found = findings(Comparison(Fingerprint([SCHEMA]), made), Definitions(), Definitions(parts, edges))
    assert [finding.sql for finding in found] == [f"CREATE {name};" for name in order]


def test_what_no_part_explains_is_told_without_a_statement() -> None:
    made = replace(table("a"), definition="table, of type public.t")
    here, there = Fingerprint([SCHEMA, table("a")]), Fingerprint([SCHEMA, made])
    parts = Definitions({"table public.a": (whole("a"),)})
    (finding,) = findings(Comparison(here, there), parts, parts)
    assert finding.sql is None
    assert finding.message == (
        "here table; by the migrations table, of type public.t; no statement can be given for it"
    )
