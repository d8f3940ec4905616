"""What `up` remembers about a project's stack: state.json, each engine's password, the passfile."""

import json
import secrets
from dataclasses import asdict, dataclass, replace

from kinetria_cli.domain.errors import ConfigInvalid
from kinetria_cli.domain.stack import ConnectionParams, StackRecord
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.network import LOOPBACK
from kinetria_cli.gateways.files import write_private, writing

USER = "kinetria"
DATABASE = "kinetria"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class State:
    """All that is not derived from the folder.

    Args:
        engine: What runs the stack: `docker` or `embedded`.
        database_port, http_port: The ports in use.
        app_wanted: Whether the app service belongs to the stack.
        superseded: Engines that hold an older copy of the data, left by `up --carry`.
    """

    engine: str
    database_port: int
    http_port: int
    app_wanted: bool
    superseded: tuple[str, ...] = ()


def read_state(folder: StackFolder) -> State | None:
    """Return what was written last, or None where there is nothing.

    Raises:
        ConfigInvalid: The file was changed by hand and cannot be read.
    """
    try:
        data = json.loads(folder.state.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error
    try:
        return State(
            engine=str(data.get("engine", "embedded")),
            database_port=int(data["database_port"]),
            http_port=int(data["http_port"]),
            app_wanted=bool(data["app_wanted"]),
            superseded=tuple(str(name) for name in data.get("superseded", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: StackFolder, error: Exception) -> ConfigInvalid:
    return ConfigInvalid(
        f"{folder.state} cannot be read: {error}",
        hint="where it is another user's, set KINETRIA_HOME; else remove it: kinetria up writes it anew, the data stay",
    )


def write_state(folder: StackFolder, state: State) -> None:
    """Replace the file, and the passfile with it, which is good for every database of the server.

    Raises:
        FileUnwritable: The disk is full or the folder cannot be written.
    """
    write_private(folder.state, json.dumps({"format": FORMAT, **asdict(state)}, indent=2) + "\n")
    password = read_password(folder, state.engine)
    write_private(folder.passfile, f"{LOOPBACK}:{state.database_port}:*:{USER}:{password}\n")


def with_older_copy(state: State, engine: str) -> State:
    """Return the state with another engine's data noted as an older copy."""
    older = {*state.superseded, engine} - {state.engine}
    return replace(state, superseded=tuple(sorted(older)))


def forget(folder: StackFolder) -> None:
    """Remove the record of the stack.

    Raises:
        FileUnwritable: It cannot be removed.
    """
    with writing(folder.state):
        for path in (folder.state, folder.passfile):
            path.unlink(missing_ok=True)


def read_password(folder: StackFolder, engine: str) -> str:
    """Return the password of an engine's database, or an empty text where none was made yet."""
    try:
        return folder.password(engine).read_text("utf-8").strip()
    except FileNotFoundError:
        return ""


def write_password(folder: StackFolder, engine: str, password: str) -> None:
    """Store the password, readable by this user alone.

    Raises:
        FileUnwritable: The disk is full or the folder cannot be written.
    """
    write_private(folder.password(engine), password + "\n")


def make_password(folder: StackFolder, engine: str) -> str:
    """Return the password, made and stored first where there is none.

    Only letters, digits, - and _: nothing that a shell, a URL or Compose would read as more than itself.
    """
    password = read_password(folder, engine)
    if not password:
        password = secrets.token_urlsafe(24)
        write_password(folder, engine, password)
    return password


def stack_record(folder: StackFolder, state: State) -> StackRecord:
    """Return a state in the form that other commands need."""
    return StackRecord(
        engine=state.engine,
        project=folder.root.name,
        database=ConnectionParams(
            host=LOOPBACK,
            port=state.database_port,
            user=USER,
            password=read_password(folder, state.engine),
            dbname=DATABASE,
            sslmode="disable",
        ),
        http_host=LOOPBACK,
        http_port=state.http_port,
        app_wanted=state.app_wanted,
        passfile=str(folder.passfile),
    )
