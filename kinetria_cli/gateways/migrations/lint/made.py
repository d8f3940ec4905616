"""The tables that files make themselves, which nobody else uses yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.locks import name_at
from kinetria_cli.gateways.migrations.sqltext import Statement, tokens


@dataclass(frozen=True, slots=True)
class Made:
    """What is made before a statement runs, by names as the server folds them.

    Args:
        before: Name -> the migration that makes it, of the files that run first; where a database has such a table,
            that one counts.
        here: What the same file makes; it is new whatever a database holds, which the file may be applied to already.
    """

    before: Mapping[str, str] = field(default_factory=dict)
    here: frozenset[str] = frozenset()

    def with_name(self, name: str) -> "Made":
        """Return this and one more that the file makes."""
        return Made(self.before, self.here | {name})


def made_by(statement: Statement) -> tuple[str, bool] | None:
    """Return the name of the table or view that a statement makes, and whether it may exist already."""
    words = statement.words
    kind = next((word for word in words[1:4] if word in ("TABLE", "VIEW")), None)
    if words[0] != "CREATE" or kind is None:
        return None
    position = words.index(kind) + 1
    while words[position : position + 1] and words[position] in ("IF", "NOT", "EXISTS"):
        position += 1
    name, _ = name_at(statement.tokens, position)
    return (plain_name(name), "EXISTS" in words[:position]) if name else None


def names_made(file: SqlFile) -> tuple[str, ...]:
    """Return the names of all tables that a file makes."""
    return tuple(making[0] for making in map(made_by, file.statements) if making)


def plain_name(relation: str) -> str:
    """Return a name as the server folds it, quoted, without the schema that migrations work in."""
    parts = [token.text for token in tokens(relation) if token.text != "."]
    folded = [part if part.startswith('"') else f'"{part.lower()}"' for part in parts]
    return ".".join(folded[1:] if len(folded) > 1 and folded[0] == '"public"' else folded)
