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
    named: NamedDatabase | None,
    record: StackRecord | None,
    *,
    running: bool,
    exported: bool = False,
    missing: tuple[str, ...] = (),
) -> Target:
    """Return the database to talk to.

    Args:
        named: From DB_* or DATABASE_URL.
        record: What `up` recorded for this project.
        running: Whether the recorded database runs now.
        exported: Whether an earlier `kinetria env` of this project set the variables that name it.
        missing: What the service reports when there is neither.

    Raises:
        ConfigMissing: Nothing is named and nothing is recorded.
    """
    if named is None:
        if record is None:
            raise ConfigMissing(
                f"failed to parse config: {'; '.join(missing)}" if missing else "no stack here yet: kinetria up",
                hint="kinetria up     a database of your own: set DB_HOST, DB_USER, DB_PASSWORD, DB_NAME",
            )
        return Target(record.database, RECORDED, own=True)
    stale = stale_shell(record) if exported and (record is None or named.params != record.database) else None
    if record is not None and running:
        if named.params.same_database(record.database):
            params = named.params if named.sslmode_given else replace(named.params, sslmode=record.database.sslmode)
            return Target(params, named.origin, own=True, warning=stale)
        return Target(
            named.params,
            named.origin,
            own=False,
            warning=stale
            or f"using {named.params.label} (from {named.origin}), not the running stack at"
            f' {record.database.address}; for that stack: eval "$(kinetria env --own)"',
        )
    return Target(named.params, named.origin, own=False, warning=stale)


def stale_shell(record: StackRecord | None) -> str:
    """Return what to do with variables that an earlier `kinetria env` exported and that no longer fit.

    Args:
        record: The stack as it is now; None when there is none.
    """
    if record is None:
        return 'DB_* were set by an earlier kinetria env, and its stack is gone; eval "$(kinetria env --unset)"'
    return (
        f"DB_* were set by an earlier kinetria env; the stack is {record.database.label} now, perhaps with another"
        ' password; renew them: eval "$(kinetria env)"'
    )


def elsewhere_after_up(named: NamedDatabase | None, record: StackRecord | None, *, exported: bool) -> str | None:
    """Return a warning where the commands after `up` will not use the stack that it started.

    Args:
        named: The database that DB_* or DATABASE_URL name; `up` itself ignores it.
        record: What `up` recorded.
        exported: See `choose_target`.
    """
    if named is None or record is None or named.params == replace(record.database, sslmode=named.params.sslmode):
        return None
    if exported:
        return stale_shell(record)
    return (
        f"the next commands use {named.params.label} (from {named.origin}), not this stack;"
        ' for this stack: eval "$(kinetria env --own)"'
    )
