"""A support bundle: what is in it, and what became of each part."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol


class PartStatus(StrEnum):
    """What became of a part: written, or an error text in its place."""

    WRITTEN = "written"
    FAILED = "failed"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a bundle.

    Args:
        name: Its name in the archive; one that ends in .json is a document, others are text.
        title: What it is, in a few words, for the list.
        read: Returns a text, or a document of json's types; may raise anything and may hang.
    """

    name: str
    title: str
    read: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class PartOutcome:
    """What became of a part; `detail` says why it could not be had."""

    name: str
    status: PartStatus
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class BundleReport:
    """A bundle that was written.

    Args:
        path: Where.
        size_bytes: Of the archive.
        parts: What is in it.
        redacted: What was taken out -> how often.
    """

    kind: ClassVar[str] = "doctor.bundle"
    path: str
    size_bytes: int
    parts: tuple[PartOutcome, ...]
    redacted: Mapping[str, int]


class ArchiveWriter(Protocol):
    """Writes an archive."""

    def check(self, path: Path, *, force: bool) -> None:
        """Fail early where the archive could not be written.

        Raises:
            MalformedParameters: The name's ending is no kind of archive.
            Refused: Something is there already, and force is not given, or it is a folder.
            FileUnwritable: The folder is not there or cannot be written.
        """
        ...

    def write(self, path: Path, members: Mapping[str, str], *, force: bool) -> int:
        """Write all members in one step, readable by this user alone; return the size in bytes. Raises as `check`."""
        ...
