"""Asking before something is destroyed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import ConfirmationRequired

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Prompt


def require_confirmation(
    prompt: Prompt, what: str, *, name: str, own: bool, production: bool, yes: bool, confirm: str | None
) -> None:
    """Return when the user agreed to destroy something; what and where is printed even when nobody is asked.

    On a database that this project's `up` did not start, or in production, --yes is not enough: the database's name
    has to be typed or given.

    Args:
        prompt: The person at the terminal.
        what: What is about to happen and where, as sentences.
        name: The database's name.
        own: Whether `up` of this project started the database.
        production: Whether ENVIRONMENT is production.
        yes: Whether --yes was given.
        confirm: The value of --confirm.

    Raises:
        ConfirmationRequired: The answer was no, or there was nobody to ask.
    """
    if confirm is not None:
        if confirm == name:
            prompt.tell(what)
            return
        raise ConfirmationRequired(
            f"--confirm names {confirm!r}, the database is {name!r}", hint=f"--confirm {shlex.quote(name)}"
        )
    if production or not own:
        why = "ENVIRONMENT is production" if production else "kinetria up of this project did not start this database"
        if not prompt.present:
            raise ConfirmationRequired(f"{what} Not confirmed, and {why}.", hint=f"add --confirm {shlex.quote(name)}")
        if prompt.ask(f"{what}\n{why[0].upper() + why[1:]}: type the database's name to go on: ").strip() != name:
            raise ConfirmationRequired(
                "not confirmed; nothing was changed", hint=f"type {name}, or add --confirm {shlex.quote(name)}"
            )
        return
    if yes:
        prompt.tell(what)
        return
    if not prompt.present:
        raise ConfirmationRequired(f"{what} Not confirmed.", hint="add --yes")
    if prompt.ask(f"{what}\nGo on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ConfirmationRequired("not confirmed; nothing was changed", hint="answer y, or add --yes")
