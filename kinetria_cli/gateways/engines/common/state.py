"""What `up` remembers about a project's stack: state.json, each engine's password, the passfile."""

import json
import secrets
from dataclasses import asdict, dataclass, replace

from kinetria_cli.domain.errors import ConfigInvalid
from kinetria_cli.domain.stack import ConnectionParams, StackRecord
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.network import LOOPBACK
from kinetria_cli.gateways.files import FileUnusable, make_way, read_own, write_private, writing

EMBEDDED = "embedded"
ENGINES = (EMBEDDED, "docker")
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
        ConfigInvalid: The file is damaged, or is not ours to read.
    """
    try:
        text = read_own(folder.state)
    except FileNotFoundError:
        return None
    except FileUnusable as error:
        raise _damaged(folder, str(error)) from error
    try:
        return _parsed(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise _damaged(folder, "does not hold what kinetria up writes") from error


def find_state(folder: StackFolder) -> State | None:
    """Return the same for `up` and `down`, which find what runs without it: None also where the file is damaged."""
    try:
        return read_state(folder)
    except ConfigInvalid:
        return None


def _parsed(data: object) -> State:
    """Raises ValueError for what is no state."""
    if not isinstance(data, dict):
        raise ValueError(data)
    state = State(
        engine=data.get("engine", EMBEDDED),
        database_port=data.get("database_port", 0),
        http_port=data.get("http_port", 0),
        app_wanted=data.get("app_wanted", ""),
        superseded=tuple(data["superseded"]) if isinstance(data.get("superseded"), list) else (),
    )
    ports = (state.database_port, state.http_port)
    if not (
        all(name in ENGINES for name in (state.engine, *state.superseded))
        and all(type(port) is int and 0 < port < 65536 for port in ports)
        and isinstance(state.app_wanted, bool)
    ):
        raise ValueError(data)
    return state


def _damaged(folder: StackFolder, why: str) -> ConfigInvalid:
    return ConfigInvalid(
        f"{folder.state} {why}",
        hint="kinetria up finds what runs and writes it again, the data stay; another user's: set KINETRIA_HOME",
    )


def write_state(folder: StackFolder, state: State) -> None:
    """Replace the file, and the passfile with it, which is good for every database of the server.

    Raises:
        FileUnwritable: The disk is full or the folder cannot be written.
    """
    for path in (folder.state, folder.passfile):
        make_way(path)
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
            make_way(path)
            path.unlink(missing_ok=True)


def read_password(folder: StackFolder, engine: str) -> str:
    """Return the password of an engine's database, or an empty text where there is none that can be used."""
    try:
        return read_own(folder.password(engine)).strip()
    except (FileNotFoundError, FileUnusable):
        return ""


def password_fault(folder: StackFolder, engine: str) -> str | None:
    """Say what is wrong with the password file of an engine, such as `is gone`; None where it holds one."""
    try:
        return None if read_own(folder.password(engine)).strip() else "is empty"
    except FileNotFoundError:
        return "is gone"
    except FileUnusable as error:
        return str(error)


def write_password(folder: StackFolder, engine: str, password: str) -> None:
    """Store the password, readable by this user alone.

    Raises:
        FileUnwritable: The disk is full or the folder cannot be written.
    """
    make_way(folder.password(engine))
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
