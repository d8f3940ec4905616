"""A connection that is lost or falls silent around the COMMIT of a seed: what took place is reported, and ends."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError, Terminated
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.seeding import store as store_module
from kinetria_cli.gateways.postgres.seeding.outcome import Writer, is_working, writer_of
from kinetria_cli.gateways.postgres.seeding.store import PostgresSeedStore
from tests.faults.chaos import Chaos, Trouble, chaos_before
from tests.faults.migrating import SLEEPING
from tests.faults.stack import wait_for
from tests.seed.checking import World
from tests.seed.loading import EMPTY, counts, expected
from tests.seeding import ToyProfile
from tests.world import Answer, Cli, connect_to

PROFILE = ToyProfile(users=3)
TOLD = "the connection was lost while the seed was committed; it is committed"
SILENT_SECONDS = 0.3
"""Short, and of no weight: whatever answers later is asked whether it works."""

Act = Callable[[World], Any]
CHANGE = "UPDATE workouts SET name = 'changed'"
ACTS: dict[str, tuple[bool, Act]] = {
    "load": (False, lambda world: world.seed(PROFILE)),
    "restore": (True, lambda world: world.seed(PROFILE, restore=True)),
    "remove": (True, lambda world: world.remove()),
}
"""What is done, and whether the rows are there before."""


@dataclass
class Net:
    """A seed's database behind a proxy, which makes trouble as soon as the next COMMIT is about to be sent."""

    chaos: Chaos
    world: World
    told: list[str]
    params: ConnectionParams
    direct: ConnectionParams

    def at_commit(self, monkeypatch: pytest.MonkeyPatch, act: Callable[[Chaos], None]) -> None:
        def trouble(connection: "psycopg.Connection[Any]") -> Writer:
            found = writer_of(connection)
            monkeypatch.setattr(store_module, "writer_of", writer_of)
            act(self.chaos)
            return found

        monkeypatch.setattr(store_module, "writer_of", trouble)

    def prepare(self, name: str) -> Act:
        there, act = ACTS[name]
        if there:
            with closing(PostgresSeedStore(self.direct, timeout=5)) as store:
                World(store, self.world.sql).seed(PROFILE)
            self.world.sql.execute(CHANGE.encode())
        return act

    def changed(self) -> int:
        return int(self.world.one("SELECT count(*) FROM workouts WHERE name = 'changed'"))


