"""The walk itself: one link after the other, each with a deadline, to the first that is broken."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kinetria_cli.domain.doctor import Cause, Diagnosis, Finding, Link, broken, left_out
from kinetria_cli.domain.errors import KinetriaError, MigrationFileInvalid
from kinetria_cli.usecases.doctor.configuration import configuration_broken
from kinetria_cli.usecases.doctor.connection import Connecting
from kinetria_cli.usecases.doctor.schema import check_schema
from kinetria_cli.usecases.doctor.service import check_service
from kinetria_cli.usecases.doctor.ways import Psql

if TYPE_CHECKING:
    from kinetria_cli.domain.doctor_ports import Examiner, LoginProbe, Ports
    from kinetria_cli.domain.migration import MigrationStatus
    from kinetria_cli.domain.ports import HttpProbe
    from kinetria_cli.domain.stack import ConnectionParams
    from kinetria_cli.usecases.doctor.ways import Origins
    from kinetria_cli.usecases.target import Target

OWN_LINKS = ("engine", "process", "volume", "port")
LINKS = ("configuration", *OWN_LINKS, "tcp", "tls", "login", "database", "schema", "service")

LEAST_SECONDS = 5.0
"""For a link that asks something, however short the timeout of a request: the Docker daemon alone may take 3 s."""
_COMMAND = re.compile(
    r"kinetria (?:up|down|status|health|doctor|config show|db check|logs (?:postgres|app)"
    r"|migrate(?: (?:status|repair|verify|baseline))?)\b(?: --[a-z-]+(?: \d+[a-z]*| docker| embedded)?)*"
)
"""A command in a hint, without the words of the sentence around it."""
_LOSES = "--volumes"
_FILE = re.compile(r"(?P<file>/.*?\.sql)(?: line (?P<line>\d+))?(?= )")
"""The file of a migration that an error is about."""


@dataclass(frozen=True, slots=True)
class DoctorPorts:
    """What the walk asks.

    Args:
        configuration: What was read, for people.
        target: The database in use.
        examiner: Looks at the project's own stack; None where the database is not the project's.
        login: Goes into the database.
        ports: Looks at this machine's ports.
        migrations: Compares files and records on the session of `login`.
        destroys: Whether applying what is pending would remove or change data.
        own_login_works: Whether the recorded login works where the named one does not; None where there is none.
        origins: Where the settings of the database come from.
        recorded: Where `kinetria up` of this project put its own database, if it did.
        probe: Asks the service.
        health_url: Where it answers.
        timeout: Seconds for each link.
        app_wanted: Whether the app service belongs to the stack.
        settle: Seconds in which a service whose database is there again says so.
    """

    configuration: Finding
    target: Target
    examiner: Examiner | None
    login: LoginProbe
    ports: Ports
    migrations: Callable[[], MigrationStatus]
    destroys: Callable[[], bool]
    own_login_works: Callable[[], bool] | None
    origins: Origins
    recorded: ConnectionParams | None
    probe: HttpProbe
    health_url: str
    timeout: float
    app_wanted: bool
    settle: float


def diagnose(configure: Callable[[], DoctorPorts]) -> Diagnosis:
    """Walk to the first broken link.

    Args:
        configure: Reads the settings and returns what the walk asks; raises KinetriaError where they cannot be read.
    """
    try:
        ports = configure()
    except KinetriaError as error:
        first = configuration_broken(error)
        return _walk([("configuration", lambda: first)], LINKS[1:], seconds=1.0)
    try:
        # A link asks several things, each with the deadline of its own.
        seconds = 3 * max(ports.timeout, LEAST_SECONDS)
        found = _walk(_links(ports), (), seconds=seconds, more={"service": ports.settle})
    finally:
        ports.login.close()
    if found.command is None or ports.app_wanted:
        return found
    # What was started without the app is not started with it now.
    return replace(found, command=re.sub(r"\bkinetria up\b", "kinetria up --no-app", found.command))


def _links(ports: DoctorPorts) -> list[tuple[str, Callable[[], Finding]]]:
    examiner = ports.examiner
    connecting = Connecting(
        target=ports.target,
        own=examiner is not None,
        psql=Psql(ports.target.params, (lambda: examiner.psql) if examiner else None),
        rules=lambda: examiner.rules() if examiner else None,
        login=ports.login,
        ports=ports.ports,
        origins=ports.origins,
        recorded=ports.recorded,
        own_login_works=ports.own_login_works,
    )
    return [
        ("configuration", lambda: ports.configuration),
        *_own_links(ports),
        ("tcp", connecting.tcp),
        ("tls", connecting.tls),
        ("login", connecting.login_link),
        ("database", connecting.database),
        ("schema", lambda: check_schema(connecting, ports.migrations, ports.destroys)),
        ("service", lambda: check_service(ports)),
    ]


def _own_links(ports: DoctorPorts) -> list[tuple[str, Callable[[], Finding]]]:
    examiner = ports.examiner
    if examiner is None:
        why = left_out(f"the database is not the project's own ({ports.target.origin})")
        return [(name, lambda: why) for name in OWN_LINKS]
    return [
        ("engine", examiner.engine),
        (examiner.part, examiner.process),
        ("volume", examiner.volume),
        ("port", examiner.port),
    ]


def _walk(
    links: Sequence[tuple[str, Callable[[], Finding]]],
    rest: Sequence[str],
    *,
    seconds: float,
    more: Mapping[str, float] | None = None,
) -> Diagnosis:
    """Look at the links, each for so many seconds, and `more` for those that wait for something."""
    done: list[Link] = []
    names = [*(name for name, _ in links), *rest]
    for name, look in links:
        found = _look(name, look, seconds=seconds + (more or {}).get(name, 0.0))
        done.append(Link(name, found.status, found.detail))
        if found.cause is not None:
            why = f"because {name} is broken"
            skipped = left_out(why)
            done.extend(Link(later, skipped.status, why) for later in names[len(done) :])
            cause = found.cause
            return Diagnosis(cause.text, cause.command, tuple(done), other=cause.other, safe=cause.safe)
    return Diagnosis(None, None, tuple(done))


def _look(name: str, look: Callable[[], Finding], *, seconds: float) -> Finding:
    """Look at one link in a thread of its own, which is left behind where it does not come back."""
    found: list[Finding | Exception] = []

    def run() -> None:
        try:
            found.append(look())
        except Exception as error:  # noqa: BLE001 - raised again where it is looked at
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        text = f"The {name} gives no answer within {seconds:g} s."
        return broken(
            text[:-1], Cause(text, "kinetria health", other="something hangs; look at it, then run this again")
        )
    outcome = found[0]
    if isinstance(outcome, KinetriaError):
        return broken(outcome.message, cause_of(outcome))
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def cause_of(error: KinetriaError) -> Cause:
    """Return an error as a cause: its message, and the command of its hint, unless that one loses the data."""
    hint = error.hint or ""
    if isinstance(error, MigrationFileInvalid) and (place := _FILE.match(error.message)):
        line = f"+{place['line']} " if place["line"] else ""
        opened = f"${{EDITOR:-vi}} {line}{shlex.quote(place['file'])}"
        return Cause(f"{error.message}.", hint if hint.startswith("ls -l") else opened, other=error.hint)
    command = None if _LOSES in hint else _COMMAND.search(hint)
    return Cause(
        f"{error.message}.", command[0] if command else "kinetria config show", other=None if command else error.hint
    )
