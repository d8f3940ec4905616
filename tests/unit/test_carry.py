"""Taking the data along, step by step, and what a failing step leaves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DatabaseBusy, EngineFailed
from kinetria_cli.domain.stack import ConnectionParams, StackRecord
from kinetria_cli.usecases.carry import LANDING, Carrier, Undo, carry, retire_app
from tests.fakes import RECORD, FakeEngine

NEW = replace(RECORD, engine="docker", database=replace(RECORD.database, port=5433))
ROWS = {"public.users": 5, "public.sessions": 1168}


class NamedEngine(FakeEngine):
    """A fake that is used without `exclusive`, which the caller of `carry` holds for both."""

    def __init__(self, name: str, *, running: tuple[str, ...] = (), record: StackRecord | None = RECORD) -> None:
        super().__init__(record=record, running=running)
        self.name = name
        self.held = True


@dataclass
class World:
    """Two engines, and everything that was done to their databases."""

    source: NamedEngine = field(default_factory=lambda: NamedEngine("embedded", running=("postgres", "app")))
    target: NamedEngine = field(default_factory=lambda: NamedEngine("docker", running=("postgres",)))
    arrived: Mapping[str, int] = field(default_factory=lambda: ROWS)
    kept: str = ""
    busy: bool = False
    done: list[str] = field(default_factory=list)
    undo: list[Undo] = field(default_factory=list)

    def carry(self) -> str:
        carrier = Carrier(
            source=self.source,
            environment=lambda _: {},
            freeze=self._freeze,
            land=lambda params: self.done.append(f"land {params.dbname} at {params.port}"),
            copy=lambda old, new: self.done.append(f"copy {old.port} to {new.port}/{new.dbname}"),
            count=lambda _: self.arrived,
            take_over=self._take_over,
        )
        retire_app(carrier, self.undo)
        return carry(carrier, target=self.target, record=NEW, deadline=Deadline(10), undo=self.undo)

    @contextmanager
    def _freeze(self, params: ConnectionParams) -> Iterator[Mapping[str, int]]:
        if self.busy:
            raise DatabaseBusy("somebody writes")
        self.done.append(f"freeze {params.port}")
        yield ROWS
        self.done.append("thaw")

    def _take_over(self, landing: ConnectionParams, params: ConnectionParams) -> str:
        self.done.append(f"{landing.dbname} becomes {params.dbname}")
        return self.kept

    def undo_all(self) -> None:
        for step in reversed(self.undo):
            step(Deadline(1))


def test_the_rows_leave_arrive_are_counted_and_only_then_the_old_stack_gives_way() -> None:
    world = World()
    words = world.carry()
    assert world.source.calls == ["stop_app", "stop_database", "clear"]
    assert world.done == [
        "freeze 5432",
        f"land {LANDING} at 5433",
        f"copy 5432 to 5433/{LANDING}",
        f"{LANDING} becomes kinetria",
        "thaw",
    ]
    assert world.target.calls == ["adopt instead of embedded"]
    assert world.undo == []
    assert words == "1,173 rows of 2 tables from the embedded engine, whose data stay as an older copy"


def test_what_stood_there_before_is_told() -> None:
    assert (
        World(kept="kinetria_superseded")
        .carry()
        .endswith("; what was here before is kept as database kinetria_superseded")
    )


def test_a_stopped_source_is_started_for_it_and_stopped_again() -> None:
    world = World(source=NamedEngine("embedded"))
    world.carry()
    assert world.source.calls == ["stop_app", "start_database", "stop_database", "clear"]


def test_rows_that_do_not_arrive_leave_the_old_stack_the_projects() -> None:
    world = World(arrived={"public.users": 4, "public.sessions": 1168})
    with pytest.raises(EngineFailed) as caught:
        world.carry()
    assert caught.value.details == ("public.users: 5 left, 4 arrived",)
    assert world.target.calls == []
    assert "becomes" not in " ".join(world.done)
    world.undo_all()
    assert world.source.running == {"postgres", "app"}


def test_a_table_that_does_not_arrive_is_named() -> None:
    with pytest.raises(EngineFailed) as caught:
        World(arrived={"public.users": 5}).carry()
    assert caught.value.details == ("public.sessions: 1168 left, no table arrived",)


def test_a_source_that_somebody_writes_to_gets_its_app_back() -> None:
    world = World(busy=True)
    with pytest.raises(DatabaseBusy):
        world.carry()
    assert world.source.running == {"postgres"}
    world.undo_all()
    assert world.source.running == {"postgres", "app"}


def test_a_source_that_was_stopped_is_stopped_again_when_it_fails() -> None:
    world = World(source=NamedEngine("embedded"), busy=True)
    with pytest.raises(DatabaseBusy):
        world.carry()
    world.undo_all()
    assert world.source.running == set()


def test_a_source_that_recorded_nothing_has_nothing_to_carry() -> None:
    with pytest.raises(EngineFailed, match="nothing is recorded about the embedded engine"):
        World(source=NamedEngine("embedded", record=None)).carry()
