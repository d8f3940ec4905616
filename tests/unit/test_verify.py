"""The order of a proof, and what it says when only the whole is not exact."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from kinetria_cli.domain.catalog import Difference, Fact, Fingerprint
from kinetria_cli.domain.definitions import Definitions
from kinetria_cli.domain.verify import FileToProve
from kinetria_cli.usecases.verify import verify

IDS = ("0001_a", "0002_b")


class Database:
    """Holds one fact a migration; rolled back in one go, it keeps what it is told to keep."""

    def __init__(self, calls: list[str], kept: str | None) -> None:
        self._calls = calls
        self._kept = kept
        self._applied: list[str] = []

    def apply(self, to: str) -> None:
        self._calls.append(f"apply {to}")
        self._applied = list(IDS[: IDS.index(to) + 1])

    def roll_back(self, ids: tuple[str, ...]) -> None:
        self._calls.append(f"roll back {' '.join(ids)}")
        self._applied = [name for name in self._applied if name not in ids or (len(ids) > 1 and name == self._kept)]

    def fingerprint(self) -> Fingerprint:
        return Fingerprint(Fact(f"table {name}", None, "table") for name in self._applied)

    def definitions(self, objects: Collection[str]) -> Definitions:
        raise NotImplementedError


class Bench:
    """A workbench whose databases are lists."""

    place = "a list"

    def __init__(self, kept: str | None = None) -> None:
        self.calls: list[str] = []
        self._kept = kept

    def files(self, to: str | None) -> tuple[FileToProve, ...]:
        return tuple(FileToProve(name, reversible=True) for name in IDS)

    @contextmanager
    def server(self, ids: tuple[str, ...]) -> Iterator["Bench"]:
        yield self

    @contextmanager
    def database(self) -> Iterator[Database]:
        self.calls.append("new database")
        yield Database(self.calls, self._kept)

    def target_fingerprint(self) -> Fingerprint:
        raise NotImplementedError

    def target_definitions(self, objects: Collection[str], *, counted: Collection[str]) -> Definitions:
        raise NotImplementedError


def test_each_is_applied_undone_and_applied_again_and_then_all_of_them() -> None:
    bench = Bench()
    result = verify(workbench=bench, to=None)
    assert result.exact
    assert bench.calls == [
        "new database",
        "apply 0001_a",
        "roll back 0001_a",
        "apply 0001_a",
        "apply 0002_b",
        "roll back 0002_b",
        "apply 0002_b",
        "roll back 0002_b 0001_a",
        "apply 0002_b",
    ]


def test_where_only_the_whole_is_not_exact_that_is_told() -> None:
    result = verify(workbench=Bench(kept="0001_a"), to=None)
    assert [proof.exact for proof in result.migrations] == [True, True]
    assert result.whole == (Difference("table 0001_a", None, "table"),)
    assert not result.exact
