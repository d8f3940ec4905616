"""Every error has its own code and a documented exit code; psycopg's errors become the domain's."""

import psycopg
import pytest

from kinetria_cli.domain import errors
from kinetria_cli.domain.errors import KinetriaError, error_classes
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.errors import connection_error, query_error, translated

PARAMS = ConnectionParams("db.example.com", 5432, "ana", "s3cret", "gym", "require")
CLASSES = list(error_classes())
AT = 'connection failed: connection to server at "192.0.2.1", port 5432 failed: '


def test_every_class_of_the_module_is_found() -> None:
    found = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, KinetriaError)}
    assert found <= set(CLASSES)


def test_a_code_belongs_to_one_class() -> None:
    codes = [kind.code for kind in CLASSES if "code" in vars(kind)]
    assert len(codes) == len(CLASSES), "a class without a code of its own"
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("kind", CLASSES)
def test_an_exit_code_is_a_documented_one(kind: type[KinetriaError]) -> None:
    assert kind.exit_code in {1, 2, 3, 4, 5, 6, 8}
    assert kind.__doc__


def test_an_error_keeps_what_it_was_given() -> None:
    error = KinetriaError("what", hint="next", details=["a", "b"])
    assert (str(error), error.message, error.hint, error.details) == ("what", "what", "next", ("a", "b"))
    assert KinetriaError("what").hint is None


def test_a_termination_is_an_interrupt() -> None:
    assert issubclass(errors.Terminated, KeyboardInterrupt)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            f'{AT}FATAL:  database "gym" does not exist',
            errors.LoginRefused,
            "there is no database 'gym' at db.example.com:5432",
        ),
        (
            f'{AT}FATAL:  password authentication failed for user "ana"',
            errors.LoginRefused,
            "the database refused the login of 'ana' at db.example.com:5432",
        ),
        (
            f"{AT}fe_sendauth: no password supplied",
            errors.LoginRefused,
            "the database refused the login of 'ana' at db.example.com:5432",
        ),
        (
            f'{AT}FATAL:  role "ana" does not exist',
            errors.LoginRefused,
            "the database refused the login of 'ana' at db.example.com:5432",
        ),
        (
            f'{AT}FATAL:  permission denied for database "gym"\nDETAIL:  User does not have CONNECT privilege.',
            errors.LoginRefused,
            "'ana' may not connect to database 'gym' at db.example.com:5432",
        ),
        (
            f"{AT}server does not support SSL, but SSL was required",
            errors.TlsRefused,
            "no TLS connection to db.example.com:5432 with DB_SSL_MODE=require:"
            " server does not support SSL, but SSL was required",
        ),
        (
            f'{AT}FATAL:  no pg_hba.conf entry for host "192.0.2.9", user "ana", database "gym", no encryption',
            errors.TlsRefused,
            "no TLS connection to db.example.com:5432 with DB_SSL_MODE=require:"
            ' no pg_hba.conf entry for host "192.0.2.9", user "ana", database "gym", no encryption',
        ),
        (
            f'{AT}FATAL:  no pg_hba.conf entry for host "192.0.2.9", user "ana", database "gym", SSL encryption',
            errors.LoginRefused,
            "the database refused the login of 'ana' at db.example.com:5432",
        ),
        (
            f'{AT}FATAL:  pg_hba.conf rejects connection for host "192.0.2.9", user "ana", no encryption',
            errors.LoginRefused,
            "the database refused the login of 'ana' at db.example.com:5432",
        ),
        (
            f'{AT}FATAL:  database "gym" is not currently accepting connections',
            errors.LoginRefused,
            "the database 'gym' at db.example.com:5432 takes no connections",
        ),
        (
            f"{AT}FATAL:  the database system is starting up",
            errors.DatabaseBusy,
            "the database at db.example.com:5432 is still starting",
        ),
        (
            f"{AT}FATAL:  sorry, too many clients already",
            errors.DatabaseBusy,
            "the database at db.example.com:5432 takes no more sessions: sorry, too many clients already",
        ),
        (
            f"{AT}Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
            errors.DatabaseUnreachable,
            "the database is not reachable at db.example.com:5432 (refused)",
        ),
        (
            "failed to resolve host 'db.example.com': [Errno -2] Name or service not known",
            errors.DatabaseUnreachable,
            "the host name 'db.example.com' cannot be resolved",
        ),
        (
            f"{AT}timeout expired",
            errors.DatabaseUnreachable,
            "the database is not reachable at db.example.com:5432 (no answer in time)",
        ),
        (
            f"{AT}server closed the connection unexpectedly",
            errors.DatabaseUnreachable,
            "no connection to db.example.com:5432: server closed the connection unexpectedly",
        ),
        (
            f"{AT}SSL SYSCALL error: Connection reset by peer",
            errors.DatabaseUnreachable,
            "no connection to db.example.com:5432: SSL SYSCALL error: Connection reset by peer",
        ),
    ],
)
def test_a_failed_connection_is_told_by_its_cause(text: str, kind: type[KinetriaError], message: str) -> None:
    found = connection_error(psycopg.OperationalError(text), PARAMS)
    assert type(found) is kind
    assert found.message == message
    assert found.hint
    assert "s3cret" not in f"{found.message} {found.hint}"


