"""The build context of the app's image, made from the files that we are running from: a wheel is enough."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from kinetria_cli.domain.errors import EngineFailed
from kinetria_cli.gateways.files import writing

LEFT_OUT = frozenset({"__pycache__", "_bundled"})
DOCKERFILE = "compose/Dockerfile"
FINGERPRINT_CHARACTERS = 12


class BuildContext:
    """What an image is built from.

    Args:
        sources: Name in the context -> file or folder.
        arguments: What else decides the outcome: the base image.
    """

    def __init__(self, sources: Mapping[str, Path], *, arguments: str) -> None:
        self._sources = sources
        self._arguments = arguments

    def check(self) -> None:
        """Fail where a file is missing.

        Raises:
            EngineFailed: One is; an installation that was taken apart.
        """
        for path in self._sources.values():
            if not path.exists():
                raise EngineFailed(
                    f"the app's image cannot be built: {path} is missing", hint="install kinetria-cli again"
                )

    def fingerprint(self) -> str:
        """Return characters that stand for the content; the image is tagged with them."""
        self.check()
        digest = hashlib.sha256(self._arguments.encode())
        for name, path in self._files():
            # The image does not depend on the rest of compose/, which describes how it is run.
            if not name.startswith("compose/") or name == DOCKERFILE:
                content = path.read_bytes()
                digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:FINGERPRINT_CHARACTERS]

    def write(self, folder: Path) -> None:
        """Copy the files to an empty folder.

        Raises:
            FileUnwritable: The disk is full or the folder cannot be written.
        """
        with writing(folder):
            for name, path in self._files():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)

    def _files(self) -> Iterator[tuple[str, Path]]:
        for name, source in sorted(self._sources.items()):
            if source.is_file():
                yield name, source
            for path in sorted(source.rglob("*")):
                parts = path.relative_to(source).parts
                if path.is_file() and not LEFT_OUT & set(parts):
                    yield f"{name}/{'/'.join(parts)}", path
