"""Health of the database, judged from what its ports answer and what one login tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kinetria_cli.domain.errors import KinetriaError, MigrationFileInvalid, PrivilegeMissing
from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.health import Check, CheckStatus, skipped
from kinetria_cli.domain.identifiers import quote_identifier
from kinetria_cli.domain.migration import MigrationStatus, span
from kinetria_cli.domain.server_facts import Activity, DatabaseFacts, Replication, ServerState, Standby, Transaction
from kinetria_cli.domain.stack import Pooling
from kinetria_cli.usecases.target import RECORDED, Target
from kinetria_cli.usecases.together import Outcome

CONNECTIONS_WARN = 0.8
"""Share of the connections in use: above it one more pool of an application does not fit any more."""
TRANSACTION_WARN_SECONDS = 300.0
"""Nothing here takes so long, and vacuum removes no row that has died since."""
LOCK_WARN_SECONDS = 5.0
"""The default of REQUEST_TIMEOUT: what reads the table gives up by then."""
LAG_WARN_SECONDS = 30.0
"""What a reader of a standby no longer takes for now."""
CERTIFICATE_WARN = timedelta(days=30)
"""Automatic renewal begins about then (a certificate of 90 days, at two thirds): it has failed, or is not set up."""
READ_ONLY_WANTED = frozenset({"read-only", "standby", "prefer-standby"})
"""Values of target_session_attrs that a server without writes satisfies."""
AFTER_LOGIN = ("query", "server", "recovery", "schema", "connections", "transactions", "replication")
BEHIND_QUERY = AFTER_LOGIN[1:]


@dataclass(frozen=True, slots=True)
class Findings:
    """What is judged.

    Args:
        target: The database.
        facts: What the login told so far.
        ports: What came of reaching each server, by its address.
        login: What came of logging in and asking.
        timeout: Seconds that each had.
    """

    target: Target
    facts: DatabaseFacts
    ports: Mapping[str, Outcome]
    login: Outcome
    timeout: float

    @property
    def silence(self) -> str:
        """The words for something that gave no answer."""
        return f"no answer within {self.timeout:g} s"


def database_checks(found: Findings) -> list[Check]:
    """Judge everything from the port to the replication, in the order in which one needs the other."""
    reached = _reached(found)
    if found.facts.login is None:
        if reached.status is CheckStatus.FAIL:
            why = "the database is not reachable"
            return [reached, *(skipped(name, why) for name in ("login", *AFTER_LOGIN))]
        failed = _failed("login", found, found.login.seconds)
        return [reached, failed, *(skipped(name, "no login") for name in AFTER_LOGIN)]
    login = _login(found)
    if found.facts.state is None or found.facts.query_seconds is None:
        # With a very short deadline the login is over only after it.
        asking = max(0.0, round(found.login.seconds - found.facts.login.seconds, 4))
        failed = _failed("query", found, asking)
        return [reached, login, failed, *(skipped(name, "no query works") for name in BEHIND_QUERY)]
    state = found.facts.state
    return [
        reached,
        login,
        Check("query", CheckStatus.OK, found.facts.query_seconds, "select works"),
        _server(state),
        _recovery(state, found.target.params.session_attrs),
        _schema(found),
        *_activity(state.activity, found.target.params.user),
        _replication(state, found.target.params.user),
    ]


def _reached(found: Findings) -> Check:
    """One check of all servers: one of several that does not answer is worth a warning."""
    bad = {address: port for address, port in found.ports.items() if port.error is not None or not port.answered}
    seconds = max(port.seconds for port in found.ports.values())
    if not bad:
        return Check("database tcp", CheckStatus.OK, seconds, found.target.params.address)
    words = [
        port.error.message if port.error else f"the database is not reachable at {address} ({found.silence})"
        for address, port in bad.items()
    ]
    hint = next((port.error.hint for port in bad.values() if port.error), "kinetria config show")
    good = [address for address in found.ports if address not in bad]
    if good:
        hint = f"start what does not answer, or take it out of DB_HOST: {', '.join(bad)}"
        detail = "; ".join([f"{' and '.join(good)} answer{'s' if len(good) == 1 else ''}", *words])
        return Check("database tcp", CheckStatus.WARN, seconds, detail, hint)
    return Check("database tcp", CheckStatus.FAIL, seconds, "; ".join(words), hint)


def _failed(name: str, found: Findings, seconds: float) -> Check:
    if found.login.error is None:
        words = "the server hangs, or the network swallows what is sent: look at the server and its log"
        return Check(name, CheckStatus.FAIL, seconds, found.silence, words)
    hint = found.login.error.hint
    if found.target.origin == RECORDED and "DB_PASSWORD" in (hint or ""):  # which no setting gave
        hint = "kinetria up --reset-password"
    return Check(name, CheckStatus.FAIL, seconds, found.login.error.message, hint)


def _login(found: Findings) -> Check:
    login, params = found.facts.login, found.target.params
    assert login is not None
    where = f" at {login.server.address}, one of {len(params.servers)} servers" if params.others else ""
    tls = f"TLS {params.sslmode}" if login.tls else "TLS off"
    return Check("login", CheckStatus.OK, login.seconds, f"{params.user}{where}, {tls}")


def _server(state: ServerState) -> Check:
    through = {
        None: ", through a pooler (whose mode is not known)",
        Pooling.NONE: "",
        Pooling.SESSION: ", through a pooler (session mode)",
        Pooling.TRANSACTION: ", through a pooler (transaction mode: migrations need the server itself)",
    }
    return Check("server", CheckStatus.OK, 0.0, f"PostgreSQL {state.version}{through[state.pooling]}")


def _recovery(state: ServerState, wanted: str) -> Check:
    if not (state.in_recovery or state.read_only):
        return Check("recovery", CheckStatus.OK, 0.0, "a primary that takes writes")
    what = "a standby, read-only" if state.in_recovery else "read-only: default_transaction_read_only is on"
    if wanted in READ_ONLY_WANTED:
        return Check("recovery", CheckStatus.OK, 0.0, what)
    hint = "connect to the primary" if state.in_recovery else "whose setting that is: kinetria doctor"
    return Check("recovery", CheckStatus.WARN, 0.0, what, hint)


def _schema(findings: Findings) -> Check:
    found = findings.facts.migrations
    if found is None:
        return _schema_unread(findings)
    if isinstance(found, MigrationFileInvalid):
        return Check("schema", CheckStatus.UNKNOWN, 0.0, found.message, found.hint)
    if isinstance(found, KinetriaError):
        return Check("schema", CheckStatus.FAIL, 0.0, found.message, found.hint)
    return _migrations(found)


def _schema_unread(findings: Findings) -> Check:
    refused = findings.login.error
    if not isinstance(refused, PrivilegeMissing):
        return _failed("schema", findings, 0.0)
    user = quote_identifier(findings.target.params.user)
    hint = f"as the owner of the tables: GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}"
    return Check("schema", CheckStatus.UNKNOWN, 0.0, refused.message, hint)


def _migrations(found: MigrationStatus) -> Check:
    if found.pending_ids:
        detail = f"{len(found.pending_ids)} pending: {span(found.pending_ids)}"
        return Check("schema", CheckStatus.FAIL, 0.0, detail, "kinetria migrate")
    if found.missing_objects:
        return Check("schema", CheckStatus.FAIL, 0.0, f"missing: {', '.join(found.missing_objects)}", "kinetria doctor")
    if found.problems:
        first = found.problems[0]
        more = f"; {len(found.problems)} in all" if len(found.problems) > 1 else ""
        return Check("schema", CheckStatus.WARN, 0.0, f"{first.id}: {first.detail}{more}", "kinetria migrate status")
    return Check("schema", CheckStatus.OK, 0.0, f"{len(found.applied_ids)} applied, at {found.head}")


def _activity(found: Activity | KinetriaError, user: str) -> list[Check]:
    if isinstance(found, KinetriaError):
        return [_hidden("connections", found), _hidden("transactions", found)]
    usable = max(found.max_connections - found.reserved, 1)
    status = CheckStatus.WARN if found.connections >= CONNECTIONS_WARN * usable else CheckStatus.OK
    hint = "see who holds them: SELECT * FROM pg_stat_activity" if status is CheckStatus.WARN else None
    kept = f", {found.reserved} of {found.max_connections} reserved" if found.reserved else ""
    connections = Check("connections", status, 0.0, f"{found.connections} of {usable}{kept}", hint)
    return [connections, _transactions(found, user)]


def _transactions(found: Activity, user: str) -> Check:
    oldest = found.oldest
    if long := next((locked for locked in found.locked if locked.seconds >= LOCK_WARN_SECONDS), None):
        program = long.application or "an unnamed program"
        detail = f"table {long.table} is locked by pid {long.pid} ({program}, open for {_span(long.seconds)})"
        return Check("transactions", CheckStatus.WARN, 0.0, detail, "kinetria doctor")
    if oldest is not None and oldest.seconds >= TRANSACTION_WARN_SECONDS:
        hint = f"end it, if nobody needs it: SELECT pg_terminate_backend({oldest.pid})"
        return Check("transactions", CheckStatus.WARN, 0.0, _told(oldest), hint)
    if found.hidden:
        detail = f"{counted(found.hidden, 'session')} of other roles cannot be looked at"
        return Check("transactions", CheckStatus.WARN, 0.0, detail, _grant(user))
    return Check("transactions", CheckStatus.OK, 0.0, "none is open" if oldest is None else _told(oldest))


def _told(oldest: Transaction) -> str:
    program = oldest.application or "an unnamed program"
    return f"the oldest is open for {_span(oldest.seconds)}: {program}, pid {oldest.pid}, {oldest.state}"


def _span(seconds: float) -> str:
    return f"{max(seconds, 0):.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _replication(state: ServerState, user: str) -> Check:
    found = state.replication
    if isinstance(found, KinetriaError):
        return _hidden("replication", found)
    if state.in_recovery:
        return _following(found)
    if not found.standbys:
        return skipped("replication", "no standby is connected")
    if any(standby.state is None for standby in found.standbys):
        detail = f"{counted(len(found.standbys), 'standby')} connected, which cannot be looked at"
        return Check("replication", CheckStatus.WARN, 0.0, detail, _grant(user))
    late = [standby for standby in found.standbys if (standby.lag_seconds or 0.0) >= LAG_WARN_SECONDS]
    detail = "; ".join(_standby(standby) for standby in late or found.standbys)
    hint = "look at the standby's log and disk, and at the network between" if late else None
    return Check("replication", CheckStatus.WARN if late else CheckStatus.OK, 0.0, detail, hint)


def _standby(standby: Standby) -> str:
    lag = "" if standby.lag_seconds is None else f", {_span(standby.lag_seconds)} behind"
    return f"{standby.name or 'a standby'} {standby.state}{lag}"


def _following(found: Replication) -> Check:
    if not found.receiving:
        hint = "look at the standby's log, and at primary_conninfo"
        return Check("replication", CheckStatus.WARN, 0.0, "it receives nothing from its primary", hint)
    lag = "nothing replayed yet" if found.lag_seconds is None else f"{_span(found.lag_seconds)} behind its primary"
    if (found.lag_seconds or 0.0) < LAG_WARN_SECONDS:
        return Check("replication", CheckStatus.OK, 0.0, lag)
    return Check("replication", CheckStatus.WARN, 0.0, lag, "look for a long query on the standby, and at its disk")


def _hidden(name: str, error: KinetriaError) -> Check:
    """A warning: statistics that a role without pg_monitor may not read do not make the database unhealthy."""
    return Check(name, CheckStatus.WARN, 0.0, error.message, error.hint)


def _grant(user: str) -> str:
    return f"as a superuser: GRANT pg_monitor TO {quote_identifier(user)}"


def certificate_check(target: Target, facts: DatabaseFacts, found: Mapping[str, Outcome], reached: Check) -> Check:
    """Judge the certificate that ends first, where TLS is used.

    Args:
        target: The database.
        facts: What the login told.
        found: What came of reading the certificate of each server, by its address; none where TLS is not wanted.
        reached: The check of the ports.
    """
    wanted = target.params.sslmode != "disable"
    if not wanted or (facts.login is not None and not facts.login.tls):
        return skipped("certificate", "TLS is off")
    if reached.status is CheckStatus.FAIL:
        return skipped("certificate", "the database is not reachable")
    ends: dict[str, datetime] = {address: outcome.value for address, outcome in found.items() if outcome.value}
    seconds = max(outcome.seconds for outcome in found.values())
    if not ends:
        error = next((outcome.error for outcome in found.values() if outcome.error), None)
        if error is not None:
            return Check("certificate", CheckStatus.UNKNOWN, seconds, error.message, error.hint)
        if not all(outcome.answered for outcome in found.values()):
            return Check("certificate", CheckStatus.UNKNOWN, seconds, f"no answer within {seconds:g} s")
        return skipped("certificate", "the server has no TLS")
    address, end = min(ends.items(), key=lambda item: item[1])
    return _certificate(address if target.params.others else "", end, seconds)


def _certificate(address: str, end: datetime, seconds: float) -> Check:
    left = end - datetime.now(UTC)
    of = f"{address}: " if address else ""
    if left <= timedelta(0):
        hint = "renew the server's certificate, then reload it: SELECT pg_reload_conf()"
        return Check("certificate", CheckStatus.FAIL, seconds, f"{of}ended on {end:%Y-%m-%d}", hint)
    detail = f"{of}good until {end:%Y-%m-%d}, {counted(left.days, 'day')} left"
    if left < CERTIFICATE_WARN:
        return Check("certificate", CheckStatus.WARN, seconds, detail, "renew the server's certificate")
    return Check("certificate", CheckStatus.OK, seconds, detail)
