"""`kinetria up --engine docker` against `docker compose` of the same file, images present."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.measure import Row, seconds
from bench.stacks import KINETRIA, MIGRATIONS, environment, free_port, run

COMPOSE = MIGRATIONS.parent / "compose"
ALLOWANCE = 0.5
"""Seconds that `up` may take above Compose where all runs already."""


def docker_answers() -> bool:
    """Whether there is an engine to measure on."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "ls"], capture_output=True, check=False).returncode == 0


class OurStack:
    """A project of `kinetria --engine docker`.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = ("--db-port", str(free_port()), "--http-port", str(free_port()))
        self._env = environment(
            KINETRIA_HOME=str(folder), KINETRIA_PROJECT="kinetria-bench-ours", KINETRIA_ENGINE="docker"
        )

    def up(self) -> None:
        """Start, or find everything running."""
        run(KINETRIA, "up", *self._ports, env=self._env, folder=self._folder)

    def down(self, *arguments: str) -> None:
        """Stop and remove the containers."""
        run(KINETRIA, "down", *arguments, env=self._env, folder=self._folder)

    def image(self) -> str:
        """Return the name of the app's image, made by the first `up`."""
        command = ("docker", "inspect", "kinetria-bench-ours-app-1", "--format", "{{.Config.Image}}")
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


class ByCompose:
    """The same file by Compose alone.

    Args:
        image: The app's image.
    """

    def __init__(self, image: str) -> None:
        self._env = environment(
            KINETRIA_PROJECT="kinetria-bench-compose",
            KINETRIA_IMAGE=image,
            KINETRIA_DB_PORT=str(free_port()),
            KINETRIA_HTTP_PORT=str(free_port()),
        )

    def up(self) -> None:
        """Start, or find everything running."""
        run("docker", "compose", "up", "--detach", "--wait", env=self._env, folder=COMPOSE)

    def down(self, *arguments: str) -> None:
        """Stop and remove the containers."""
        run("docker", "compose", "down", *arguments, env=self._env, folder=COMPOSE)


def on_docker(folder: Path, runs: int) -> Iterator[Row]:
    """Both from nothing, again, and down, in turns; removing the volumes is not timed."""
    ours = OurStack(folder)
    ours.up()
    peer = ByCompose(ours.image())
    ours.down("--volumes", "--yes")
    times: dict[str, list[tuple[float, float]]] = {"cold": [], "again": [], "down": []}
    try:
        for _ in range(runs):
            times["cold"].append((seconds(ours.up), seconds(peer.up)))
            times["again"].append((seconds(ours.up), seconds(peer.up)))
            times["down"].append((seconds(ours.down), seconds(peer.down)))
            ours.down("--volumes", "--yes")
            peer.down("--volumes")
    finally:
        ours.down("--volumes", "--yes")
        peer.down("--volumes")
    for what, name, bound, allowance in (
        ("cold", "kinetria up, docker, cold / docker compose up -d --wait", 1.15, 0.0),
        ("again", f"the same, all running / the same and {ALLOWANCE} s", 1.0, ALLOWANCE),
        ("down", "kinetria down, docker / docker compose down", 1.15, 0.0),
    ):
        mine, theirs = (median(pair[i] for pair in times[what]) for i in (0, 1))
        row = Row(name, mine, theirs + allowance, bound)
        print(row.line(), flush=True)
        yield row
