"""A tree on a screen: lines that join parents and children, siblings in columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from kinetria_cli.presentation import cells
from kinetria_cli.presentation.screen import MIN_COLUMN, Screen
from kinetria_cli.presentation.text import Whole, one_line

_UTF8 = ("├─ ", "└─ ", "│  ")
_ASCII = ("|- ", "`- ", "|  ")
_GAP = "  "


class Figure(Whole):
    """A number with its unit: stands at the right of its column, and is not cut."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A line of the tree, in cells, and the lines below it."""

    cells: Sequence[str]
    children: Sequence["Node"] = ()


def draw(nodes: Sequence[Node], screen: Screen, indent: str = "") -> None:
    """Print the nodes below each other, each followed by its children."""
    inner, last, along = _UTF8 if screen.symbols else _ASCII
    rows = [[_clean(cell) for cell in node.cells] for node in nodes]
    widths = _widths(rows, screen.width - len(indent) - len(inner))
    for number, (node, row) in enumerate(zip(nodes, rows, strict=True), start=1):
        final = number == len(nodes)
        line = _GAP.join(_padded(cell, width) for cell, width in zip(row, widths, strict=False))
        branch = f"{indent}{last if final else inner}"
        screen.paragraph((branch, ""), line.rstrip(), indent=len(branch))
        draw(node.children, screen, indent + (" " * len(along) if final else along))


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return the width of each column; the widest are narrowed until a row fits, but none that must be whole."""
    columns = [[row[i] for row in rows if i < len(row)] for i in range(max(map(len, rows), default=0))]
    widths = [min(max(map(cells.width, column)), room) for column in columns]
    free = [i for i, column in enumerate(columns) if not any(isinstance(cell, Whole) for cell in column)]
    while sum(widths) + len(_GAP) * (len(widths) - 1) > room and any(widths[i] > MIN_COLUMN for i in free):
        widths[max(free, key=lambda i: widths[i])] -= 1
    return widths


def _clean(cell: str) -> str:
    text = one_line(cell)
    return type(cell)(text) if isinstance(cell, Whole) else text


def _padded(cell: str, width: int) -> str:
    if isinstance(cell, Figure):
        return cell.rjust(width)
    return cells.padded(cells.cut(cell, width), width, right=False)
