"""The tables, indexes and functions that files make."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.locks import name_at
from kinetria_cli.gateways.migrations.sqltext import Statement, tokens


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """What the files of a folder make, by names as the server folds them.

    Args:
        indexes: Index -> its table, as written.
        functions: Functions and procedures.
    """

    indexes: dict[str, str]
    functions: frozenset[str]


def facts_of(files: Iterable[SqlFile]) -> FolderFacts:
    """Return what files make, of two indexes of one name the later one."""
    indexes: dict[str, str] = {}
    functions: set[str] = set()
    for file in files:
        for statement in file.statements:
            if statement.first != "CREATE":
                continue
            words = statement.words
            kind = next((word for word in words[1:4] if word in ("INDEX", "FUNCTION", "PROCEDURE")), None)
            if kind is None:
                continue
            name, position = _name_behind(statement, words.index(kind) + 1)
            if kind != "INDEX":
                functions.add(plain_name(name))
            elif words[position : position + 1] == ("ON",):
                # An index lies in the schema of its table.
                table, _ = _name_behind(statement, position + 1)
                schema = table.rpartition(".")[0]
                indexes[plain_name(f"{schema}.{name}" if schema else name)] = table
    return FolderFacts(indexes, frozenset(functions))


def _name_behind(statement: Statement, position: int) -> tuple[str, int]:
    while statement.words[position : position + 1] and statement.words[position] in _NOISE:
        position += 1
    return name_at(statement.tokens, position)


_NOISE = frozenset({"IF", "NOT", "EXISTS", "CONCURRENTLY", "ONLY"})


def made_by(statement: Statement) -> tuple[str, bool] | None:
    """Return the name of the table or view that a statement makes, and whether it may exist already."""
    if statement.first != "CREATE":
        return None
    words = statement.words
    kind = next((word for word in words[1:4] if word in ("TABLE", "VIEW")), None)
    if kind is None:
        return None
    name, position = _name_behind(statement, words.index(kind) + 1)
    return (plain_name(name), "EXISTS" in words[:position]) if name else None


@lru_cache(maxsize=1024)
def plain_name(relation: str) -> str:
    """Return a name as the server folds it, quoted, without the schema that migrations work in."""
    parts = [token.text for token in tokens(relation) if token.text != "."]
    folded = [part if part.startswith('"') else f'"{part.lower()}"' for part in parts]
    return ".".join(folded[1:] if len(folded) > 1 and folded[0] == '"public"' else folded)
