"""What a support bundle must not hold: secrets in every form, what looks like one, and personal data."""

import base64
import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetria_cli.domain.redaction import SHORTEST_ENCODED, Scrubber

SECRET = "p@ss w$rd'\\:/ü"
VERIFIER = "SCRAM-SHA-256$4096:c2FsdHNhbHQ=$c3RvcmVka2V5:c2VydmVya2V5"


def scrubbed(text: str, *secrets: str) -> str:
    return Scrubber(secrets).text(text)


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET, safe=""),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        SECRET.replace("'", "''"),
        SECRET.replace("\\", "\\\\").replace(":", "\\:"),
    ],
)
def test_a_known_secret_is_hidden_however_it_is_written(written: str) -> None:
    assert scrubbed(f"before {written} after", SECRET) == "before *** after"


@given(
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=SHORTEST_ENCODED, max_size=40),
)
def test_a_known_secret_is_not_in_base64_either(before: bytes, after: bytes, secret: str) -> None:
    text = base64.b64encode(before + secret.encode() + after).decode()
    shown = Scrubber([secret])._known(text)
    assert "***" in shown or secret == "kinetria"
    # What is left is what the bytes before and behind decide, too.
    decided_by_others = len(base64.b64encode(before)) + len(base64.b64encode(after)) + 4
    assert len(shown.replace("***", "")) <= decided_by_others or secret == "kinetria"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # addresses
        ("postgres://ana:x@y@db:5432/gym and", "postgres://ana:***@db:5432/gym and"),
        ("see http://db:8080/health", "see http://db:8080/health"),
        # pairs
        ("host=db password=hunter2 user=ana", "host=db password=*** user=ana"),
        ("password='hun ter\\'2' user=ana", "password=*** user=ana"),
        ('{"DB_PASSWORD": "hunter2", "x": 1}', '{"DB_PASSWORD": ***, "x": 1}'),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        ("HEALTH_TOKEN: hunter2", "HEALTH_TOKEN: ***"),
        ("?api_key=hunter2&page=2", "?api_key=***&page=2"),
        ("secret_key = hunter2", "secret_key = ***"),
        ("X-API-Key: hunter2", "X-API-Key: ***"),
        ("Pwd=hunter2;Uid=ana", "Pwd=***;Uid=ana"),
        ("password => 'hunter2'", "password => ***"),
        ("Set-Cookie: sid=hunter2; Path=/", "Set-Cookie: ***; Path=/"),
        ("DB_PASSWORD_FILE=/run/kinetria/db_password", "DB_PASSWORD_FILE=/run/kinetria/db_password"),
        # headers and tokens
        ("authorization: Basic YW5hOnB3", "authorization: ***"),
        ("'Authorization': 'Bearer hunter2'", "'Authorization': '***'"),
        ("got Bearer hunter2, no", "got Bearer ***, no"),
        ("t eyJhbGciOi.eyJzdWIi.c2ln end", "t *** end"),
        # verifiers and hashes
        (f"verifier {VERIFIER} stored", "verifier *** stored"),
        ("md5" + "0123456789abcdef" * 2, "***"),
        ("$2b$12$" + "a" * 53, "***"),
        ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "***"),
        ("a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb", "a\n(private key ***)\nb"),
        ("-----BEGIN PRIVATE KEY-----\nMII cut off", "(private key ***)"),
        # SQL
        ("ERROR: x\nCREATE ROLE a PASSWORD 'hun''ter2' LOGIN", "ERROR: x\nCREATE ROLE a PASSWORD '***' LOGIN"),
        ("alter role a password\n\tE'hun\\'ter2' login", "alter role a password\n\t'***' login"),
        ("PASSWORD 'cut off", "PASSWORD '***'"),
        ("PASSWORD $x$hunter2$x$ LOGIN", "PASSWORD '***' LOGIN"),
        ('password authentication failed for user "ana"', 'password authentication failed for user "ana"'),
        # rows
        ("DETAIL:  Key (email)=(ana@example.com) already exists.", "DETAIL:  Key (email)=(***)"),
        ("DETAIL:  Failing row contains (1, ana, $2b$..).", "DETAIL:  Failing row contains (***)"),
        ("STATEMENT:  INSERT (1, 'ana',\n\t'x', 5)\nLOG:  x", "STATEMENT:  INSERT (1, '***',\n\t'***', 5)\nLOG:  x"),
        ("DETAIL:  Failing row contains (1, a\n\tnote).\nLOG:  x", "DETAIL:  Failing row contains (***)\nLOG:  x"),
        ("DETAIL:  Key (lower(email::text))=(ana) already exists.", "DETAIL:  Key (lower(email::text))=(***)"),
        ('CONTEXT:  COPY users, line 1, column name: "ana"', "CONTEXT:  COPY users, line 1, column name: (***)"),
        ("CONTEXT:  COPY users, line 7: \"7\tana\n\tx\"", "CONTEXT:  COPY users, line 7: (***)"),
        ("STATEMENT:  SELECT $$ana$$, $a$b $ c$a$, $1", "STATEMENT:  SELECT '***', '***', $1"),
        # people
        ("mail from ana.b+gym@mail.example.com.", "mail from ***@***."),
        ('"path": "/r/joe.doe@gmail.com", "x"', '"path": "/r/***@***", "x"'),
        ('{"email":"joe@gmail.com"} <mailto:joe@gmail.com>', '{"email":"***@***"} <mailto:***@***>'),
        ("GET /joe@gmail.com/x?to=ana@gmail.com", "GET /***@***/x?to=***@***"),
        ("postgresql://ana@db.example.com/gym", "postgresql://ana@db.example.com/gym"),
        ("postgresql://ana:pw@db.example.com/gym", "postgresql://ana:***@db.example.com/gym"),
        ("kinetria@db.example.com:5432/kinetria", "kinetria@db.example.com:5432/kinetria"),
        ("kinetria@127.0.0.1:5432/kinetria", "kinetria@127.0.0.1:5432/kinetria"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_or_is_personal_is_hidden_and_the_rest_stays(text: str, shown: str) -> None:
    assert scrubbed(text) == shown


def test_the_name_of_the_home_folder_is_hidden_and_no_other_of_the_same_beginning() -> None:
    hidden = Scrubber([], folders={"/home/ana": "~"})
    assert hidden.text("/home/ana/.local and /home/anabel and /home/ana") == "~/.local and /home/anabel and ~"


def test_a_document_keeps_its_shape() -> None:
    hidden = Scrubber(["hunter2"])
    found = hidden.document(
        {
            "database_url": "postgres://ana:x@h/gym",
            "health_token": "anything",
            "n": 3,
            "none": None,
            "list": [True, 'say "hunter2"', {"db_password": None, "url": "http://h/x"}],
        }
    )
    assert found == {
        "database_url": "postgres://ana:***@h/gym",
        "health_token": "***",
        "n": 3,
        "none": None,
        "list": [True, 'say "***"', {"db_password": None, "url": "http://h/x"}],
    }
    assert dict(hidden.taken) == {"known secrets": 1, "passwords in addresses": 1, "secret fields": 1}


def test_what_is_too_short_or_our_own_name_is_no_secret_to_look_for() -> None:
    assert scrubbed("kinetria is at ab", "kinetria", "ab", "") == "kinetria is at ab"


@pytest.mark.parametrize("piece", ["Key (", "a://", "COPY x, ", "STATEMENT: '", "$a$", "password", "PASSWORD '"])
def test_a_long_line_of_beginnings_is_looked_through_once(piece: str) -> None:
    began = time.process_time()
    assert scrubbed(piece * (500_000 // len(piece)))
    # Seconds; once for each beginning takes several minutes.
    assert time.process_time() - began < 90
