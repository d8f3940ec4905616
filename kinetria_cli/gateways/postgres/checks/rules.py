"""The rules about the records: a file each, with what to say about it in comments above one SELECT."""

from importlib.resources import files
from importlib.resources.abc import Traversable

from kinetria_cli.domain.check import Severity
from kinetria_cli.domain.check_facts import Invariant

WANTED = frozenset({"title", "severity", "table", "advice"})
KNOWN = WANTED | {"fix"}


def load_invariants(folder: Traversable | None = None) -> tuple[Invariant, ...]:
    """Return the rules of a folder, by the names of their files.

    Args:
        folder: The package's own without it.

    Raises:
        ValueError: A file is not a rule; the text names it.
    """
    place = files(__package__).joinpath("invariants") if folder is None else folder
    found = sorted((file for file in place.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(_read(file) for file in found)


def _read(file: Traversable) -> Invariant:
    said: dict[str, str] = {}
    lines = file.read_text("utf-8").splitlines()
    while lines and lines[0].startswith("-- "):
        key, colon, text = lines.pop(0).removeprefix("-- ").partition(": ")
        if not colon or key not in KNOWN:
            raise ValueError(f"{file.name}: -- {key} is none of {', '.join(sorted(KNOWN))}")
        said[key] = text.strip()
    if missing := WANTED - said.keys():
        raise ValueError(f"{file.name}: -- {', '.join(sorted(missing))} is missing")
    return Invariant(
        name=file.name.removesuffix(".sql"),
        title=said["title"],
        severity=Severity(said["severity"]),
        table=said["table"],
        query="\n".join(lines).strip().removesuffix(";"),
        advice=said["advice"],
        fix=said.get("fix"),
    )