@pytest.fixture
def net(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> Iterator[Net]:
    told: list[str] = []
    with chaos_before(migrated) as (chaos, params):
        store = PostgresSeedStore(params, timeout=SILENT_SECONDS, tell=told.append)
        yield Net(chaos, World(store, sql), told, params, migrated)
        store.close()


def setting(trouble: Trouble) -> Callable[[Chaos], None]:
    return lambda chaos: setattr(chaos, "trouble", trouble)


def took_place(net: Net, name: str) -> bool:
    """Whether all of it is there; all of it or nothing."""
    found = counts(net.direct)
    if name == "restore":
        assert found == expected(PROFILE)
        assert net.changed() in (0, 6)
        return net.changed() == 0
    assert found in (EMPTY, expected(PROFILE))
    return (found == EMPTY) is (name == "remove")


@pytest.mark.parametrize("name", ACTS)
def test_a_commit_whose_answer_is_lost_counts(net: Net, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    act = net.prepare(name)
    net.at_commit(monkeypatch, setting(Trouble.LOSE_ANSWER))
    result = act(net.world)
    assert net.chaos.losses == 1
    assert result.rows > 0
    assert net.told == [TOLD]
    assert took_place(net, name)


@pytest.mark.parametrize("name", ACTS)
def test_a_commit_that_never_arrives_does_not_count(net: Net, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    act = net.prepare(name)
    net.at_commit(monkeypatch, setting(Trouble.LOSE_REQUEST))
    with pytest.raises(DatabaseUnreachable, match="was lost") as lost:
        act(net.world)
    assert net.chaos.losses == 1
    assert (lost.value.exit_code, lost.value.hint) == (4, "run this again; nothing uncommitted was kept")
    assert net.told == []
    assert not took_place(net, name)
    act(net.world)
    assert took_place(net, name)


def test_a_server_that_cannot_be_asked_is_an_error_that_does_not_claim_anything(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose_for_good(chaos: Chaos) -> None:
        chaos.trouble = Trouble.LOSE_ANSWER
        chaos.take_no_more()

    monkeypatch.setattr("kinetria_cli.gateways.postgres.seeding.outcome.RECOVERY_SECONDS", 0.0)
    net.at_commit(monkeypatch, lose_for_good)
    with pytest.raises(DatabaseUnreachable, match="whether it was committed is not known: the database is not") as lost:
        net.world.seed(PROFILE)
    assert lost.value.hint == "when the database answers again: kinetria seed --verify shows what is there"
    assert took_place(net, "load")


def test_another_server_of_the_same_number_is_not_believed(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinetria_cli.gateways.postgres.seeding.outcome.RECOVERY_SECONDS", 0.0)
    with pytest.raises(DatabaseUnreachable, match="another server"):
        Writer("3", 1, "0000FFFF").took_place(net.world.store._other)
    assert Writer("1000000000000", 1, writer_of(net.world.sql).timeline).took_place(net.world.store._other) is False


@pytest.mark.parametrize("trouble", [Trouble.BLACKHOLE, Trouble.HOLD_ANSWERS])
def test_silence_ends_by_a_deadline_and_what_was_not_committed_is_gone(net: Net, trouble: Trouble) -> None:
    with (
        pytest.raises(DatabaseUnreachable, match=r"was lost: no answer for 0\.3 s"),
        net.world.store.transaction() as transaction,
    ):
        net.chaos.trouble = trouble
        transaction.records()
    net.chaos.trouble = Trouble.NONE
    assert net.world.seed(PROFILE).inserted == 67
    assert took_place(net, "load")


def test_silence_before_the_first_answer_ends_too(net: Net) -> None:
    with net.world.store.transaction(writes=False):
        pass
    net.chaos.trouble = Trouble.BLACKHOLE
    with pytest.raises(DatabaseUnreachable, match="no answer"):
        net.world.seed(PROFILE)


@pytest.mark.parametrize("name", ACTS)
def test_a_commit_whose_answer_is_held_counts(net: Net, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    act = net.prepare(name)
    net.at_commit(monkeypatch, setting(Trouble.HOLD_ANSWERS))

    def silent(*_: object) -> bool:
        net.chaos.trouble = Trouble.NONE
        return False

    monkeypatch.setattr(store_module, "is_working", silent)
    act(net.world)
    assert net.told == [TOLD]
    assert took_place(net, name)


def test_a_statement_that_takes_longer_is_waited_for(net: Net) -> None:
    """However often the server is asked; it answers that it works."""
    asked: list[bool] = []
    with net.world.store.transaction() as transaction:
        connection: Any = transaction._connection
        ask = connection.is_working

        def counting() -> bool:
            asked.append(ask())
            if len(asked) == 2:
                with connect_to(net.direct) as other:
                    other.execute(f"SELECT pg_cancel_backend(pid) {SLEEPING}".encode())
            return asked[-1]

        connection.is_working = counting
        with pytest.raises(psycopg.errors.QueryCanceled), connection.transaction():
            connection.execute("SELECT pg_sleep(600)")
        assert transaction.records() == ()
    assert asked[:2] == [True, True]


def test_a_pooler_that_has_no_session_for_the_question_is_no_silence(net: Net) -> None:
    """It takes the login, and lets the question wait."""

    @contextmanager
    def pooled() -> Iterator["psycopg.Connection[Any]"]:
        with net.world.store._other() as other:
            net.chaos.trouble = Trouble.HOLD_ANSWERS
            yield other

    assert is_working(0, pooled)
    # Where not even a login is answered there is nobody.
    assert not is_working(0, net.world.store._other)


def test_which_sessions_work(net: Net) -> None:
    with connect_to(net.direct) as idle:
        pid = idle.info.backend_pid
        assert not is_working(pid, net.world.store._other)
    wait_for(lambda: not net.world.one(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"))
    assert not is_working(pid, net.world.store._other)
    with connect_to(net.direct) as copying, copying.cursor().copy("COPY users FROM STDIN"):
        waits = f"SELECT wait_event_type = 'Client' FROM pg_stat_activity WHERE pid = {copying.info.backend_pid}"
        wait_for(lambda: bool(net.world.one(waits)))
        assert not is_working(copying.info.backend_pid, net.world.store._other)


@pytest.mark.parametrize(("kind", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
@pytest.mark.parametrize("kept", [True, False])
def test_interrupted_at_the_commit_the_message_says_what_became_of_it(
    net: Net, cli: Cli, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException], code: int, kept: bool
) -> None:
    def interrupt(*_: object) -> bool:
        net.chaos.trouble = Trouble.NONE
        raise kind

    monkeypatch.setenv("REQUEST_TIMEOUT", "300ms")
    monkeypatch.setattr(store_module, "is_working", interrupt)
    net.at_commit(monkeypatch, setting(Trouble.HOLD_ANSWERS if kept else Trouble.BLACKHOLE))
    answer: Answer = cli.use(net.params)("seed", "--profile", "minimal", "--json")
    assert answer.code == code
    hint = (
        "the interruption came too late: everything was committed"
        if kept
        else "what was half done was undone; run it again"
    )
    assert answer.error["hint"] == hint
    assert net.world.one("SELECT count(*) FROM kinetria_seed") == int(kept)


def test_a_second_interruption_while_the_outcome_is_looked_up_claims_nothing(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> bool:
        raise KeyboardInterrupt

    net.at_commit(monkeypatch, setting(Trouble.LOSE_ANSWER))
    monkeypatch.setattr(Writer, "took_place", interrupt)
    with pytest.raises(KeyboardInterrupt) as interrupted:
        net.world.seed(PROFILE)
    assert interrupted.value.__notes__ == [
        "whether it was committed is not known; kinetria seed --verify shows what is there"
    ]


def test_an_answer_that_refuses_the_commit_is_not_looked_up(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    net.world.sql.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;"
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON kinetria_seed DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    monkeypatch.setattr(Writer, "took_place", lambda *_: pytest.fail("looked up"))
    with pytest.raises(KinetriaError, match="not this one"):
        net.world.seed(PROFILE)
    assert not took_place(net, "load")


def test_an_administrator_who_ends_the_session_at_the_commit(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_: Chaos) -> None:
        net.world.one(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name LIKE 'kinetria %' AND datname = current_database()"
        )

    net.at_commit(monkeypatch, end)
    with pytest.raises(DatabaseUnreachable, match="was lost"):
        net.world.seed(PROFILE)
    assert not took_place(net, "load")
