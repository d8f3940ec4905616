"""A drift in words: how much it matters, what it is and what mending it costs."""

from typing import Final

from kinetria_cli.domain.check import Finding, Severity
from kinetria_cli.domain.definitions import Definitions
from kinetria_cli.domain.drift import ALWAYS_COMPARED, Comparison, Drift
from kinetria_cli.domain.figures import counted, size
from kinetria_cli.domain.undoing import script, superfluous_labels

CHECK: Final = "drift"
SHOWN = 160
"""Letters of a definition in a message."""

_ONLY_COSTS = (*ALWAYS_COMPARED, "statistics object ", "settings ")
_MAY_REFUSE = ("constraint ", "trigger ", "rule ", "policy ")
"""What can refuse or swallow a row that the code writes."""
_STRUCTURE = ("type ", "identity ", "generated ", "not null", "unlogged")


def findings(comparison: Comparison, here: Definitions, made: Definitions) -> tuple[Finding, ...]:
    """Return a finding for each object that differs, in the order in which they can be mended.

    Args:
        comparison: The two catalogs.
        here: What the database's objects are made of.
        made: What the migrations' are.
    """
    return tuple(_finding(drift, comparison, here, made) for drift in comparison.drifts(here, made))


def _finding(drift: Drift, comparison: Comparison, here: Definitions, made: Definitions) -> Finding:
    whole = here.whole(drift.object)
    sql = script(drift.statements)
    message = _message(drift, comparison, here, made)
    if sql is None and drift.rename is None and not superfluous_labels(here, made, drift.object):
        message += "; no statement can be given for it"
    if drift.after:
        message += f"; after {', '.join(drift.after)}"
    size = whole.bytes if whole and drift.made is None else None
    return Finding(CHECK, drift.object, _severity(drift, here, made), " ".join(message.split()), sql, bytes=size)


def _severity(drift: Drift, here: Definitions, made: Definitions) -> Severity:
    if drift.object.startswith("privileges of ") and not any("PUBLIC" in part.words for part in drift.gone):
        return Severity.INFO  # what a role may do is the operator's own business, what everybody may is not
    return Severity.ERROR if _breaks(drift, here, made) else Severity.WARNING


def _breaks(drift: Drift, here: Definitions, made: Definitions) -> bool:
    """Whether the code or a promise of the data breaks, and it is not only that something costs."""
    if drift.object.startswith(_ONLY_COSTS):
        return False
    if drift.made is None:
        return drift.object.startswith(_MAY_REFUSE) or _is_unique(drift.here) or _refuses_rows(drift)
    return _change_breaks(drift, drift.made, here, made)


def _change_breaks(drift: Drift, definition: str, here: Definitions, made: Definitions) -> bool:
    if drift.object.startswith("index "):
        whole = drift.here is None or any(part.whole or part.words.startswith("invalid") for part in drift.gone)
        return whole and definition.startswith("CREATE UNIQUE INDEX")
    if drift.here is None:
        return True
    if drift.object.startswith("type ") and superfluous_labels(here, made, drift.object):
        # More than there should be; less is what breaks.
        return script(drift.statements) is not None
    if drift.object.startswith(("table ", "column ")) and (drift.gone or drift.new):
        lost_default = any(part.words.startswith("default ") for part in drift.new) and not any(
            part.words.startswith("default ") for part in drift.gone
        )
        return lost_default or any(part.words.startswith(_STRUCTURE) for part in (*drift.gone, *drift.new))
    return True


def _is_unique(definition: str | None) -> bool:
    return definition is not None and definition.startswith("CREATE UNIQUE INDEX")


def _refuses_rows(drift: Drift) -> bool:
    """Whether the code's INSERT fails, for a column that nobody made wants a value that nobody gives."""
    words = {part.words.split(" ")[0] for part in drift.gone if not part.whole}
    return drift.object.startswith("column ") and "not" in words and not words & {"default", "identity", "generated"}


def _message(drift: Drift, comparison: Comparison, here: Definitions, made: Definitions) -> str:
    if drift.rename is not None:
        return _renamed(drift)
    if not drift.object.startswith(ALWAYS_COMPARED):
        if drift.made is None:
            return _superfluous(drift)
        if drift.here is None:
            return _missing(drift, comparison, here)
    return _changed(drift, comparison, here, made)


