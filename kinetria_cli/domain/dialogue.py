"""Talking with the person at the terminal, as ports."""

from typing import Protocol


class Progress(Protocol):
    """Where a long use case tells how far it is."""

    def begin(self, step: str) -> None:
        """A step starts."""
        ...

    def update(self, text: str) -> None:
        """How far the present step is."""
        ...

    def advance(self, done: int, total: int) -> None:
        """How many rows of how many the present step has done."""
        ...

    def end(self, step: str, detail: str, seconds: float) -> None:
        """The step is done."""
        ...


class Prompt(Protocol):
    """The person at the terminal, if there is one."""

    @property
    def present(self) -> bool:
        """Whether there is anybody to ask."""
        ...

    def tell(self, text: str) -> None:
        """Print a line that has to be seen even where nobody is asked."""
        ...

    def ask(self, question: str) -> str:
        """Print the question and return the line typed."""
        ...
