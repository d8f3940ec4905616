"""What the use cases need from outside. Each method lists the domain errors that it raises."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.domain.repository_ports import Repositories
from kinetria_cli.domain.stack import DiskSpace, HttpAnswer, ServerInfo, ServiceState, StackRecord, Started


class Database(Protocol):
    """One database.

    Every method raises DatabaseUnreachable, DatabaseBusy, LoginRefused or TlsRefused when it cannot connect.
    """

    @property
    def repositories(self) -> Repositories:
        """The records, each call in a transaction of its own."""
        ...

    def transaction(self) -> AbstractContextManager[Repositories]:
        """The records in one transaction: committed at the end of the block, rolled back on any exception."""
        ...

    def snapshot(self) -> AbstractContextManager[Repositories]:
        """The records as they are at one moment: one transaction that only reads, for the block."""
        ...

    def ping(self) -> None:
        """Log in and run the smallest query."""
        ...

    def server_info(self) -> ServerInfo:
        """Ask the server about itself."""
        ...

    def counts(self, *, seconds: float) -> Mapping[str, int | KinetriaError]:
        """Count the records of the seven tables, in `seconds` in all; where that was not possible, the reason.

        A table that another session has locked is not waited for any longer: the reason names the session.
        """
        ...

    def close(self) -> None:
        """Give back every connection."""
        ...


class Engine(Protocol):
    """What runs the project's own PostgreSQL and app service.

    Every method but `exclusive` and `record` raises EngineUnavailable or EngineForbidden when the engine
    cannot be used.
    """

    @property
    def name(self) -> str:
        """`docker` or `embedded`."""
        ...

    @property
    def title(self) -> str:
        """The name for people, with the versions that matter."""
        ...

    def exclusive(self, deadline: Deadline) -> AbstractContextManager[None]:
        """Hold the project's stack for one `up` or `down`.

        Raises:
            WaitTimedOut: Another one held it until the deadline.
        """
        ...

    def record(self) -> StackRecord | None:
        """What `up` recorded of a stack that this engine runs, or None."""
        ...

    def database_running(self) -> bool:
        """Whether the project's database server runs now."""
        ...

    def services(self) -> tuple[ServiceState, ...]:
        """The parts of the stack and whether they run. Health is not asked for: unknown."""
        ...

    def explain(self, service: str) -> str | None:
        """Say in a few words why a service is not well, or None where the engine knows no more than that."""
        ...

    def facts(self) -> Mapping[str, Mapping[str, object]]:
        """Return all that the engine knows of each part, for somebody who looks for a fault: part -> name -> value."""
        ...

    @property
    def preparation(self) -> str | None:
        """What people call that which `prepare` makes or fetches, or None where the engine needs nothing."""
        ...

    def prepare(self, *, app: bool, build: bool, tell: Callable[[str], None]) -> Started:
        """Check what can be checked before anything starts, and make or fetch what is needed, without a time limit.

        Args:
            app: Whether the app service is going to be started.
            build: Whether to make the app's image though there is one.
            tell: Told how far it is, in a few words.

        Raises:
            ConfigInvalid: A file of the engine's is missing or invalid.
            Refused: There is too little room on the disk, or the engine is too old.
            EngineFailed: Something could not be made.
        """
        ...

    def start_database(
        self,
        *,
        port: int | None,
        http_port: int | None,
        app_wanted: bool,
        deadline: Deadline,
        reset_password: bool = False,
        recorded: bool = True,
    ) -> Started:
        """Make the database server and the database exist and accept logins, and record how to reach them.

        Args:
            port: The port that the user insists on; None lets the engine choose and remember.
            http_port: The same for the app service, reserved here so that the record is whole.
            app_wanted: Whether the app service is going to be started; recorded for `health`.
            reset_password: Whether to give the database's role the password that is on file, keeping the data.
            recorded: Whether to record it now; else `adopt` does.

        Raises:
            PortTaken: A port that the user insists on is in use. One that the engine chose is replaced by the next.
            DataFolderUnusable: The data belong to another server version or user.
            LoginRefused: The data were made with another password.
            EngineFailed: The server ended while starting.
            WaitTimedOut: It did not accept logins in time.
        """
        ...

    def adopt(self, *, superseding: str) -> None:
        """Record the started database as the project's, and another engine's data as an older copy.

        Raises:
            FileUnwritable: The record cannot be written.
        """
        ...

    def start_app(self, *, environment: Mapping[str, str], deadline: Deadline) -> Started:
        """Run the app service against the recorded database until it listens and GET /health answers 200.

        A port that the engine chose and that another program took meanwhile is replaced by the next, and recorded.

        Raises:
            PortTaken: The port that the user insists on was taken meanwhile.
            ServiceFailed: It ended while starting; the details are its log.
            WaitTimedOut: It did not become healthy in time.
        """
        ...

    def stop_app(self, deadline: Deadline) -> bool:
        """Stop the app service; return whether it ran.

        Raises:
            WaitTimedOut: It did not end in time.
        """
        ...

    def stop_database(self, deadline: Deadline) -> bool:
        """Stop the database server, its data safe on disk; return whether it ran.

        Raises:
            WaitTimedOut: It did not end in time.
        """
        ...

    def clear(self) -> None:
        """Remove what a stopped stack leaves behind that holds no data: containers, networks."""
        ...

    def volumes(self) -> tuple[str, ...]:
        """The places that hold data of the stopped or running stack."""
        ...

    def disk(self) -> DiskSpace | None:
        """The room on the disk of the running database's data; None where there is no way to look."""
        ...

    def remove_volumes(self) -> tuple[str, ...]:
        """Delete the data, the password and the record; return what was removed. The stack must be stopped.

        Raises:
            Refused: Something else uses them.
        """
        ...

    def logs(self, service: str | None, *, tail: int, since: float | None, follow: bool) -> Iterator[str]:
        """Yield log lines, each with its service in front when `service` is None.

        Args:
            service: `postgres`, `app`, or None for both.
            tail: How many of the last lines of each to begin with.
            since: Only lines of the last so many seconds.
            follow: Go on until interrupted.

        Raises:
            MalformedParameters: There is no such service.
        """
        ...


class HttpProbe(Protocol):
    """A client of the service's GET /health and what lies below it."""

    def get(self, url: str, *, timeout: float) -> HttpAnswer | None:
        """Return the answer, or None when nothing answers HTTP wholly within `timeout` seconds."""
        ...
