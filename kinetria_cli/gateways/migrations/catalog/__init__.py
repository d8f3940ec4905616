"""The queries behind a fingerprint and behind definitions, in files: what counts, the rows by subject, the names."""

from functools import cache
from importlib.resources import files

COLUMNS = "aspect, classid, objid, subid, of_class, of_object, of_sub, definition"


@cache
def catalog_query() -> str:
    """Return the query whose rows are object, what the object belongs to, definition."""
    facts = "UNION ALL\n".join(_read(subject) for subject in ("tables", "types", "others"))
    return f"{_read('common')},\nfact ({COLUMNS}) AS (\n{facts})\n{_read('answer')}"


@cache
def server_query() -> str:
    """Return the query for what all databases of a server share, with the same columns."""
    return _read("server")


@cache
def parts_query() -> str:
    """Return the query for the parts of the objects whose names are $1."""
    steps = "UNION ALL\n".join(_read(f"steps/{subject}") for subject in ("relations", "hanging", "others"))
    return f"{_read('common')},\n{_read('steps/common')},\nstep AS (\n{steps})\n{_read('steps/answer')}"


@cache
def needs_query() -> str:
    """Return the query for which of the objects whose names are $1 depends on which."""
    return _read("steps/needs")


def _read(name: str) -> str:
    return files(__package__).joinpath(f"{name}.sql").read_text("utf-8")
