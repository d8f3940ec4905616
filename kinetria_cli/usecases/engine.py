"""Which engine runs the project's stack, and why."""

from collections.abc import Callable
from dataclasses import dataclass

from kinetria_cli.domain.errors import KinetriaError, Refused

DOCKER = "docker"
EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine and the reason for it, for people."""

    name: str
    reason: str


def choose_engine(wanted: str, *, holder: str | None, find_docker: Callable[[], str]) -> EngineChoice:
    """Return the engine for the project.

    The one that holds the project's data, whatever is asked for: one project is one stack. `check_engine` is for `up`,
    which would start another.

    Args:
        wanted: auto, docker or embedded.
        holder: The engine that holds the project's data, or None for a new project.
        find_docker: Returns where Docker and Compose answer, for people; raises where they do not.
    """
    if holder is not None:
        return EngineChoice(holder, "it holds this project's data" if wanted == "auto" else "asked for")
    if wanted != "auto":
        return EngineChoice(wanted, "asked for")
    try:
        return EngineChoice(DOCKER, find_docker())
    except KinetriaError as error:
        return EngineChoice(EMBEDDED, error.message)


def check_engine(wanted: str, *, holder: str | None, superseded: tuple[str, ...], project: str) -> None:
    """Refuse to start a second stack beside the one that holds the project's data.

    Args:
        wanted: auto, docker or embedded.
        holder: The engine that holds the data.
        superseded: Engines whose data are an older copy.
        project: The project's name.

    Raises:
        Refused: Another engine holds the data; the hint takes them along.
    """
    if holder is None or wanted in ("auto", holder):
        return
    older = f"; what {wanted} still has is an older copy" if wanted in superseded else ""
    raise Refused(
        f"the data of project {project} are in the {holder} engine{older}",
        hint=f"kinetria up --engine {wanted} --carry takes them along; KINETRIA_PROJECT=another begins beside them",
    )
