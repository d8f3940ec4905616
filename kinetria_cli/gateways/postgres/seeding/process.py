"""The port `SeedSource` by a second process, which makes rows while this one waits for the database.

It runs ahead by some pieces, see `AHEAD_PIECES`, and waits then: it needs no more memory for more rows.
"""

import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from threading import Thread
from typing import IO

from kinetria_cli.domain.errors import GenerationFailed
from kinetria_cli.domain.seeding import Block, Fingerprint, Profile
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.gateways.postgres.seeding.worker import FRAME, Order

ROWS_WORTH_A_PROCESS = 50_000
"""With fewer, this process has made them, at 3 microseconds each, by the time that another one has started: 0.1 s."""

LINE_BYTES = 2_000
"""How much is kept of the last line that a process printed."""

# It finds its modules where this process found them, whatever options and variables that was started with.
_START = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer);"
    " from kinetria_cli.gateways.postgres.seeding.worker import main; main()"
)
_HINT = "if memory is short, free some; then the same command again"


class ProcessSource:
    """See `SeedSource`.

    Args:
        profile: Whose rows. It can be pickled.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._local = LocalSource(profile)

    def blocks(self, tables: Sequence[str], users: range, *, data: bool = True) -> Generator[Block, None, None]:
        """See `SeedSource.blocks`."""
        if self._rows(tables, users) < ROWS_WORTH_A_PROCESS:
            return self._local.blocks(tables, users, data=data)
        return _blocks(Order(self._profile, tuple(tables), users, data))

    def images(self, table: str, users: range) -> Mapping[bytes, bytes]:
        """See `SeedSource.images`."""
        return self._local.images(table, users)

    def _rows(self, tables: Sequence[str], users: range) -> int:
        """Return about how many rows these users have, by what the first of them have."""
        some = users[: self._profile.bucket]
        counts = self._profile.counts(some)
        return sum(counts[table] for table in tables) * len(users) // max(1, len(some))


def _blocks(order: Order) -> Generator[Block, None, None]:
    process = _start()
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    last_line = deque[bytes](maxlen=1)
    listener = Thread(target=_listen, args=(process.stderr, last_line), daemon=True)
    listener.start()
    whole = False
    try:
        with process.stdin as orders:
            orders.write(pickle.dumps(sys.path) + pickle.dumps(order))
        yield from _read(process.stdout, order.tables)
        whole = True
        code = process.wait()
    except (BrokenPipeError, EOFError):
        code = process.wait()
    finally:
        # On the way out by another exception, or by `close`, it is in the middle of its work.
        process.stdout.close()
        process.kill()
        process.wait()
        listener.join()
        process.stderr.close()
    if code or not whole:
        raise _failure(code, last_line)


def _read(stream: IO[bytes], tables: Sequence[str]) -> Generator[Block, None, None]:
    """Yield the blocks that a process writes.

    Raises:
        EOFError: It ended in the middle of one.
    """
    while head := stream.read(FRAME.size):
        if len(head) < FRAME.size:
            raise EOFError
        table, start, stop, rows, combined, length = FRAME.unpack(head)
        data = stream.read(length)
        if len(data) < length:
            raise EOFError
        yield Block(tables[table], range(start, stop), Fingerprint(rows, combined), data)


def _start() -> "subprocess.Popen[bytes]":
    # -P: the folder that we are in must not be able to shadow a module.
    options = ["-I"] if sys.flags.isolated else ["-P", "-E"] if sys.flags.ignore_environment else ["-P"]
    try:
        return subprocess.Popen(
            [sys.executable, *options, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # ^C on the terminal is for the process that reads.
            start_new_session=True,
        )
    except OSError as error:
        raise GenerationFailed(f"the process that makes the rows could not be started: {error}", hint=_HINT) from error


def _listen(stream: IO[bytes], last_line: deque[bytes]) -> None:
    """Read all that a process complains of, which would stop when the pipe was full, and keep its last line."""
    for line in iter(partial(stream.readline, LINE_BYTES), b""):
        if line.strip():
            last_line.append(line)


def _failure(code: int, last_line: deque[bytes]) -> GenerationFailed:
    """Return what to tell of a process that ended before it was done."""
    how = f"with exit code {code}" if code >= 0 else f"by signal {-code} ({signal.strsignal(-code)})"
    details = [line.decode("utf-8", "replace").strip() for line in last_line]
    return GenerationFailed(f"the process that makes the rows ended {how}", hint=_HINT, details=details)
