"""Asking before something is destroyed."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import ConfirmationRequired

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Prompt
    from kinetria_cli.usecases.target import Target


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


def asking(
    prompt: Prompt, target: Target, *, destroys: bool, production: bool, yes: bool, confirm: str | None
) -> Callable[[str], None]:
    """Return what a use case calls with what is about to happen, as sentences; it asks, and raises as above.

    Args:
        prompt: The person at the terminal.
        target: The database.
        destroys: Whether something is destroyed; else only production is asked about, or when --confirm was given.
        production: Whether ENVIRONMENT is production.
        yes, confirm: The answers given beforehand.
    """

    def ask(what: str) -> None:
        if destroys or production or confirm is not None:
            what = f"{what} On {target.label}."
            name, own = target.params.dbname, target.own
            require_confirmation(prompt, what, name=name, own=own, production=production, yes=yes, confirm=confirm)

    return ask
