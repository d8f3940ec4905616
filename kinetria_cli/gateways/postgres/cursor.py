"""The opaque text that continues a list: base64url of the list's name and the last row's time and id."""

import base64
import json
from datetime import datetime
from uuid import UUID

from kinetria_cli.domain.errors import MalformedParameters


def encode(table: str, time: datetime, record_id: UUID) -> str:
    """Return the cursor of the rows behind this one."""
    text = json.dumps([table, time.isoformat(), str(record_id)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, table: str) -> tuple[datetime, UUID]:
    """Return the time and id of the row that the list continues behind.

    Raises:
        MalformedParameters: It is not a cursor, or one of another list.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found_table, time, record_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        position = datetime.fromisoformat(time), UUID(record_id)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedParameters(
            "--after is not a cursor", hint="take it from next_cursor of the page before"
        ) from error
    if position[0].tzinfo is None:
        raise MalformedParameters("--after is not a cursor", hint="take it from next_cursor of the page before")
    if found_table != table:
        raise MalformedParameters(
            f"--after is a cursor of {found_table!s}, not of {table}", hint="take it from the same list"
        )
    return position
