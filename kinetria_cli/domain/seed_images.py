"""Row images as a seed's rows are hashed and compared; their format is told at `Fingerprint`."""

import hashlib
from struct import Struct

HASH_BYTES = 8

_count = Struct(">h")
_length = Struct(">i")


def hash_of(image: bytes) -> int:
    """Return the hash of a row: see `Fingerprint`."""
    return int.from_bytes(hashlib.sha256(image).digest()[:HASH_BYTES], "big")


def fields_in(image: bytes) -> tuple[bytes | None, ...]:
    """Return the fields of a row's image in order; None is null."""
    found: list[bytes | None] = []
    (count,) = _count.unpack_from(image)
    at = _count.size
    for _ in range(count):
        (length,) = _length.unpack_from(image, at)
        at += _length.size
        if length < 0:
            found.append(None)
            continue
        found.append(image[at : at + length])
        at += length
    return tuple(found)
