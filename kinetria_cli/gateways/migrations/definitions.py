"""Reading what objects of a database are made of, as its own server writes them."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import psycopg

from kinetria_cli.domain.definitions import Definitions, Part
from kinetria_cli.gateways.migrations.catalog import needs_query, parts_query
from kinetria_cli.gateways.migrations.fingerprint import pinned


def definitions(
    connection: psycopg.Connection[Any], objects: Collection[str], *, counted: Collection[str] = ()
) -> Definitions:
    """Return the parts of these objects and how they depend on each other.

    Args:
        connection: In autocommit mode, outside a transaction.
        objects: Kinds and names, as in a fingerprint.
        counted: The tables and columns of which the rows or values are counted too.
    """
    if not objects:
        return Definitions()
    with pinned(connection):
        cursor = psycopg.RawCursor(connection)
        parts: dict[str, tuple[Part, ...]] = {}
        for name, *row, counting in cursor.execute(parts_query().encode(), [list(objects)]).fetchall():
            part = Part(name, *row)
            if part.whole and counting is not None and name in counted:
                part = replace(part, count=_count(connection, counting))
            parts[name] = (*parts.get(name, ()), part)
        needs: dict[str, frozenset[str]] = {}
        goes_with: dict[str, frozenset[str]] = {}
        for name, needed, dropped_along in cursor.execute(needs_query().encode(), [list(objects)]).fetchall():
            needs[name] = needs.get(name, frozenset()) | {needed}
            if dropped_along:
                goes_with[name] = goes_with.get(name, frozenset()) | {needed}
    return Definitions(parts, needs, goes_with)


def _count(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    count: int = row[0]
    return count
