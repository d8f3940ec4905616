"""Lists of records for people: a table."""

import shlex

from kinetria_cli.domain.fields import NOUNS
from kinetria_cli.presentation.human.tables import records_table
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.presentation.text import one_line
from kinetria_cli.usecases.inspect import RecordList, Wording

LIST_COLUMNS = {
    "users": ("id", "email", "name"),
    "workouts": ("id", "name", "status", "user_id"),
    "exercises": ("id", "name", "category", "primary_muscle_group", "difficulty_level"),
    "sessions": ("id", "status", "started_at", "completed_at", "notes"),
    "set_records": ("id", "set_number", "reps", "weight_kg", "duration_seconds", "created_at"),
    "refresh_tokens": ("id", "expires_at", "revoked", "created_at"),
    "audit_log": ("created_at", "action", "entity_type", "entity_id", "ip_address"),
}
"""What a table on a terminal has room for; --json has every field."""


def render(result: RecordList, screen: Screen) -> None:
    """Print a page as a table, how many there are, and how to go on."""
    table = result.entity.replace("-", "_")
    if not result.items:
        screen.sentence(f"no {NOUNS[table]}s match{_in_words(result.wording)}")
        return
    columns = result.columns or LIST_COLUMNS[table]
    records = [item.record if result.columns else item for item in result.items]
    records_table(records, columns, screen, reveal=result.reveal)
    if result.total is not None:
        screen.line(f"{len(result.items)} of {result.total:,}")
    if result.next_cursor:
        screen.line(f"more: {_next_command(result)}")


def _in_words(wording: Wording) -> str:
    filters = [(name.replace("-", " "), text) for name, text in wording.filters]
    words = ", ".join(name if text is None else f"{name} {one_line(text) or repr(text)}" for name, text in filters)
    return f": {words}" if words else ""


def _next_command(result: RecordList) -> str:
    """The command of the page behind this one, as it can be typed."""
    options = [_option(name, text) for name, text in (*result.wording.filters, *result.wording.view)]
    words = ["kinetria inspect", result.entity, *options, f"--after {result.next_cursor}"]
    return " ".join(words)


def _option(name: str, text: str | None) -> str:
    if text is None:
        return f"--{name}"
    # A text that begins with a hyphen would pass for an option.
    return f"--{name}{'=' if text.startswith('-') else ' '}{shlex.quote(text)}"
