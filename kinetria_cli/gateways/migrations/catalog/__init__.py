"""The query behind a fingerprint, in files: what counts, the facts by subject, and the names."""

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


def _read(name: str) -> str:
    return files(__package__).joinpath(f"{name}.sql").read_text("utf-8")
