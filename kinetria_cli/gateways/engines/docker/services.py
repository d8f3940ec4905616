"""One service of the stack: started as the file says, waited for, explained when it fails, stopped."""

from collections.abc import Mapping
from dataclasses import replace

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import EngineFailed
from kinetria_cli.gateways.engines.docker.compose import Compose
from kinetria_cli.gateways.engines.docker.compose_errors import SHOWN_LINES
from kinetria_cli.gateways.engines.docker.control import Control
from kinetria_cli.gateways.engines.docker.diagnosis import failure, is_hopeless
from kinetria_cli.gateways.engines.docker.found import Found
from kinetria_cli.gateways.engines.docker.images import Images
from kinetria_cli.gateways.engines.docker.memory import MemoryFile
from kinetria_cli.gateways.engines.docker.project import DockerProject

POLL_SECONDS = 0.05


class Services:
    """The services that stay.

    Args:
        project: Looks at their containers.
        control: Stops them.
        compose: Starts them.
        images: What they are to run.
        memory: What they were made from.
    """

    def __init__(
        self, project: DockerProject, control: Control, compose: Compose, images: Images, memory: MemoryFile
    ) -> None:
        self._project = project
        self._control = control
        self._compose = compose
        self._images = images
        self._memory = memory

    def start(self, service: str, variables: Mapping[str, str], deadline: Deadline) -> tuple[Found, bool]:
        """Run a service as the file says; return it when it is healthy, and whether anything had to be started.

        Raises:
            ConfigInvalid: The file cannot be used.
            WaitTimedOut: It was not healthy in time.
            Whatever `compose_error` and `failure` make of what went wrong.
        """
        wanted = self._compose.hash(service, variables)
        before = self._project.find(service)
        if before is not None and self._project.is_cut_off(before):
            # For Compose it is as the file says: it would be left as it is, or could not be started.
            self._control.stop(service, deadline)
            self._project.remove(before)
            before = None
        if before is None or not before.running or not self._is_as_wanted(before, wanted):
            self._compose.up(service, variables, deadline)
        now = self._project.find(service)
        if now is None:
            raise EngineFailed(f"Compose made no container of {service}", hint="docker ps -a; then kinetria up")
        self._memory.note_made(service, now.id, wanted)
        fresh = before is None or (before.id, before.started_at) != (now.id, now.started_at)
        # For one that Compose starts the count begins at 0, and by now it may have ended and run again.
        went_on = before is not None and before.id == now.id and before.state in ("running", "restarting", "paused")
        return self._wait_healthy(now, before.restarts if before and went_on else 0, deadline), fresh

    def _is_as_wanted(self, found: Found, wanted: str) -> bool:
        """Whether a container was made from the present configuration and image, by us or by plain Compose.

        Compose's own label does not tell for ours: with --no-deps it hashes a configuration without `depends_on`.
        """
        ours = self._memory.read().made.get(found.service) == [found.id, wanted]
        return (ours or found.config_hash == wanted) and found.image_id == self._images.id_of(found.service)

    def _wait_healthy(self, started: Found, restarts: int, deadline: Deadline) -> Found:
        """Return it when it is healthy; fail when it ended, which more than so many restarts tell too."""
        while True:
            now = self._project.look(started.id) or replace(started, state="removed")
            if now.running and now.health in ("healthy", "none"):
                return now
            if now.running and now.restarts > restarts:
                # Where nobody knows any more how it ended, its next end tells.
                now = self._project.as_it_ended(now) or now
            ended = not now.running or is_hopeless(now)
            if ended or deadline.passed:
                lines = self._project.last_lines(now, SHOWN_LINES) if now.state != "removed" else []
                raise failure(now, lines, waited=None if ended else deadline.seconds)
            deadline.pause(POLL_SECONDS)
