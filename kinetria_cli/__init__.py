"""Operations command line of the Kinetria workout backend."""

import time

STARTED = time.monotonic()
"""When this was imported, which is the first thing that the command line does."""

__version__ = "0.1.0"
