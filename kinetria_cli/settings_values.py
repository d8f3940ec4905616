"""Turning a setting's text into a value. Each parser raises ValueError with the words that follow the name."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", re.ASCII)
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)


def plain(text: str) -> str:
    """Return the text; it may hold anything but NUL, which no environment and no server takes."""
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text


def token(text: str) -> str:
    """Return a secret that an HTTP header can carry: printable ASCII without blanks (RFC 9110, section 5.6.2)."""
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("holds a blank, a line end or a character that is not ASCII, which no HTTP header carries")
    return text


def port(text: str) -> int:
    """Return a TCP port, 1 to 65535."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ValueError(f"is {text!r}, not a port from 1 to 65535")
    return int(text)


def ports(text: str) -> list[int]:
    """Return TCP ports, separated by commas."""
    return [port(part) for part in text.split(",")]


def host(text: str) -> str:
    """Return one host name or address, as it can stand in a URL; an IPv6 address without brackets."""
    if not re.fullmatch(r"[^\s,/?#@\[\]\\]+", plain(text)) or not _is_name(text):
        raise ValueError(f"is {text!r}, not one host name or address")
    return text


def hosts(text: str) -> list[str]:
    """Return host names, addresses or the folders of sockets, separated by commas alone."""
    found = plain(text).split(",")
    if not all(found):
        raise ValueError(f"is {text!r}, where a host is empty; hosts are separated by single commas")
    for name in found:
        if not name.startswith("/") and re.search(r"\s", name):
            raise ValueError(f"is {text!r}, with a space in it; hosts are separated by commas alone")
        if re.fullmatch(r"[^:]+:[0-9]+|\[.*\](:[0-9]+)?", name):
            raise ValueError(f"is {text!r}; ports are named by DB_PORT, and addresses have no brackets")
        if not name.startswith("/") and not _is_name(name):
            raise ValueError(f"is {text!r}; between the dots of a host name are 1 to 63 characters")
    return found


def _is_name(text: str) -> bool:
    """Whether a name can be looked up at all: `getaddrinfo` raises no error of the network's where it cannot."""
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    return True


def count(text: str) -> int:
    """Return a whole number from 1 to 10,000."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 10_000:
        raise ValueError(f"is {text!r}, not a whole number from 1 to 10000")
    return int(text)


def duration(text: str) -> float:
    """Return seconds from `500ms`, `5s`, `1m`, `2h`; a number without a unit is seconds."""
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * _UNIT_SECONDS[match[2]] if match else math.nan
    if not (0 < seconds < 10**9):
        raise ValueError(f"is {text!r}, not a duration like 500ms, 5s or 1m")
    return seconds


def wait(text: str) -> float:
    """Return seconds as `duration` does, or 0 for "do not wait"."""
    return 0.0 if re.fullmatch(r"0+(ms|s|m|h)?", text.strip()) else duration(text)


def project(text: str) -> str:
    """Return a project name as Compose allows it: lower case, digits, `-` and `_`, at most 63."""
    if not _PROJECT.fullmatch(text):
        raise ValueError(
            f"is {text!r}; a name has lower-case letters, digits, - and _, and starts with a letter or digit"
        )
    return text


def path(text: str) -> Path:
    """Return an absolute path; `~` is the home folder, a relative one starts at the working folder."""
    try:
        return Path(plain(text)).expanduser().absolute()
    except RuntimeError:
        raise ValueError(f"is {text!r}, and this user has no home folder") from None


def switch(text: str) -> bool:
    """Return whether `1` or `0` turns something on."""
    if text not in ("0", "1"):
        raise ValueError(f"is {text!r}, not 0 or 1")
    return text == "1"


def choice(*allowed: str) -> Callable[[str], str]:
    """Return a parser that takes one of these words."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"is {text!r}, not one of {', '.join(allowed)}")
        return text

    return parse
