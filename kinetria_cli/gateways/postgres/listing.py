"""The statements of lists, composed from the columns of a table: filters, order and the place to go on behind."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.fields import Field, FieldKind, fields_of
from kinetria_cli.domain.records import (
    SEARCH,
    Contains,
    Filters,
    Holds,
    Matches,
    Sort,
    Span,
    Within,
    filterable,
    searched,
    sortable,
)
from kinetria_cli.domain.vos import type_name
from kinetria_cli.gateways.postgres.cursor import Position
from kinetria_cli.gateways.postgres.letters import fold

Sql = sql.SQL | sql.Composed

Statement = tuple[Sql, dict[str, Any]]
"""SQL and the values of its placeholders."""

_TYPES = {
    FieldKind.ID: "uuid",
    FieldKind.TEXT: "text",
    FieldKind.INTEGER: "bigint",
    FieldKind.DECIMAL: "numeric",
    FieldKind.TIME: "timestamptz",
    FieldKind.FLAG: "boolean",
    FieldKind.DOCUMENT: "jsonb",
    FieldKind.ADDRESS: "inet",
}


class Listing:
    """The lists of one table.

    Args:
        table: Its name.
        special: Filter -> its condition, for filters that are no column; the value is `%(value)s` in it.
    """

    def __init__(self, table: str, special: Mapping[str, str]) -> None:
        self._table = table
        self._special = special
        self._fields = fields_of(table)

    def page(self, filters: Filters, sort: Sort, after: Position | None, limit: int) -> Statement:
        """Return the statement of one page.

        Raises:
            MalformedParameters: A filter or column that this table has not.
        """
        where, parameters = self.condition(filters)
        if after is not None:
            behind, more = self._behind(sort, after)
            where, parameters = sql.SQL("{} AND {}").format(where, behind), parameters | more
        statement = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT %(limit)s").format(
            self._selected(), sql.Identifier(self._table), where, self.order(sort)
        )
        return statement, {**parameters, "limit": limit}

    def count(self, filters: Filters) -> Statement:
        """Return the statement that counts. Raises as `page`."""
        where, parameters = self.condition(filters)
        return sql.SQL("SELECT count(*) FROM {} WHERE {}").format(sql.Identifier(self._table), where), parameters

    def columns(self) -> Sql:
        """Return the entity's columns; one that somebody added is not read."""
        return sql.SQL(", ").join(map(sql.Identifier, self._fields))

    def _selected(self) -> Sql:
        """The same with the table's name, which the server then gives when one of them is missing."""
        return sql.SQL(", ").join(sql.Identifier(self._table, name) for name in self._fields)

    def order(self, sort: Sort) -> Sql:
        """Return what stands behind ORDER BY.

        Raises:
            MalformedParameters: The list cannot be ordered by this column.
        """
        if sort.column not in sortable(self._table):
            raise MalformedParameters(
                f"{self._table} cannot be sorted by {sort.column}", hint=f"columns: {', '.join(sortable(self._table))}"
            )
        direction = "DESC" if sort.descending else "ASC"
        # Only where there can be none: an index in the other order of nulls would not be used.
        nulls = " NULLS LAST" if self._fields[sort.column].optional else ""
        if sort.column == "id":
            return sql.SQL(f"id {direction}")
        return sql.SQL(f"{{}} {direction}{nulls}, id {direction}").format(sql.Identifier(sort.column))

    def condition(self, filters: Filters) -> Statement:
        """Return the condition of a list, TRUE where nothing narrows it. Raises as `page`."""
        if unknown := sorted(set(filters) - set(filterable(self._table))):
            raise MalformedParameters(
                f"{self._table} cannot be filtered by {unknown[0]}",
                hint=f"filters: {', '.join(filterable(self._table))}",
            )
        parts: list[Sql] = []
        parameters: dict[str, Any] = {}
        for key, wanted in filters.items():
            if wanted is not None:
                part, values = self._filter(key, wanted)
                parts.append(part)
                parameters |= values
        return (sql.SQL(" AND ").join(parts) if parts else sql.SQL("TRUE")), parameters

    def _filter(self, key: str, wanted: object) -> Statement:
        if key in self._special:
            return sql.SQL(self._special[key].replace("%(value)s", f"%({key})s")), {key: wanted}
        if key == SEARCH:
            assert isinstance(wanted, Contains)
            found = [_contains(name, SEARCH, wanted) for name in searched(self._table)]
            return sql.SQL("({})").format(sql.SQL(" OR ").join(part for part, _ in found)), found[0][1]
        return _TESTS.get(type(wanted), _equals)(self._fields[key], wanted)

    def _behind(self, sort: Sort, after: Position) -> Statement:
        field = self._fields[sort.column]
        column = sql.Identifier(field.name)
        than = sql.SQL("<" if sort.descending else ">")
        if after.value is None:
            condition = sql.SQL("({column} IS NULL AND id {than} %(after_id)s::uuid)")
            return condition.format(column=column, than=than), {"after_id": after.id}
        value = cast(field, "after_value")
        condition = sql.SQL("({column}, id) {than} ({value}, %(after_id)s::uuid)")
        if field.optional:
            condition = sql.SQL("(({column}, id) {than} ({value}, %(after_id)s::uuid) OR {column} IS NULL)")
        return condition.format(column=column, than=than, value=value), {
            "after_value": after.value,
            "after_id": after.id,
        }


