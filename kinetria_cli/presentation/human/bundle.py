"""A support bundle that was written, for people."""

from kinetria_cli.domain.bundle import BundleReport, PartStatus
from kinetria_cli.domain.figures import counted, size
from kinetria_cli.presentation.screen import Mark, Screen


def render(result: BundleReport, screen: Screen) -> None:
    """Print what is in it and what was left out."""
    width = 1 + max(len(part.name) for part in result.parts)
    for part in result.parts:
        mark = Mark.DONE if part.status is PartStatus.WRITTEN else Mark.UNKNOWN
        screen.marked(mark, part.name, part.detail or "", name_width=width)
    taken = sum(result.redacted.values())
    screen.line()
    screen.sentence(
        f"{result.path}, {size(result.size_bytes)}, readable by you alone; {counted(taken, 'text')} hidden."
    )
    screen.sentence("Read it before you send it: README.txt in it says what was taken out and what was left.")