def test_what_no_password_mends_does_not_point_at_one() -> None:
    rule = connection_error(
        psycopg.OperationalError(f'{AT}FATAL:  pg_hba.conf rejects connection for host "h"'), PARAMS
    )
    assert "pg_hba.conf" in (rule.hint or "")
    closed = connection_error(psycopg.OperationalError('database "x" is not currently accepting connections'), PARAMS)
    assert closed.hint == f"as a superuser: ALTER DATABASE {PARAMS.dbname} ALLOW_CONNECTIONS true"


def test_a_connection_timeout_is_no_answer_in_time() -> None:
    found = connection_error(psycopg.errors.ConnectionTimeout("connection timeout expired"), PARAMS)
    assert found.message == "the database is not reachable at db.example.com:5432 (no answer in time)"


@pytest.mark.parametrize(
    ("sqlstate", "kind", "hint"),
    [
        ("23505", errors.RecordConflict, "nothing was changed; look at the record that is named"),
        ("23503", errors.RecordConflict, "nothing was changed; look at the record that is named"),
        ("57014", errors.QueryFailed, "statement_timeout ended it, or somebody did; what is slow: kinetria health"),
        ("23514", errors.RecordConflict, "nothing was changed; look at the record that is named"),
        ("42P01", errors.SchemaMissing, "kinetria db check"),
        ("42703", errors.SchemaMissing, "kinetria db check"),
        ("42704", errors.SchemaMissing, "kinetria db check"),
        ("3F000", errors.SchemaMissing, "kinetria db check"),
        ("42501", errors.PrivilegeMissing, "log in as another role, or grant this one the right"),
        ("25006", errors.DatabaseReadOnly, "connect to the primary, or as a role that may write"),
        ("22P02", errors.MalformedParameters, "correct the value"),
        ("22001", errors.MalformedParameters, "correct the value"),
        ("42601", errors.QueryFailed, "run it again with -vv for the traceback"),
        ("XX000", errors.QueryFailed, "run it again with -vv for the traceback"),
        ("40P01", errors.QueryFailed, "another session waited for this one, and this one for it; run it again"),
    ],
)
def test_a_failed_statement_is_told_by_its_sqlstate(sqlstate: str, kind: type[KinetriaError], hint: str) -> None:
    found = query_error(psycopg.errors.lookup(sqlstate)("what the server says"), PARAMS)
    assert type(found) is kind
    assert found.message == f"what the server says  ({sqlstate})"
    assert found.hint == hint


@pytest.mark.parametrize("sqlstate", ["57P01", "57P02", "08006"])
def test_a_lost_connection_is_unreachable(sqlstate: str) -> None:
    found = query_error(psycopg.errors.lookup(sqlstate)("terminating connection"), PARAMS)
    assert type(found) is errors.DatabaseUnreachable
    assert found.message == f"the connection to db.example.com:5432 was lost: terminating connection  ({sqlstate})"
    assert found.hint == "run this again; nothing uncommitted was kept"


def test_a_connection_that_went_away_without_a_word_is_unreachable() -> None:
    found = query_error(psycopg.OperationalError("the connection is closed"), PARAMS)
    assert found.message == "the connection to db.example.com:5432 was lost: the connection is closed"


@pytest.mark.parametrize("sqlstate", ["53100", "53200"])
def test_a_full_disk_or_memory_is_not_a_lost_connection(sqlstate: str) -> None:
    found = query_error(psycopg.errors.lookup(sqlstate)("could not extend file"), PARAMS)
    assert "was lost" not in found.message


def test_what_psycopg_raises_is_the_cause() -> None:
    original = psycopg.errors.UniqueViolation("duplicate")
    with pytest.raises(errors.RecordConflict) as caught, translated(PARAMS):
        raise original
    assert caught.value.__cause__ is original


def test_a_lone_surrogate_is_malformed() -> None:
    with pytest.raises(errors.MalformedParameters) as caught, translated(PARAMS):
        "\ud800".encode()
    assert caught.value.message == "a value holds characters that are not text"


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), translated(PARAMS):
        raise ZeroDivisionError
