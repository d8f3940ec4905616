"""What every command shares: the global options, the container, and the one place where errors become exit codes."""

import contextlib
import functools
import inspect
import logging
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, overload

import typer

from kinetria_cli.commands.options import COMMON, CommonOptions
from kinetria_cli.domain.errors import ConfigInvalid, KinetriaError, MalformedParameters, Terminated
from kinetria_cli.presentation.output import Output, ReaderGone, TerminalPrompt, stderr_guarded, stdout_failed
from kinetria_cli.settings import json_is_wanted, load_settings, read_settings
from kinetria_cli.settings_sources import (
    RawValue,
    color_is_forced,
    color_is_off,
    forget_libpq_variables,
    terminal_is_utf8,
)
from kinetria_cli.settings_values import duration, wait

if TYPE_CHECKING:
    from kinetria_cli.bootstrap import Container
    from kinetria_cli.domain.config import ConfigValue
    from kinetria_cli.usecases.bundle_parts import BundleTools
    from kinetria_cli.usecases.target import Target

P = ParamSpec("P")


class Run:
    """One run of a command.

    Args:
        options: The common options.
        database: Whether the settings of a database matter; `up`, `down` and `logs` ignore them.
        json_variable: Whether KINETRIA_OUTPUT counts.
        writes: Whether an interruption undoes something.
    """

    def __init__(self, options: CommonOptions, *, database: bool, json_variable: bool, writes: bool) -> None:
        self.options = options
        self.writes = writes
        self._database = database
        self._json_variable = json_variable
        self._given: dict[str, RawValue] = {}
        as_json = options.json or (json_variable and json_is_wanted())
        self.output = Output(
            json=as_json,
            quiet=options.quiet,
            no_color=options.no_color or color_is_off(),
            force_color=color_is_forced(),
            utf8=terminal_is_utf8(),
        )
        self.prompt = TerminalPrompt()

    def given(self, options: Mapping[str, tuple[str, str | None]]) -> None:
        """Note options that stand for a setting: variable -> (option, value); None is an option that was not given."""
        for variable, (option, text) in options.items():
            if text is not None:
                self._given[variable] = RawValue(text, f"option {option}")

    @cached_property
    def container(self) -> "Container":
        """The ports, made from the settings.

        Raises:
            ConfigInvalid: A setting cannot be used.
        """
        from kinetria_cli.bootstrap import Container

        settings = load_settings(self._given, env_file=self.options.env_file, database=self._database)
        self.output.hide(settings.secrets())
        if self._json_variable and settings.output == "json":
            self.output.json = True
        for warning in settings.warnings:
            self.output.warn(warning)
        return Container(settings, self._notice)

    def fresh_container(self) -> "Container":
        """The ports, made anew from the settings as they are now. Raises as `container` does."""
        self.__dict__.pop("container", None)
        return self.container

    def environment_is_exported(self) -> bool:
        """Whether the database's variables are still what an earlier `kinetria env` of this project exported."""
        return read_settings(self._given, env_file=self.options.env_file).exported()

    def ignore_named_database(self) -> None:
        """Use the project's own stack, whatever DB_* and DATABASE_URL name; to be called before `container`."""
        self._database = False

    def shown_settings(self) -> "tuple[ConfigValue, ...]":
        """Each setting with its origin; also where a setting is wrong, for that is when one looks."""
        try:
            shown = self.container.shown_settings()
            for remark in self.container.remarks():
                self.output.warn(remark)
        except ConfigInvalid as error:
            found = read_settings(self._given, env_file=self.options.env_file)
            self.output.warn(error.message)
            return found.shown()
        return shown

    def secrets(self) -> tuple[str, ...]:
        """Every secret that is known, also where a setting is wrong; none where a file of settings cannot be read."""
        try:
            return self.container.secrets()
        except ConfigInvalid:
            try:
                return read_settings(self._given, env_file=self.options.env_file).secrets()
            except ConfigInvalid:
                return ()

    def bundle_tools(self) -> "BundleTools":
        """What a support bundle is made with, whatever is wrong with the settings."""
        from kinetria_cli.bootstrap import bundle_tools

        return bundle_tools()

    def encode(self, result: Any) -> Any:
        """Return a result in json's types, as --json prints it."""
        from kinetria_cli.presentation.encoder import encode

        return encode(result)

    def check_target(self) -> None:
        """Fail where no database is named, and warn when another stack runs, before anything is asked of it."""
        _ = self.target

    @cached_property
    def target(self) -> "Target":
        """The database to talk to; warns when another stack runs."""
        return self._announced(self.container.target)

    @cached_property
    def service_target(self) -> "Target":
        """The same for `serve`."""
        return self._announced(self.container.service_target)

    def _announced(self, target: "Target") -> "Target":
        self.output.hide([target.params.password])
        if target.warning:
            self.output.warn(target.warning)
        return target

    @cached_property
    def primary(self) -> "Target":
        """The same on the one of its servers that takes changes: what a command that writes talks to."""
        return self.container.on_primary(self.target)

    def tell(self, text: str) -> None:
        """Print a line that is worth reading while the command goes on."""
        self.output.warn(text)

    def _notice(self, severity: str, line: str) -> None:
        """Print what the server reported while a migration ran: a warning always, the rest with -v."""
        if severity == "WARNING" or self.options.verbose:
            self.output.warn(line)

    def finish(self, result: Any, *, exit_code: int = 0, change: bool = False) -> None:
        """Print the result; a check that answers no is a result with exit code 1, 5 or 7.

        Args:
            result: What to print.
            exit_code: How the process ends.
            change: Whether it reports a change that succeeded, which --quiet leaves out; never what was asked for.
        """
        if not (change and self.options.quiet and not self.output.json):
            with contextlib.suppress(ReaderGone):  # `| head` has what it wanted; the exit code stays true
                self.output.result(result, ok=exit_code == 0)
        if exit_code:
            raise typer.Exit(exit_code)


