"""The port `MigrationFolder`: making and renaming files, so that all of a change is there or nothing of it."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from kinetria_cli.domain.errors import FileUnwritable, MigrationFileInvalid, Refused
from kinetria_cli.gateways.migrations.files import read_names

# Bytes, so that a file keeps its line ends and whatever else is in it; ids are ASCII.
_DEPENDS = re.compile(rb"\s*--\s*depends\s*:(?P<ids>.*)", re.DOTALL)


class FilesystemMigrationFolder:
    """See `MigrationFolder`.

    Args:
        folder: Where the files are.
        installed: Whether it is a part of the installed program.
    """

    def __init__(self, folder: Path, *, installed: bool) -> None:
        self._folder = folder
        self._installed = installed

    def ids(self) -> tuple[str, ...]:
        """See `MigrationFolder.ids`."""
        return read_names(self._folder)

    def check_editable(self) -> None:
        """See `MigrationFolder.check_editable`."""
        if self._installed:
            raise Refused(
                f"the migrations in {self._folder} belong to the installed program, and the next installation"
                " replaces them",
                hint="stand in a checkout of kinetria-cli, or set KINETRIA_MIGRATIONS_DIR",
            )

    def paths(self, migration_id: str) -> tuple[str, str]:
        """See `MigrationFolder.paths`."""
        return str(self._folder / f"{migration_id}.sql"), str(self._folder / f"{migration_id}.rollback.sql")

    def dependents(self, migration_id: str) -> tuple[str, ...]:
        """See `MigrationFolder.dependents`."""
        wanted = migration_id.encode()
        return tuple(
            name for name in self.ids() if any(wanted in _dependencies(_content(path)) for path in self._existing(name))
        )

    def create(self, migration_id: str, *, text: str, rollback_text: str) -> None:
        """See `MigrationFolder.create`."""
        with contextlib.ExitStack() as undo, _writing(self._folder):
            for path, content in zip(self.paths(migration_id), (text, rollback_text), strict=True):
                try:
                    # O_EXCL: a file that is there stays, also if it came this moment.
                    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
                except FileExistsError:
                    raise Refused(f"{path} is there already", hint="run it again for the next number") from None
                undo.callback(Path(path).unlink)
                with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
                    stream.write(content)
            undo.pop_all()

    def rename(self, names: Mapping[str, str]) -> None:
        """See `MigrationFolder.rename`."""
        moves = [
            (path, self._folder / path.name.replace(old, new, 1))
            for old, new in names.items()
            for path in self._existing(old)
        ]
        for _, target in moves:
            if os.path.lexists(target):
                raise Refused(f"{target} is there already", hint="run it again for the next number")
        replacements = {old.encode(): new.encode() for old, new in names.items()}
        with contextlib.ExitStack() as undo, _writing(self._folder):
            for path in [path for name in self.ids() for path in self._existing(name)]:
                before = _content(path)
                after = _with_other_dependencies(before, replacements)
                if after != before:
                    _replace(path, after)
                    undo.callback(_replace, path, before)
            for path, target in moves:
                path.rename(target)
                undo.callback(target.rename, path)
            undo.pop_all()

    def _existing(self, migration_id: str) -> list[Path]:
        return [Path(path) for path in self.paths(migration_id) if os.path.lexists(path)]


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileUnwritable(
            f"{error.filename or folder} cannot be written: {error.strerror}",
            hint=f"the folder has to be writable for this user: ls -ld {folder}",
        ) from error


def _replace(path: Path, content: bytes) -> None:
    """Give a file another content, so that a reader sees the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.chmod(path.stat().st_mode)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MigrationFileInvalid(f"{path} cannot be read: {error.strerror}", hint=f"ls -l {path}") from error


def _depends_lines(lines: list[bytes]) -> Iterator[tuple[int, "re.Match[bytes]"]]:
    """Yield the `-- depends:` lines with their places, from the comment lines at the top, where they count."""
    for number, line in enumerate(lines):
        stripped = line.strip()
        if stripped and not stripped.startswith(b"--"):
            return
        if match := _DEPENDS.match(line):
            yield number, match


def _dependencies(content: bytes) -> set[bytes]:
    return {word for _, match in _depends_lines(content.splitlines()) for word in match["ids"].split()}


def _with_other_dependencies(content: bytes, names: Mapping[bytes, bytes]) -> bytes:
    lines = content.splitlines(keepends=True)
    for number, match in _depends_lines(lines):
        renamed = re.sub(rb"\S+", lambda word: names.get(word[0], word[0]), match["ids"])
        lines[number] = lines[number][: match.start("ids")] + renamed
    return b"".join(lines)
