"""How large a database and its tables are."""

from dataclasses import dataclass

from kinetria_cli.domain.stack import ServerInfo


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table: `bytes` with its indexes, `rows` as the server estimates them, None before the first ANALYZE."""

    schema: str
    name: str
    bytes: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class DatabaseSizes:
    """What the server says about itself, and its tables, the largest first."""

    server: ServerInfo
    tables: tuple[TableSize, ...]
