"""SQL is cut where the server would cut it."""

import re
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetria_cli.gateways.migrations import content, lexer, sqltext
from kinetria_cli.gateways.migrations.compare import texts_of
from kinetria_cli.gateways.migrations.content import checksum, parse_sql, read_sql
from kinetria_cli.gateways.migrations.effects import effects
from kinetria_cli.gateways.migrations.files import MigrationFile
from kinetria_cli.gateways.migrations.lint.accepted import accepted_rules
from kinetria_cli.gateways.migrations.sqltext import TokenKind, lex, shown_query, statements, tokens


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind.value, token.text) for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("select a1$b", [("word", "select"), ("word", "a1$b")]),
        ("'it''s' x", [("string", "'it''s'"), ("word", "x")]),
        (r"E'a\'b;' y", [("string", r"E'a\'b;'"), ("word", "y")]),
        (r"'a\' z", [("string", r"'a\'"), ("word", "z")]),
        ("U&'x' B'0'", [("string", "U&'x'"), ("string", "B'0'")]),
        ('"a;""b"', [("quoted_name", '"a;""b"')]),
        ("($$;$$)", [("mark", "("), ("string", "$$;$$"), ("mark", ")")]),
        ("$a$ $b$ $$ $a$", [("string", "$a$ $b$ $$ $a$")]),
        ("$1+2", [("mark", "$"), ("number", "1"), ("operator", "+"), ("number", "2")]),
        ("a--b\nc", [("word", "a"), ("comment", "--b"), ("word", "c")]),
        ("/* /* ; */ */ d", [("comment", "/* /* ; */ */"), ("word", "d")]),
        ("a<>-b", [("word", "a"), ("operator", "<>-"), ("word", "b")]),
        ("a*/*c*/b", [("word", "a"), ("operator", "*"), ("comment", "/*c*/"), ("word", "b")]),
        (
            "$h\u093f$;$h\u093f$ $\U0001f3cb$'$\U0001f3cb$",
            [("string", "$h\u093f$;$h\u093f$"), ("string", "$\U0001f3cb$'$\U0001f3cb$")],
        ),
        (
            "e\u0301t\u0302 \U0001f3cb\ufe0f a\u00a0b",
            [("word", "e\u0301t\u0302"), ("word", "\U0001f3cb\ufe0f"), ("word", "a\u00a0b")],
        ),
        ("\u0928\u093fe'x'", [("word", "\u0928\u093fe"), ("string", "'x'")]),
        ("E'a'\n 'b\\';' x", [("string", "E'a'"), ("string", "'b\\';'"), ("word", "x")]),
        ("E'a' 'b\\' x", [("string", "E'a'"), ("string", "'b\\'"), ("word", "x")]),
        ("'a'\n'b\\' x", [("string", "'a'"), ("string", "'b\\'"), ("word", "x")]),
        ("a--b\rc", [("word", "a"), ("comment", "--b"), ("word", "c")]),
        ('t.e"x"', [("word", "t"), ("mark", "."), ("word", "e"), ("quoted_name", '"x"')]),
        ("1$a$;$a$", [("number", "1"), ("string", "$a$;$a$")]),
        ("'open", [("unterminated", "'open")]),
        ("/* /* */", [("unterminated", "/* /* */")]),
        ("$x$ open", [("unterminated", "$x$ open")]),
    ],
)
def test_tokens_are_the_servers(text: str, found: list[tuple[str, str]]) -> None:
    assert kinds(text) == found


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("", []),
        (" ;; -- nothing\n", []),
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("-- first\nSELECT 1 /* in */ ; -- last", ["SELECT 1"]),
        ("SELECT ';' ; SELECT $$;$$", ["SELECT ';'", "SELECT $$;$$"]),
        (
            "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
            ["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3"],
        ),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3",
            [
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
                "SELECT 3",
            ],
        ),
        ("SELECT 1); SELECT 2", ["SELECT 1)", "SELECT 2"]),
        ("SELECT 1 AS begin, 2 AS atomic; SELECT t.begin atomic FROM t; SELECT 3", None),
        ("SELECT $a\u093f$;$a\u093f$; SELECT 2", ["SELECT $a\u093f$;$a\u093f$", "SELECT 2"]),
    ],
)
def test_statements_end_where_the_server_ends_them(text: str, cut: list[str] | None) -> None:
    assert [statement.text for statement in statements(text)] == (text.split("; ") if cut is None else cut)


