"""Where results, warnings, errors and progress go: results to stdout, everything else to stderr."""

import os
import sys
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.presentation.text import printable, redact

if TYPE_CHECKING:
    from kinetria_cli.presentation.screen import Screen


class Output:
    """The two streams of one run.

    Args:
        json: Whether the result is a JSON document.
        quiet: Whether progress and the human form of an uneventful result are left out.
        no_color: Whether --no-color was given.
        force_color: Whether FORCE_COLOR is set.
    """

    def __init__(self, *, json: bool, quiet: bool, no_color: bool, force_color: bool = False) -> None:
        self.json = json
        self._quiet = quiet
        self._no_color = no_color
        self._force_color = force_color
        self._secrets: list[str] = []

    @cached_property
    def _screens(self) -> "tuple[Screen, Screen]":
        from kinetria_cli.presentation.screen import standard_screens

        return standard_screens(no_color=self._no_color, force_color=self._force_color)

    def hide(self, secrets: Iterable[str]) -> None:
        """Take these texts out of everything that is printed to stderr from now on."""
        self._secrets.extend(secret for secret in secrets if len(secret) > 2)

    def result(self, result: Any, *, ok: bool = True) -> None:
        """Print the result of the command."""
        if self.json:
            from kinetria_cli.presentation.encoder import result_document

            print(result_document(result, ok=ok))  # noqa: T201 - the one place that writes JSON to stdout
            return
        from kinetria_cli.presentation.human import render

        render(result, self._screens[0])

    def plain(self, line: str) -> None:
        """Print a line of the result that programs read as it is: a log line, a shell line."""
        print(printable(line), flush=True)  # noqa: T201 - a pipe reader wants each line at once

    def warn(self, text: str) -> None:
        """Print one line that is worth reading though nothing failed."""
        text = printable(redact(text, self._secrets))
        if self.json:
            print(f"warning: {text}", file=sys.stderr)  # noqa: T201
            return
        from kinetria_cli.presentation.screen import Mark

        screen = self._screens[1]
        screen.line(screen.mark(Mark.LOOK), " ", text)

    def error(self, error: KinetriaError) -> None:
        """Print what happened, why, and what to do."""
        message = redact(error.message, self._secrets)
        hint = redact(error.hint, self._secrets) if error.hint else None
        if self.json:
            from kinetria_cli.presentation.encoder import error_document

            print(error_document(error, message, hint), file=sys.stderr)  # noqa: T201
            return
        from kinetria_cli.presentation.screen import Mark

        screen = self._screens[1]
        screen.line(screen.mark(Mark.FAILED), " ", message)
        details = [*error.details, *getattr(error, "__notes__", ())]
        if details:
            screen.line()
            for line in details:
                screen.line("  ", redact(line, self._secrets))
            screen.line()
        if hint:
            screen.line("  next: ", hint)

    def traceback(self, lines: Iterable[str]) -> None:
        """Print a traceback, without locals and without secrets."""
        for line in lines:
            print(printable(redact(line, self._secrets)), end="", file=sys.stderr)  # noqa: T201

    def progress(self) -> "TerminalProgress | LineProgress | NoProgress":
        """Return where a long command tells how far it is."""
        if self._quiet or self.json:
            return NoProgress()
        screen = self._screens[1]
        return TerminalProgress(screen) if screen.terminal else LineProgress(screen)


class NoProgress:
    """See `Progress`; says nothing."""

    def begin(self, step: str) -> None:
        """See `Progress.begin`."""

    def end(self, step: str, detail: str, seconds: float) -> None:
        """See `Progress.end`."""


class LineProgress:
    """See `Progress`; a line at the start and at the end of each step."""

    def __init__(self, screen: "Screen") -> None:
        self._screen = screen

    def begin(self, step: str) -> None:
        """See `Progress.begin`."""
        from kinetria_cli.presentation.screen import Mark

        self._screen.line(self._screen.mark(Mark.BUSY), " ", step)

    def end(self, step: str, detail: str, seconds: float) -> None:
        """See `Progress.end`."""
        from kinetria_cli.presentation.screen import Mark
        from kinetria_cli.presentation.text import duration

        self._screen.marked(Mark.DONE, step, detail, duration(seconds))


class TerminalProgress:
    """See `Progress`; one line that goes away when the step is done, because the result repeats it."""

    def __init__(self, screen: "Screen") -> None:
        self._console = screen.console
        self._status: Any = None

    def begin(self, step: str) -> None:
        """See `Progress.begin`."""
        self._status = self._console.status(f"{step} ...")
        self._status.start()

    def end(self, step: str, detail: str, seconds: float) -> None:  # noqa: ARG002
        """See `Progress.end`."""
        self._status.stop()


class TerminalPrompt:
    """See `Prompt`: questions go to stderr, answers come from stdin."""

    @property
    def present(self) -> bool:
        """See `Prompt.present`."""
        return sys.stdin is not None and sys.stdin.isatty()

    def tell(self, text: str) -> None:
        """See `Prompt.tell`."""
        print(printable(text), file=sys.stderr)  # noqa: T201

    def ask(self, question: str) -> str:
        """See `Prompt.ask`."""
        print(printable(question), end="", file=sys.stderr, flush=True)  # noqa: T201
        return sys.stdin.readline()


def silence_stdout() -> None:
    """Send stdout nowhere: its reader went away, and Python would complain when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
