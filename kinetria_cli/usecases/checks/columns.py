"""The columns of a database against the fields of the entities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kinetria_cli.domain.check import Finding, Severity
from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError
from kinetria_cli.domain.fields import ENTITIES, Field, FieldKind, fields_of
from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.vos import VOCABULARIES

if TYPE_CHECKING:
    from kinetria_cli.domain.check_facts import ColumnFacts, TableFacts
    from kinetria_cli.domain.check_ports import View

CHECK: Final = "column"
_TYPES = {
    FieldKind.ID: "uuid",
    FieldKind.TEXT: "text",
    FieldKind.INTEGER: "integer",
    FieldKind.DECIMAL: "numeric",
    FieldKind.TIME: "timestamp with time zone",
    FieldKind.FLAG: "boolean",
    FieldKind.DOCUMENT: "jsonb",
    FieldKind.ADDRESS: "inet",
}
_ALSO = {"text": ("character varying",)}
_DEFAULTS = {FieldKind.TIME: "now()", FieldKind.FLAG: "false"}
_LENGTH = re.compile(r"\(\d+(,\d+)?\)")
_WORDS = {words: name for name, words in VOCABULARIES.items()}


def check_columns(view: View) -> Iterator[Finding]:
    """Yield what differs: a table or column that is missing, unknown, of another type, or null where it may not be."""
    present = view.tables()
    for table in TABLES:
        facts = present.get(table)
        if facts is None:
            yield Finding(
                CHECK,
                f"table public.{table}",
                Severity.ERROR,
                f"the table of {ENTITIES[table].__name__} is not there; look which migration makes it:"
                " kinetria migrate status",
            )
        else:
            yield from _columns(view, table, facts)


def _columns(view: View, table: str, facts: TableFacts) -> Iterator[Finding]:
    entity = ENTITIES[table].__name__
    fields = fields_of(table)
    for field in fields.values():
        column = facts.columns.get(field.name)
        if column is None:
            yield _missing(table, field, facts)
        else:
            yield from _wrong_type(table, field, column)
            yield from _wrong_null(view, table, field, column)
    for name in facts.columns:
        if name not in fields:
            yield Finding(
                CHECK,
                f"column public.{table}.{name}",
                Severity.WARNING,
                f"{entity} does not know it, and inspect goes on without it: add it to the entity, or drop it in a"
                " migration, whose run can keep what is in it: kinetria migrate new",
            )


def _missing(table: str, field: Field, facts: TableFacts) -> Finding:
    wanted = type_of(field)
    default = _DEFAULTS.get(field.kind)
    later = False
    if field.optional:
        rest = ""
    elif default:
        rest = f" DEFAULT {default} NOT NULL"
    else:
        later = facts.filled
        rest = "" if later else " NOT NULL"
    entity = ENTITIES[table].__name__
    then = "; the table has rows: fill it, and then make it NOT NULL" if later else ""
    return Finding(
        CHECK,
        f"column public.{table}.{field.name}",
        Severity.ERROR,
        f"it is not there, and {entity} cannot be read without it{then}",
        f"ALTER TABLE public.{table} ADD COLUMN {field.name} {wanted}{rest};",
    )


def takes(field: Field, kind: str) -> bool:
    """Whether a column of a type, as the server writes it, is of the type that a field has."""
    wanted, plain = type_of(field), _LENGTH.sub("", kind)
    return plain == wanted or plain in _ALSO.get(wanted, ())


def _wrong_type(table: str, field: Field, column: ColumnFacts) -> Iterator[Finding]:
    if takes(field, column.type):
        return
    wanted = type_of(field)
    change = f"ALTER COLUMN {field.name}"
    value = f"{field.name}::text::{wanted}" if field.vocabulary else f"{field.name}::{wanted}"
    steps = [f"{change} TYPE {wanted} USING {value}"]
    if column.default is not None:  # an old one is not cast with the column
        steps = [f"{change} DROP DEFAULT", *steps, f"{change} SET DEFAULT ({column.default})::{wanted}"]
    yield Finding(
        CHECK,
        f"column public.{table}.{field.name}",
        Severity.ERROR,
        f"is {column.type}, and {ENTITIES[table].__name__} takes {wanted}; the statement locks the table while it"
        " writes each row anew",
        f"ALTER TABLE public.{table} {', '.join(steps)};",
    )


def _wrong_null(view: View, table: str, field: Field, column: ColumnFacts) -> Iterator[Finding]:
    entity = ENTITIES[table].__name__
    if column.nullable and not field.optional:
        nulls, found = _nulls(view, table, field.name)
        yield Finding(
            CHECK,
            f"column public.{table}.{field.name}",
            Severity.ERROR,
            f"may be null, and {entity} always has it; {found}",
            f"ALTER TABLE public.{table} ALTER COLUMN {field.name} SET NOT NULL;",
            count=nulls,
        )
    if field.optional and not column.nullable:
        yield Finding(
            CHECK,
            f"column public.{table}.{field.name}",
            Severity.WARNING,
            f"may not be null, and {entity} may be without it: such a record is refused",
            f"ALTER TABLE public.{table} ALTER COLUMN {field.name} DROP NOT NULL;",
        )


def _nulls(view: View, table: str, column: str) -> tuple[int | None, str]:
    try:
        nulls = view.nulls(table, column)
    except DatabaseUnreachable:
        raise
    except KinetriaError as error:
        return None, f"where it is null could not be counted: {error.message}"
    return nulls, f"null in {counted(nulls, 'row')}: fill these first" if nulls else "null in no row"


def type_of(field: Field) -> str:
    """Return the type of a field's column, as a statement writes it."""
    return _TYPES[field.kind] if field.vocabulary is None else f"public.{_WORDS[field.vocabulary]}"
