"""The rules about the records: a file each, with what to say about it in comments above one SELECT."""

import re
from collections.abc import Callable
from importlib.resources import files
from importlib.resources.abc import Traversable

from kinetria_cli.domain import constants
from kinetria_cli.domain.check import Severity
from kinetria_cli.domain.check_facts import ID_END, Ends, Invariant
from kinetria_cli.domain.errors import ConfigInvalid

WANTED = frozenset({"title", "severity", "table", "advice"})
KNOWN = WANTED | {"fix"}


_CONSTANT = re.compile(r"\{([A-Z_]+)\}")
# True of a row that is no seed's; what belongs to it goes with it where nothing was seeded.
_UNSEEDED = re.compile(r"(?: AND )?unseeded\(([a-z_.]+)\)(?:, )?")


def load_invariants(folder: Traversable | None = None, *, seeded: Ends | None = None) -> tuple[Invariant, ...]:
    """Return the rules of a folder, by the names of their files.

    Args:
        folder: The package's own without it.
        seeded: Rows of seeds: what `unseeded(id)` in a file leaves out.

    Raises:
        ConfigInvalid: A file is not a rule; the text names it.
    """
    place = files(__package__).joinpath("invariants") if folder is None else folder
    found = sorted((file for file in place.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(_read(file, seeded or {}) for file in found)


def _read(file: Traversable, seeded: Ends) -> Invariant:
    said: dict[str, str] = {}
    lines = _with_constants(file).splitlines()
    while lines and lines[0].startswith("-- "):
        key, colon, text = lines.pop(0).removeprefix("-- ").partition(": ")
        if not colon or key not in KNOWN:
            raise _not_a_rule(file, f"-- {key} is none of {', '.join(sorted(KNOWN))}")
        said[key] = text.strip()
    if missing := WANTED - said.keys():
        raise _not_a_rule(file, f"-- {', '.join(sorted(missing))} is missing")
    if said["severity"] not in [*Severity]:
        raise _not_a_rule(file, f"-- severity: {said['severity']} is none of {', '.join(Severity)}")
    ends = seeded.get(said["table"], ())
    unseeded = _unseeded(ends)
    return Invariant(
        name=file.name.removesuffix(".sql"),
        title=said["title"],
        severity=Severity(said["severity"]),
        table=said["table"],
        query=_UNSEEDED.sub(unseeded, "\n".join(lines).strip().removesuffix(";")),
        advice=said["advice"],
        fix=_UNSEEDED.sub(unseeded, said["fix"]) if "fix" in said else None,
        seeded=ends,
    )


def _with_constants(file: Traversable) -> str:
    """Return a file's text with the domain's limits in it, which stand in one place alone."""

    def value(found: re.Match[str]) -> str:
        if not hasattr(constants, found[1]):
            raise _not_a_rule(file, f"{found[0]} is no constant of the domain")
        return str(getattr(constants, found[1]))

    return _CONSTANT.sub(value, file.read_text("utf-8"))


def _unseeded(ends: tuple[str, ...]) -> Callable[[re.Match[str]], str]:
    def condition(found: re.Match[str]) -> str:
        if not ends:
            return ""
        text = f"right({found[1]}::text, {ID_END}) <> ALL ('{{{','.join(ends)}}}')"
        return found[0].replace(f"unseeded({found[1]})", text)

    return condition


def _not_a_rule(file: Traversable, why: str) -> ConfigInvalid:
    return ConfigInvalid(f"the rule {file.name} cannot be used: {why}", hint="correct the comments above its SELECT")
