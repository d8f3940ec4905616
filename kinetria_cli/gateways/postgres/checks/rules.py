"""The rules about the records: a file each, with what to say about it in comments above one SELECT."""

from importlib.resources import files
from importlib.resources.abc import Traversable

from kinetria_cli.domain.check import Severity
from kinetria_cli.domain.check_facts import Invariant
from kinetria_cli.domain.errors import ConfigInvalid

WANTED = frozenset({"title", "severity", "table", "advice"})
KNOWN = WANTED | {"fix"}


def load_invariants(folder: Traversable | None = None) -> tuple[Invariant, ...]:
    """Return the rules of a folder, by the names of their files.

    Args:
        folder: The package's own without it.

    Raises:
        ConfigInvalid: A file is not a rule; the text names it.
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
            raise _not_a_rule(file, f"-- {key} is none of {', '.join(sorted(KNOWN))}")
        said[key] = text.strip()
    if missing := WANTED - said.keys():
        raise _not_a_rule(file, f"-- {', '.join(sorted(missing))} is missing")
    if said["severity"] not in [*Severity]:
        raise _not_a_rule(file, f"-- severity: {said['severity']} is none of {', '.join(Severity)}")
    return Invariant(
        name=file.name.removesuffix(".sql"),
        title=said["title"],
        severity=Severity(said["severity"]),
        table=said["table"],
        query="\n".join(lines).strip().removesuffix(";"),
        advice=said["advice"],
        fix=said.get("fix"),
    )


def _not_a_rule(file: Traversable, why: str) -> ConfigInvalid:
    return ConfigInvalid(f"the rule {file.name} cannot be used: {why}", hint="correct the comments above its SELECT")
