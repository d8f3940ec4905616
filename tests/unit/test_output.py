"""Results go to stdout, everything else to stderr."""

import io
import json

import pytest

from kinetria_cli.domain.errors import ConfigInvalid, MigrationFailed
from kinetria_cli.presentation.output import Output, TerminalPrompt
from kinetria_cli.presentation.progress import LineProgress, NoProgress
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.usecases.down import DownResult
from tests.unit.test_cells import Terminal

ERROR = MigrationFailed(
    "0008_add_rpe failed: column \x1b[31mrpe exists",
    hint="correct it, then: kinetria migrate",
    details=("/m/0008_add_rpe.sql:3:1", "  3 | ALTER TABLE"),
)


def human(*, quiet: bool = False) -> Output:
    return Output(json=False, quiet=quiet, no_color=True)


def in_json() -> Output:
    return Output(json=True, quiet=False, no_color=True)


@pytest.fixture
def captured(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    return capsys


def test_a_result_is_on_stdout_alone(captured: pytest.CaptureFixture[str]) -> None:
    human().result(DownResult("embedded", ("app",), ()))
    assert captured.readouterr() == ("ok app         stopped\nThe data stay. Start again: kinetria up\n", "")


def test_a_json_result_is_one_line_on_stdout(captured: pytest.CaptureFixture[str]) -> None:
    in_json().result(DownResult("embedded", (), ()), ok=False)
    assert captured.readouterr() == (
        '{"kind": "down", "version": 1, "ok": false,'
        ' "data": {"engine": "embedded", "stopped": [], "removed_volumes": []}}\n',
        "",
    )


def test_an_error_says_what_why_and_what_next(captured: pytest.CaptureFixture[str]) -> None:
    human().error(ERROR)
    assert captured.readouterr() == (
        "",
        "xx 0008_add_rpe failed: column \\x1b[31mrpe exists\n"
        "\n"
        "  /m/0008_add_rpe.sql:3:1\n"
        "    3 | ALTER TABLE\n"
        "\n"
        "  next: correct it, then: kinetria migrate\n",
    )


def test_an_error_on_a_narrow_terminal_keeps_its_command_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "30")
    human().error(ConfigInvalid("the file of the settings cannot be read", hint="look at it: kinetria config show"))
    assert terminal.getvalue().splitlines() == [
        "✗ the file of the settings",
        "  cannot be read",
        "  next: look at it:",
        "        kinetria config show",
    ]


def test_an_error_without_more_to_say_is_one_line(captured: pytest.CaptureFixture[str]) -> None:
    human().error(ConfigInvalid("bad"))
    assert captured.readouterr() == ("", "xx bad\n")


def test_an_error_in_json_mode_is_on_stderr_and_stdout_is_empty(captured: pytest.CaptureFixture[str]) -> None:
    in_json().error(ERROR)
    out, err = captured.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert json.loads(err) == {
        "kind": "error",
        "version": 1,
        "ok": False,
        "error": {
            "code": "migration.failed",
            "message": ERROR.message,
            "hint": ERROR.hint,
            "exit_code": 1,
            "details": list(ERROR.details),
        },
    }


@pytest.mark.parametrize("output", [human, in_json])
def test_hidden_texts_are_in_nothing_on_stderr(captured: pytest.CaptureFixture[str], output: type) -> None:
    opened: Output = output()
    opened.hide(["s3cret", "ab", ""])
    opened.error(ConfigInvalid("with s3cret", hint="not s3cret, about", details=["s3cret"]))
    opened.warn("s3cret")
    opened.traceback(["s3cret\n"])
    out, err = captured.readouterr()
    assert out == ""
    assert "s3cret" not in err
    assert "about" in err


@pytest.mark.parametrize(("output", "line"), [(human, "!! look \\x1b here\n"), (in_json, "warning: look \\x1b here\n")])
def test_a_warning_is_a_line_on_stderr(captured: pytest.CaptureFixture[str], output: type, line: str) -> None:
    output().warn("look \x1b here")
    assert captured.readouterr() == ("", line)


def test_a_plain_line_has_no_control_characters(captured: pytest.CaptureFixture[str]) -> None:
    human().plain("log [red]line\x1b[0m")
    assert captured.readouterr() == ("log [red]line\\x1b[0m\n", "")


def test_progress_is_a_line_at_the_start_and_the_end_of_a_step(captured: pytest.CaptureFixture[str]) -> None:
    progress = human().progress()
    assert isinstance(progress, LineProgress)
    progress.begin("database")
    progress.end("database", "127.0.0.1:5432", 1.44)
    assert captured.readouterr() == ("", ".. database\n" + "ok database    127.0.0.1:5432".ljust(95) + "1.4 s\n")


def test_quiet_and_json_have_no_progress() -> None:
    assert isinstance(human(quiet=True).progress(), NoProgress)
    assert isinstance(in_json().progress(), NoProgress)


def test_a_question_goes_to_stderr_and_the_answer_comes_from_stdin(
    captured: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    prompt = TerminalPrompt()
    assert prompt.present is False
    assert prompt.ask("Go on\x1b? ") == "y\n"
    assert captured.readouterr() == ("", "Go on\\x1b? ")


def drawn(header: list[str], rows: list[list[object]]) -> list[str]:
    stream = io.StringIO()
    Screen(stream, no_color=True, force_color=False, utf8=True, essential=True).table(header, rows)
    return stream.getvalue().splitlines()


def test_a_table_has_aligned_columns_and_figures_to_the_right() -> None:
    assert drawn(["name", "rows"], [["users", 5], ["set records", 1200]]) == [
        "name          rows",
        "users            5",
        "set records  1,200",
    ]


def test_a_table_is_never_wider_than_a_hundred_columns() -> None:
    lines = drawn(["a", "b"], [["x" * 200, "y\nz[bold]"]])
    assert lines[1] == "x" * 87 + "\u2026  y\\nz[bold]"
    assert max(map(len, lines)) == 100


def test_markup_is_text() -> None:
    written = io.BytesIO()
    screen = Screen(io.TextIOWrapper(written), no_color=True, force_color=False, utf8=True, essential=True)
    screen.line("[bold]a[/bold] :smile: ", screen.mark(Mark.DONE))
    screen.verbatim("export A='\x1b'")
    assert written.getvalue() == b"[bold]a[/bold] :smile: ok\nexport A='\x1b'\n"
