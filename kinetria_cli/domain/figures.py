"""Figures as people read them."""


def size(count: int) -> str:
    """Return a number of bytes as `182 MB`."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def counted(count: int, noun: str) -> str:
    """Return `1 error` or `2,000 errors`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
