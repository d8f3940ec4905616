"""The ENUM types of a database against the value objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from kinetria_cli.domain.check import Finding, Severity
from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError
from kinetria_cli.domain.vos import VOCABULARIES, ValueObject

if TYPE_CHECKING:
    from kinetria_cli.domain.check_ports import View

CHECK: Final = "vocabulary"


def check_vocabularies(view: View) -> Iterator[Finding]:
    """Yield what differs: a type or value that is missing, a value that the code does not know, another order."""
    present = view.vocabularies()
    for name, words in VOCABULARIES.items():
        labels = present.get(name)
        if labels is None:
            yield _missing_type(name, words)
        else:
            yield from _differences(view, name, words, labels)


def _missing_type(name: str, words: type[ValueObject]) -> Finding:
    values = ", ".join(f"'{word.value}'" for word in words)
    return Finding(
        CHECK,
        f"type public.{name}",
        Severity.ERROR,
        f"the ENUM type of {words.__name__} is not there",
        f"CREATE TYPE public.{name} AS ENUM ({values});",
    )


def _differences(view: View, name: str, words: type[ValueObject], labels: Sequence[str]) -> Iterator[Finding]:
    known = [word.value for word in words]
    present = [label for label in labels if label in known]
    yield from _missing(name, words, present)
    for label in labels:
        if label not in known:
            yield _unknown(view, name, words, label)
    if present != [value for value in known if value in labels]:
        yield Finding(
            CHECK,
            f"type public.{name}",
            Severity.WARNING,
            f"its values are in the order {', '.join(present)}, those of {words.__name__} in another, and rows sort by"
            " it: only a migration that makes the type anew can change that",
        )


def _missing(name: str, words: type[ValueObject], present: Sequence[str]) -> Iterator[Finding]:
    before = None
    for word in words:
        if word.value not in present:
            place = f" AFTER '{before}'" if before else f" BEFORE '{present[0]}'" if present else ""
            yield Finding(
                CHECK,
                f"type public.{name}",
                Severity.ERROR,
                f"lacks '{word.value}', which {words.__name__} has: a row with it is refused",
                f"ALTER TYPE public.{name} ADD VALUE '{word.value}'{place};",
            )
        before = word.value


def _unknown(view: View, name: str, words: type[ValueObject], label: str) -> Finding:
    place, code = f"type public.{name}", words.__name__
    start = f"has '{label}', which {code} does not know"
    try:
        uses = view.uses(name, label)
    except DatabaseUnreachable:
        raise
    except KinetriaError as error:
        message = f"{start}; how many rows hold it could not be counted: {error.message}"
        return Finding(CHECK, place, Severity.WARNING, message)
    if uses:
        used = ", ".join(f"{use.count:,} in {use.column}" for use in uses)
        message = f"{start}, and the code has no name for it: {used}; add it to {code}, or update these rows"
        return Finding(CHECK, place, Severity.ERROR, message, count=sum(use.count for use in uses))
    message = (
        f"{start}; no row holds it. Add it to {code}: a value cannot be dropped, only the type made anew in a migration"
    )
    return Finding(CHECK, place, Severity.WARNING, message, count=0)
