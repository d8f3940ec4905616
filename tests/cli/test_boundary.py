"""The one error boundary: a toy command raises each family; code, stdout and stderr are exact."""

import json
import os
import signal
from collections.abc import Callable

import pytest
import typer
from typer.testing import CliRunner

from kinetria_cli.commands.base import Run, command
from kinetria_cli.domain import errors
from kinetria_cli.domain.errors import KinetriaError, error_classes
from tests.world import Cli

FAMILIES = [kind for kind in error_classes() if kind is not KinetriaError]


def run(body: Callable[[], None], *arguments: str) -> tuple[int, str, str]:
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    @command
    def toy(run: Run) -> None:
        run.output.hide(["s3cret/word"])
        body()

    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def raising(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


@pytest.mark.parametrize("kind", FAMILIES, ids=lambda kind: str(kind.code))
def test_an_error_is_what_why_and_next(kind: type[KinetriaError]) -> None:
    error = kind("it went wrong", hint="do this", details=["first", "second"])
    expected = "xx it went wrong\n\n  first\n  second\n\n  next: do this\n"
    assert run(raising(error)) == (kind.exit_code, "", expected)


@pytest.mark.parametrize("kind", FAMILIES, ids=lambda kind: str(kind.code))
def test_an_error_in_json_is_one_document_on_stderr(kind: type[KinetriaError]) -> None:
    code, out, err = run(raising(kind("it went wrong", hint="do this")), "--json")
    assert (code, out) == (kind.exit_code, "")
    body = {"code": kind.code, "message": "it went wrong", "hint": "do this", "exit_code": kind.exit_code}
    assert json.loads(err) == {"kind": "error", "version": 1, "ok": False, "error": body}


def test_an_unknown_error_is_one_line_and_a_traceback_only_on_demand() -> None:
    expected = "xx internal error: ValueError: bad\n  next: run it again with -vv and report what it prints\n"
    assert run(raising(ValueError("bad"))) == (1, "", expected)
    code, out, err = run(raising(ValueError("bad")), "-vv")
    assert (code, out) == (1, "")
    assert err.startswith("Traceback (most recent call last):")
    assert err.endswith(expected)


def test_secrets_are_taken_out_of_messages_hints_details_and_tracebacks() -> None:
    secret = "s3cret/word"
    error = errors.EngineFailed(
        f"a {secret}", hint=f"b {secret}", details=["c s3cret%2Fword", "postgres://me:other@host/x"]
    )
    code, out, err = run(raising(error), "-vv")
    assert (code, out) == (1, "")
    assert secret not in err
    assert "s3cret%2Fword" not in err
    assert "other" not in err
    assert "a ***" in err
    assert "postgres://me:***@host/x" in err


def test_control_characters_in_a_message_are_shown_as_codes() -> None:
    assert run(raising(errors.EngineFailed("\x1b]0;title\x07 \u202e\x9b")))[2] == "xx \\x1b]0;title\\x07 \\x202e\\x9b\n"


def test_an_interrupt_is_130_and_a_termination_143() -> None:
    assert run(raising(KeyboardInterrupt()))[0] == 130
    assert run(lambda: os.kill(os.getpid(), signal.SIGTERM))[0] == 143


def test_a_reader_that_goes_away_is_no_error() -> None:
    import subprocess
    import sys

    script = (
        "from kinetria_cli.app import main; import sys; sys.argv = ['kinetria', 'config', 'show', '--json']; main()"
    )
    pipe = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert pipe.stdout is not None
    assert pipe.stderr is not None
    pipe.stdout.close()
    assert (pipe.wait(), pipe.stderr.read()) == (0, "")
    pipe.stderr.close()


def test_usage_errors_are_2_and_json_on_demand() -> None:
    from tests.world import kinetria

    plain = kinetria("up", "--no-such-option")
    assert plain.code == 2
    assert "No such option" in plain.err
    answer = kinetria("up", "--db-port", "x", "--json")
    assert answer.error["code"] == "parameters.malformed"
    assert answer.error["hint"] == "kinetria up --help"


def test_a_full_disk_behind_stdout_is_one_line() -> None:
    import subprocess
    import sys

    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "kinetria_cli", "config", "show"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    expected = "xx the result cannot be written to stdout: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, expected + "  next: free some space, then run it again\n")


@pytest.mark.parametrize(
    "words", [("--help",), ("--version",), ("migrate", "--help"), ("up", "-h"), ("--show-completion",)]
)
def test_help_that_a_full_disk_does_not_take_is_one_line(words: tuple[str, ...]) -> None:
    import subprocess
    import sys

    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "kinetria_cli", *words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        untold = subprocess.run(command, stdout=full, stderr=full, check=False)
    expected = "xx the result cannot be written to stdout: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, expected + "  next: free some space, then run it again\n")
    assert untold.returncode == 1


def test_a_usage_error_that_cannot_be_shown_keeps_its_exit_code() -> None:
    import subprocess
    import sys

    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "kinetria_cli", "nosuch"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_closed_stdout_is_no_traceback() -> None:
    import subprocess
    import sys

    command = f"{sys.executable} -m kinetria_cli config show >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_common_options_stand_before_or_behind_a_name_also_in_a_group(cli: Cli) -> None:
    answers = [cli(*words) for words in (("--json", "config", "show"), ("config", "--json", "show"))]
    answers.append(cli("config", "show", "--json"))
    assert len({answer.out for answer in answers}) == 1
    assert answers[0].data["values"]