def seconds(option: str, text: str, *, zero: bool = False) -> float:
    """Return the seconds of a duration option.

    Args:
        option: Its name, for the error.
        text: What was given.
        zero: Whether 0 is allowed.

    Raises:
        MalformedParameters: It is not a duration.
    """
    try:
        return wait(text) if zero else duration(text)
    except ValueError as error:
        raise MalformedParameters(f"{option} {error}", hint=f"{option} 30s") from None


@overload
def command(function: Callable[Concatenate[Run, P], None]) -> Callable[..., None]: ...


@overload
def command(
    *, database: bool = True, json_variable: bool = True, json_option: bool = True, writes: bool = False
) -> Callable[[Callable[Concatenate[Run, P], None]], Callable[..., None]]: ...


def command(
    function: Callable[Concatenate[Run, P], None] | None = None,
    *,
    database: bool = True,
    json_variable: bool = True,
    json_option: bool = True,
    writes: bool = False,
) -> Any:
    """Make a function a command: its first argument becomes a `Run`, the common options are added, errors are shown.

    Args:
        function: The command; its other arguments are its own options.
        database: See `Run`.
        json_variable: See `Run`.
        json_option: Whether there is a result that --json can print.
        writes: See `Run`.
    """
    if function is None:
        return functools.partial(
            command, database=database, json_variable=json_variable, json_option=json_option, writes=writes
        )
    common = {name: option for name, option in COMMON.items() if json_option or name != "json"}
    own = inspect.signature(function, eval_str=True)

    @functools.wraps(function)
    def wrapper(ctx: typer.Context, **values: Any) -> None:
        here = CommonOptions(**{name: values.pop(name) for name in common})
        merged = (ctx.find_object(CommonOptions) or CommonOptions()).merged(here)
        if ctx.invoked_subcommand is not None:
            ctx.obj = merged  # a group with a command behind it: that one runs
            refuse_own_options(ctx, values)
            return
        run = Run(merged, database=database, json_variable=json_variable, writes=writes)
        with_boundary(run, functools.partial(function, run, **values))

    parameters = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *list(own.parameters.values())[1:],
        *(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
            for name, (annotation, default) in common.items()
        ),
    ]
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapper


def refuse_own_options(ctx: typer.Context, own: Iterable[str]) -> None:
    """Return when none of a group's own options stands before the command that runs: it would not count.

    Raises:
        typer.Exit: One does; the usage error is printed.
    """
    for name in own:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            path = f"{ctx.command_path} {ctx.invoked_subcommand}"
            ctx.fail(f"{option} before {ctx.invoked_subcommand} would not count; write it behind: {path} {option}")


def with_boundary(run: Run, body: Callable[[], None]) -> None:
    """Run a command's body; every error leaves as a message and an exit code, SIGTERM as 143, Ctrl-C as 130."""
    signal.signal(signal.SIGTERM, _terminate)
    forget_libpq_variables()
    # Without a handler Python prints the log of psycopg and other libraries on stderr, between our lines.
    logging.basicConfig(handlers=[logging.NullHandler()])
    try:
        body()
    except KinetriaError as error:
        if run.options.verbose > 1:
            run.output.traceback(traceback.format_exception(error))
        run.output.error(error)
        raise typer.Exit(error.exit_code) from error
    except Terminated as interruption:
        run.output.error(_interrupted("terminated by SIGTERM", 143, run, getattr(interruption, "__notes__", ())))
        raise typer.Exit(143) from None
    except KeyboardInterrupt as interruption:
        run.output.error(_interrupted("interrupted", 130, run, getattr(interruption, "__notes__", ())))
        raise typer.Exit(130) from None
    except ReaderGone:
        raise typer.Exit(0) from None
    except typer.Exit:
        raise
    except Exception as error:
        if run.options.verbose > 1:
            run.output.traceback(traceback.format_exception(error))
        run.output.error(
            KinetriaError(
                f"internal error: {type(error).__name__}: {error}",
                hint="run it again with -vv and report what it prints",
            )
        )
        raise typer.Exit(1) from error


def show_usage_error(error: typer.TyperException) -> None:
    """Print what is wrong with the words of the command line; typer found it before any command ran."""
    context = getattr(error, "ctx", None)
    if _json_is_asked_for():
        path = context.command_path if context else "kinetria"
        Output(json=True, quiet=False, no_color=True).error(
            MalformedParameters(error.format_message(), hint=f"{path} --help")
        )
    else:
        show = getattr(error, "show", None)
        with stderr_guarded():
            print(error.format_message(), file=sys.stderr) if show is None else show()  # noqa: T201


def show_unwritten(error: OSError) -> int:
    """Report that stdout takes no help text, version or completion; return the exit code.

    Raises:
        OSError: The error is about a file, not about stdout.
    """
    if error.filename is not None:
        raise error
    unwritable = stdout_failed(error)
    Output(json=_json_is_asked_for(), quiet=False, no_color=color_is_off()).error(unwritable)
    return unwritable.exit_code


def _json_is_asked_for() -> bool:
    return "--json" in sys.argv or json_is_wanted()


def _interrupted(message: str, exit_code: int, run: Run, notes: Sequence[str]) -> KinetriaError:
    undone = "what was half done was undone; run it again" if run.writes else None
    error = KinetriaError(message, hint=notes[0] if notes else undone)
    error.code = "interrupted"
    error.exit_code = exit_code
    return error


def _terminate(_number: int, _frame: object) -> None:
    raise Terminated
