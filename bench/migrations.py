"""What the migrations cost: against yoyo's own command, bare psycopg, and ourselves with few files."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.measure import Row, compare, seconds
from bench.stacks import Stack, database_variables, migrate, yoyo_apply

QUICK = 15
SLOW = 7
MANY = 500
VERIFY_SECONDS = 3.0


def migrations(stack: Stack) -> Iterator[Row]:
    """`migrate`, its status and its proof."""
    yield from _against_yoyo(stack)
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


def _many_files(folder: Path) -> Path:
    """Make a folder of many small migrations, each with its rollback."""
    folder.mkdir()
    for number in range(1, MANY + 1):
        name = f"{number:04}_table_{number}"
        (folder / f"{name}.sql").write_text(f"-- One of many.\nCREATE TABLE table_{number} (id int);\n", "utf-8")
        (folder / f"{name}.rollback.sql").write_text(f"DROP TABLE table_{number};\n", "utf-8")
    return folder