def cast(field: Field, parameter: str) -> Sql:
    """Return the placeholder of a value with the type of its column."""
    kind = type_name(field.vocabulary) if field.vocabulary else _TYPES[field.kind]
    return sql.SQL("%({})s::{}").format(sql.SQL(parameter), sql.SQL(kind))


def _contains(column: str, parameter: str, wanted: Contains) -> Statement:
    """Return the condition that a column has a text in it, in any case; every character stands for itself."""
    folded = fold(wanted.text)
    escaped = folded.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values = {parameter: f"%{escaped}%"}
    if not folded.capitals:
        return sql.SQL("{} ILIKE %({})s").format(sql.Identifier(column), sql.SQL(parameter)), values
    condition = "translate({column}, %({name}_capitals)s, %({name}_small)s) ILIKE %({name})s"
    statement = sql.SQL(condition).format(column=sql.Identifier(column), name=sql.SQL(parameter))
    return statement, values | {f"{parameter}_capitals": folded.capitals, f"{parameter}_small": folded.small}


def _equals(field: Field, wanted: object) -> Statement:
    return sql.SQL("{} = {}").format(sql.Identifier(field.name), cast(field, field.name)), {field.name: wanted}


def _span(field: Field, wanted: Any) -> Statement:
    ends = {">=": ("since", wanted.since), "<": ("before", wanted.before), "<=": ("until", wanted.until)}
    parts = []
    parameters = {}
    for operator, (end, value) in ends.items():
        if value is not None:
            name = f"{field.name}_{end}"
            parts.append(sql.SQL("{} {} {}").format(sql.Identifier(field.name), sql.SQL(operator), cast(field, name)))
            parameters[name] = value
    return (sql.SQL(" AND ").join(parts) if parts else sql.SQL("TRUE")), parameters


def _text(field: Field, wanted: Any) -> Statement:
    return _contains(field.name, field.name, wanted)


def _within(field: Field, wanted: Any) -> Statement:
    condition = sql.SQL("{} <<= {}").format(sql.Identifier(field.name), cast(field, field.name))
    return condition, {field.name: wanted.network}


def _holds(field: Field, wanted: Any) -> Statement:
    names = [f"{field.name}_{number}" for number in range(len(wanted.documents))]
    parts = [sql.SQL("{} @> {}").format(sql.Identifier(field.name), cast(field, name)) for name in names]
    condition = sql.SQL("({})").format(sql.SQL(" OR ").join(parts)) if parts else sql.SQL("FALSE")
    return condition, {name: Jsonb(document) for name, document in zip(names, wanted.documents, strict=True)}


def _matches(field: Field, wanted: Any) -> Statement:
    operator = sql.SQL("@?" if wanted.exists else "@@")
    condition = sql.SQL("{} {} %({})s::jsonpath").format(
        sql.Identifier(field.name),
        operator,
        sql.SQL(field.name),
    )
    return condition, {field.name: wanted.path}


_TESTS: dict[type, Callable[[Field, Any], Statement]] = {
    Span: _span,
    Contains: _text,
    Within: _within,
    Holds: _holds,
    Matches: _matches,
}


@contextlib.contextmanager
def path_errors(filters: Filters) -> Iterator[None]:
    """Name the filter when the server refuses a SQL/JSON path: only it can tell whether one can be read.

    Raises:
        MalformedParameters: It cannot, or is too deep.
    """
    try:
        yield
    except (psycopg.errors.SyntaxError, psycopg.errors.StatementTooComplex, psycopg.DataError) as error:
        paths = [name for name, wanted in filters.items() if isinstance(wanted, Matches)]
        if not paths or not error.sqlstate:
            raise
        raise MalformedParameters(
            f"--{paths[0]} is no path: {error.diag.message_primary}",
            hint=f"such as --{paths[0]} '$.device.os == \"ios\"'",
        ) from error
