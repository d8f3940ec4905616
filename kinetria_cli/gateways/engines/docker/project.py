"""What the daemon knows about a project, through the Docker SDK and by the labels that Compose puts on things."""

import contextlib
import io
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import docker
import docker.errors
import requests.exceptions

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import EngineFailed, EngineUnavailable, Refused, WaitTimedOut
from kinetria_cli.gateways.engines.docker.compose_errors import HINT_DAEMON, HINT_IMAGE
from kinetria_cli.gateways.engines.docker.found import PROJECT_LABEL, SERVICE_LABEL, Found, found_from

ONE_OFF_LABEL = "com.docker.compose.oneoff"
ANSWER_SECONDS = 30.0


class DockerProject:
    """One Compose project on one daemon.

    Args:
        name: The project's name.
        url: The daemon.
        api_version: The newest API that it speaks.
    """

    def __init__(self, name: str, *, url: str, api_version: str) -> None:
        self._name = name
        self._url = url
        self._api_version = api_version

    @cached_property
    def _api(self) -> docker.APIClient:
        return docker.APIClient(base_url=self._url, version=self._api_version, timeout=int(ANSWER_SECONDS))

    # containers

    def find(self, service: str) -> Found | None:
        """Return the container of a service, the newest where there are several, or None."""
        with self._translated():
            listed = self._list(f"{SERVICE_LABEL}={service}", f"{ONE_OFF_LABEL}=False")
            newest = max(listed, key=lambda entry: int(entry["Created"]), default=None)
            return None if newest is None else found_from(self._api.inspect_container(newest["Id"]))

    def all(self) -> tuple[Found, ...]:
        """Return every container of a service, also those that ran once, as they are now."""
        with self._translated():
            listed = self._list(f"{ONE_OFF_LABEL}=False")
        found = (self.look(entry["Id"]) for entry in listed)
        return tuple(sorted((one for one in found if one is not None), key=lambda one: one.service))

    def look(self, container: str) -> Found | None:
        """Return the container with this id as it is now, or None."""
        with self._translated():
            try:
                return found_from(self._api.inspect_container(container))
            except docker.errors.NotFound:
                return None

    def as_it_ended(self, container: Found) -> Found | None:
        """Return a container that runs again as it was when it last ended, or None where the daemon tells of no end.

        Docker clears the exit code, and that memory was short, when it starts a container again; its events keep both.
        """
        with self._translated():
            # The start is the daemon's own time, too: its clock may be another than ours.
            until: Any = f"{container.started_at:.6f}"  # as a datetime it would lose its fraction
            wanted = {"container": container.id, "event": ["die", "oom"]}
            events = list(self._api.events(since=0, until=until, filters=wanted, decode=True))
        ends = [event for event in events if event["Action"] == "die"]
        if not ends:
            return None
        before = ends[-2]["timeNano"] if len(ends) > 1 else 0
        short = any(event["Action"] == "oom" and event["timeNano"] > before for event in events)
        return replace(
            container,
            state="restarting",
            exit_code=int(ends[-1]["Actor"]["Attributes"]["exitCode"]),
            out_of_memory=container.out_of_memory or short,
        )

    def _list(self, *labels: str) -> list[Any]:
        wanted = [f"{PROJECT_LABEL}={self._name}", *labels]
        listed: list[Any] = self._api.containers(all=True, filters={"label": wanted})
        return listed

    def is_cut_off(self, container: Found) -> bool:
        """Whether somebody took a container off its network, where it publishes nothing either, or removed that."""
        with self._translated():
            there = {"", *(network["Id"] for network in self._api.networks())}
        return not container.networks or not there.issuperset(container.networks)

    def remove(self, container: Found) -> None:
        """Remove a container; what it has in volumes stays."""
        with self._translated(), contextlib.suppress(docker.errors.NotFound):
            self._api.remove_container(container.id, force=True)

    def read_file(self, container: Found, path: str) -> bytes:
        """Return a file of a container, running or not, its volumes included; nothing where there is none."""
        with self._translated():
            try:
                chunks, _ = self._api.get_archive(container.id, path)
            except docker.errors.NotFound:
                return b""
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                member = archive.extractfile(archive.getmembers()[0])
                return b"" if member is None else member.read()

    def output_of(self, container: Found, command: list[str]) -> str | None:
        """Run a command in a running container; return what it printed, or None where it did not succeed."""
        with self._translated():
            made = self._api.exec_create(container.id, command, stderr=False)
            printed: bytes = self._api.exec_start(made["Id"])
            done = self._api.exec_inspect(made["Id"])
        return printed.decode("utf-8", "replace") if done["ExitCode"] == 0 else None

    def write_file(self, container: Found, folder: str, name: str, content: bytes, *, group: int) -> None:
        """Write a file into a volume of a container, running or not: root's, readable by a group, by nobody else."""
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.uid, member.gid = len(content), 0o440, 0, group
        member.mtime = int(time.time())
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.addfile(member, io.BytesIO(content))
        with self._translated():
            self._api.put_archive(container.id, folder, packed.getvalue())

    @contextlib.contextmanager
    def holding(self, volume: str, folder: str, *, image: str) -> Iterator[Found]:
        """Make a container that is never started, to look into a volume that no container has now."""
        with self._translated():
            config = self._api.create_host_config(binds=[f"{volume}:{folder}:ro"], network_mode="none")
            labels = {PROJECT_LABEL: self._name, ONE_OFF_LABEL: "True"}
            made = self._api.create_container(image, labels=labels, host_config=config)
            try:
                yield found_from(self._api.inspect_container(made["Id"]))
            finally:
                self._api.remove_container(made["Id"], v=True)

    def wait(self, container: Found, deadline: Deadline) -> int:
        """Wait until a one-shot has ended; return its exit code.

        Raises:
            WaitTimedOut: It had not at the deadline.
        """
        with self._translated():
            try:
                return int(self._api.wait(container.id, timeout=max(1, int(deadline.remaining)))["StatusCode"])
            except (requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError) as error:
                raise WaitTimedOut(f"{container.name} did not end within {deadline.seconds:g} s") from error

    def last_lines(self, container: Found, count: int) -> list[str]:
        """Return the last lines that a container printed, to either stream."""
        with self._translated():
            raw = self._api.logs(container.id, stdout=True, stderr=True, tail=count)
        return raw.decode("utf-8", "replace").splitlines()

    def log_stream(self, container: Found, *, follow: bool, tail: int | None, since: float | None) -> Iterator[bytes]:
        """Yield pieces of a container's log, every line with its time in front; a piece need not end with a line."""
        with self._translated():
            yield from self._api.logs(
                container.id,
                stream=True,
                follow=follow,
                timestamps=True,
                tail="all" if tail is None else tail,
                since=since,
            )

    # volumes

    def volumes(self) -> tuple[str, ...]:
        """Return the names of the project's volumes."""
        with self._translated():
            listed = self._api.volumes(filters={"label": f"{PROJECT_LABEL}={self._name}"})["Volumes"] or []
        return tuple(sorted(entry["Name"] for entry in listed))

    def check_unused(self, volumes: tuple[str, ...]) -> None:
        """Fail where a container outside of the project uses one of these volumes.

        Raises:
            Refused: One does; both are named.
        """
        with self._translated():
            for volume in volumes:
                for entry in self._api.containers(all=True, filters={"volume": volume}):
                    if entry["Labels"].get(PROJECT_LABEL) != self._name:
                        name = entry["Names"][0].lstrip("/")
                        raise Refused(
                            f"the volume {volume} is in use by the container {name}, which is not this project's",
                            hint=f"nothing was removed; when you know what it is: docker rm {name}",
                        )

    def remove_volume(self, volume: str) -> None:
        """Delete a volume and what is in it.

        Raises:
            Refused: A container uses it.
        """
        with self._translated():
            try:
                self._api.remove_volume(volume)
            except docker.errors.NotFound:
                return
            except docker.errors.APIError as error:
                if error.status_code != 409:
                    raise
                raise Refused(
                    f"the volume {volume} is in use", hint=f"docker ps -a --filter volume={volume}"
                ) from error

    # images, and the daemon itself

    def image(self, name: str) -> Mapping[str, Any] | None:
        """Return what the daemon knows of an image, or None where it does not have it."""
        with self._translated():
            try:
                found: Mapping[str, Any] = self._api.inspect_image(name)  # type: ignore[no-untyped-call]
            except docker.errors.ImageNotFound:
                return None
            return found

    def pull(self, name: str, tell: Callable[[str], None]) -> None:
        """Fetch an image.

        Raises:
            EngineUnavailable: It does not exist there, or the registry does not answer.
        """
        repository, _, tag = name.partition(":") if "@" not in name else (name, "", "")
        amounts: dict[str, tuple[int, int]] = {}
        with self._translated():
            try:
                for event in self._api.pull(repository, tag=tag or None, stream=True, decode=True):
                    if "error" in event:
                        raise _no_image(name, str(event["error"]))
                    detail = event.get("progressDetail") or {}
                    if detail.get("total"):
                        amounts[event["id"]] = (detail["current"], detail["total"])
                        tell(f"pulling {name}: {_percent(amounts)} %")
            except docker.errors.APIError as error:
                raise _no_image(name, str(error.explanation or error)) from error
            except requests.exceptions.ReadTimeout as error:
                raise _no_image(name, f"the registry gave no answer for {ANSWER_SECONDS:g} s") from error

    def data_root(self) -> str:
        """Return the folder on the daemon's machine that holds images and volumes."""
        with self._translated():
            return str(self._api.info()["DockerRootDir"])

    def publisher(self, port: int) -> str | None:
        """Say which container publishes a port of this machine, or None."""
        with self._translated():
            for entry in self._api.containers(filters={"publish": str(port)}):
                labels = entry["Labels"]
                of = f" of project {labels[PROJECT_LABEL]}" if PROJECT_LABEL in labels else ""
                return f"the container {entry['Names'][0].lstrip('/')}{of}"
        return None

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what the SDK raises into the domain's errors."""
        try:
            yield
        except docker.errors.APIError as error:
            raise EngineFailed(
                f"the Docker daemon refused: {error.explanation or error}", hint="docker ps -a; then run this again"
            ) from error
        except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
            raise EngineUnavailable(f"the Docker daemon at {self._url} stopped answering", hint=HINT_DAEMON) from error


def _no_image(name: str, reason: str) -> EngineUnavailable:
    return EngineUnavailable(f"the image {name} is not here and cannot be fetched: {reason}", hint=HINT_IMAGE)


def _percent(amounts: Mapping[str, tuple[int, int]]) -> int:
    return 100 * sum(done for done, _ in amounts.values()) // max(1, sum(total for _, total in amounts.values()))
