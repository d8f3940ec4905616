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


@pytest.mark.parametrize("command", EXAMPLES)
def test_an_example_of_the_readme_prints_what_it_shows(gym: Cli, command: str) -> None:
    answer = gym(*shlex.split(command))
    assert (answer.code, answer.err) == (0, "")
    assert re.fullmatch(as_pattern(EXAMPLES[command]), answer.out), answer.out


def test_the_readme_shows_lists_of_most_entities() -> None:
    assert len(EXAMPLES) == README.count("$ kinetria inspect ")
    assert len({command.split()[1] for command in EXAMPLES} & set(ENTITIES)) >= 5
