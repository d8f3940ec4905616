"""What the walk of `doctor` needs from outside."""

from typing import Protocol

from kinetria_cli.domain.doctor import Finding, SessionFacts, Symptom
from kinetria_cli.domain.listener import Listener
from kinetria_cli.domain.stack import Server


class Examiner(Protocol):
    """Looks at what runs the project's own stack. A method raises KinetriaError where it cannot look."""

    @property
    def part(self) -> str:
        """What PostgreSQL runs in: `container` or `process`."""
        ...

    @property
    def psql(self) -> str:
        """The shell words of a psql that is let in as the stack's superuser without asking for a password."""
        ...

    def rules(self) -> str | None:
        """Return the command that corrects the server's pg_hba.conf; None where psql is let in all the same."""
        ...

    def engine(self) -> Finding:
        """Whether the engine itself can be used."""
        ...

    def process(self) -> Finding:
        """Whether PostgreSQL runs; where its volume or its port is what keeps it down, they are the broken link."""
        ...

    def volume(self) -> Finding:
        """Whether the data are there and can be used."""
        ...

    def port(self) -> Finding:
        """Whether PostgreSQL has the recorded port."""
        ...

    def service(self) -> Finding:
        """Whether the app service's process runs and has the recorded port; what it answers is asked elsewhere."""
        ...


class LoginProbe(Protocol):
    """Goes one step after the other into a database."""

    def reach(self) -> None:
        """Open and close a TCP connection.

        Raises:
            DatabaseUnreachable: Nothing listens there, nothing answers in time, or the host has no address.
        """
        ...

    def silent(self) -> tuple[str, ...]:
        """Return the addresses of those of several servers that take no TCP connection."""
        ...

    def log_in(self) -> Symptom | None:
        """Log in, once, and keep the session; return why that did not work."""
        ...

    @property
    def server(self) -> Server | None:
        """Which of the servers the session is with; None where there is none."""
        ...

    @property
    def encrypted(self) -> bool:
        """Whether there is a session, and it is encrypted."""
        ...

    def facts(self) -> SessionFacts:
        """Ask on the session.

        Raises:
            KinetriaError: A query fails.
        """
        ...

    def databases(self) -> tuple[str, ...]:
        """Return the server's databases that this login may see; none where it cannot be asked."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


class Ports(Protocol):
    """Looks at the ports of this machine."""

    def listener(self, port: int) -> Listener | None:
        """Return who listens on a port of this machine, or None where nobody does."""
        ...

    def next_free(self, port: int) -> int:
        """Return the first port behind this one that is free."""
        ...
