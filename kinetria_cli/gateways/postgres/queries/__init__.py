"""SQL in files: blocks that begin with `-- name: x`, then a line that says what the block answers."""

from functools import cache
from importlib.resources import files


@cache
def load(name: str) -> dict[str, str]:
    """Return the blocks of `name`.sql by their names."""
    text = files(__package__).joinpath(f"{name}.sql").read_text("utf-8")
    blocks = {}
    for block in text.split("-- name: ")[1:]:
        title, _, sql = block.partition("\n")
        blocks[title.strip()] = sql.strip().removesuffix(";")
    return blocks
