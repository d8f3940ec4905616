"""Making a support bundle: every part that can be had, without secrets, in one archive."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.bundle import BundleReport, Part, PartOutcome, PartStatus
from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import KinetriaError

if TYPE_CHECKING:
    from kinetria_cli.domain.bundle import ArchiveWriter
    from kinetria_cli.domain.redaction import Scrubber

README = "README.txt"

_ABOUT = """\
A support bundle of kinetria, made {moment}.

READ IT BEFORE YOU SEND IT. It is meant to hold no secret: what is known to be one (passwords, HEALTH_TOKEN) was taken
out in every form that programs write it in, and so was what looks like one: passwords in addresses and connection
texts, tokens, private keys, password hashes, PASSWORD '...' in SQL. Of personal data, e-mail addresses, the values of
rows and statements in the server's log and the name of the home folder were taken out. Host names, IP addresses, names
of roles, databases and tables, ports, paths and times are left: without them nobody could help. A sentence of the
server may still quote a single value, as in: invalid input syntax for type uuid: "...".
"""


@dataclass(frozen=True, slots=True)
class _Read:
    """What reading one part came to: a content, or the reason why there is none."""

    part: Part
    content: Any = None
    error: str | None = None
    late: bool = False


def make_bundle(
    parts: Sequence[Part], path: Path, *, scrubber: Scrubber, archive: ArchiveWriter, seconds: float, force: bool
) -> BundleReport:
    """Read all parts at the same time and write what could be had; a part that could not says why in its place.

    Args:
        parts: What goes in, in this order.
        path: The archive; its ending says which kind.
        scrubber: Takes out what must not leave the machine.
        archive: Writes it.
        seconds: How long the parts are waited for.
        force: Whether to replace what is there.

    Raises:
        MalformedParameters: The ending is no kind of archive.
        Refused: Something is there already.
        FileUnwritable: It cannot be written; nothing is left behind.
    """
    archive.check(path, force=force)
    members: dict[str, str] = {}
    outcomes = []
    for read in _read_all(parts, seconds):
        members[read.part.name] = _text(read, scrubber)
        outcomes.append(_outcome(read, scrubber))
    about = _about(parts, outcomes, scrubber)
    size = archive.write(path, {README: about, **members}, force=force)
    return BundleReport(str(path), size, tuple(outcomes), dict(sorted(scrubber.taken.items())))


def _read_all(parts: Sequence[Part], seconds: float) -> list[_Read]:
    """Read every part in a thread of its own: one that hangs costs its own part alone, and no thread is waited for."""
    done: queue.SimpleQueue[_Read] = queue.SimpleQueue()
    for part in parts:
        threading.Thread(target=lambda part=part: done.put(_read(part)), name=part.name, daemon=True).start()
    deadline = Deadline(seconds)
    found: dict[str, _Read] = {}
    while len(found) < len(parts):
        try:
            read = done.get(timeout=deadline.remaining)
        except queue.Empty:
            break
        found[read.part.name] = read
    late = f"no answer within {seconds:g} s"
    return [found.get(part.name) or _Read(part, error=late, late=True) for part in parts]


def _read(part: Part) -> _Read:
    try:
        return _Read(part, part.read())
    except KinetriaError as error:
        return _Read(part, error="\n".join((error.message, *error.details)))
    except Exception as error:  # noqa: BLE001 - whatever is broken is what the bundle is made for
        return _Read(part, error=f"{type(error).__name__}: {error}")


def _text(read: _Read, scrubber: Scrubber) -> str:
    is_document = read.part.name.endswith(".json")
    if read.error is not None:
        error = scrubber.text(read.error)
        return _dump({"error": error}) if is_document else f"could not be had: {error}\n"
    return _dump(scrubber.document(read.content)) if is_document else scrubber.text(read.content)


def _dump(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=True, default=str) + "\n"


def _outcome(read: _Read, scrubber: Scrubber) -> PartOutcome:
    if read.error is None:
        return PartOutcome(read.part.name, PartStatus.WRITTEN)
    status = PartStatus.TIMED_OUT if read.late else PartStatus.FAILED
    return PartOutcome(read.part.name, status, scrubber.text(read.error).partition("\n")[0])


def _about(parts: Sequence[Part], outcomes: Sequence[PartOutcome], scrubber: Scrubber) -> str:
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    width = max(len(part.name) for part in parts)
    lines = [_ABOUT.format(moment=moment), "What is in it:", ""]
    for part, outcome in zip(parts, outcomes, strict=True):
        missing = f" - COULD NOT BE HAD: {outcome.detail}" if outcome.detail else ""
        lines.append(f"  {part.name:<{width}}  {part.title}{missing}")
    lines += ["", "What was taken out, shown as ***:", ""]
    lines += [f"  {count:>5} x {what}" for what, count in sorted(scrubber.taken.items()) if count] or ["  nothing"]
    return "\n".join(lines) + "\n"
