"""Which database a command talks to: the one that the settings name, else the recorded stack, else none."""

from dataclasses import dataclass, replace

from kinetria_cli.domain.errors import ConfigMissing
from kinetria_cli.domain.stack import ConnectionParams, NamedDatabase, StackRecord

RECORDED = "recorded by kinetria up"


@dataclass(frozen=True, slots=True)
class Target:
    """The database in use.

    Args:
        params: How to reach it.
        origin: Where the address came from, for people.
        own: Whether `kinetria up` of this project started it.
        warning: One line to print when another stack runs than the one in use.
    """

    params: ConnectionParams
    origin: str
    own: bool
    warning: str | None = None

    @property
    def label(self) -> str:
        """Host, port, database, and where they came from."""
        return f"{self.params.label} ({self.origin})"


def choose_target(
    named: NamedDatabase | None, record: StackRecord | None, *, running: bool, missing: tuple[str, ...] = ()
) -> Target:
    """Return the database to talk to.

    Args:
        named: From DB_* or DATABASE_URL.
        record: What `up` recorded for this project.
        running: Whether the recorded database runs now.
        missing: The problems to report when there is neither.

    Raises:
        ConfigMissing: Nothing is named and nothing is recorded.
    """
    if named is None:
        if record is None:
            raise ConfigMissing(
                f"failed to parse config: {'; '.join(missing)}",
                hint="start a local stack: kinetria up, or name a database: DB_HOST, DB_USER, DB_PASSWORD, DB_NAME",
            )
        return Target(record.database, RECORDED, own=True)
    if record is not None and running:
        if named.params.same_database(record.database):
            params = named.params if named.sslmode_given else replace(named.params, sslmode=record.database.sslmode)
            return Target(params, named.origin, own=True)
        return Target(
            named.params,
            named.origin,
            own=False,
            warning=f"using {named.params.label} (from {named.origin}),"
            f' not the running stack at {record.database.address}; unset it, or for that stack: eval "$(kinetria env)"',
        )
    return Target(named.params, named.origin, own=False)
