"""No scenario of the first release is without a test that names it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ALL = {f"S{number:02}" for number in range(1, 48)}


def marked(path: Path) -> Iterator[str]:
    """The numbers in a file: pytest.mark.scenario("S05") above a test or on one of its parameters."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.scenario":
            yield from (ast.literal_eval(argument) for argument in node.args)


@pytest.fixture(scope="module")
def found() -> set[str]:
    return {number for path in TESTS.rglob("test_*.py") for number in marked(path)}


def test_every_scenario_has_a_test(found: set[str]) -> None:
    assert sorted(ALL - found) == []


def test_every_number_is_one_of_the_scenarios(found: set[str]) -> None:
    assert sorted(found - ALL) == []
