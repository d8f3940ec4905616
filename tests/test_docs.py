"""The README says what there is: every command, exit code and error code, and nothing that is not there."""

import ast
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import error_classes
from kinetria_cli.settings import NAMES
from tests.world import CHECKOUT, HEAD, IDS, Cli, command_paths

README = (CHECKOUT / "README.md").read_text("utf-8")
SOURCES = sorted((CHECKOUT / "kinetria_cli").rglob("*.py"))


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"README has no section {title}"
    return found[1]


def test_every_command_has_a_row_and_every_row_a_command() -> None:
    rows = set(re.findall(r"^\| `kinetria ([a-z -]+?)(?: [A-Z\[][^`]*)?`", section("Commands"), re.MULTILINE))
    groups = {"inspect", "config", "db"}
    expected = {" ".join(path) for path in command_paths() if (path and path[0] not in groups) or len(path) > 1}
    assert rows == {row for row in expected if not row.startswith("inspect ")} | {"inspect"}


def test_every_exit_code_has_a_row() -> None:
    rows = {int(code) for code in re.findall(r"^\| (\d+) \|", section("Exit codes"), re.MULTILINE)}
    used = {kind.exit_code for kind in error_classes()} | {0, 7, 130, 143}
    assert rows == used


def test_every_error_code_is_listed() -> None:
    listed = set(re.findall(r"`([a-z]+(?:\.[a-z_]+)?)`", section("Error codes")))
    assert listed == {kind.code for kind in error_classes()} | {"interrupted"}


def test_the_two_commands_are_given() -> None:
    assert "make up" in README
    assert "make test" in README


@pytest.mark.parametrize("title", ["Examples", "Engines"])
def test_the_examples_are_of_the_present_migrations(title: str) -> None:
    applied = re.findall(r"(\d+) applied\b.*?(\d{4}_\w+)", section(title))
    assert applied
    assert set(applied) == {(str(len(IDS)), HEAD)}


def test_the_example_of_an_env_file_has_every_variable() -> None:
    example = (CHECKOUT / ".env.example").read_text("utf-8")
    assert set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE)) == NAMES


def test_the_source_distribution_has_what_make_and_the_readme_need(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    assert {
        ".env.example",
        "Makefile",
        "constraints.txt",
        "README.md",
        "LICENSE",
        "migrations/0001_create_users.sql",
    } <= names


def test_what_prints_lines_takes_no_json(cli: Cli) -> None:
    """As the README says of `logs` and `serve`."""
    without = {path for path in command_paths() if path and "--json" not in cli(*path, "--help").out}
    assert without == {("logs",), ("serve",)}


def texts() -> set[str]:
    """Every string of the package that is not a docstring: what a user may read."""
    found = set()
    for path in SOURCES:
        tree = ast.parse(path.read_text("utf-8"))
        bodies = [getattr(node, "body", None) for node in ast.walk(tree)]
        firsts = [body[0] for body in bodies if isinstance(body, list) and body]
        prose = {id(first.value) for first in firsts if isinstance(first, ast.Expr)}
        found |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
        }
    return found


SECOND_WORDS = sorted({path[1] for path in command_paths() if len(path) > 1})
NAMED = sorted(
    {
        found
        for text in texts()
        for found in re.findall(r"\bkinetria ([a-z]+(?: (?:status|plan|rollback|new|rebase|show)\b)?)", text)
        if found != "migrations"  # what the lock's number is made from; nobody reads it
    }
)


@pytest.mark.parametrize("words", NAMED)
def test_a_command_that_a_text_names_has_help(cli: Cli, words: str) -> None:
    assert cli(*words.split(), "--help").code == 0
