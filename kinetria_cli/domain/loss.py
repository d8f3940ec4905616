"""What a rollback destroys, as values and as sentences."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import PurePath

from kinetria_cli.domain.identifiers import quote_identifier

PUBLIC = "public"


class LossKind(StrEnum):
    """What happens to the rows; the earlier one says more, where two hold for the same table."""

    DROPS = "drops"
    EMPTIES = "empties"
    DELETES = "deletes"
    CHANGES = "changes"
    RETYPES = "retypes"
    SEQUENCE = "sequence"
    NO_ROWS = "no_rows"
    UNKNOWN = "unknown"


_VERBS = {
    LossKind.DROPS: ("drops", "would drop"),
    LossKind.EMPTIES: ("empties", "would empty"),
    LossKind.DELETES: ("deletes rows of", "would delete rows of"),
    LossKind.CHANGES: ("changes rows of", "would change rows of"),
    LossKind.RETYPES: ("changes the type of", "would change the type of"),
    LossKind.SEQUENCE: ("drops", "would drop"),
    LossKind.NO_ROWS: ("drops", "would drop"),
    LossKind.UNKNOWN: ("runs", "would run"),
}
_UNCOUNTED = (LossKind.DELETES, LossKind.CHANGES)
_ROWLESS = (LossKind.NO_ROWS, LossKind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that a rollback file destroys.

    Args:
        kind: What happens to it.
        table: Its name without quotes; another object's with its kind before it (`type workout_status`).
        column: Only this column; None is the whole table.
        schema: Where the table is.
        rows: The rows of the table, or of the column the values that are not null; for a sequence where it stands;
            None where nobody can tell.
        newest: When the newest of these rows was written, by the table's own time column; None where it has none.
        counted_at: The server's time then, so that the age does not depend on our clock.
        size: Bytes on the server's disk.
        statement: The statement that does it, on one line, cut.
        kept: The file that keeps it, or None.
        age_of_rows: Whether `newest` tells when a row was made; one of its values may be younger.
    """

    kind: LossKind
    table: str
    column: str | None = None
    schema: str = PUBLIC
    rows: int | None = None
    newest: datetime | None = None
    counted_at: datetime | None = None
    size: int = 0
    statement: str = ""
    kept: str | None = None
    age_of_rows: bool = False

    @property
    def of_rows(self) -> bool:
        """Whether it is about rows of a table, which can be copied before they are destroyed."""
        return self.kind not in (*_ROWLESS, LossKind.SEQUENCE)

    @property
    def keepable(self) -> bool:
        """Whether there are rows to copy."""
        return self.of_rows and self.rows != 0

    @property
    def destroys(self) -> bool:
        """Whether data are destroyed, or nobody can tell."""
        return self.keepable or self.kind in (LossKind.SEQUENCE, LossKind.UNKNOWN)

    @property
    def subject(self) -> str:
        """`set_records`, `set_records.rpe`, `app.things.size`."""
        if self.kind in _ROWLESS:
            return self.table.replace("\n", "\\n")
        parts = (() if self.schema == PUBLIC else (self.schema,), (self.table,), (self.column,) if self.column else ())
        return ".".join(shown(name) for part in parts for name in part)

    @property
    def file_name(self) -> str:
        """The CSV's name: safe in every file system, and no two tables or columns share one."""
        own = [self.table] if self.column is None else [self.table, self.column]
        name = ".".join(re.sub(r"[^A-Za-z0-9_]", "_", part) for part in own)
        # A minus is in no plain name, so that app-things.csv cannot be another table's.
        plain = name if self.schema == PUBLIC else f"{re.sub(r'[^A-Za-z0-9_]', '_', self.schema)}-{name}"
        if all(re.fullmatch(r"[a-z0-9_]+", part) for part in (self.schema, *own)):
            return f"{plain}.csv"
        return f"{plain}-{sha256(repr((self.schema, *own)).encode()).hexdigest()[:8]}.csv"

    def sentence(self, *, would: bool = False) -> str:
        """Return `drops sessions.notes: 812 non-null values, the last written 3 minutes ago`, without a full stop.

        Args:
            would: `would drop ...` instead.
        """
        verb = _VERBS[self.kind][would]
        if self.kind is LossKind.UNKNOWN:
            return f"{verb} {self.subject}: what it destroys cannot be told beforehand"
        if self.kind is LossKind.NO_ROWS:
            return f"{verb} {self.subject} (no rows)"
        if self.kind is LossKind.SEQUENCE:
            return f"{verb} sequence {self.subject}, which stands at {self.rows}"
        if self.kind in _UNCOUNTED:
            return (
                f"{verb} {self.subject}: how many cannot be counted beforehand, so the whole table counts{self._of()}"
            )
        if not self.rows:
            empty = f"{self.subject}: no values" if self.column else f"empty table {self.subject}"
            return f"{verb} {empty}"
        return f"{verb} {self.subject}: {self._count()}{self._age()}{self._doubt()}"

    def _of(self) -> str:
        return "" if self.rows is None else f" ({self._count()}{self._age()})"

    def _count(self) -> str:
        one = "non-null value" if self.column else "row"
        return f"{self.rows:,} {one}{'' if self.rows == 1 else 's'}"

    def _age(self) -> str:
        if self.newest is None or self.counted_at is None:
            return ""
        age = age_text(self.counted_at - self.newest)
        if self.column is None:
            return f", the newest {age} old"
        return f", the newest of their rows {age} old" if self.age_of_rows else f", the last written {age} ago"

    def _doubt(self) -> str:
        return ", which may lose precision" if self.kind is LossKind.RETYPES else ""


def shown(name: str) -> str:
    """Return a name as one would write it in SQL, on one line."""
    return quote_identifier(name).replace("\n", "\\n")


_UNITS = (("year", 365 * 86400), ("month", 30 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def age_text(age: timedelta) -> str:
    """Return `3 minutes`, `1 day`, `less than a second`: whole ones of the largest unit that fits."""
    seconds = age.total_seconds()
    for unit, length in _UNITS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    return "less than a second"


def placed(losses: Iterable[Loss], folder: str) -> tuple[Loss, ...]:
    """Return the losses with the file, in this folder, that each will be kept in."""
    return tuple(
        replace(loss, kept=str(PurePath(folder, loss.file_name))) if loss.keepable else loss for loss in losses
    )


def distinct(losses: Iterable[Loss]) -> tuple[Loss, ...]:
    """Return each table and column once, by what says most; a column only where its table is not dropped anyway."""
    strongest: dict[tuple[str, str, str | None], Loss] = {}
    order = list(LossKind)
    for loss in losses:
        place = (loss.schema, loss.table, loss.column)
        known = strongest.get(place)
        if known is None or order.index(loss.kind) < order.index(known.kind):
            strongest[place] = loss
    whole = {
        (loss.schema, loss.table) for loss in strongest.values() if loss.column is None and loss.kind is LossKind.DROPS
    }
    return tuple(loss for loss in strongest.values() if loss.column is None or (loss.schema, loss.table) not in whole)
