"""Why a container is not well: its exit code, its last probe, its last lines, and the cause where we recognise it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kinetria_cli.domain.errors import (
    DataFolderUnusable,
    EngineFailed,
    KinetriaError,
    LoginRefused,
    ServiceFailed,
    WaitTimedOut,
)
from kinetria_cli.gateways.engines.docker.compose_errors import DISK_FULL, HINT_DISK, SHOWN_LINES
from kinetria_cli.gateways.engines.docker.found import Found

HINT_RESET = "kinetria up --reset-password     (keeps the data)"
KILLED = 137
"""128 + SIGKILL: what a process gets that is out of memory, or that somebody kills."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that we recognise.

    Args:
        pattern: Found in the log or in the probe's output.
        make: From the container's name and the match to the error.
    """

    pattern: re.Pattern[str]
    make: Callable[[str, re.Match[str]], KinetriaError]


def password_changed(volume: str, made: str) -> LoginRefused:
    """The data were made with another password than the one that is on file now.

    Args:
        volume: Its name.
        made: When it was made, for people; empty where nobody knows.
    """
    when = f" on {made}" if made else ""
    return LoginRefused(
        f"the volume {volume} was made{when} with another password than the present one", hint=HINT_RESET
    )


def other_major(volume: str, found: str, ours: str) -> DataFolderUnusable:
    """The volume was written by another major version of PostgreSQL."""
    return DataFolderUnusable(
        f"the volume {volume} belongs to PostgreSQL {found}; the image is PostgreSQL {ours}",
        hint=f"nothing was touched; set KINETRIA_POSTGRES_IMAGE=postgres:{found}-alpine, or another KINETRIA_PROJECT",
    )


def _half_made(name: str, match: re.Match[str]) -> KinetriaError:
    return DataFolderUnusable(
        f"the volume of {name} has no database {match['database']}: it was killed in its very first start, or"
        " somebody removed it",
        hint="kinetria down --volumes, then kinetria up, makes it anew; that deletes what is in it",
    )


def _wrong_owner(name: str, match: re.Match[str]) -> KinetriaError:
    return DataFolderUnusable(
        f"{name} may not use its volume: {match[0].strip()}",
        hint="nothing was touched; its files belong to another user: docker volume inspect says where they are",
    )


def _disk_full(name: str, _: re.Match[str]) -> KinetriaError:
    return EngineFailed(f"{name} has no room left on the disk that Docker keeps its files on", hint=HINT_DISK)


_REFUSED = re.compile(r"password authentication failed")
_NO_DATABASE = re.compile(r'database "(?P<database>[^"\n]*)" does not exist')

_CAUSES = (
    Cause(
        re.compile(r"initialized by PostgreSQL version (\d+)[^\n]*not compatible with this version (\d+)"),
        lambda name, match: other_major(f"of {name}", match[1], match[2]),
    ),
    Cause(DISK_FULL, _disk_full),
    Cause(
        re.compile(
            r"data directory \S+ has (wrong ownership|invalid permissions)"
            r"|could not (?:access|open|create|change)[^\n]*: Permission denied"
            # The image's entry point:
            r"|(?:chown|chmod|mkdir|find): [^\n]*/postgresql/[^\n]*: (?:Operation not permitted|Permission denied)"
        ),
        _wrong_owner,
    ),
    Cause(_REFUSED, lambda name, _: password_changed(f"of {name}", "")),
    Cause(_NO_DATABASE, _half_made),
)


def failure(found: Found, lines: Sequence[str], *, waited: float | None = None) -> KinetriaError:
    """Return the error for a container that ended, or that was not healthy in time.

    Args:
        found: The container.
        lines: Its last lines.
        waited: How many seconds it was waited for, or None where it ended.
    """
    details = [*lines[-SHOWN_LINES:]]
    if found.probe_output:
        details.append(f"last health check: {found.probe_output.splitlines()[-1]}")
    error = _recognise(found, "\n".join(details)) or _unknown(found, waited)
    error.details = tuple(details)
    return error


def is_hopeless(found: Found) -> bool:
    """Whether a health check that fails will go on failing. It asks over TCP, where no half-made server listens."""
    return bool(_REFUSED.search(found.probe_output) or _NO_DATABASE.search(found.probe_output))


def describe(found: Found) -> str:
    """Say in a few words how a container is."""
    if found.running:
        return (
            f"container {found.name} runs, {found.health}" if found.health != "none" else f"container {found.name} runs"
        )
    if found.out_of_memory:
        return f"container {found.name} ran out of memory (exit code {found.exit_code})"
    if found.state == "restarting":
        return f"container {found.name} ended with exit code {found.exit_code} and is started again and again"
    if found.state == "created":
        return f"container {found.name} was never started{f': {found.error}' if found.error else ''}"
    return f"container {found.name} ended with exit code {found.exit_code}"


def _recognise(found: Found, text: str) -> KinetriaError | None:
    if found.out_of_memory:
        return EngineFailed(
            f"{found.name} ran out of memory (exit code {found.exit_code})",
            hint="raise mem_limit of the service in compose.yaml, then run kinetria up again",
        )
    for cause in _CAUSES:
        if match := cause.pattern.search(text):
            return cause.make(found.name, match)
    return None


def _unknown(found: Found, waited: float | None) -> KinetriaError:
    if waited is not None:
        return WaitTimedOut(
            f"{found.name} was not healthy within {waited:g} s ({found.health})",
            hint=f"kinetria logs {found.service} tells why; give it longer with kinetria up --timeout 5m",
        )
    kind = EngineFailed if found.service == "postgres" else ServiceFailed
    killed = ", killed" if found.exit_code == KILLED else ""
    return kind(
        f"{found.name} ended while starting, with exit code {found.exit_code}{killed}",
        hint=f"all it said: kinetria logs {found.service}; after mending the cause run kinetria up again",
    )
