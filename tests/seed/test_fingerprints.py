"""The same rows on any machine: pinned, and made anew under other Pythons, hash seeds, languages and time zones.

Who changes what a generator makes of the same parameters changes these, and VERSION in profiles/definition.py.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kinetria_cli.domain.constants import TABLES
from tests.world import CHECKOUT

MAKE = """
import json, sys
from kinetria_cli.domain.constants import TABLES
from kinetria_cli.gateways.postgres.seeding.images import fingerprint_of, images
from kinetria_cli.usecases.profiles import find_profile

made = {}
for name, seed, users in (("minimal", 42, None), ("demo", 42, None), ("load", 42, 200), ("load", 7, 200)):
    profile = find_profile(name, random_seed=seed, users=users)
    everybody = range(1, profile.users + 1)
    made[f"{name} {seed}"] = {
        "definition": profile.definition[:16],
        **{table: str(fingerprint_of(images(table, profile.rows(table, everybody)))) for table in TABLES},
    }
print(json.dumps(made))
"""
PINNED: dict[str, dict[str, str]] = {
    "minimal 42": {
        "definition": "e1950d695a8cbd76",
        "users": "1:054d04639d38bb1c",
        "workouts": "1:9a5aaf63e531e6cc",
        "exercises": "40:127babb4fa232b99",
        "sessions": "0:0000000000000000",
        "set_records": "0:0000000000000000",
        "refresh_tokens": "0:0000000000000000",
        "audit_log": "0:0000000000000000",
    },
    "demo 42": {
        "definition": "5893698a463e3272",
        "users": "5:d8ce5b541a5d5f8d",
        "workouts": "12:875fcc9c2fa86b1e",
        "exercises": "40:127babb4fa232b99",
        "sessions": "175:4646e42665d732ce",
        "set_records": "2040:c199c1c8ad1ba659",
        "refresh_tokens": "10:3596b8033a90fe3b",
        "audit_log": "122:3594c2512d5a6e81",
    },
    "load 42": {
        "definition": "9bd8ff315c06d38e",
        "users": "200:179ec31bb07cef72",
        "workouts": "600:d6c1670e710bfef1",
        "exercises": "40:127babb4fa232b99",
        "sessions": "2000:7e8b5fba3c244edd",
        "set_records": "20000:68c2d74de61602bf",
        "refresh_tokens": "399:5f4cf83a9d040d1f",
        "audit_log": "896:7a3e60e73a969fc5",
    },
    "load 7": {
        "definition": "9bd8ff315c06d38e",
        "users": "200:4056f8aee3e36ce9",
        "workouts": "600:acb3e916b73c772d",
        "exercises": "40:127babb4fa232b99",
        "sessions": "2000:8aaae9a932cc5353",
        "set_records": "20000:2422a6ee6ef3c5ad",
        "refresh_tokens": "398:cd0a487520d113f0",
        "audit_log": "901:7725ac4dce6cdc2d",
    },
}
SURROUNDINGS = [
    {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC"},
    {"PYTHONHASHSEED": "1", "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Chatham"},
]
SUPPORTED = range(11, 15)


def pythons() -> list[Path]:
    """This Python, and one of each other supported version that is on PATH or where pyenv keeps them."""
    found = {sys.version_info[:2]: Path(sys.executable)}
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep) if folder]
    folders += sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin"))
    for folder in folders:
        for minor in SUPPORTED:
            path = folder / f"python3.{minor}"
            if (3, minor) not in found and path.exists() and _works(path, minor):
                found[3, minor] = path
    return list(found.values())


def _works(path: Path, minor: int) -> bool:
    """Whether it is what its name says: pyenv's shims stand for versions that are not there."""
    asked = [str(path), "-c", "import sys; print(sys.version_info.minor)"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and answer.stdout.strip() == str(minor)


def fingerprints(python: Path, surroundings: dict[str, str]) -> Any:
    answer = subprocess.run(
        [python, "-B", "-c", MAKE],
        cwd=CHECKOUT,
        env={"PYTHONPATH": str(CHECKOUT), "PATH": os.environ["PATH"], **surroundings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.mark.parametrize("surroundings", SURROUNDINGS, ids=["plain", "turkish"])
@pytest.mark.parametrize("python", pythons(), ids=lambda path: path.name)
def test_the_rows_are_the_pinned_ones(python: Path, surroundings: dict[str, str]) -> None:
    assert fingerprints(python, surroundings) == PINNED


def test_every_table_of_every_profile_is_pinned() -> None:
    assert all(set(found) == {"definition", *TABLES} for found in PINNED.values())
