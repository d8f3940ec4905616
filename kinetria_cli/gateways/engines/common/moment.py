"""When something began, in words."""

from datetime import UTC, datetime


def running_since(timestamp: float) -> str:
    """Say in the user's own time when something began.

    Args:
        timestamp: Seconds since 1970, UTC.
    """
    began = datetime.fromtimestamp(timestamp).astimezone()
    today = began.date() == datetime.now().astimezone().date()
    return f"running since {began:%H:%M}" if today else f"running since {began:%d %B %H:%M}"


def moment(timestamp: float) -> datetime:
    """Return the moment so many seconds after 1970, in UTC."""
    return datetime.fromtimestamp(timestamp, UTC)
