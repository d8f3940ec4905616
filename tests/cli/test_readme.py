"""The examples of `kinetria inspect` in the README, run against the demo: the output is what the README shows."""

import re
import shlex

import pytest

from tests.cli.answers import ENTITIES
from tests.world import CHECKOUT, Cli

README = (CHECKOUT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
EXAMPLES = {
    command: output
    for block in BLOCKS
    for command, output in re.findall(r"^\$ kinetria (inspect .*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
}


def as_pattern(output: str) -> str:
    """A line `...` stands for any lines, `...` in a line for the rest of it."""
    lines = [
        r"(?:.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + "\n"
        for line in output.splitlines()
    ]
    return "".join(lines)


def is_drawn(command: str) -> bool:
    """Whether a terminal shows more than a pipe: test_inspect_one and test_inspect_chart run those."""
    return not EXAMPLES[command].isascii()


@pytest.mark.parametrize("command", [command for command in EXAMPLES if not is_drawn(command)])
def test_an_example_of_the_readme_prints_what_it_shows(gym: Cli, command: str) -> None:
    ours, *others = re.split(r" [|>] ", command)
    answer = gym(*shlex.split(ours))
    assert (answer.code, answer.err) == (0, "")
    if others:
        assert answer.out  # what another program or a file gets
    else:
        assert re.fullmatch(as_pattern(EXAMPLES[command]), answer.out), answer.out


def test_the_readme_shows_lists_of_most_entities() -> None:
    assert len(EXAMPLES) == README.count("$ kinetria inspect ")
    assert len({command.split()[1] for command in EXAMPLES} & set(ENTITIES)) >= 5


def test_the_figures_of_the_drawn_training_are_those_that_are_printed(gym: Cli) -> None:
    (command,) = [command for command in EXAMPLES if "--chart" in command]
    shown = EXAMPLES[command]
    answer = gym(*shlex.split(command))
    assert (answer.code, answer.err) == (0, "")
    # On a terminal the bars are blocks, and the README's is narrower: what stands around them is compared.
    for line in shown.splitlines():
        if line != "..." and not line.startswith(" ") and not set("┤└┬│█") & set(line):
            assert line in answer.out.splitlines()
