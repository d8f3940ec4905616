"""A group that imports a command when it is run, so that no command pays for the imports of the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command


@dataclass(frozen=True)
class LazyCommand:
    """Where a command is, and what --help of its group says about it.

    Args:
        name: As typed.
        place: `module:attribute`; the attribute is a function, or a Typer application for a group.
        help: One line.
    """

    name: str
    place: str
    help: str

    def load(self) -> Any:
        """Import the command and return it."""
        module, _, attribute = self.place.partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            loaded = get_command(found)
        else:
            single = typer.Typer(rich_markup_mode=None, add_completion=False)
            single.command(self.name)(found)
            loaded = get_command(single)
        loaded.name = self.name
        return loaded


def nearest(word: str, names: Iterable[str]) -> list[str]:
    """Return the names that a mistyped word may mean: those with a part that begins alike, else those spelled alike."""
    from difflib import get_close_matches

    stem = word.lower().rstrip("s")
    known = list(names)
    begun = [name for name in known if len(stem) > 1 and any(part.startswith(stem) for part in name.split("-"))]
    return begun or get_close_matches(word.lower(), known)


class Group(TyperGroup):
    """A group of commands that names the nearest one where the word is none of them."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command. Raises a usage error, with what may have been meant."""
        try:
            return super()._click_resolve_command(ctx, args)
        except typer.TyperException as error:
            if close := nearest(args[0], self.list_commands(ctx)):
                error.message = f"{error.message} Did you mean {' or '.join(close)}?"
            raise


def lazy_group(commands: Sequence[LazyCommand]) -> type[Group]:
    """Return a group class of these commands, in this order."""
    by_name = {command.name: command for command in commands}

    class LazyGroup(Group):
        """Knows its commands by name and help; imports the one that is asked for."""

        def list_commands(self, _ctx: Any) -> list[str]:
            """The names, as they are listed."""
            return list(by_name)

        def get_command(self, _ctx: Any, name: str) -> Any:
            """The command, imported now, or None."""
            return by_name[name].load() if name in by_name else None

        def format_commands(self, _ctx: Any, formatter: Any) -> None:
            """The list of --help, without importing anything."""
            with formatter.section("Commands"):
                formatter.write_dl([(command.name, command.help) for command in commands])

    return LazyGroup
