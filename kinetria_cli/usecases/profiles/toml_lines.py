"""Where a key of a TOML document is: the parser of the standard library does not say."""

import tomllib


def line_of(text: str, key: str) -> int:
    """Return the number of the line where a dotted key is given: before it, the document has no such key.

    Args:
        text: A document that can be parsed and has the key; else the answer is its first line.
    """
    lines = text.split("\n")
    before = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            before += before == number - 1  # blank lines and comments above the key are not its place
            continue
        try:
            document = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # within a value of several lines
        if _has(document, key):
            return before + 1
        before = number
    return 1


def _has(document: object, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(document, dict) or part not in document:
            return False
        document = document[part]
    return True
