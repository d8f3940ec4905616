"""The first link: settings that cannot be read, or that name nothing."""

import re
import shlex
from difflib import get_close_matches
from pathlib import PurePath

from kinetria_cli.domain.doctor import Cause, Finding, broken
from kinetria_cli.domain.errors import ConfigMissing, KinetriaError
from kinetria_cli.usecases.doctor.ways import ENVIRONMENT, edit

_PREFIX = "failed to parse config: "
_STATE = re.compile(r"(?P<file>/.*/state\.json) (?P<reason>.*)")
_UNREADABLE = re.compile(r"(?P<file>/.*) cannot be read: Permission denied")
_MISSING_FILE = re.compile(r"(?P<file>\S.*) does not exist$")
_PASSWORD_FILE = re.compile(r"DB_PASSWORD_FILE names (?P<file>.*), which (?:cannot be read: No such file|is empty)")
_FIRST_NAME = re.compile(r"\b(?P<name>(?:DB|KINETRIA|HTTP|HEALTH|DATABASE|APP|REQUEST)_[A-Z_]+|ENVIRONMENT)\b")
_NO_CHOICE = re.compile(
    r"(?P<name>[A-Z_]+) is '(?P<value>[^']*)', not one of (?P<choices>[^(]+?) \(from (?P<origin>[^)]*)\)"
)
_FROM = re.compile(r"\(from (?P<origin>[^)]*)\)")


def configuration_broken(error: KinetriaError) -> Finding:
    """Return the finding for settings that could not be used."""
    if isinstance(error, ConfigMissing) and "kinetria up" in (error.hint or ""):
        text = "No database is named, and kinetria up of this project has not made one yet."
        cause = Cause(text, "kinetria up", other="or name one: DB_HOST, DB_USER, DB_PASSWORD, DB_NAME", safe=True)
        return broken("no database is named, and none is recorded", cause)
    message = error.message.removeprefix(_PREFIX)
    command, other = _way(error, message)
    return broken(message, Cause(f"{message[0].upper()}{message[1:]}.", command, other=other))


def _way(error: KinetriaError, message: str) -> tuple[str, str | None]:
    if state := _STATE.search(message):
        return _state_way(state["file"], state["reason"])
    if unreadable := _UNREADABLE.search(message):
        return f"chmod u+r {shlex.quote(unreadable['file'])}", error.hint
    if secret := _PASSWORD_FILE.search(message):
        where, folder = shlex.quote(secret["file"]), shlex.quote(str(PurePath(secret["file"]).parent))
        return f"mkdir -p {folder} && (umask 077 && read -rs p && printf '%s\\n' \"$p\" > {where})", None
    if (missing := _MISSING_FILE.search(message)) and "--env-file" in (error.hint or ""):
        return f"ls -a {shlex.quote(str(PurePath(missing['file']).parent))}", error.hint
    return _setting_way(error, message)


def _setting_way(error: KinetriaError, message: str) -> tuple[str, str | None]:
    """What corrects a variable where it is set."""
    if (bad := _NO_CHOICE.search(message)) and bad["origin"] == ENVIRONMENT:
        return _choose(bad["name"], bad["value"], bad["choices"].split(", "))
    name = _FIRST_NAME.search(message)
    origin = _FROM.search(f"{message} {error.hint or ''}")
    where_from = origin["origin"] if origin else message
    if "disagree" in message and where_from == "the environment":
        return "unset DATABASE_URL", None
    other = None if (error.hint or "").startswith("kinetria config show") else error.hint
    return edit(where_from, name["name"] if name else "DB_HOST"), other


def _choose(name: str, value: str, choices: list[str]) -> tuple[str, str]:
    """Set a variable to the one of its values that was meant, as far as that can be guessed, else to its default."""
    begun = [choice for choice in choices if choice.startswith(value.lower())] if value else []
    meant = begun or get_close_matches(value.lower(), choices, n=1)
    if meant:
        return f"export {name}={meant[0]}", f"or another one of {', '.join(choices)}"
    return f"unset {name}", f"its default counts then; or set it to one of {', '.join(choices)}"


def _state_way(file: str, reason: str) -> tuple[str, str]:
    """What becomes of a record that cannot be used: another user's is given back, a damaged one is written again."""
    if "Permission denied" in reason:
        home = shlex.quote(str(PurePath(file).parent.parent))
        return f'sudo chown -R "$USER" {home}', "or point KINETRIA_HOME at a folder of this user's"
    return "kinetria up", "it finds what runs and writes the file again; the data stay"
