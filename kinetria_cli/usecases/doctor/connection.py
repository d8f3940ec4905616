"""The links from the TCP connection to the database: one login, whose failure belongs to one of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinetria_cli.domain.doctor import Cause, Finding, SessionFacts, Symptom, SymptomKind, broken, doubtful, well
from kinetria_cli.domain.errors import KinetriaError, PrivilegeMissing
from kinetria_cli.domain.identifiers import quote_identifier
from kinetria_cli.domain.stack import LOOPBACK_NAMES
from kinetria_cli.usecases.doctor.tls import TLS, tls_broken
from kinetria_cli.usecases.doctor.ways import FORGET_DATABASE, Origins, Psql

if TYPE_CHECKING:
    from kinetria_cli.domain.doctor_ports import LoginProbe, Ports
    from kinetria_cli.domain.stack import ConnectionParams
    from kinetria_cli.usecases.target import Target

DATABASE = frozenset(
    {
        SymptomKind.OTHER_ROLE,
        SymptomKind.NO_DATABASE,
        SymptomKind.NO_CONNECT_RIGHT,
        SymptomKind.CLOSED_DATABASE,
    }
)
READERS = frozenset({"standby", "prefer-standby", "read-only"})
"""Values of target_session_attrs with which a standby is what is wanted (PostgreSQL 16 manual, section 34.1.2)."""

_SCHEMA = re.compile(r'permission denied for schema (?P<quote>"?)(?P<name>.+?)(?P=quote)(?:  \(|$)')
"""The server's words; they quote no name, whatever it is (PostgreSQL 16, aclchk.c)."""

RESET = "kinetria up --reset-password"
"""It makes a new password without a login, and lets the role in again; the data stay."""


