"""How a name is written in an SQL statement."""

import re

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
_RESERVED = """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both
    case cast char character check coalesce collate collation column concurrently constraint create cross
    current_catalog current_date current_role current_schema current_time current_timestamp current_user dec
    decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign
    freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect
    interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query
    json_scalar json_serialize json_table json_value lateral leading least left like limit localtime
    localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset on
    only or order out outer overlaps overlay placing position precision primary real references returning right
    row select session_user setof similar smallint some substring symmetric system_user table tablesample then
    time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when
    where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi
    xmlroot xmlserialize xmltable
"""
"""The key words that are no name without quotes (PostgreSQL 16 to 18, src/include/parser/kwlist.h)."""


def quote_identifier(name: str) -> str:
    """Return a name as it has to be written in SQL: as it is where it can be, else in double quotes.

    The same as the server's quote_ident(). A qualified name is quoted part by part.

    Args:
        name: Of a role, database, schema, table, column or index, as the catalog has it.
    """
    if _PLAIN.fullmatch(name) and name not in _RESERVED.split():
        return name
    return '"' + name.replace('"', '""') + '"'
