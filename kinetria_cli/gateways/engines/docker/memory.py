"""What we know of a project's containers and volume from the last time, so that trouble is seen before it is made.

Kept in KINETRIA_HOME, never as labels: Compose compares a volume's labels with the file's and offers to recreate it.
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from kinetria_cli.gateways.files import FileUnusable, make_way, read_own, write_private

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Memory:
    """One project's.

    Args:
        system: The number that initdb gave the cluster on the volume.
        major: The major version of the PostgreSQL that wrote it.
        credentials: A keyed hash of the role, database and password that it takes; nobody can guess from it.
        since: When that was first seen to be so.
        made: Service -> [container id, hash of its configuration]: what we made, and from what.
    """

    system: str = ""
    major: int = 0
    credentials: str = ""
    since: str = ""
    made: dict[str, list[str]] = field(default_factory=dict)


class MemoryFile:
    """Where it is kept.

    Args:
        path: A JSON file.
        key: A file with the key of the credentials' hash.
    """

    def __init__(self, path: Path, key: Path) -> None:
        self._path = path
        self._key = key

    def read(self) -> Memory:
        """Return what was written last; nothing where the file is not there, or unreadable: it is only memory."""
        try:
            return Memory(**json.loads(read_own(self._path)))
        except (FileNotFoundError, FileUnusable, ValueError, TypeError, RecursionError):
            return Memory()

    def write(self, memory: Memory) -> None:
        """Replace the file. Raises what `write_private` raises."""
        make_way(self._path)
        write_private(self._path, json.dumps(asdict(memory), indent=2) + "\n")

    def note_made(self, service: str, container: str, config_hash: str) -> None:
        """Remember from which configuration a container was made."""
        before = self.read()
        self.write(replace(before, made={**before.made, service: [container, config_hash]}))

    def forget(self) -> None:
        """Remove both files."""
        for path in (self._path, self._key):
            make_way(path)
            path.unlink(missing_ok=True)

    def credentials(self, *parts: str) -> str:
        """Return the keyed hash of these texts."""
        return hmac.new(self._make_key(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()

    def _make_key(self) -> bytes:
        try:
            return bytes.fromhex(read_own(self._key))
        except (FileNotFoundError, FileUnusable, ValueError):
            key = secrets.token_bytes(KEY_BYTES)
            make_way(self._key)
            write_private(self._key, key.hex())
            return key
