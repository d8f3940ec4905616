"""`docker compose` as a process: the words it is given, what it says meanwhile, and its errors as the domain's."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import ConfigInvalid, EngineUnavailable, WaitTimedOut
from kinetria_cli.gateways.engines.docker.compose_errors import compose_error

FILE = "compose.yaml"
END_SECONDS = 5.0
NO_LIMIT = float("inf")


def silent(_: str) -> None:
    """Tell nobody."""


def docker_command(environment: Mapping[str, str]) -> str:
    """Return the docker command in PATH.

    Raises:
        EngineUnavailable: There is none.
    """
    found = shutil.which("docker", path=environment.get("PATH", os.defpath))
    if found is None:
        raise EngineUnavailable(
            "there is no docker command in PATH",
            hint="install the Docker command line with Compose v2, or go without: kinetria up --engine embedded",
        )
    return found


def compose_version(environment: Mapping[str, str]) -> str:
    """Return Compose's version, like 2.26.1.

    Raises:
        EngineUnavailable: The docker command or its Compose plugin is not there.
    """
    docker = docker_command(environment)
    done = subprocess.run(
        [docker, "compose", "version", "--short"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0 or not done.stdout.strip():
        raise EngineUnavailable(
            f"the docker command {docker} has no Compose v2",
            hint="install the plugin docker-compose-plugin, or go without: kinetria up --engine embedded",
        )
    return done.stdout.strip().removeprefix("v").partition("-")[0]


class Compose:
    """One project and its file.

    Args:
        folder: Holds compose.yaml.
        project: The project's name.
        url: The daemon.
        environment: What the process inherits: PATH, HOME, proxies, DOCKER_*.
    """

    def __init__(self, folder: Path, project: str, *, url: str, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._project = project
        # DOCKER_HOST beats the context in the docker command line, so this is the one endpoint.
        self._environment = {**environment, "DOCKER_HOST": url}

    @property
    def file(self) -> Path:
        """The Compose file."""
        return self._folder / FILE

    def check_file(self, name: str = FILE) -> None:
        """Fail where a file of the folder is not there.

        Raises:
            ConfigInvalid: It is not.
        """
        if not (self._folder / name).is_file():
            raise ConfigInvalid(
                f"there is no {name} in {self._folder}", hint="look at KINETRIA_COMPOSE_DIR: kinetria config show"
            )

    def version(self) -> str:
        """Return Compose's version. Raises what `compose_version` raises."""
        return compose_version(self._environment)

    def hash(self, service: str, variables: Mapping[str, str]) -> str:
        """Check the file and return the hash of a service's configuration, as Compose would label its container.

        Raises:
            ConfigInvalid: The file cannot be used; the message names it.
        """
        said = self._run(["config", "--hash", service], variables, merged=False)
        return said.split()[-1] if said.split() else ""

    def build(self, service: str, variables: Mapping[str, str], tell: Callable[[str], None]) -> None:
        """Make a service's image.

        Raises:
            EngineUnavailable: The base image is not here and cannot be fetched.
            EngineFailed: A step failed; the details are its output.
        """
        self._run(["--progress", "plain", "build", service], variables, tell=lambda line: tell(_step(line)))

    def up(self, service: str, variables: Mapping[str, str], deadline: Deadline) -> None:
        """Create or recreate the container of one service where it differs from the file, and start it.

        Raises:
            Whatever `compose_error` makes of what Compose says.
            WaitTimedOut: Compose itself did not end until the deadline.
        """
        self._run(["up", "--detach", "--no-deps", "--no-build", service], variables, deadline=deadline)

    def run_once(self, service: str, command: list[str], text: str, variables: Mapping[str, str]) -> None:
        """Run a command in a container of a service that is removed afterwards; `text` is its standard input."""
        words = ["run", "--rm", "--no-deps", "--no-TTY", "--entrypoint", command[0], service, *command[1:]]
        self._run(words, variables, text=text)

    def _run(
        self,
        words: list[str],
        variables: Mapping[str, str],
        *,
        tell: Callable[[str], None] = silent,
        deadline: Deadline | None = None,
        text: str | None = None,
        merged: bool = True,
    ) -> str:
        """Run to the end and return what was printed; ended with everything it started when we are interrupted."""
        self.check_file()
        command = [
            docker_command(self._environment),
            "compose",
            *("--file", str(self.file)),
            *("--project-directory", str(self._folder)),
            *("--project-name", self._project),
            # A .env beside the file is the plain Compose user's; python-dotenv and Compose read it differently anyway.
            *("--env-file", os.devnull),
            *words,
        ]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            env={**self._environment, **variables},
            cwd=self._folder,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches us alone, and we end it in our own way
        )
        said = _Listener(process, tell)
        try:
            if process.stdin is not None:
                with contextlib.suppress(BrokenPipeError), process.stdin:
                    process.stdin.write(text or "")
            code = process.wait(None if deadline is None else deadline.remaining + END_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise WaitTimedOut(
                f"docker compose {words[0]} did not end in time",
                hint="look at the daemon: docker info; give it longer with kinetria up --timeout 5m",
            ) from error
        finally:
            _end(process)
            said.join()
        if code != 0:
            raise compose_error(code, said.lines, file=self.file)
        return "\n".join(said.output)


class _Listener:
    """Reads what a process prints while it runs, so that it never waits for us."""

    def __init__(self, process: "subprocess.Popen[str]", tell: Callable[[str], None]) -> None:
        self.output: list[str] = []
        self.errors: list[str] = []
        self._tell = tell
        self._threads = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((process.stdout, self.output), (process.stderr, self.errors))
            if stream is not None
        ]
        for thread in self._threads:
            thread.start()

    @property
    def lines(self) -> list[str]:
        """Everything that was said, errors last."""
        return self.output + self.errors

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        with stream:
            for line in stream:
                lines.append(line.rstrip())
                self._tell(line.strip())

    def join(self) -> None:
        """Wait until the last line was read."""
        for thread in self._threads:
            thread.join(END_SECONDS)


def _end(process: "subprocess.Popen[str]") -> None:
    """End a process that is still there, and what it started: politely, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)


def _step(line: str) -> str:
    """Shorten a line of the build's plain progress: `#7 [app build 3/9] RUN pip ...` loses its number."""
    _, _, rest = line.partition(" ")
    return rest[:60] if line.startswith("#") and rest.startswith("[") else ""
