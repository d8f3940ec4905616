"""Comments by which an author accepts a finding: squawk's own `-- squawk-ignore RULE, RULE`, which ours follow too."""

import re
from bisect import bisect_right

from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.sqltext import TokenKind

_COMMENT = re.compile(r"squawk-ignore(?P<whole>-file)?\s(?P<rules>.*)", re.DOTALL)
WHOLE_FILE = -1
_WHOLE_FILE = re.compile(r"squawk-ignore-file\s*\Z")


def accepted_rules(file: SqlFile) -> dict[int, frozenset[str]]:
    """Return the rules that comments name, for the statements that have any by their start; `*` stands for all.

    Those for every statement of the file are at `WHOLE_FILE`.
    A comment counts for the statement that it stands in or above (squawk manual, "Ignoring rules"); with -file for all.
    """
    found: dict[int, set[str]] = {}
    for token in file.script.of_kind(TokenKind.COMMENT) if "squawk-ignore" in file.text else ():
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
        start = WHOLE_FILE if whole else _at(file, token.start)
        if start is not None:
            found.setdefault(start, set()).update(rules)
    return {start: frozenset(rules) for start, rules in found.items()}


def _at(file: SqlFile, position: int) -> int | None:
    """The start of the first statement that does not end before a position."""
    number = max(bisect_right(file.statements, position, key=lambda statement: statement.start) - 1, 0)
    number += file.statements[number].end <= position
    return file.statements[number].start if number < len(file.statements) else None
