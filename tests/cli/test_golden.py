"""The exact words of every --help, in a fixed world. Rewrite after a wanted change: REWRITE_GOLDEN=1 make test."""

import os

import pytest

from tests.world import GOLDEN, Cli, command_paths

TEXTS = GOLDEN / "help"


@pytest.mark.parametrize("path", command_paths(), ids="-".join)
def test_help_says_the_same_as_before(cli: Cli, path: tuple[str, ...]) -> None:
    answer = cli(*path, "--help")
    assert (answer.code, answer.err) == (0, "")
    golden = TEXTS / f"{'-'.join(path) or 'kinetria'}.txt"
    if os.environ.get("REWRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(answer.out, "utf-8")
    assert answer.out == golden.read_text("utf-8")


def test_there_is_no_golden_text_of_a_command_that_is_gone() -> None:
    known = {f"{'-'.join(path) or 'kinetria'}.txt" for path in command_paths()}
    assert {text.name for text in TEXTS.iterdir()} == known
