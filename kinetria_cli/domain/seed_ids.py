"""Ids of seed records: UUIDs of version 7 (RFC 9562), ascending in the order of loading, that tell whose they are.

    019b8dcb-0007-7abc-8def-0123456789ab
    |        |    |
    |        |    the mark, 74 bits: which profile, random seed and table
    |        the number of the row among those of its user and table
    the user's number, added to FIRST_SLOT: when a UUID of version 7 says it was made, in units of 65,536 ms

They depend on profile, random seed, table, user and number alone: not on the date that the records tell, and not on
how many users there are.
"""

import hashlib
from dataclasses import dataclass
from struct import Struct

FIRST_SLOT = 1_767_600_000_000 >> 16
"""The slot of user 0, to whom the exercise catalogue belongs: 5 January 2026 in Unix milliseconds."""
ROWS_PER_USER = 1 << 16
"""How many rows of one table a user can have."""
MAX_USERS = 10_000_000
"""How many users a seed can have."""

_pack = Struct(">IH10s").pack


@dataclass(frozen=True, slots=True)
class Mark:
    """What the ids of one seed's rows of one table have in common.

    Args:
        tail: Their last ten bytes.
    """

    tail: bytes

    def id(self, user: int, number: int) -> bytes:
        """Return the 16 bytes of an id.

        Args:
            user: From 1; 0 is the catalogue's.
            number: Of the row among the user's rows of the table, from 0 to ROWS_PER_USER - 1.
        """
        return _pack(FIRST_SLOT + user, number, self.tail)


def mark_of(*path: object) -> Mark:
    """Return the mark of what a path names: profile, random seed and table, or the catalogue."""
    found = bytearray(hashlib.sha256("/".join(map(str, path)).encode()).digest()[:10])
    found[0] = 0x70 | found[0] & 0x0F
    found[2] = 0x80 | found[2] & 0x3F
    return Mark(bytes(found))


def id_bounds(users: range) -> tuple[bytes, bytes]:
    """Return the smallest id that these users can have, and the smallest that is beyond them."""
    return _pack(FIRST_SLOT + users.start, 0, bytes(10)), _pack(FIRST_SLOT + users.stop, 0, bytes(10))


def user_of(record_id: bytes) -> int:
    """Return the number of the user that an id of a seed belongs to."""
    return int.from_bytes(record_id[:4], "big") - FIRST_SLOT
