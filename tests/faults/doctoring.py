"""What the tests of doctor share: reading a diagnosis, and running the command that it names."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.embedded.programs import choose_account, find_programs
from tests.faults.stack import TestStack
from tests.world import Answer, connect_to, database_variables

OTHER = "sentinel-of-doctor"
OWN = ("engine", "process", "volume", "port")
LINKS = ("configuration", *OWN, "tcp", "tls", "login", "database", "schema", "service")


@dataclass(frozen=True)
class Found:
    """The one cause of a diagnosis."""

    cause: str
    command: str
    detail: str
    links: dict[str, str]


def well(answer: Answer) -> dict[str, str]:
    """Assert that nothing is broken; return each link's status."""
    assert answer.code == 0, answer.out or answer.err
    data = answer.data
    assert (data["cause"], data["command"]) == (None, None)
    found = {link["name"]: link["status"] for link in data["links"]}
    assert tuple(found) == LINKS
    assert set(found.values()) <= {"ok", "warn", "skipped"}
    return found


def one_cause(answer: Answer, link: str, *, secrets: tuple[str, ...] = ()) -> Found:
    """Assert that exactly this link is broken, that those before it hold, and that those behind it are skipped."""
    assert answer.code == 1, answer.out or answer.err
    data: Any = answer.data
    names = [found["name"] for found in data["links"]]
    assert tuple(names) == LINKS
    statuses = [found["status"] for found in data["links"]]
    place = names.index(link)
    assert statuses[place] == "fail", data["links"]
    assert set(statuses[:place]) <= {"ok", "warn", "skipped"}, data["links"]
    for behind in data["links"][place + 1 :]:
        assert (behind["status"], behind["detail"]) == ("skipped", f"because {link} is broken")
    for secret in secrets:
        assert secret not in answer.out + answer.err
    assert data["cause"].endswith(".")
    detail = data["links"][place]["detail"]
    return Found(data["cause"], data["command"], detail, dict(zip(names, statuses, strict=True)))


def found(stack: TestStack, link: str) -> Found:
    """The one cause in a stack, whose password is not shown."""
    password = stack.folder.password("embedded")
    secrets = (password.read_text().strip(),) if password.exists() else ()
    return one_cause(stack("doctor", "--json"), link, secrets=secrets)


def in_a_shell(script: str, *, env: dict[str, str], stdin: str = "", prefix: tuple[str, ...] = ()) -> Answer:
    """Run a command as somebody pastes it: `kinetria` is this checkout's, psql the wheel's."""
    program = f'kinetria() {{ "{sys.executable}" -m kinetria_cli "$@"; }}\n'
    path = f"{find_programs(choose_account('doctor'))}:{os.environ['PATH']}"
    done = subprocess.run(
        [*prefix, "bash", "-c", program + script],
        env={**os.environ, **env, "PATH": path},
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def mended(command: str, *, env: dict[str, str], stdin: str = "") -> dict[str, str]:
    """Run the command of a diagnosis, then the walk again in the same shell; assert that nothing is broken any more."""
    script = f"{{ {command}; }} >&2 || exit 99\nkinetria doctor --json"
    return well(in_a_shell(script, env=env, stdin=stdin))


def editor(folder: Path, script: str) -> dict[str, str]:
    """An editor that changes the file that it is given last by a script of sed."""
    program = folder / "editor"
    program.write_text(f"#!/bin/bash\nexec sed -i '{script}' \"${{@: -1}}\"\n")
    program.chmod(0o700)
    return {"EDITOR": str(program)}


@contextmanager
def role(params: ConnectionParams, options: str, password: str = OTHER) -> Iterator[ConnectionParams]:
    """A role without any right of a superuser."""
    name = f"{params.dbname}_role"
    with connect_to(params) as admin:
        admin.execute(f"CREATE ROLE {name} {options} PASSWORD '{password}'".encode())
        yield replace(params, user=name, password=password)
        admin.execute(f"DROP OWNED BY {name}".encode())
        admin.execute(f"DROP ROLE {name}".encode())


def environment(params: ConnectionParams) -> dict[str, str]:
    """What somebody's shell has; psql takes the password from PGPASSWORD."""
    return {**database_variables(params), "PGPASSWORD": params.password}
