"""The checksum of a migration never changes: every database has the ones that were recorded when it was migrated.

The values were recorded with the first lexer, before it was replaced. A difference here is drift in every database.
"""

import hashlib
import json
from pathlib import Path

import pytest

from kinetria_cli.gateways.migrations.content import checksum, plain_text
from tests.world import MIGRATIONS

CORPUS: list[tuple[str, str]] = json.loads(Path(__file__).with_name("checksums.json").read_text("utf-8"))
"""Texts that the first lexer accepted, by hand and at random, and their checksums."""
ROWS = 900
SHAPES = {
    "one_literal": (
        "INSERT INTO blob VALUES ('" + "0123456789" * 1000 + "');\n",
        "837fbb03312e6ae3b768f02d2dc9ebb42ce339e79b18ef74d1a90b86fa1834c8",
    ),
    "statements": (
        "CREATE TABLE many (a integer, b text, c numeric);\n"
        + "".join(f"INSERT INTO many VALUES ({n}, 'some text of row {n}', {n}.5);\n" for n in range(ROWS)),
        "cf9a6e5a0629dd3dff5377ea2ceee863e97238832119e9c92a1bd0f833d801fa",
    ),
    "one_insert": (
        "INSERT INTO many VALUES\n" + ",\n".join(f"({n}, 'it''s row {n}', {n}.5)" for n in range(ROWS)) + ";\n",
        "c1296976adc6b96ade49ce70a13c5ba247576d12bee53cbf4f4647abb5920c4c",
    ),
    "beyond_ascii": (
        "INSERT INTO blob VALUES ('" + "\u0939\u093f\U0001f3cb" * 1000 + "');\n",
        "729818aa418d68e28be575df833aeb93305e3bfc7ec600efa308e6f7eee0e0a6",
    ),
}
OWN_FILES = "0d15dbf68fb26aa6624e6d1a42f2a0299de08e09f280ace97f4c197ac780fea2"


def of_bytes(raw: bytes) -> str:
    return checksum(plain_text(Path("0001_a.sql"), raw))


@pytest.mark.parametrize("number", range(len(CORPUS)))
def test_a_recorded_checksum_is_still_that_of_its_text(number: int) -> None:
    text, recorded = CORPUS[number]
    assert of_bytes(text.encode()) == recorded


@pytest.mark.parametrize("shape", SHAPES)
def test_the_checksum_of_a_large_file_is_the_recorded_one(shape: str) -> None:
    text, recorded = SHAPES[shape]
    assert of_bytes(text.encode()) == recorded


def test_the_checksums_of_the_projects_own_files_are_the_recorded_ones() -> None:
    found = [f"{path.name} {of_bytes(path.read_bytes())}\n" for path in sorted(MIGRATIONS.glob("*.sql"))]
    assert hashlib.sha256("".join(found).encode()).hexdigest() == OWN_FILES
