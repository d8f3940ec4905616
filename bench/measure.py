"""Timing two ways of doing the same thing against each other: alternately, in one run, by medians."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        name: What was measured, over what.
        ours: Our seconds, the median; or megabytes.
        peer: The peer's, the median.
        bound: The ratio that must not be passed.
        unit: How both are written.
        at_least: Whether more is better: the ratio must not be less than the bound.
    """

    name: str
    ours: float
    peer: float
    bound: float
    unit: str = "ms"
    at_least: bool = False

    @property
    def ratio(self) -> float:
        """Ours over the peer's."""
        return self.ours / self.peer

    @property
    def over(self) -> bool:
        """Whether the bound is passed."""
        return self.ratio < self.bound if self.at_least else self.ratio > self.bound

    def line(self) -> str:
        """The line as it is printed."""
        verdict = "OVER" if self.over else "ok"
        times = 1000 if self.unit == "ms" else 1
        ours, peer = (f"{found * times:8.0f} {self.unit}" for found in (self.ours, self.peer))
        bound = f">={self.bound:.2f}" if self.at_least else f"{self.bound:.2f}"
        figures = f"{ours} {peer} {self.ratio:8.2f} {bound:>8}"
        return f"{self.name:<58}{figures}  {verdict}"


@dataclass(frozen=True)
class Figure:
    """One line of the table that has no peer.

    Args:
        name: What was measured.
        value: Its figure.
        bound: The figure that must not be passed.
        unit: Of both.
    """

    name: str
    value: float
    bound: float
    unit: str

    @property
    def over(self) -> bool:
        """Whether the bound is passed."""
        return self.value > self.bound

    def line(self) -> str:
        """The line as it is printed."""
        verdict = "OVER" if self.over else "ok"
        return f"{self.name:<58}{self.value:8.1f} {self.unit:<20}{self.bound:11.2f}  {verdict}"


def seconds(action: Callable[[], object]) -> float:
    """Return how long one call takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def compare(
    name: str, ours: Callable[[], object], peer: Callable[[], object], *, bound: float, runs: int, warm_up: int = 1
) -> Row:
    """Run both alternately and return the row.

    Args:
        name: What is measured, over what.
        ours: One run of ours.
        peer: One run of the peer.
        bound: The largest ratio that is good enough.
        runs: How many of each.
        warm_up: How many of each first, not counted: caches and byte code.
    """
    for _ in range(warm_up):
        ours()
        peer()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(runs)]
    row = Row(name, statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs), bound)
    print(row.line(), flush=True)
    return row
