"""What somebody may have meant who wrote a name that there is not."""

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean demo? ` where one of the known names is close, else nothing; to stand before the list."""
    from difflib import get_close_matches

    close = get_close_matches(word.lower(), list(known), n=1)
    return f"did you mean {close[0]}? " if close else ""
