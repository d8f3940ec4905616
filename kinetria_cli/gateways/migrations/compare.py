"""How the files of a folder and the records of a database fit together."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kinetria_cli.domain.errors import MigrationFileInvalid
from kinetria_cli.domain.migration import MigrationEntry, MigrationState, MigrationStatus
from kinetria_cli.gateways.migrations.bookkeeping import FileTexts, Logged, Record, Recorded
from kinetria_cli.gateways.migrations.files import MigrationFile

_HASH_SHOWN = 12


class _Finding(NamedTuple):
    """What was found about one migration: see `MigrationEntry`."""

    state: MigrationState
    detail: str | None = None
    mend: str | None = None
    harmless: bool = False
    undone: bool = False


def compare(files: tuple[MigrationFile, ...], recorded: Recorded) -> MigrationStatus:
    """Return one entry for each file and each record, in order.

    Args:
        files: Of the folder, in order.
        recorded: Of the database.

    Raises:
        MigrationFileInvalid: A file cannot be read.
    """
    comparison = _Comparison(files, recorded)
    return MigrationStatus(tuple(comparison.entries()), tuple(_warnings(recorded)), comparison.renamed)


class _Comparison:
    """The files and the records of one comparison, by id."""

    def __init__(self, files: tuple[MigrationFile, ...], recorded: Recorded) -> None:
        self._files = {file.id: file for file in files}
        self._records = {record.id: record for record in recorded.records}
        self._newest_file = files[-1].id
        self._rolled_back = frozenset(recorded.rolled_back)
        self._newest_applied = max((record.id for record in recorded.records if record.marked), default="")
        self.renamed = self._find_renamed()

    def entries(self) -> Iterator[MigrationEntry]:
        """Yield one entry a migration; a file that is the new name of an applied one is told with the old name."""
        for name in sorted(self._files.keys() | self._records.keys()):
            if name in self.renamed.values():
                continue
            record = self._records.get(name)
            found = self._pending(name) if record is None else self._recorded(record)
            yield MigrationEntry(
                id=name,
                state=found.state,
                applied_at=record.applied_at if record else None,
                applied_by=record.applied_by if record else None,
                detail=found.detail,
                mend=found.mend,
                harmless=found.harmless,
                undone=found.undone,
            )

    def _pending(self, name: str) -> _Finding:
        if name > self._newest_applied:
            return _Finding(MigrationState.PENDING)
        if name in self._rolled_back:
            # Other databases have it under this number: it must not be renumbered.
            return _Finding(
                MigrationState.OUT_OF_ORDER,
                f"applied here once and rolled back, and older than {self._newest_applied}, which is applied",
                "kinetria migrate --allow-out-of-order",
            )
        return _Finding(
            MigrationState.OUT_OF_ORDER,
            f"older than {self._newest_applied}, which is applied",
            f"kinetria migrate rebase {name}, or apply it late with --allow-out-of-order",
        )

    def _recorded(self, record: Record) -> _Finding:
        if record.dirty:
            doing = "rolling back" if record.state == "rolling_back" else "applying"
            return _Finding(
                MigrationState.DIRTY,
                f"{doing} it began outside a transaction and was not completed",
                "kinetria migrate repair",
            )
        if not record.marked:
            return _unmarked(record.logged)
        if record.id in self.renamed:
            return _Finding(
                MigrationState.RENAMED,
                f"looks renamed: its text is now {self.renamed[record.id]}.sql",
                f"name it {record.id}.sql again, or kinetria migrate repair to record the new name",
            )
        if file := self._files.get(record.id):
            return _modification(record, file)
        if record.id > self._newest_file:
            return _Finding(MigrationState.AHEAD, "newer than every file here: an older version of the folder")
        return _Finding(
            MigrationState.MISSING,
            "applied, but its file is gone",
            f"put {record.id}.sql back, or kinetria migrate repair to forget it",
        )

    def _find_renamed(self) -> dict[str, str]:
        """Return old name -> new name: the file is gone, and a file that is not applied has the same text."""
        gone = [r for r in self._records.values() if r.id not in self._files and r.checksum and r.marked]
        fresh = [texts_of(file) for name, file in self._files.items() if gone and name not in self._records]
        found: dict[str, str] = {}
        for record in gone:  # in order, for several may have the same text
            same = [texts.id for texts in fresh if texts.checksum == record.checksum]
            if new := next((name for name in same if name not in found.values()), None):
                found[record.id] = new
        return found


def _unmarked(logged: Logged | None) -> _Finding:
    """What is recorded as applied while yoyo's mark is gone: yoyo's log says whether it was rolled back."""
    if logged is not None and logged.operation == "rollback":
        return _Finding(
            MigrationState.DIRTY,
            f"rolled back with yoyo by {logged.by} on {logged.at:%Y-%m-%d %H:%M} UTC, and still recorded as applied",
            "kinetria migrate repair",
            undone=True,
        )
    return _Finding(
        MigrationState.DIRTY,
        "recorded here, but yoyo's mark is gone: undone by another tool?",
        "kinetria migrate repair --as applied, or --as pending",
    )


def _modification(record: Record, file: MigrationFile) -> _Finding:
    from kinetria_cli.gateways.migrations.content import raw_checksum

    if record.checksum is None:
        return _Finding(MigrationState.APPLIED, "no checksum yet: the next kinetria migrate takes it from the file")
    raw = raw_checksum(_bytes(file.path))
    rollback_raw = raw_checksum(_bytes(file.rollback_path)) if file.rollback_path else None
    # Almost always nothing differs; only where something does, the text is taken apart.
    if (raw, rollback_raw) == (record.raw_checksum, record.rollback_raw_checksum):
        adopted = "adopted: its text was taken from the file later" if record.origin == "adopted" else None
        return _Finding(MigrationState.APPLIED, adopted)
    try:
        texts = texts_of(file)
    except MigrationFileInvalid as error:
        return _Finding(MigrationState.MODIFIED, error.message, error.hint)
    if texts.checksum != record.checksum:
        hashes = f"applied {record.checksum[:_HASH_SHOWN]}, the file is {texts.checksum[:_HASH_SHOWN]}"
        return _Finding(
            MigrationState.MODIFIED,
            f"changed after it was applied ({hashes})",
            f"kinetria migrate diff {file.id} shows the change; take it back and write a new migration",
        )
    if texts.rollback_checksum != record.rollback_checksum:
        what = "its rollback file was changed, added or removed after it was applied"
        return _Finding(MigrationState.MODIFIED, what, f"kinetria migrate diff {file.id}", harmless=True)
    return _Finding(MigrationState.MODIFIED, "cosmetic: only comments or blank space differ", harmless=True)


def texts_of(file: MigrationFile) -> FileTexts:
    """Return what is to be recorded of a migration's files.

    Raises:
        MigrationFileInvalid: One cannot be read as text.
    """
    from kinetria_cli.gateways.migrations.content import checksum, plain_text, raw_checksum

    raw = _bytes(file.path)
    text = plain_text(file.path, raw)
    if file.rollback_path is None:
        return FileTexts(file.id, text, checksum(text), raw_checksum(raw))
    rollback_raw = _bytes(file.rollback_path)
    rollback = plain_text(file.rollback_path, rollback_raw)
    return FileTexts(
        file.id, text, checksum(text), raw_checksum(raw), rollback, checksum(rollback), raw_checksum(rollback_raw)
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MigrationFileInvalid(f"{path} cannot be read: {error.strerror}", hint=f"ls -l {path}") from error


def _warnings(recorded: Recorded) -> Iterator[str]:
    for pid in recorded.yoyo_lock_pids:
        yield (
            f"yoyo's own lock table still names process {pid}; nothing here waits for it,"
            " kinetria migrate repair removes the row"
        )
