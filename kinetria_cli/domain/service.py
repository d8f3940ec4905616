"""What can be asked of the app service."""

from enum import StrEnum

LONGEST_DRAIN_SECONDS = 5.0
"""With it requests in flight still have 3 of the 8 seconds in which the service ends (a container is given 15)."""


class AccessLog(StrEnum):
    """Which requests the service logs."""

    OFF = "off"
    ERRORS = "errors"
    """Those that were refused or failed. A health endpoint's 503 is an answer, and its log line is the verdict's."""
    ALL = "all"
