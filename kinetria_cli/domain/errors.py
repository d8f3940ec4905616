"""Every error that the tool reports, each with a stable code, an exit code and a next step.

The exit codes are the contract of the command line: 1 failed, 2 usage, 3 configuration or a file,
4 unreachable, 5 refused, 6 timed out, 8 login, TLS, privilege or read-only, 130 and 143 interrupted.
"""

from collections.abc import Iterator, Sequence


class KinetriaError(Exception):
    """The root of all errors that a user is meant to read.

    Args:
        message: What happened and why, in one sentence that names the thing.
        hint: The next step, ideally a command to type.
        details: Further lines worth reading: log lines, a source excerpt, one problem a line.
    """

    code = "internal"
    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = tuple(details)


# 1: it failed


class EngineFailed(KinetriaError):
    """The engine was asked to start or stop something, and that did not work."""

    code = "engine.failed"


class ServiceFailed(KinetriaError):
    """The app service ended, or never started."""

    code = "service.failed"


class GenerationFailed(KinetriaError):
    """A seed's rows could not be made: a field has no generator, or the process that makes them ended early."""

    code = "seed.generation_failed"


class MigrationFailed(KinetriaError):
    """A statement of a migration failed; the migration was rolled back."""

    code = "migration.failed"


class NotOnServer(MigrationFailed):
    """A migration needs a role or an extension that the throw-away server does not have."""

    code = "migration.server_lacks"


class QueryFailed(KinetriaError):
    """The database refused a statement for a reason that has no error of its own."""

    code = "database.query_failed"


class SchemaMissing(KinetriaError):
    """A table, column or type that the statement needs does not exist."""

    code = "database.schema_missing"


class RecordNotFound(KinetriaError):
    """There is no record with this id or e-mail."""

    code = "record.not_found"


class FileUnwritable(KinetriaError):
    """A file or folder of the tool's own could not be written."""

    code = "file.unwritable"


# 2: usage


class MalformedParameters(KinetriaError, ValueError):
    """A value that the domain does not know, or a parameter that cannot be read."""

    code = "parameters.malformed"
    exit_code = 2


# 3: configuration, or a file that the command reads


class ConfigInvalid(KinetriaError):
    """A setting has a value that cannot be used, or two settings contradict each other."""

    code = "config.invalid"
    exit_code = 3


class ConfigMissing(ConfigInvalid):
    """A setting that is required is not set."""

    code = "config.missing"


class MigrationFileInvalid(KinetriaError):
    """A migration file, or the folder of them, is missing or breaks a rule."""

    code = "migration.invalid"
    exit_code = 3


# 4: not reachable


class DatabaseUnreachable(KinetriaError):
    """No database server answers, or it hangs up."""

    code = "database.unreachable"
    exit_code = 4


class DatabaseBusy(DatabaseUnreachable):
    """The server answers, but cannot work now: it is starting, stopping or full, or its disk is."""

    code = "database.busy"


class EngineUnavailable(KinetriaError):
    """The engine, or a program it needs, is not on this machine."""

    code = "engine.unavailable"
    exit_code = 4


# 5: refused


class Refused(KinetriaError):
    """The tool declines, because going on could lose or damage something."""

    code = "refused"
    exit_code = 5


class ConfirmationRequired(Refused):
    """A step that destroys something was not confirmed."""

    code = "confirmation.required"


class PortTaken(Refused):
    """A port that the user asked for is in use."""

    code = "port.taken"


class DataFolderUnusable(Refused):
    """The data folder belongs to another server version or user, or others can read it."""

    code = "data.unusable"


class AlreadyRunning(Refused):
    """Another process of the same stack does this already."""

    code = "stack.busy"


class MigrationConflict(Refused):
    """What is recorded as applied and what lies in the folder do not fit the request."""

    code = "migration.conflict"


class PooledSession(Refused):
    """A pooler gives every transaction another session, and the work needs one that is its own."""

    code = "database.pooled"


class RecordConflict(Refused):
    """A constraint of the database refuses the change."""

    code = "record.conflict"


# 6: timed out


class WaitTimedOut(KinetriaError):
    """Something did not become ready in the time given."""

    code = "wait.timeout"
    exit_code = 6


class MigrationLocked(WaitTimedOut):
    """Another run holds the migration lock."""

    code = "migration.locked"


class MigrationBlocked(WaitTimedOut):
    """Other sessions hold locks that a migration needs."""

    code = "migration.blocked"


# 8: login, TLS, privilege, read-only


class EngineForbidden(KinetriaError):
    """This user may not talk to the engine."""

    code = "engine.forbidden"
    exit_code = 8


class LoginRefused(KinetriaError):
    """The server refused the user, the password or the database name."""

    code = "database.login_refused"
    exit_code = 8


class TlsRefused(KinetriaError):
    """TLS was required and could not be agreed on."""

    code = "database.tls_refused"
    exit_code = 8


class PrivilegeMissing(KinetriaError):
    """The role may not do what the command needs."""

    code = "database.privilege_missing"
    exit_code = 8


class DatabaseReadOnly(KinetriaError):
    """The database, or the server as a standby, takes no writes."""

    code = "database.read_only"
    exit_code = 8


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived.

    A KeyboardInterrupt, because psycopg cancels the running statement on that one (psycopg 3, waiting.py).
    """


def error_classes(root: type[KinetriaError] = KinetriaError) -> Iterator[type[KinetriaError]]:
    """Yield `root` and every class below it, parents first."""
    yield root
    for child in root.__subclasses__():
        yield from error_classes(child)
