"""Stopping and removing what a project has, by the Engine API alone (Docker Engine API 1.41).

By hand, because the SDK takes as long to import as a tenth of a whole `down`, and nothing is read here but names.
"""

import contextlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import EngineFailed, EngineUnavailable, WaitTimedOut
from kinetria_cli.gateways.engines.docker.daemon import Daemon, open_connection, speaking_to
from kinetria_cli.gateways.engines.docker.found import PROJECT_LABEL, SERVICE_LABEL

ANSWER_SECONDS = 30.0
STOPPABLE = ("running", "restarting", "paused")
GONE = 404
REFUSED = 400


class Control:
    """The containers and networks of one project, to be stopped and removed.

    Args:
        project: The project's name.
        daemon: Where they are.
    """

    def __init__(self, project: str, daemon: Daemon) -> None:
        self._project = project
        self._daemon = daemon

    def stop(self, service: str, deadline: Deadline) -> bool:
        """Stop the containers of a service; return whether one ran.

        Raises:
            WaitTimedOut: The daemon did not say that it stopped in time.
        """
        ran = False
        for entry in self._containers():
            if entry["Labels"].get(SERVICE_LABEL) == service and entry["State"] in STOPPABLE:
                self._stop(entry["Id"], service, deadline)
                ran = True
        return ran

    def remove_containers(self) -> None:
        """Remove every container of the project; they must be stopped, or hold nothing that matters."""
        for entry in self._containers():
            self._ask("DELETE", f"/containers/{entry['Id']}", {"force": "1", "v": "1"})

    def remove_networks(self) -> None:
        """Remove the project's networks.

        Raises:
            EngineFailed: Another project's container is in one.
        """
        for network in self._ask("GET", "/networks", self._filters()):
            self._ask("DELETE", f"/networks/{network['Id']}", {})

    def _containers(self) -> list[Any]:
        listed: list[Any] = self._ask("GET", "/containers/json", {"all": "1", **self._filters()})
        return listed

    def _filters(self) -> dict[str, str]:
        return {"filters": json.dumps({"label": [f"{PROJECT_LABEL}={self._project}"]})}

    def _stop(self, container: str, service: str, deadline: Deadline) -> None:
        try:
            # Without a time of our own the container's counts, which is compose.yaml's stop_grace_period.
            self._ask("POST", f"/containers/{container}/stop", {}, seconds=deadline.remaining + ANSWER_SECONDS)
        except EngineUnavailable as error:
            if not isinstance(error.__cause__, TimeoutError):
                raise
            raise WaitTimedOut(
                f"{service} did not stop within {deadline.seconds:g} s",
                hint=f"kinetria logs {service} tells what it is doing; then kinetria down again",
            ) from error

    def _ask(self, method: str, path: str, query: Mapping[str, str], *, seconds: float = ANSWER_SECONDS) -> Any:
        """Send a request and return the answer; what is gone already is no error."""
        target = f"/v{self._daemon.api_version}{quote(path)}?{urlencode(query)}"
        with (
            speaking_to(self._daemon.url, seconds),
            contextlib.closing(open_connection(self._daemon.url, seconds)) as opened,
        ):
            opened.request(method, target)
            answer = opened.getresponse()
            body = answer.read()
            document = json.loads(body) if body else None
        if answer.status >= REFUSED and answer.status != GONE:
            said = document.get("message") if isinstance(document, dict) else None
            raise EngineFailed(f"the Docker daemon refused: {said or answer.reason}", hint="docker ps -a; then again")
        return document