@pytest.mark.parametrize("head", ["CREATE FUNCTION f() RETURNS int", "create or replace procedure p()"])
@pytest.mark.parametrize(
    "body",
    [
        "BEGIN ATOMIC END",
        "BEGIN ATOMIC SELECT 1 AS end; END",
        "begin /* x */ atomic SELECT 1 AS case; SELECT 2 end; SELECT t.end, t.case FROM t; -- y\n end",
        "BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END AS end; SELECT CASE 1 WHEN 1 THEN 2 END; END",
        "BEGIN ATOMIC SELECT CASE WHEN a THEN t.atomic END FROM t; SELECT t.begin atomic FROM t; END",
        "BEGIN ATOMIC ; SELECT 1 AS x, (SELECT 2 end); ; END",
    ],
)
def test_a_body_ends_at_the_end_that_begins_no_statement(head: str, body: str) -> None:
    text = f"{head} {body}; SELECT 3;"
    assert [statement.text for statement in statements(text)] == [f"{head} {body}", "SELECT 3"]


def test_a_statement_knows_where_it_is_and_its_words() -> None:
    (statement,) = statements('-- why\n\nalter TABLE "T" add c int;')
    assert statement.start == 8
    assert tuple(statement.words) == ("ALTER", "TABLE", '"T"', "ADD", "C", "INT")


@given(st.text(alphabet="ab1 ;'\"$-/*\\\n(),.<é", max_size=60))
def test_tokens_cover_everything_but_blank_space_in_order(text: str) -> None:
    position = 0
    for token in tokens(text):
        assert text[position : token.start].strip() == ""
        assert text[token.start : token.end] == token.text
        position = token.end
    assert text[position:].strip() == ""


@given(st.text(alphabet="ab;'$-\n ", max_size=40))
def test_statements_lose_no_token(text: str) -> None:
    kept = [token for statement in statements(text) for token in statement.tokens]
    assert kept == [t for t in tokens(text) if t.kind is not TokenKind.COMMENT and t.text != ";"]