def _renamed(drift: Drift) -> str:
    assert drift.rename is not None
    if drift.here is None:
        return f"missing; {drift.rename.here} looks like it under another name, and keeps what is in it"
    return f"not made by any migration; it looks like {drift.rename.made} under another name, which mends both"


def _superfluous(drift: Drift) -> str:
    whole = next((part for part in drift.gone if part.whole), None)
    text = f"not made by any migration: {whole.words if whole else _short(drift.here)}"
    if whole and whole.bytes is not None:
        text += f", {size(whole.bytes)}"
    if _refuses_rows(drift):
        text += ", not null without a default, so that the code can insert no row"
    if whole and drift.object.startswith(("table ", "column ")):
        what = "row" if drift.object.startswith("table ") else "value"
        count = "what it holds, which this role may not count" if whole.count is None else counted(whole.count, what)
        text += "; it is empty" if whole.count == 0 else f"; dropping it loses {count}"
    return text


def _missing(drift: Drift, comparison: Comparison, here: Definitions) -> str:
    whole = next((part for part in drift.new if part.whole), None)
    text = f"missing: {whole.words if whole else _short(drift.made)}"
    if drift.object.startswith("constraint ") or (drift.made or "").startswith("CREATE UNIQUE INDEX"):
        text += "; the statement fails while rows break it"
    if not drift.object.startswith("column "):
        return text
    rows = _rows(drift.object, comparison, here)
    words = {part.words.split(" ")[0] for part in drift.new if not part.whole}
    if "not" in words:
        text += ", not null"
    if rows == 0:
        return text
    many = "what is there already" if rows is None else f"what is there already ({counted(rows, 'row')})"
    if "not" in words and not words & {"default", "identity", "generated"}:
        return f"{text}; the statement fails because of {many}: add it without NOT NULL, fill it, then SET NOT NULL"
    value = "the default" if words & {"default", "identity", "generated"} else "null"
    return f"{text}; {many} gets {value}, the old values are in a backup at best"


def _changed(drift: Drift, comparison: Comparison, here: Definitions, made: Definitions) -> str:
    if labels := superfluous_labels(here, made, drift.object):
        return (
            f"it has {', '.join(labels)}, which no migration makes; PostgreSQL drops no label of an enum: give the rows"
            " another one, then rename the type, create it anew, ALTER COLUMN ... TYPE with USING, and drop the old one"
        )
    ours, theirs = (", ".join(part.words for part in parts) for parts in (drift.gone, drift.new))
    if any(part.whole for part in (*drift.gone, *drift.new)) or not (ours or theirs):
        text = f"here {_short(drift.here)}; by the migrations {_short(drift.made)}"
        if "\n" in (drift.made or "") or max(len(drift.here or ""), len(drift.made or "")) > SHOWN:
            text = f"not as the migrations make it, {_first_difference(drift.here or '', drift.made or '')}"
    elif ours and theirs:
        text = f"here {ours}; by the migrations {theirs}"
    else:
        text = f"{ours} here, not by the migrations" if ours else f"{theirs} by the migrations, not here"
    if any(part.words.startswith("type ") for part in drift.new):
        text += "; what does not fit is rounded, or the statement fails: look at the values first"
    return text + _nulls(drift, comparison, here)


def _nulls(drift: Drift, comparison: Comparison, here: Definitions) -> str:
    """Say how many rows stand against a NOT NULL."""
    if not any(part.words == "not null" for part in drift.new):
        return ""
    rows, column = _rows(drift.object, comparison, here), here.whole(drift.object)
    if rows is None or column is None or column.count is None or rows == column.count:
        return ""
    return f"; the statement fails until no row is without a value: {counted(rows - column.count, 'row')} here"


def _rows(column: str, comparison: Comparison, here: Definitions) -> int | None:
    table = here.whole(comparison.table_of(column) or "")
    return table.count if table else None


def _first_difference(here: str, made: str) -> str:
    lines = here.split("\n"), made.split("\n")
    for number, (ours, theirs) in enumerate(zip(*lines, strict=False), start=1):
        if ours != theirs:
            if ours.split() == theirs.split():
                return f"from line {number} on in blank space alone: {_short(ours)}"
            return f"from line {number} on: here {_short(ours)}; by the migrations {_short(theirs)}"
    return f"{len(lines[0])} lines here, {len(lines[1])} by the migrations"


def _short(text: str | None) -> str:
    words = " ".join((text or "nothing").split()) or "an empty line"
    return words if len(words) <= SHOWN else f"{words[: SHOWN - 3]}..."
