"""psycopg's errors as the domain's: by SQLSTATE where there is one, else by the client library's own words.

A failed connection attempt carries no SQLSTATE in psycopg 3.3 (libpq gives the text alone), so its text decides.
"""

import contextlib
import re
from collections.abc import Callable, Iterator

import psycopg

from kinetria_cli.domain.errors import (
    DatabaseBusy,
    DatabaseReadOnly,
    DatabaseUnreachable,
    KinetriaError,
    LoginRefused,
    MalformedParameters,
    PrivilegeMissing,
    QueryFailed,
    RecordConflict,
    SchemaMissing,
    TlsRefused,
    WaitTimedOut,
)
from kinetria_cli.domain.identifiers import quote_identifier
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.several import AllFailed, most_telling

DISK_FULL = "53100"
HINT_SERVER = "start it, or look at the address: kinetria config show; for a local stack: kinetria up"


# What libpq says of a server that is not as target_session_attrs wants it (fe-connect.c).
_OTHER_ROLE = re.compile(r"server is (not )?in hot standby mode|session is (not )?read-only")


def connection_error(error: psycopg.Error, params: ConnectionParams) -> KinetriaError:
    """Return the domain's error for a connection that could not be made.

    Args:
        error: What psycopg raised.
        params: Where to; the password is never part of the text.
    """
    if params.others and isinstance(error, AllFailed):
        failures = {server: error.failures[server] for server in params.servers}
        problems = [
            failure
            if isinstance(failure, KinetriaError)
            else _attempt_error(str(failure), params.at(server, params.session_attrs))
            for server, failure in failures.items()
        ]
        other_role = any(_OTHER_ROLE.search(str(failure)) for failure in failures.values())
        return most_telling(problems, params, others_role=other_role)
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return no_answer(params)
    return _attempt_error(str(error), params)


def _attempt_error(failure: str, params: ConnectionParams) -> KinetriaError:
    text = " ".join(failure.split())
    for pattern, make in _CONNECTION_ERRORS:
        if pattern.search(text):
            return make(params, text)
    return DatabaseUnreachable(f"no connection to {params.address}: {_reason(text)}", hint=HINT_SERVER)


def _no_database(params: ConnectionParams, _: str) -> KinetriaError:
    return LoginRefused(
        f"there is no database {params.dbname!r} at {params.address}", hint="look at DB_NAME: kinetria config show"
    )


def _may_not_connect(params: ConnectionParams, _: str) -> KinetriaError:
    return LoginRefused(
        f"{params.user!r} may not connect to database {params.dbname!r} at {params.address}",
        hint=f"as its owner: GRANT CONNECT ON DATABASE {quote_identifier(params.dbname)}"
        f" TO {quote_identifier(params.user)}",
    )


def _no_tls(params: ConnectionParams, text: str) -> KinetriaError:
    return TlsRefused(
        f"no TLS connection to {params.address} with DB_SSL_MODE={params.sslmode}: {_reason(text)}",
        hint="turn TLS on at the server; on a network you trust DB_SSL_MODE=disable (?sslmode=disable in a URL)",
    )


def _login_refused(params: ConnectionParams, _: str) -> KinetriaError:
    return LoginRefused(
        f"the database refused the login of {params.user!r} at {params.address}",
        hint="look at DB_USER and DB_PASSWORD and where they come from: kinetria config show",
    )


def _no_rule(params: ConnectionParams, text: str) -> KinetriaError:
    return LoginRefused(
        _login_refused(params, text).message,
        hint="as the server's administrator: let pg_hba.conf take this user, database and host, then reload",
    )


def _closed_database(params: ConnectionParams, _: str) -> KinetriaError:
    return LoginRefused(
        f"the database {params.dbname!r} at {params.address} takes no connections",
        hint=f"as a superuser: ALTER DATABASE {quote_identifier(params.dbname)} ALLOW_CONNECTIONS true",
    )


def _starting(params: ConnectionParams, _: str) -> KinetriaError:
    return DatabaseBusy(
        f"the database at {params.address} is still starting", hint="wait a moment, then run this again"
    )


def _full(params: ConnectionParams, text: str) -> KinetriaError:
    return DatabaseBusy(
        f"the database at {params.address} takes no more sessions: {_reason(text)}", hint="try again in a moment"
    )


def _not_postgres(params: ConnectionParams, _: str) -> KinetriaError:
    return DatabaseUnreachable(f"what answers at {params.address} is not PostgreSQL", hint=HINT_SERVER)


def _hung_up(params: ConnectionParams, text: str) -> KinetriaError:
    return DatabaseUnreachable(f"no connection to {params.address}: {_reason(text)}", hint=HINT_SERVER)


def refused(params: ConnectionParams) -> DatabaseUnreachable:
    """Nothing listens on the port."""
    return DatabaseUnreachable(f"the database is not reachable at {params.address} (refused)", hint=HINT_SERVER)


def no_answer(params: ConnectionParams) -> DatabaseUnreachable:
    """Something swallows what we send."""
    return DatabaseUnreachable(
        f"the database is not reachable at {params.address} (no answer in time)", hint=HINT_SERVER
    )


def unresolvable(params: ConnectionParams) -> DatabaseUnreachable:
    """The host has no address."""
    names = ", ".join(repr(server.host) for server in params.servers)
    what = f"host names {names}" if params.others else f"host name {names}"
    return DatabaseUnreachable(f"the {what} cannot be resolved", hint="look at DB_HOST: kinetria config show")


