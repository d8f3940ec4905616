"""Why a container of the stack is not as it should be, as a cause of `doctor`: one sentence, one command."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence

from kinetria_cli.domain.doctor import Cause
from kinetria_cli.domain.errors import (
    DataFolderUnusable,
    EngineForbidden,
    EngineUnavailable,
    KinetriaError,
    LoginRefused,
)
from kinetria_cli.domain.extras import install_command
from kinetria_cli.gateways.engines.docker.diagnosis import KILLED, describe, failure
from kinetria_cli.gateways.engines.docker.found import Found

UP = "kinetria up"
TOLD_TO_STOP = (0, KILLED, 128 + 15)
"""Exit codes of a container that somebody stopped or killed: its last lines are about something else."""
_IMAGE = re.compile(r"KINETRIA_POSTGRES_IMAGE=\S+?(?=[,;]|$)")


def no_engine(error: KinetriaError, environment: Mapping[str, str], elsewhere: Callable[[], str | None]) -> Cause:
    """Return why no daemon can be used.

    Args:
        error: What looking for it raised.
        environment: What decides where it is looked for.
        elsewhere: Returns the address of a daemon that answers at the usual place, or None.
    """
    text = f"{error.message}."
    if isinstance(error, EngineForbidden):
        return Cause(text, "sudo usermod -aG docker $USER && newgrp docker", other="or run it as a user of that group")
    if "SDK" in error.message:
        return Cause(text, install_command("docker"), other="in the checkout: make install")
    for name, command in (("DOCKER_HOST", "unset DOCKER_HOST"), ("DOCKER_CONTEXT", "unset DOCKER_CONTEXT")):
        if environment.get(name) and (found := elsewhere()):
            return Cause(f"{name} is set, and {text} Without it one answers at {found}.", command)
    if not isinstance(error, EngineUnavailable):
        return Cause(text, "kinetria config show", other=error.hint)
    if "(context " in error.message and (found := elsewhere()):
        return Cause(f"{text} One answers at {found}.", "docker context use default")
    silent = "no answer" in error.message
    return Cause(text, f"sudo systemctl {'restart' if silent else 'start'} docker", other=error.hint)


def removed(service: str, image: str, *, there: bool) -> Cause:
    """Return the cause of a container that is not there.

    Args:
        service: Whose.
        image: What it is made from, for people.
        there: Whether the daemon has the image.
    """
    text = f"There is no container of {service}: somebody removed it"
    if there:
        return Cause(f"{text}.", UP, safe=True)
    return Cause(f"{text}, and the image {image} too.", UP, other="it makes or fetches the image first", safe=True)


def not_running(found: Found, lines: Sequence[str]) -> Cause:
    """Return why a container does not run.

    Args:
        found: The container, as it last ended.
        lines: Its last lines.
    """
    name = found.name
    if found.state == "paused":
        text = f"The container {name} is paused: it takes connections and answers nobody."
        return Cause(text, f"docker unpause {name}")
    if found.out_of_memory:
        text = f"The container {name} ran out of memory (exit code {found.exit_code})."
        return Cause(
            text, UP, other="where it happens again: raise mem_limit of the service in compose.yaml", safe=True
        )
    if found.state in ("created", "dead"):
        return Cause(f"{_sentence(describe(found))}.", UP, safe=True)
    if found.state != "restarting" and found.exit_code in TOLD_TO_STOP:
        how = "was stopped" if found.exit_code != KILLED else "was killed"
        return Cause(f"The container {name} {how} (exit code {found.exit_code}).", UP, safe=True)
    return _ended(found, lines)


def _ended(found: Found, lines: Sequence[str]) -> Cause:
    error = failure(found, lines)
    if isinstance(error, DataFolderUnusable) or "no room left" in error.message:
        command = _IMAGE.search(error.hint or "")
        mend = f"{command[0]} {UP}" if command else "docker system df"
        return Cause(f"{_sentence(error.message)}.", mend, other=error.hint)
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    # What clients were refused while it ran is no reason to end.
    said = f'; its last words: "{last}"' if last and not isinstance(error, LoginRefused) else ""
    text = f"{_sentence(describe(found))}{said}."
    return Cause(text, UP, other=f"all it said: kinetria logs {found.service}")


def cut_off(found: Found) -> Cause:
    """Return the cause of a container that is on no network of the stack: it publishes no port."""
    text = f"The container {found.name} runs, and somebody took it off the stack's network."
    return Cause(text, UP, safe=True)


def moved(found: Found, port: int, recorded: int) -> Cause:
    """Return the cause of a container that publishes another port than the recorded one."""
    text = f"The container {found.name} publishes port {port}; what kinetria up recorded is {recorded}."
    return Cause(text, UP, other="it records the present port", safe=True)


def published_by_another(port: int, container: str, whose: str, option: str, free: int) -> Cause:
    """Return the cause of a port that another container publishes.

    Args:
        port: Its number.
        container: The other container, for people.
        whose: What should have the port.
        option: The option of `up` that moves it.
        free: A free port.
    """
    name = container.removeprefix("the container ").split(" ", 1)[0]
    text = f"Another container ({name}) has port {port}, where {whose} should be."
    return Cause(text, f"{UP} {option} {free}", other=f"or stop it: docker stop {shlex.quote(name)}", safe=True)


def no_secret(volume: str) -> Cause:
    """Return the cause of a volume of secrets that is gone while the data that were made with it are there."""
    text = f"The volume {volume} with the password is gone; the data were made with it."
    return Cause(text, "kinetria up --reset-password", other="it keeps the data", safe=True)


def no_data(volume: str) -> Cause:
    """Return the cause of a volume of data that is gone."""
    text = f"The volume {volume} with the data is gone."
    return Cause(text, UP, other="it makes an empty database; a backup has to be loaded by hand")


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
