"""Operations command line of the Kinetria workout backend."""

__version__ = "0.1.0"