def _standby(params: ConnectionParams, text: str) -> KinetriaError:
    what = "session that is read-only" if "session is" in text else "standby"
    return DatabaseReadOnly(f"connected to a {what} at {params.address}", hint="name the primary in DB_HOST")


def _not_a_standby(params: ConnectionParams, _: str) -> KinetriaError:
    return DatabaseUnreachable(
        f"the server at {params.address} is not what DB_TARGET_SESSION_ATTRS={params.session_attrs} asks for",
        hint="name a standby in DB_HOST, or set DB_TARGET_SESSION_ATTRS to prefer-standby or any",
    )


def _reason(text: str) -> str:
    """The part behind libpq's "connection to server at ... failed:"."""
    return text.rsplit("failed:", 1)[-1].replace("FATAL:", "").strip()


# The first pattern that fits decides.
_CONNECTION_ERRORS: tuple[tuple[re.Pattern[str], Callable[[ConnectionParams, str], KinetriaError]], ...] = (
    (re.compile(r'database ".*" does not exist'), _no_database),
    (re.compile(r"permission denied for database"), _may_not_connect),
    (re.compile(r"not currently accepting connections"), _closed_database),
    (re.compile(r"no pg_hba\.conf entry .*, (SSL|GSS) encryption|pg_hba\.conf rejects"), _no_rule),
    # What libpq says of a server that is not as target_session_attrs wants it (fe-connect.c).
    (re.compile(r"server is in hot standby mode|session is read-only"), _standby),
    (re.compile(r"server is not in hot standby mode|session is not read-only"), _not_a_standby),
    (re.compile(r"SSL SYSCALL error"), _hung_up),
    (re.compile(r"invalid response to SSL negotiation|expected authentication request"), _not_postgres),
    (re.compile(r"\bSSL\b|certificate|no pg_hba\.conf entry .* no encryption", re.IGNORECASE), _no_tls),
    (
        re.compile(
            r"authentication failed|no password supplied|is not permitted to log in"
            r'|role ".*" does not exist'
        ),
        _login_refused,
    ),
    (re.compile(r"no pg_hba\.conf entry"), _no_rule),
    (re.compile(r"the database system is (starting up|not yet accepting|in recovery)"), _starting),
    (re.compile(r"the database system is shutting down|too many (clients|connections)|connection slots"), _full),
    (re.compile(r"Connection refused"), lambda params, _: refused(params)),
    (re.compile(r"failed to resolve host|could not translate host name"), lambda params, _: unresolvable(params)),
    (re.compile(r"timeout expired|timed out"), lambda params, _: no_answer(params)),
)


def query_error(error: psycopg.Error, params: ConnectionParams) -> KinetriaError:
    """Return the domain's error for a statement that failed on an open connection."""
    sqlstate = error.sqlstate or ""
    message = error.diag.message_primary or " ".join(str(error).split())
    text = f"{message}  ({sqlstate})" if sqlstate else message
    detail = (error.diag.message_detail,) if error.diag.message_detail else ()
    lost = not sqlstate and isinstance(error, psycopg.OperationalError)
    if lost or sqlstate.startswith(("57P", "08", "53300")):
        return DatabaseUnreachable(
            f"the connection to {params.address} was lost: {text}", hint="run this again; nothing uncommitted was kept"
        )
    if sqlstate == DISK_FULL:
        return DatabaseBusy(
            f"the server has no room left: {text}",
            hint="make room on its disk, then run this again; nothing uncommitted was kept",
        )
    if not sqlstate and isinstance(error, psycopg.DataError):  # psycopg itself refused the value: a NUL
        return MalformedParameters(text, hint="correct the value")
    for prefix, kind, hint in _QUERY_ERRORS:
        if sqlstate.startswith(prefix):
            # A trigger that refuses says how it is done instead; the server's own refusals have no hint.
            own = error.diag.message_hint if kind is PrivilegeMissing else None
            return kind(text, hint=own or hint, details=detail)
    return QueryFailed(text, hint="run it again with -vv for the traceback", details=detail)


_QUERY_ERRORS: tuple[tuple[str, type[KinetriaError], str], ...] = (
    ("23", RecordConflict, "nothing was changed; look at the record that is named"),
    ("42P01", SchemaMissing, "kinetria db check"),
    ("42703", SchemaMissing, "kinetria db check"),
    ("42704", SchemaMissing, "kinetria db check"),
    ("3F000", SchemaMissing, "kinetria db check"),
    ("42501", PrivilegeMissing, "log in as another role, or grant this one the right"),
    ("25006", DatabaseReadOnly, "connect to the primary, or as a role that may write"),
    ("57014", QueryFailed, "statement_timeout ended it, or somebody did; what is slow: kinetria health"),
    ("55P03", WaitTimedOut, "another session has locked the table: kinetria doctor names it"),
    ("40P01", QueryFailed, "another session waited for this one, and this one for it; run it again"),
    ("22", MalformedParameters, "correct the value"),
)
"""SQLSTATE or its class (PostgreSQL 16 manual, appendix A), the error, the hint."""


@contextlib.contextmanager
def translated(params: ConnectionParams) -> Iterator[None]:
    """Translate what psycopg raises in the block."""
    try:
        yield
    except psycopg.Error as error:
        raise query_error(error, params) from error
    except UnicodeEncodeError as error:  # a lone surrogate: psycopg lets it through as it is
        raise MalformedParameters("a value holds characters that are not text", hint="correct the value") from error
