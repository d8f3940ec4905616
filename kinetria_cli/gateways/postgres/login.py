"""The port `LoginProbe`: one attempt after the other, and what each failure means."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import psycopg
from psycopg.rows import TupleRow

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.doctor import Locker, SessionFacts, Symptom, SymptomKind
from kinetria_cli.domain.errors import DatabaseUnreachable
from kinetria_cli.domain.stack import ConnectionParams, Server
from kinetria_cli.gateways.pooling import ask, pin, pooling
from kinetria_cli.gateways.postgres.certificate import distrust
from kinetria_cli.gateways.postgres.connect import Connection, connect_once, reach
from kinetria_cli.gateways.postgres.errors import translated
from kinetria_cli.gateways.postgres.lockers import naming_lockers
from kinetria_cli.gateways.postgres.queries import load
from kinetria_cli.gateways.postgres.server import answered

T = TypeVar("T")

MAINTENANCE = "postgres"
LIFTS = 10
"""The database that every server has for such questions (PostgreSQL 16 manual, section 23.3)."""

# The first pattern that fits decides. Texts: PostgreSQL 16, postmaster.c, postinit.c, auth.c and libpq's fe-*.c; those
# of certificates are OpenSSL's.
_SYMPTOMS: tuple[tuple[str, SymptomKind], ...] = (
    (r'database ".*" does not exist', SymptomKind.NO_DATABASE),
    (r"permission denied for database", SymptomKind.NO_CONNECT_RIGHT),
    (r"not currently accepting connections", SymptomKind.CLOSED_DATABASE),
    (r"root certificate file .* does not exist|root certificate file .* could not be|could not read root certificate",
     SymptomKind.NO_ROOT_CERTIFICATE),
    (r"certificate has expired", SymptomKind.CERTIFICATE_EXPIRED),
    (r"server certificate for .* does not match host name", SymptomKind.CERTIFICATE_HOST),
    (r"certificate verify failed|self.signed|unable to get local issuer", SymptomKind.CERTIFICATE_UNTRUSTED),
    (r"server is (not )?in hot standby mode|session is (not )?read-only", SymptomKind.OTHER_ROLE),
    (r"SSL SYSCALL error", SymptomKind.HUNG_UP),
    (r"invalid response to SSL negotiation|expected authentication request", SymptomKind.NOT_POSTGRES),
    (r"pg_hba\.conf (entry|rejects)", SymptomKind.HOST_RULE),
    (r"is not permitted to log in", SymptomKind.NO_LOGIN_RIGHT),
    (r'authentication failed|no password supplied|role ".*" does not exist', SymptomKind.WRONG_PASSWORD),
    (r"the database system is (starting up|not yet accepting|in recovery)", SymptomKind.STARTING),
    (r"the database system is shutting down", SymptomKind.STOPPING),
    (r"too many (clients|connections)|connection slots", SymptomKind.FULL),
    (r"does not support SSL", SymptomKind.NO_TLS),
    (r"\bSSL error\b", SymptomKind.TLS_FAILED),
    (r"Connection refused", SymptomKind.REFUSED),
    (r"timeout expired|timed out", SymptomKind.NO_ANSWER),
    (r"server closed the connection|Connection reset", SymptomKind.HUNG_UP),
)  # fmt: skip


class PostgresLogin:
    """See `LoginProbe`.

    Args:
        params: Where to.
        timeout: Seconds for each step.
        runner: Says who holds the migration lock, asked on a session.
        locker: Says who keeps a table of the tool or of the entities from being read, likewise.
    """

    def __init__(
        self,
        params: ConnectionParams,
        *,
        timeout: float,
        runner: Callable[[Connection], str | None],
        locker: Callable[[Connection], Locker | None],
    ) -> None:
        self._params = params
        self._timeout = timeout
        self._runner = runner
        self._locker = locker
        self._opened: Connection | None = None

    def asking(self, ask: Callable[[Connection], T]) -> T:
        """Ask something on the session that `log_in` opened; whatever psycopg raises is translated."""
        assert self._opened is not None, "no login"
        with translated(self._params), naming_lockers(self._opened):
            return ask(self._opened)

    def reach(self) -> None:
        """See `LoginProbe.reach`."""
        reach(self._params, timeout=self._timeout)

    def silent(self) -> tuple[str, ...]:
        """See `LoginProbe.silent`; each has its share of the time, as in `reach`."""
        servers = self._params.servers
        share = self._timeout / len(servers)
        return tuple(s.address for s in servers if len(servers) > 1 and not self._takes_connections(s, share))

    def _takes_connections(self, server: Server, seconds: float) -> bool:
        try:
            reach(self._params.at(server), timeout=seconds)
        except DatabaseUnreachable:
            return False  # what is asked is whether it can be reached
        return True

    def log_in(self) -> Symptom | None:
        """See `LoginProbe.log_in`."""
        try:
            self._opened = connect_once(self._params, timeout=self._timeout)
        except psycopg.errors.ConnectionTimeout:
            return Symptom(SymptomKind.NO_ANSWER, "no answer in time")
        except psycopg.Error as error:
            found = symptom(str(error))
            if found.kind is SymptomKind.CERTIFICATE_UNTRUSTED:
                return replace(found, kind=distrust(self._params, timeout=self._timeout))
            return found
        return None

    @property
    def server(self) -> Server | None:
        """See `LoginProbe.server`."""
        return answered(self._opened) if self._opened is not None else None

    @property
    def encrypted(self) -> bool:
        """See `LoginProbe.encrypted`."""
        return self._opened is not None and self._opened.pgconn.ssl_in_use

    def facts(self) -> SessionFacts:
        """See `LoginProbe.facts`."""
        return self.asking(self._facts)

    def _facts(self, session: Connection) -> SessionFacts:
        version, in_recovery, read_only, set_by, limit, limit_set_by, tables = self._row(session)
        facts = SessionFacts(
            version,
            in_recovery,
            read_only,
            set_by,
            tuple(tables),
            None,
            time_limit=limit,
            time_limit_set_by=limit_set_by,
        )
        if facts.time_limit_is_short:
            return facts
        runner = self._runner(session)
        return replace(facts, runner=runner, pooling=pooling(session), locker=self._locker(session))

    @staticmethod
    def _row(session: Connection) -> TupleRow:
        for attempt in range(1, LIFTS + 1):
            lifted = False
            try:
                with session.transaction():
                    # This statement is under the role's own limit, which may be 1 ms.
                    session.execute("SET LOCAL statement_timeout = 0")
                    lifted = True
                    pin(session)
                    cursor = session.execute(load("doctor")["facts"].encode(), {"tables": list(TABLES)})
                    row: TupleRow | None = cursor.fetchone()
                    assert row is not None
                    return row
            except psycopg.errors.QueryCanceled:
                if lifted or attempt == LIFTS:
                    raise
        raise AssertionError

    def databases(self) -> tuple[str, ...]:
        """See `LoginProbe.databases`."""
        try:
            with connect_once(replace(self._params, dbname=MAINTENANCE), timeout=self._timeout) as elsewhere:
                return tuple(row[0] for row in ask(elsewhere, load("doctor")["databases"]))
        except psycopg.Error:
            return ()  # who may not ask there gets no proposal; the cause is known without

    def close(self) -> None:
        """See `LoginProbe.close`."""
        if self._opened is not None:
            self._opened.close()


def symptom(text: str) -> Symptom:
    """Return what a failed connection attempt means; the text alone tells, for libpq gives no SQLSTATE.

    Args:
        text: What psycopg said; of several attempts, the last counts.
    """
    text = " ".join(text.split())
    reason = text.rsplit("failed:", 1)[-1].replace("FATAL:", "").strip()
    for pattern, kind in _SYMPTOMS:
        if re.search(pattern, text, re.IGNORECASE):
            return Symptom(kind, reason)
    return Symptom(SymptomKind.OTHER, reason)
