"""`make bench`: a table of ratios against named peers, all measured in this one run."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.docker import docker_answers, on_docker
from bench.http import http
from bench.inspect import inspect
from bench.measure import Figure, Row, compare, seconds
from bench.migrations import migrations
from bench.seed import seed
from bench.stacks import KINETRIA, ByHand, Stack, environment, run

QUICK = 15
SLOW = 7


def start_up(folder: Path) -> Iterator[Row]:
    """--version and --help over importing typer."""
    env = environment()

    def import_typer() -> None:
        run(sys.executable, "-c", "import typer", env=env, folder=folder)

    for option, bound in (("--version", 1.5), ("--help", 2.5)):
        yield compare(
            f"kinetria {option} / python -c 'import typer'",
            lambda option=option: run(KINETRIA, option, env=env, folder=folder),  # type: ignore[misc]
            import_typer,
            bound=bound,
            runs=QUICK,
        )


def running(stack: Stack) -> Iterator[Row | Figure]:
    """`health` and `up` on a running stack over bare psycopg."""
    yield compare(
        "kinetria health --json / psycopg connect and select",
        lambda: stack.kinetria("health", "--json"),
        stack.select,
        bound=1.8,
        runs=QUICK,
    )
    yield over_its_deadline(stack)
    yield compare(
        "kinetria up, all running / psycopg connect and select",
        lambda: stack.kinetria("up"),
        stack.select,
        bound=2.5,
        runs=QUICK,
    )


def over_its_deadline(stack: Stack) -> Figure:
    """`health` while the server and the service stand still: how much longer than its deadline it takes."""
    with stack.standing_still():
        took = median(seconds(lambda: stack.fails("health", "--json", "--timeout", "1s")) for _ in range(SLOW))
    figure = Figure("kinetria health, everything hangs: over its deadline", took - 1.0, 0.3, "s")
    print(figure.line(), flush=True)
    return figure


def cold(stack: Stack, by_hand: ByHand) -> Iterator[Row]:
    """`up` from nothing over the same by hand; taking it down again is not timed."""
    ours: list[float] = []
    peer: list[float] = []
    for _ in range(SLOW):
        ours.append(seconds(lambda: stack.kinetria("up")))
        stack.kinetria("down", "--volumes", "--yes")
        peer.append(seconds(by_hand.up))
        by_hand.down()
    row = Row("kinetria up, cold / initdb, pg_ctl, psql -f, serve by hand", median(ours[1:]), median(peer[1:]), 2.0)
    print(row.line(), flush=True)
    yield row


def main() -> int:
    """Print the table; exit 1 when a ratio is over its bound."""
    print(f"{'what / peer':<58}{'ours':>11} {'peer':>11} {'ratio':>8} {'at most':>8}")
    rows: list[Row | Figure] = []
    with tempfile.TemporaryDirectory(prefix="kb") as name:
        folder = Path(name)
        rows += start_up(folder)
        (folder / "cold").mkdir()
        (folder / "hand").mkdir()
        rows += cold(Stack(folder / "cold"), ByHand(folder / "hand"))
        stack = Stack(folder)
        stack.kinetria("up")
        try:
            rows += migrations(stack)
            rows += running(stack)
            rows += inspect(stack)
            rows += seed(stack)
            rows += http(stack)
        finally:
            stack.kinetria("down", "--volumes", "--yes")
        if docker_answers():
            (folder / "docker").mkdir()
            rows += on_docker(folder / "docker", SLOW)
        else:
            print("no Docker engine with Compose answers: its rows are left out")
    return int(any(row.over for row in rows))


sys.exit(main())
