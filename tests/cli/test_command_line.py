"""The words of the command line: a mistyped one, none at all, completion in the shell, and what --quiet leaves out."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import failed
from tests.cli.test_terminal import ESCAPES, on_a_terminal
from tests.world import HEAD, MIGRATIONS, Cli, database_variables, kinetria


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("migarte", "migrate"),
        ("helth", "health"),
        ("migrate roolback", "rollback"),
        ("migrate verfiy", "verify"),
        ("inspect sets", "set-records"),
        ("inspect user", "users"),
        ("inspect tokens", "refresh-tokens"),
        ("inspect Audit", "audit-log"),
        ("db chek", "check"),
        ("config shwo", "show"),
    ],
)
def test_a_mistyped_command_names_the_nearest(cli: Cli, words: str, meant: str) -> None:
    answer = cli(*words.split())
    assert (answer.code, answer.out) == (2, "")
    assert f"Did you mean {meant}?" in answer.err


def test_a_word_that_is_like_no_command_suggests_none(cli: Cli) -> None:
    answer = cli("qqqq")
    assert answer.code == 2
    assert "No such command 'qqqq'." in answer.err
    assert "Did you mean" not in answer.err


def test_a_mistyped_command_in_json_is_one_document() -> None:
    message = failed(kinetria("migarte", "--json"), 2, "parameters.malformed")
    assert message == "No such command 'migarte'. Did you mean migrate?"


def test_the_bare_command_prints_its_help_as_a_result(cli: Cli) -> None:
    bare, asked = cli(), cli("--help")
    assert (bare.code, bare.err) == (0, "")
    assert bare.out == asked.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("kinetria mig", ["migrate"]),
        ("kinetria seed --profile ", ["minimal", "demo", "load"]),
        ("kinetria up --seed m", ["minimal"]),
        ("kinetria inspect workouts --status ", ["draft", "published", "archived"]),
        ("kinetria inspect sessions --status c", ["completed", "cancelled"]),
    ],
)
def test_the_shell_completes_commands_and_values(words: str, expected: list[str]) -> None:
    typed = words.split(" ")
    variables = {"_KINETRIA_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(typed) - 1)}
    program = "import sys; sys.argv[0] = 'kinetria'; from kinetria_cli.app import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **variables}, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == expected


def test_quiet_prints_nothing_when_a_change_succeeds(
    cli: Cli, empty: ConnectionParams, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    cli.use(empty)
    for words in (
        ("migrate",),
        ("migrate",),
        ("seed", "--profile", "minimal"),
        ("seed", "--profile", "minimal", "--restore"),
        ("migrate", "new", "nothing yet"),
    ):
        answer = cli(*words, "-q")
        assert (answer.code, answer.out, answer.err) == (0, "", ""), words


def test_quiet_prints_what_was_asked_for_and_what_failed(cli: Cli, migrated: ConnectionParams) -> None:
    cli.use(migrated)
    assert HEAD in cli("-q", "migrate", "status").out
    assert "nothing was changed" in cli("migrate", "rollback", "--dry-run", "-q").out
    assert "would insert" in cli("seed", "--dry-run", "-q").out
    assert cli("migrate", "-q", "--json").data["applied"] == []
    refused = cli("migrate", "rollback", "-q")
    assert (refused.code, refused.out) == (5, "")
    assert "Not confirmed" in refused.err
    wrong = cli("seed", "--verify", "-q")
    assert wrong.code == 1
    assert "was never seeded here" in wrong.err


def test_a_step_is_shown_once_where_both_streams_go_to_one_place(tmp_path: Path) -> None:
    environment = {**os.environ, "KINETRIA_HOME": str(tmp_path / "stacks")}

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "kinetria_cli", *words]
        return subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )

    try:
        up = run("up", "--no-app", "--no-migrate")
        assert up.returncode == 0
        lines = up.stdout.splitlines()
        assert len([line for line in lines if line.startswith("ok database")]) == 1, up.stdout
        assert lines[0] == ".. database"
        down = run("down")
        assert len([line for line in down.stdout.splitlines() if line.startswith("ok postgres")]) == 1, down.stdout
        apart = kinetria("up", "--no-app", "--no-migrate", "-q", env=environment)
        assert (apart.code, apart.out, apart.err) == (0, "", "")
    finally:
        run("down", "--volumes", "--yes")


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_words_are_not_broken_in_the_middle(
    migrated: ConnectionParams, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    env = {**database_variables(migrated), "LC_ALL": "C.UTF-8"}
    for words, answer in (
        (("seed",), ""),
        (("seed",), ""),
        (("seed", "--dry-run", "--profile", "load"), ""),
        (("status",), ""),
        (("seed", "--verify"), ""),
        (("inspect", "sessions", "--user", "ana.ribeiro+demo42@example.com"), ""),
        (("inspect", "users", "ana.ribeiro+demo42@example.com"), ""),
        (("migrate", "rollback"), "no\n"),
        (("seed", "--remove"), "no\n"),
    ):
        shown = ESCAPES.sub("", on_a_terminal(*words, env=env, answer=answer))
        for line in shown.replace("\r", "\n").replace("go on: ", "go on:\n").splitlines():
            unbreakable = "kinetria " in line or " " not in line.strip()
            assert len(line) <= columns or unbreakable, (words, line)
