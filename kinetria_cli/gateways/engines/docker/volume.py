"""The volume with the data: whether it fits the image and the password, and how a lost password is made good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.gateways.engines.common.scram import change_password
from kinetria_cli.gateways.engines.docker.compose import Compose
from kinetria_cli.gateways.engines.docker.control import Control
from kinetria_cli.gateways.engines.docker.diagnosis import other_major, password_changed
from kinetria_cli.gateways.engines.docker.found import DATA_FOLDER, Found
from kinetria_cli.gateways.engines.docker.images import Images
from kinetria_cli.gateways.engines.docker.memory import Memory, MemoryFile
from kinetria_cli.gateways.engines.docker.project import DockerProject

DATA_VOLUME = "postgres_data"
SINGLE_USER = f'exec su postgres -c "exec postgres --single -j -D {DATA_FOLDER} postgres"'
"""Without a server and without a login (PostgreSQL 16 manual, reference of `postgres`); as its own user, never root."""
SYSTEM_IDENTIFIER_BYTES = 8
"""pg_control begins with the number that initdb gave the cluster (PostgreSQL 16, catalog/pg_control.h)."""
INITIALISING = "The files belonging to this database system will be owned by"
"""The first words of initdb (PostgreSQL 16); a server that ended before them has left the folder empty."""
INITIALISED = "PostgreSQL init process complete"
"""What the image's entry point says when its server is about to begin (docker-library/postgres)."""
INITIALISATION_LINES = 1000

Credentials = tuple[str, str, str]
"""Role, database, password."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The database cluster on a volume.

    Args:
        major: The version that wrote it.
        system: The number that initdb gave it: another cluster on a volume of the same name has another.
    """

    major: int
    system: str


class DataVolume:
    """The volume of one project.

    Args:
        project: Looks at it.
        control: Stops its server.
        compose: Runs a command on it.
        images: PostgreSQL's is used to look into it.
        memory: What is known of it.
    """

    def __init__(
        self, project: DockerProject, control: Control, compose: Compose, images: Images, memory: MemoryFile
    ) -> None:
        self._project = project
        self._control = control
        self._compose = compose
        self._images = images
        self._memory = memory
        self._was_empty = False

    def check(self, container: Found | None, credentials: Credentials, *, reset: bool) -> None:
        """Refuse what would fail anyway, before anything starts.

        Args:
            container: The stopped container of the volume, where there is one.
            credentials: Those on file now.
            reset: Whether the password is going to be reset, so that it need not fit.

        Raises:
            DataFolderUnusable: The data belong to another major version.
            LoginRefused: They were made with another password.
        """
        name = self._name()
        cluster = self._look(name, container) if name else None
        self._was_empty = cluster is None
        if name is None or cluster is None:
            return
        ours = self._images.postgres_major
        if ours and cluster.major != ours:
            raise other_major(name, str(cluster.major), str(ours))
        known = self._memory.read()
        changed = known.system == cluster.system and known.credentials != self._memory.credentials(*credentials)
        if changed and not reset:
            raise password_changed(name, _day(known.since))

    def reset_password(self, role: str, password: str, variables: Mapping[str, str], deadline: Deadline) -> None:
        """Give the role this password, whatever the present one is; the server is stopped for it.

        Raises:
            EngineFailed: PostgreSQL refused; the details are its words.
        """
        if self._name() is None:
            return
        self._control.stop("postgres", deadline)
        command = ["/bin/sh", "-euc", SINGLE_USER]
        self._compose.run_once("postgres", command, change_password(role, password), variables)

    def remember(self, running: Found, credentials: Credentials) -> None:
        """Note what the volume was proved to be: its server runs, and the health check logged in with the password."""
        cluster = self._read(running)
        known = self._memory.read()
        hashed = self._memory.credentials(*credentials)
        if cluster is None or (known.system == cluster.system and known.credentials == hashed):
            return
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        self._memory.write(
            Memory(system=cluster.system, major=cluster.major, credentials=hashed, since=now, made=known.made)
        )

    def discard_unfinished(self) -> None:
        """Remove the volume where `check` found it empty and its initialisation has not come to an end.

        The image initialises only an empty folder: stopped half-way, it would leave a server without its database for
        good. Nobody can have stored a row: until the end the server listens to no address.
        """
        if not self._was_empty:
            return
        found = self._project.find("postgres")
        said = "" if found is None else "\n".join(self._project.last_lines(found, INITIALISATION_LINES))
        name = self._name()
        if found is not None and name is not None and INITIALISING in said and INITIALISED not in said:
            self._project.remove(found)
            self._project.remove_volume(name)

    def _name(self) -> str | None:
        return next((name for name in self._project.volumes() if name.endswith(f"_{DATA_VOLUME}")), None)

    def _look(self, volume: str, container: Found | None) -> Cluster | None:
        if container is not None:
            return self._read(container)
        with self._project.holding(volume, DATA_FOLDER, image=self._images.postgres) as created:
            return self._read(created)

    def _read(self, container: Found) -> Cluster | None:
        """Read the cluster's own words; None where initdb has not finished."""
        major = self._project.read_file(container, f"{DATA_FOLDER}/PG_VERSION").decode("ascii", "replace").strip()
        control = self._project.read_file(container, f"{DATA_FOLDER}/global/pg_control")
        if not major.isdigit() or len(control) < SYSTEM_IDENTIFIER_BYTES:
            return None
        return Cluster(int(major), control[:SYSTEM_IDENTIFIER_BYTES].hex())


def _day(moment: str) -> str:
    """The day of a moment, for people; empty where there is none."""
    if not moment:
        return ""
    day = datetime.fromisoformat(moment)
    return f"{day.day} {day:%B}"