@dataclass
class Connecting:
    """Goes into the database once, and tells each link what of it is its own.

    Args:
        target: The database.
        own: Whether it is the project's own.
        psql: The commands for its administrator.
        rules: Returns the command that corrects the own server's rules, or None.
        login: Goes into it.
        ports: Looks at this machine's ports.
        origins: Where the settings come from.
        recorded: Where `kinetria up` of this project put its own, if it did.
        own_login_works: See `DoctorPorts`.
    """

    target: Target
    own: bool
    psql: Psql
    rules: Callable[[], str | None]
    login: LoginProbe
    ports: Ports
    origins: Origins
    recorded: ConnectionParams | None
    own_login_works: Callable[[], bool] | None
    _outcome: Symptom | None = None
    _facts: SessionFacts | None = None

    @property
    def facts(self) -> SessionFacts:
        """What the session tells; asked once."""
        if self._facts is None:
            self._facts = self.login.facts()
        return self._facts

    @property
    def _local(self) -> bool:
        return self.target.params.host in LOOPBACK_NAMES

    def tcp(self) -> Finding:
        """Whether something listens there and answers."""
        params = self.target.params
        try:
            self.login.reach()
        except KinetriaError as error:
            by_port = "resolved" not in error.message and "DB_PORT" in self.origins.known
            name = "DB_PORT" if by_port else "DB_HOST"
            text = f"{error.message[0].upper()}{error.message[1:]}; {name} comes from {self.origins.of(name)}."
            command = "kinetria down && kinetria up" if self.own else self.origins.edit(name)
            return broken(error.message, Cause(text, command, other=None if self.own else self._elsewhere()))
        silent = self.login.silent()
        if silent:
            answering = [server.address for server in params.servers if server.address not in silent]
            return doubtful(f"{', '.join(answering)}; no connection to {', '.join(silent)}")
        return well(params.address)

    def _elsewhere(self) -> str:
        """What else somebody may want whose server is not there."""
        own = self.recorded
        if own is not None and self.ports.listener(own.port) is not None:
            return f"or use the stack of kinetria up, which runs at {own.address}: {FORGET_DATABASE}"
        return "or start the server there; for a stack on this machine: kinetria up"

    def tls(self) -> Finding:
        """Whether the session's encryption can be agreed on; logs in."""
        self._outcome = self.login.log_in()
        if self._outcome is not None and self._outcome.kind in TLS:
            return tls_broken(self._outcome, self.target.params, self.origins)
        mode = self.target.params.sslmode
        if self._outcome is None:
            return well(f"on, DB_SSL_MODE={mode}" if self.login.encrypted else f"off, DB_SSL_MODE={mode}")
        return well(f"DB_SSL_MODE={mode}")

    def login_link(self) -> Finding:
        """Whether the server lets the role in."""
        found = self._outcome
        if found is None or found.kind in DATABASE:
            answered = f" at {self.login.server.address}" if self.target.params.others and self.login.server else ""
            origin = self.origins.of("DB_PASSWORD")
            return well(f"{self.target.params.user}{answered}, its password from {origin}")
        if found.kind in (SymptomKind.NO_ANSWER, SymptomKind.HUNG_UP, SymptomKind.NOT_POSTGRES, SymptomKind.REFUSED):
            return self._no_conversation(found)
        return self._refused(found)

    def _no_conversation(self, found: Symptom) -> Finding:
        params = self.target.params
        listener = self.ports.listener(params.port) if self._local else None
        who = f" ({listener.name})" if listener else ""
        detail = f"{params.address}{who}: {found.text}"
        if listener and listener.stopped:
            text = f"What listens at {params.address}{who} is stopped by a signal: it answers nobody."
            return broken(f"{params.address}{who} is stopped", Cause(text, f"kill -CONT {listener.pid}"))
        restart = "kinetria down && kinetria up"
        if found.kind is SymptomKind.NOT_POSTGRES:
            text = f"What answers at {params.address}{who} is not PostgreSQL."
            command = f"kinetria down && kinetria up --db-port {self.ports.next_free(params.port)}"
            return broken(text[:-1], Cause(text, command if self.own else self.origins.edit("DB_PORT")))
        text = f"What listens at {params.address}{who} takes connections and does not answer as PostgreSQL does."
        if self.own:
            return broken(detail, Cause(text, restart))
        where = "or look at the server's log"
        return broken(detail, Cause(text, self.origins.edit("DB_HOST"), other=where))

    def _refused(self, found: Symptom) -> Finding:
        params = self.target.params
        is_owner = self.own and self.recorded is not None and params.user == self.recorded.user
        user, detail = quote_identifier(params.user), f"{params.user} at {params.address}: {found.text}"
        if found.kind is SymptomKind.WRONG_PASSWORD:
            return broken(detail, self._password())
        causes = {
            SymptomKind.NO_LOGIN_RIGHT: Cause(
                f"The role {params.user} exists and may not log in.",
                RESET if is_owner else self.psql(f"ALTER ROLE {user} LOGIN"),
                safe=is_owner,
            ),
            SymptomKind.HOST_RULE: self._no_rule(found),
            SymptomKind.STARTING: Cause(
                f"The server at {params.address} is starting, or recovering from a crash.",
                "kinetria health --wait 60s",
                safe=True,
            ),
            SymptomKind.STOPPING: Cause(
                f"The server at {params.address} is shutting down; open sessions hold it up.",
                "kinetria down && kinetria up" if self.own else "kinetria health --wait 5m",
            ),
        }
        cause = causes.get(found.kind) or self._full(found) or self._unknown(found)
        return broken(detail, cause)

    def _no_rule(self, found: Symptom) -> Cause:
        text = f"No rule of the server's pg_hba.conf lets {self.target.params.user} in from here: {found.text}."
        if command := self.rules():
            return Cause(text, command, other="it needs a line for this address")
        other = f"add a line for this address there, then: SELECT pg_reload_conf(){self._by_tls(found)}"
        return Cause(text, self.psql("SHOW hba_file"), other=other)

    def _by_tls(self, found: Symptom) -> str:
        """What to try first where the rules may ask for TLS: pg_hba.conf tells nobody what would have matched."""
        if "no encryption" not in found.text or self.own:
            return ""
        command, value = self.origins.put("DB_SSL_MODE", "require")
        return f"; or the rules ask for TLS: {value}{command}"

    def _full(self, found: Symptom) -> Cause | None:
        if found.kind is not SymptomKind.FULL:
            return None
        params = self.target.params
        name, user = quote_identifier(params.dbname), quote_identifier(params.user)
        text = f"The server takes no more sessions: {found.text}."
        if "for role" in found.text:
            return Cause(text, self.psql(f"ALTER ROLE {user} CONNECTION LIMIT -1"))
        if "for database" in found.text:
            return Cause(text, self.psql(f"ALTER DATABASE {name} CONNECTION LIMIT -1"))
        who = "SELECT usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC"
        if self.own:
            return Cause(text, "kinetria down && kinetria up", other="it ends every session; better end the idle ones")
        return Cause(text, self.psql(who), other="then end those that nobody needs")

    def _unknown(self, found: Symptom) -> Cause:
        text = f"No session at {self.target.params.address}: {found.text}."
        command = "kinetria logs postgres --tail 50" if self.own else "kinetria config show"
        return Cause(text, command)

    def _password(self) -> Cause:
        params, origin = self.target.params, self.origins.of("DB_PASSWORD")
        if self.own and not self.origins.known:
            text = f"The server refuses the password that is on file for {params.user}: the data have another."
            return Cause(text, RESET, other="it keeps the data", safe=True)
        role = f"{params.user} (from {self.origins.of('DB_USER')})" if self.origins.known else params.user
        text = f"The server refuses the login of {role}; the password came from {origin}"
        if self.own_login_works is not None and self.own_login_works():
            return Cause(f"{text}, and what kinetria up recorded works.", FORGET_DATABASE, other="or correct it there")
        if self.own:
            return Cause(
                f"{text}; the one on file is refused too.",
                RESET,
                other="it keeps the data",
                safe=True,
            )
        return Cause(f"{text}.", self.origins.edit("DB_PASSWORD"), other="or there is no such role: look at DB_USER")

    def database(self) -> Finding:
        """Whether there is the database, and whether it can be written."""
        params = self.target.params
        if self._outcome is not None:
            return broken(self._outcome.text, self._no_database(self._outcome))
        try:
            facts = self.facts
        except PrivilegeMissing as error:
            return broken(error.message, self.no_right(error.message))
        # With several servers, what writes looks for the primary itself.
        if facts.in_recovery and not params.others and params.session_attrs not in READERS:
            text = f"The server at {params.address} is a standby: it takes no writes."
            return broken(
                "the server is a standby", Cause(text, self.origins.edit("DB_HOST"), other="name the primary")
            )
        if facts.time_limit_is_short:
            return self._too_short(facts)
        if facts.read_only and not facts.in_recovery:
            return self._read_only(facts)
        return well(f"{params.dbname}, PostgreSQL {facts.version}")

    def _read_only(self, facts: SessionFacts) -> Finding:
        whose = self._whose(facts.read_only_set_by)
        # Also a session that only mends it is read-only by itself.
        command = self._alter(whose, "SET default_transaction_read_only = off", "default_transaction_read_only=off")
        return broken("read-only", Cause(f"The {whose} is read-only by a setting.", command))

    def _too_short(self, facts: SessionFacts) -> Finding:
        whose = self._whose(facts.time_limit_set_by)
        detail = f"statement_timeout is {facts.time_limit} ms"
        text = f"The {whose} has a statement_timeout of {facts.time_limit} ms, which ends the queries of the app."
        change = "RESET statement_timeout" if facts.time_limit_set_by else "SET statement_timeout = 0"
        return broken(detail, Cause(text, self._alter(whose, change, "statement_timeout=0")))

    def _whose(self, set_by: str | None) -> str:
        """Return the role or database that a setting belongs to, as ALTER takes it; by default the database."""
        params = self.target.params
        user, name = f"role {quote_identifier(params.user)}", f"database {quote_identifier(params.dbname)}"
        return {"user": user, "database user": f"{user} in {name}"}.get(set_by or "", name)

    def _alter(self, whose: str, change: str, session: str) -> str:
        """Return the command that changes a setting, in a session that has another value of it."""
        return self.psql(f"ALTER {whose} {change}", user=self.target.params.user, options=f"-c {session}")

    def _no_database(self, found: Symptom) -> Cause:
        from difflib import get_close_matches

        params, name = self.target.params, quote_identifier(self.target.params.dbname)
        if found.kind is SymptomKind.OTHER_ROLE:
            text = f"None of the servers at {params.address} has the role that is wanted ({params.session_attrs})."
            return Cause(text, self.origins.edit("DB_HOST"), other="name a server that has it")
        refused = {
            SymptomKind.NO_CONNECT_RIGHT: (
                f"{params.user} may not connect to the database {params.dbname}.",
                f"GRANT CONNECT ON DATABASE {name} TO {quote_identifier(params.user)}",
            ),
            SymptomKind.CLOSED_DATABASE: (
                f"The database {params.dbname} takes no connections (ALLOW_CONNECTIONS is false).",
                f"ALTER DATABASE {name} ALLOW_CONNECTIONS true",
            ),
        }
        if found.kind in refused:
            text, statement = refused[found.kind]
            return Cause(text, self.psql(statement))
        origin = self.origins.of("DB_NAME")
        text = f"There is no database {params.dbname} at {params.address}; its name comes from {origin}."
        there = self.login.databases()
        close = get_close_matches(params.dbname, there, n=1)
        create = self.psql(f"CREATE DATABASE {name}", user=params.user)
        if close and self.origins.known:
            command, value = self.origins.put("DB_NAME", close[0])
            return Cause(text, command, other=f"{value}or make it: {create}")
        others = [other for other in there if other != "postgres"]
        return self._renamed(text, create, others) if others else Cause(text, create)

    def _renamed(self, text: str, create: str, others: list[str]) -> Cause:
        """What to do when the server has other databases, one of which may be the one that is missing."""
        params = self.target.params
        statement = f"ALTER DATABASE {quote_identifier(others[0])} RENAME TO {quote_identifier(params.dbname)}"
        rename = self.psql(statement, user=params.user)
        if self.own and len(others) == 1:  # the stack has one database, so it is that one under another name
            there = f"{text} The server has {others[0]}: it was renamed."
            return Cause(there, rename, other=f"or make an empty one: {create}")
        known = f"the server has {', '.join(others)}; if the data is in one of them, it was renamed"
        return Cause(text, create, other=f"{known}: {rename}")

    def no_right(self, message: str) -> Cause:
        """Return the grant that a role lacks; `message` is the server's own."""
        params = self.target.params
        role = quote_identifier(params.user)
        schema = _SCHEMA.search(message)
        grant = (
            f"GRANT USAGE ON SCHEMA {quote_identifier(schema['name'])} TO {role}"
            if schema
            else f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
        )
        text = f"The role {params.user} has no right to the tables: {message}."
        return Cause(text, self.psql(grant, database=params.dbname))
