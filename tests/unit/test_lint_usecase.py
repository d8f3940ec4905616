"""Which migrations are linted, and when a lint fails."""

import pytest

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.lint import FailOn, Finding, LintResult, Severity
from kinetria_cli.domain.migration_ports import MigrationGateway
from kinetria_cli.usecases.lint import lint
from tests.fakes import FakeLinter, FakeMigrations

IDS = ("0001_a", "0002_b", "0010_c")


def chosen(*names: str, every: bool = False, migrations: MigrationGateway | None = None) -> tuple[str, ...]:
    return lint(linter=FakeLinter(IDS), migrations=migrations, names=names, every=every).files


def test_without_a_database_all_are_linted() -> None:
    assert chosen() == IDS
    assert chosen(every=True) == IDS


def test_with_a_database_what_is_pending_is_linted_and_all_only_on_demand() -> None:
    migrations = FakeMigrations(pending=("0010_c",))
    assert chosen(migrations=migrations) == ("0010_c",)
    assert chosen(migrations=migrations, every=True) == IDS
    assert chosen("0001", migrations=migrations) == ("0001_a",)


@pytest.mark.parametrize("names", [("0010_c", "0002_b"), ("0002", "0010"), ("10", "2", "0002_b")])
def test_names_are_ids_or_numbers_in_any_order(names: tuple[str, ...]) -> None:
    assert chosen(*names) == ("0002_b", "0010_c")


@pytest.mark.parametrize("name", ["3", "0003", "0001_", "a", "", "-1", "0001_a.sql", "9" * 5000])
def test_a_name_that_is_none_is_a_usage_error(name: str) -> None:
    with pytest.raises(MalformedParameters) as caught:
        chosen("0001", name)
    assert caught.value.message == f"{name!r} is no migration of the folder"
    assert caught.value.hint == "an id or its number: 0001_a, 0002_b, 0010_c"


def test_names_and_all_exclude_each_other() -> None:
    with pytest.raises(MalformedParameters, match="exclude each other"):
        chosen("0001", every=True)


def finding(severity: Severity, *, waived: bool = False) -> Finding:
    return Finding("0008_x", "0008_x.sql", 1, 1, "table-scan", severity, "m", waived=waived)


@pytest.mark.parametrize(
    ("severity", "failing"),
    [("info", set()), ("warning", {"warning"}), ("error", {"warning", "error"})],
)
def test_a_lint_fails_on_a_finding_that_is_as_severe_or_worse(severity: Severity, failing: set[FailOn]) -> None:
    levels: tuple[FailOn, ...] = ("error", "warning", "never")
    result = LintResult((finding(severity),), ("0008_x.sql",), database=False)
    assert {level for level in levels if result.fails(level)} == failing
    waived = LintResult((finding(severity, waived=True),), ("0008_x.sql",), database=False)
    assert not any(waived.fails(level) for level in levels)
    assert (waived.waived, waived.count(severity)) == (1, 0)
