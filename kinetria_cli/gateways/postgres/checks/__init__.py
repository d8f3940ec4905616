"""What `db check` reads: the gateway, the queries of the catalog in files, and the rules about the records in files."""

from functools import cache
from importlib.resources import files

CATALOG = ("clock", "vocabularies", "users_of_type", "columns", "foreign_keys", "indexes")


@cache
def catalog_query(name: str) -> bytes:
    """Return the query of catalog/`name`.sql."""
    return files(__package__).joinpath("catalog", f"{name}.sql").read_bytes()