OLD_TOKEN = re.compile(
    r"""
      \s+
    | (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<string>
          [eE]'(?:[^'\\]|\\.|'')*'
        | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'
        | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
      )
    | (?P<quoted_name>(?:[uU]&)?"(?:[^"]|"")*")
    | (?P<unterminated>(?:[eEbBxXnN]|[uU]&)?['"].*|\$(?:[^\W\d]\w*)?\$.*)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>\d[\w.]*)
    | (?P<operator>(?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?])+)
    | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""The first lexer, whose tokens checksums are made of."""


def counted_by_the_first(text: str) -> str | None:
    """What a checksum counts, None where the first lexer refused the text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    position, found = 0, ""
    while match := OLD_TOKEN.match(text, position):
        position = match.end()
        if match.lastgroup == "block":
            depth, end = 0, None
            for edge in re.finditer(r"/\*|\*/", text[match.start() :]):
                depth += 1 if edge[0] == "/*" else -1
                if not depth:
                    end = match.start() + edge.end()
                    break
            if end is None:
                return None
            position = end
        elif match.lastgroup == "unterminated":
            return None
        elif match.lastgroup not in (None, "comment"):
            found += match[0] + "\0"
    return found


PARTS = (
    *("a", "b1", "E", "e", "U&", "'", "''", '"', "$$", "$a$", "$\u00e9$", "$\u093f$", "$", "--", "/*", "*/", "\\"),
    *(
        "\n",
        "\r\n",
        "\r",
        ";",
        "(",
        ",",
        ".",
        "1",
        "+",
        "-",
        "::",
        "\u00e9",
        "\u093f",
        "\U0001f3cb",
        "\u00b2",
        "\u0661",
    ),
    *("'x'", "E'y'", "END", "ATOMIC", " ", "\u00a0", "\u2028", "\x1c", "\x85"),
)


@settings(max_examples=1000)
@given(
    st.lists(
        st.sampled_from(PARTS),
        max_size=25,
    )
)
def test_a_checksum_counts_what_the_first_lexer_found(parts: list[str]) -> None:
    text = "".join(parts)
    expected = counted_by_the_first(text)
    if expected is not None and not any(token.kind is TokenKind.UNTERMINATED for token in tokens(text)):
        assert "".join(lex(text).counted()) == expected


MEGABYTE = 1_000_000
LONG = "0123456789" * 2000
SHAPES: dict[str, Callable[[int], str]] = {
    "one literal": lambda size: "INSERT INTO t VALUES ('" + "0123456789" * (size // 10) + "');",
    "doubled quotes": lambda size: "INSERT INTO t VALUES ('" + "''" * (size // 2) + "');",
    "escapes": lambda size: "INSERT INTO t VALUES (E'" + r"\'" * (size // 2) + "');",
    "beyond ASCII": lambda size: "INSERT INTO t VALUES ('" + "\u0939\u093f\U0001f3cb" * (size // 10) + "');",
    "one dollar": lambda size: "DO $a$ " + "$b " * (size // 3) + "$a$;",
    "one comment": lambda size: "/* " + f"/* {LONG} */ " * (size // 20_008) + "*/ SELECT 1;",
    "blank": lambda size: "SELECT 1" + " \n" * (size // 2),
    "statements": lambda size: f"INSERT INTO t VALUES (1, '{LONG}', 1.5);\n" * (size // 20_040),
    "one insert": lambda size: "INSERT INTO t VALUES " + f"(1, '{LONG}', 1.5),\n" * (size // 20_020) + "(1, '', 0);",
    "bodies": lambda size: f"CREATE FUNCTION f() BEGIN ATOMIC SELECT 1 AS end, '{LONG}'; END;\n" * (size // 20_070),
    "names beyond ASCII": lambda size: f"SELECT '{LONG}' AS e\u0301;\n" * (size // 20_020),
}


class Counting:
    """A pattern that counts the characters that it goes through."""

    def __init__(self, pattern: "re.Pattern[str]", counts: "Counter[str]") -> None:
        self._pattern = pattern
        self._counts = counts

    def finditer(self, text: str, position: int = 0) -> "Iterator[re.Match[str]]":
        for match in self._pattern.finditer(text, position):
            self._counts["characters"] += match.end() - match.start()
            yield match

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)


def steps(path: Path, monkeypatch: pytest.MonkeyPatch) -> "Counter[str]":
    """Lines of our own code that run, and characters that patterns go through, until a file is read and counted."""
    counts: Counter[str] = Counter()

    def trace(frame: Any, event: str, _: Any) -> Any:
        counts["lines"] += event == "line"
        return trace if frame.f_code.co_filename in (lexer.__file__, sqltext.__file__, content.__file__) else None

    with monkeypatch.context() as patched:
        for name in ("_TOKEN", "_FIRST_TOKEN", "_COMMENT_EDGE"):
            patched.setattr(lexer, name, Counting(getattr(lexer, name), counts))
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            checksum(read_sql(path).text)
        finally:
            sys.settrace(before)
            sqltext.lex.cache_clear()
            content._decoded_files.clear()
    return counts


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_file_takes_twice_the_steps(shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "0001_a.sql"
    path.write_text(SHAPES[shape](10 * MEGABYTE), "utf-8")
    once = steps(path, monkeypatch)
    path.write_text(SHAPES[shape](20 * MEGABYTE), "utf-8")
    twice = steps(path, monkeypatch)
    assert once["lines"] > 20 < once["characters"] or shape == "one dollar", once
    assert all(twice[name] <= 3 * once[name] for name in once), (once, twice)


@pytest.mark.parametrize("shape", [*SHAPES, "one letter of four bytes"])
def test_a_file_takes_at_most_ten_times_its_size_in_memory(shape: str, tmp_path: Path) -> None:
    path = tmp_path / "0001_a.sql"
    widest = "SELECT '\U0001f3cb" + "0" * MEGABYTE + "';"
    path.write_text(SHAPES[shape](MEGABYTE) if shape in SHAPES else widest, "utf-8")
    size = path.stat().st_size
    tracemalloc.start()
    try:
        checksum(read_sql(path).text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        sqltext.lex.cache_clear()
        content._decoded_files.clear()
    assert size < peak <= 10 * size


def test_a_file_is_lexed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "0001_once.sql"
    path.write_text("-- squawk-ignore ban-drop-table\nSELECT 'once';\n", "utf-8")
    read: list[str] = []

    def reading(text: str) -> Iterator[tuple[int, int]]:
        read.append(text)
        return lexer.scan(text)

    monkeypatch.setattr(sqltext, "scan", reading)
    file = read_sql(path)
    texts = texts_of(MigrationFile("0001_once", path, None))
    again = parse_sql(path, texts.text)
    accepted_rules(again)
    assert [effects(statement) for statement in (*file.statements, *statements(texts.text))] == [(), ()]
    assert read == [file.text]


def test_a_query_of_others_is_shown_as_it_was_written_without_its_literals() -> None:
    query = "select count(*),\n  a.b /* why */ from t where x='secret' and y = $$s$$; -- end"
    assert shown_query(query, 200) == "select count(*), a.b from t where x='...' and y = '...';"
    assert shown_query(query, 15) == "select count(*)..."
    assert shown_query("", 10) == ""
