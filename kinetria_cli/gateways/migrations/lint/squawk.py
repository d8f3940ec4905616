"""squawk as a process: where it is, what it is told, and what it says (squawk-cli 2.70, `--reporter json`)."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kinetria_cli.domain.errors import EngineUnavailable
from kinetria_cli.domain.extras import install_command
from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.lint.places import Places

SERVER_VERSION = "16"
PATIENCE_SECONDS = 60

_NOT_OURS = frozenset(
    {
        # The types are the backend's contract; another type here would break what reads the table.
        "prefer-text-field",
        "prefer-bigint-over-int",
        "prefer-bigint-over-smallint",
        "prefer-identity",
        # `migrate` sets lock_timeout itself, and statement_timeout when it is asked to.
        "require-timeout-settings",
        "require-lock-timeout",
        "require-statement-timeout",
        # A file is one transaction or one statement, never half done: IF NOT EXISTS would only hide a conflict.
        "prefer-robust-stmts",
    }
)
_NOT_FOR_ROLLBACK = ("ban-drop-", "renaming-", "ban-set-schema")
"""What a rollback is for: to take away what its file made. What would be lost is counted by `migrate rollback`."""
_NEVER = "ban-drop-database"


@dataclass(frozen=True, slots=True)
class Remark:
    """What squawk says of one place of a file; `position` counts characters of its text from 0."""

    rule: str
    severity: Literal["error", "warning"]
    message: str
    hint: str | None
    position: int


def squawk_program() -> str:
    """Return the program squawk: beside the Python that runs us, where pip puts it, else in PATH.

    Raises:
        EngineUnavailable: It is in neither.
    """
    found = shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")
    if found is None:
        raise EngineUnavailable("squawk, whose rules the lint goes by, is not installed", hint=install_command("lint"))
    return found


def remarks(program: str, file: SqlFile, *, rollback: bool) -> tuple[Remark, ...]:
    """Return what squawk says of a file, without the rules that do not fit this tool.

    Args:
        program: From `squawk_program`.
        file: The file; its text is sent, so its name cannot be taken for a pattern.
        rollback: Whether it undoes another file.

    Raises:
        EngineUnavailable: squawk does not work.
    """
    places = Places(file.script)
    said, complaint, code = _run(program, file)
    try:
        return tuple(
            Remark(
                rule=found["rule_name"],
                severity="error" if found["level"] == "Error" else "warning",
                message=found["message"],
                hint=found["help"],
                position=places.position(found["line"], found["column"]),
            )
            for found in json.loads(said)
            if not _left_out(found["rule_name"], rollback=rollback)
        )
    except (ValueError, LookupError, TypeError) as error:
        raise EngineUnavailable(
            f"{program} answers in a form that is not known, exit code {code}",
            hint=install_command("lint"),
            details=(complaint or said).strip().splitlines()[:5],
        ) from error


def _left_out(rule: str, *, rollback: bool) -> bool:
    return rule in _NOT_OURS or (rollback and rule != _NEVER and rule.startswith(_NOT_FOR_ROLLBACK))


def _run(program: str, file: SqlFile) -> tuple[str, str, int]:
    """Return what it prints on stdout and on stderr, and its exit code, which is 1 with findings."""
    command = [program, "--reporter", "json", "--pg-version", SERVER_VERSION]
    # Neither a .squawk.toml that happens to lie around nor a SQUAWK_ variable decides what is found.
    command += ["--config", "/dev/null"]
    command.append("--assume-in-transaction" if file.transactional else "--no-assume-in-transaction")
    try:
        done = subprocess.run(
            command,
            env={},
            # Places stay where they are, in lines that all end as squawk's do.
            input=file.text.replace("\r\n", " \n").replace("\r", "\n"),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineUnavailable(f"{program} does not work: {error}", hint=install_command("lint")) from error
    return done.stdout, done.stderr, done.returncode
