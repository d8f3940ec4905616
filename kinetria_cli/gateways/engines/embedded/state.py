"""What `up` remembers about the embedded stack: state.json, the password, the passfile."""

import json
import secrets
from dataclasses import asdict, dataclass

from kinetria_cli.domain.errors import ConfigInvalid
from kinetria_cli.domain.stack import ConnectionParams, StackRecord
from kinetria_cli.gateways.engines.embedded.layout import StackFolder
from kinetria_cli.gateways.engines.embedded.network import LOOPBACK
from kinetria_cli.gateways.files import write_private

USER = "kinetria"
DATABASE = "kinetria"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class State:
    """All that is not derived from the folder: the ports in use, and whether the app service belongs to the stack."""

    database_port: int
    http_port: int
    app_wanted: bool


def read_state(folder: StackFolder) -> State | None:
    """Return what was written last, or None where there is nothing.

    Raises:
        ConfigInvalid: The file was changed by hand and cannot be read.
    """
    try:
        data = json.loads(folder.state.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error
    try:
        return State(int(data["database_port"]), int(data["http_port"]), bool(data["app_wanted"]))
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: StackFolder, error: Exception) -> ConfigInvalid:
    return ConfigInvalid(
        f"{folder.state} cannot be read: {error}",
        hint="where it is another user's, set KINETRIA_HOME; else remove it: kinetria up writes it anew, the data stay",
    )


def write_state(folder: StackFolder, state: State) -> None:
    """Replace the file.

    Raises:
        FileUnwritable: The disk is full or the folder cannot be written.
    """
    data = {"format": FORMAT, "engine": "embedded", **asdict(state)}
    write_private(folder.state, json.dumps(data, indent=2) + "\n")
    password = read_password(folder)
    write_private(folder.passfile, f"{LOOPBACK}:{state.database_port}:{DATABASE}:{USER}:{password}\n")


def read_password(folder: StackFolder) -> str:
    """Return the password, or an empty text where none was made yet."""
    try:
        return folder.password.read_text("utf-8").strip()
    except FileNotFoundError:
        return ""


def make_password(folder: StackFolder) -> str:
    """Return the password, made and stored first where there is none.

    Only letters, digits, - and _: nothing that a shell, a URL or Compose would read as more than itself.
    """
    password = read_password(folder)
    if not password:
        password = secrets.token_urlsafe(24)
        write_private(folder.password, password + "\n")
    return password


def stack_record(folder: StackFolder, state: State) -> StackRecord:
    """Return what other commands need to know."""
    return StackRecord(
        engine="embedded",
        project=folder.root.name,
        database=ConnectionParams(
            host=LOOPBACK,
            port=state.database_port,
            user=USER,
            password=read_password(folder),
            dbname=DATABASE,
            sslmode="disable",
        ),
        http_host=LOOPBACK,
        http_port=state.http_port,
        app_wanted=state.app_wanted,
        passfile=str(folder.passfile),
    )
