"""Comments by which an author accepts a finding: squawk's own `-- squawk-ignore RULE, RULE`, which ours follow too."""

import re

from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.sqltext import Statement, TokenKind, tokens

_COMMENT = re.compile(r"squawk-ignore(?P<whole>-file)?\s(?P<rules>.*)", re.DOTALL)
_WHOLE_FILE = re.compile(r"squawk-ignore-file\s*\Z")


def accepted_rules(file: SqlFile) -> dict[int, frozenset[str]]:
    """Return the rules that comments name, for each statement by its start; `*` stands for all.

    A comment counts for the statement that it stands in or above (squawk manual, "Ignoring rules"); with -file for all.
    """
    found: dict[int, set[str]] = {statement.start: set() for statement in file.statements}
    for token in tokens(file.text):
        if token.kind is not TokenKind.COMMENT:
            continue
        text = token.text.strip("-/* \n")
        everywhere = _WHOLE_FILE.match(text)
        match = _COMMENT.match(text)
        if everywhere:
            rules = {"*"}
        elif match:
            rules = {rule.strip() for rule in match["rules"].split(",")}
        else:
            continue
        whole = everywhere or (match and match["whole"])
        for statement in file.statements if whole else _at(file, token.start):
            found[statement.start] |= rules
    return {start: frozenset(rules) for start, rules in found.items()}


def _at(file: SqlFile, position: int) -> list[Statement]:
    """The first statement that does not end before a position."""
    return [statement for statement in file.statements if statement.start + len(statement.text) > position][:1]
