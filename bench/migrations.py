"""What the migrations cost: against yoyo's own command, bare psycopg, and ourselves with few files."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.measure import Figure, Row, compare, seconds
from bench.stacks import KINETRIA, Stack, database_variables, environment, migrate, run, yoyo_apply

QUICK = 15
SLOW = 7
MANY = 500
VERIFY_SECONDS = 3.0


def migrations(stack: Stack) -> Iterator[Row | Figure]:
    """`migrate`, its status and its proof."""
    yield from _against_yoyo(stack)
    yield from _large_files(stack)
    few, many = stack.new_database(), stack.new_database()
    folder = _many_files(stack.folder / "many")
    ours = database_variables(few)
    crowd = database_variables(many) | {"KINETRIA_MIGRATIONS_DIR": str(folder)}
    stack.kinetria("migrate", **ours)
    stack.kinetria("migrate", **crowd)
    yield compare(
        "kinetria migrate status --json / psycopg connect and select",
        lambda: stack.kinetria("migrate", "status", "--json", **ours),
        lambda: stack.select(few),
        bound=1.6,
        runs=QUICK,
    )
    for name, arguments in (("migrate", ("migrate",)), ("migrate status --json", ("migrate", "status", "--json"))):
        yield compare(
            f"kinetria {name}, {MANY} files applied / 9",
            lambda arguments=arguments: stack.kinetria(*arguments, **crowd),  # type: ignore[misc]
            lambda arguments=arguments: stack.kinetria(*arguments, **ours),  # type: ignore[misc]
            bound=1.6,
            runs=QUICK,
        )
    proofs = [seconds(lambda: stack.kinetria("migrate", "verify", **ours)) for _ in range(SLOW)]
    row = Row(f"kinetria migrate verify / {VERIFY_SECONDS:g} s", median(proofs), VERIFY_SECONDS, 1.0)
    print(row.line(), flush=True)
    yield row


def _against_yoyo(stack: Stack) -> Iterator[Row]:
    ours, peer = stack.new_database(), stack.new_database()
    fresh = [(stack.new_database(), stack.new_database()) for _ in range(SLOW + 1)]
    first = iter([params for params, _ in fresh])
    second = iter([params for _, params in fresh])
    yield compare(
        "kinetria migrate, first run / yoyo apply",
        lambda: migrate(stack, next(first)),
        lambda: yoyo_apply(stack, next(second)),
        bound=1.15,
        runs=SLOW,
    )
    yield compare(
        "kinetria migrate, nothing to do / yoyo apply",
        lambda: migrate(stack, ours),
        lambda: yoyo_apply(stack, peer),
        bound=1.15,
        runs=QUICK,
    )


_ROW = "'some text of row {0}, long enough to be a row of an export of real life', {0}.5"
_LARGE = {
    "one literal": "INSERT INTO t VALUES ('" + "0123456789" * 1_000_000 + "');",
    "90,000 statements": "\n".join(f"INSERT INTO t VALUES ({n}, {_ROW.format(n)});" for n in range(90_000)),
    "one INSERT": "INSERT INTO t VALUES\n" + ",\n".join(f"({n}, {_ROW.format(n)})" for n in range(105_000)) + ";",
    "a literal beyond ASCII": "INSERT INTO t VALUES ('" + "\u0939\u093f\U0001f4aa" * 1_000_000 + "');",
}
"""Files of 10 MB."""
_LEX = """
import pathlib, sys, time
from kinetria_cli.gateways.migrations.sqltext import lex
text = pathlib.Path(sys.argv[1]).read_text("utf-8")
started = time.process_time()
lex(text)
print(time.process_time() - started)
"""
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(peak if sys.platform == "darwin" else peak * 1024)
"""


def _large_files(stack: Stack) -> Iterator[Figure]:
    """Files of 10 MB: CPU until one is lexed, and what `migrate plan` takes in memory over a plan of nothing."""
    folder = stack.folder / "large"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("CREATE TABLE t (a text, b text, c text);\n", "utf-8")
    params = stack.new_database()
    env = environment() | database_variables(params) | {"KINETRIA_MIGRATIONS_DIR": str(folder)}
    run(KINETRIA, "migrate", env=env, folder=stack.folder)

    def printed(*command: str) -> float:
        return float(
            subprocess.run(
                [sys.executable, "-c", *command], env=env, cwd=stack.folder, check=True, capture_output=True, text=True
            ).stdout
        )

    nothing = printed(_PEAK, KINETRIA, "migrate", "plan")
    path = folder / "0002_large.sql"
    for name, text in _LARGE.items():
        path.write_text(text, "utf-8")
        size = path.stat().st_size
        cpu = printed(_LEX, str(path)) * 10_000_000 / size
        memory = (printed(_PEAK, KINETRIA, "migrate", "plan") - nothing) / size
        for figure in (
            Figure(f"10 MB lexed, {name}", cpu, 2.0, "s of CPU"),
            Figure(f"migrate plan, {name}: peak memory over none", memory, 10.0, "bytes a byte"),
        ):
            print(figure.line(), flush=True)
            yield figure


def _many_files(folder: Path) -> Path:
    """Make a folder of many small migrations, each with its rollback."""
    folder.mkdir()
    for number in range(1, MANY + 1):
        name = f"{number:04}_table_{number}"
        (folder / f"{name}.sql").write_text(f"-- One of many.\nCREATE TABLE table_{number} (id int);\n", "utf-8")
        (folder / f"{name}.rollback.sql").write_text(f"DROP TABLE table_{number};\n", "utf-8")
    return folder
