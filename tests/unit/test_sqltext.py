"""SQL is cut where the server would cut it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetria_cli.gateways.migrations.sqltext import TokenKind, statements, tokens


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
    ],
)
def test_statements_end_where_the_server_ends_them(text: str, cut: list[str]) -> None:
    assert [statement.text for statement in statements(text)] == cut


def test_a_statement_knows_where_it_is_and_its_words() -> None:
    (statement,) = statements('-- why\n\nalter TABLE "T" add c int;')
    assert statement.start == 8
    assert statement.words == ("ALTER", "TABLE", '"T"', "ADD", "C", "INT")


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
