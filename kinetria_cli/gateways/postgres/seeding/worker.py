"""The second process: makes the rows of a seed and writes them, block by block, to its standard output.

`process.py` starts it and reads them. What it is to do comes in pickled, so that any profile can be asked for and is
the very same there; both ends are this package, in the same interpreter.
"""

import pickle
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Queue
from struct import Struct
from threading import Thread
from typing import IO

from kinetria_cli.domain.seeding import Profile
from kinetria_cli.gateways.postgres.seeding.source import LocalSource

FRAME = Struct(">BIIQQQ")
"""What goes before the data of a block: which of the wanted tables, its users, its rows and their hash, its length."""

PIECE_BYTES = 1_000_000
"""How much is written at a time: a block of sets, or many of smaller rows."""
AHEAD_PIECES = 16
"""How many pieces may wait to be read, some 20 MB: the rows that follow are made while indexes are."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: see `SeedSource.blocks`."""

    profile: Profile
    tables: Sequence[str]
    users: range
    data: bool


def main() -> None:
    """Read an order and carry it out."""
    # Whoever reads decides: ^C is for them, and when they are gone the next write ends this process, without a word.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    order: Order = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    ready: Queue[bytes | None] = Queue(AHEAD_PIECES)
    writer = Thread(target=_write, args=(ready, sys.stdout.buffer))
    writer.start()
    try:
        piece = bytearray()
        for block in LocalSource(order.profile).blocks(order.tables, order.users, data=order.data):
            known = block.fingerprint
            table = order.tables.index(block.table)
            piece += FRAME.pack(table, block.users.start, block.users.stop, known.rows, known.hash, len(block.data))
            piece += block.data
            if len(piece) >= PIECE_BYTES:
                ready.put(bytes(piece))
                piece.clear()
        ready.put(bytes(piece))
    finally:
        ready.put(None)
        writer.join()


def _write(ready: "Queue[bytes | None]", out: IO[bytes]) -> None:
    """Write what is ready until None is; a reader who is gone ends the process by SIGPIPE."""
    while (frame := ready.get()) is not None:
        out.write(frame)
        out.flush()
