"""Where the stack of a project keeps its files."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from kinetria_cli.domain.errors import DataFolderUnusable
from kinetria_cli.gateways.files import make_private_folder

MAX_SOCKET_FOLDER = 80
"""A socket's path is at most 107 bytes (103 on macOS); `/.s.PGSQL.5432.lock` comes behind the folder."""


class StackFolder:
    """The folder of one project below KINETRIA_HOME.

    Args:
        home: KINETRIA_HOME.
        project: The project's name.
    """

    def __init__(self, home: Path, project: str) -> None:
        self.root = home / project
        self.data = self.root / "data"
        self.lock = self.root / "lock"
        self.state = self.root / "state.json"
        self.secrets = self.root / "secrets"
        self.passfile = self.secrets / "pgpass"
        self.app_pid = self.root / "app.pid"
        self.postgres_log = self.root / "logs" / "postgres.log"
        self.app_log = self.root / "logs" / "app.log"

    def password(self, engine: str) -> Path:
        """Return the file that holds the password of an engine's database."""
        return self.secrets / ("password" if engine == "embedded" else f"{engine}-password")

    @property
    def fingerprint(self) -> str:
        """Ten characters that stand for this folder in places that all projects share."""
        return hashlib.sha256(os.fsencode(self.root)).hexdigest()[:10]

    def make(self) -> None:
        """Make the folders.

        Raises:
            FileUnwritable: One cannot be made.
        """
        for folder in (self.root, self.secrets, self.postgres_log.parent):
            make_private_folder(folder)

    def socket_folder(self, owner: int) -> Path:
        """Make and return a short folder of mode 0700 for the server's socket.

        Args:
            owner: The user id, seen from here, that the server runs as.

        Raises:
            DataFolderUnusable: Somebody else made a folder of this name: it is in a place that all users share.
        """
        shared = Path(tempfile.gettempdir())
        name = f"kinetria-{owner}-{self.fingerprint}"
        if len(os.fsencode(shared / name)) > MAX_SOCKET_FOLDER:
            shared = Path("/tmp")  # noqa: S108 - the folder made in it is private, and checked to be ours
        folder = shared / name
        make_private_folder(folder)
        if owner != os.geteuid():
            os.chown(folder, owner, -1)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) != 0o700:
            raise DataFolderUnusable(
                f"{folder} is not a private folder of this user",
                hint=f"look who made it, then remove it: ls -ld {folder}",
            )
        return folder
