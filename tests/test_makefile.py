"""`make` checks the interpreter before it installs anything, and keeps .venv only for the one that it was made with."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.world import CHECKOUT


def make(folder: Path, *words: str, path: str = "/usr/bin:/bin") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the Makefile and a .venv of the Python that runs the tests."""
    place = tmp_path / "checkout"
    place.mkdir()
    shutil.copy(CHECKOUT / "Makefile", place)
    venv.create(place / ".venv", with_pip=False, symlinks=True)
    return place


def interpreter(folder: Path, name: str, *, supported: bool, identity: str) -> Path:
    """What answers the Makefile's questions as an interpreter of another version would; none is installed here."""
    program = folder / name
    program.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        f"*version_info*) exit {0 if supported else 1} ;;\n"
        f"*base_prefix*) echo '{identity}' ;;\n"
        "*--version*) echo 'Python 3.9.2' ;;\n"
        "esac\n"
    )
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("goal", ["up", "install", "test"])
def test_an_old_interpreter_is_refused_before_anything_is_installed(folder: Path, goal: str) -> None:
    old = interpreter(folder, "python3.9", supported=False, identity="old")
    shutil.rmtree(folder / ".venv")
    answer = make(folder, goal, f"PYTHON={old}")
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[:2] == [
        f"kinetria needs Python 3.11 or newer. {old} is: Python 3.9.2",
        f"Choose another interpreter, for example: make {goal} PYTHON=python3.12",
    ]
    assert answer.stdout == ""
    assert not (folder / ".venv").exists()


def test_an_interpreter_that_is_not_there_is_named(folder: Path) -> None:
    answer = make(folder, "up", "PYTHON=python3.99")
    assert answer.returncode == 2
    assert "python3.99 is:" in answer.stderr
    assert "not found" in answer.stderr
    assert (folder / ".venv").exists()


def test_another_interpreter_removes_the_environment_of_the_first(folder: Path) -> None:
    other = interpreter(folder, "python3.12", supported=True, identity="/opt/python3.12 3.12.1")
    assert make(folder, "python", f"PYTHON={other}").returncode == 0
    assert not (folder / ".venv").exists()


def test_the_same_interpreter_keeps_its_environment(folder: Path) -> None:
    assert make(folder, "python", f"PYTHON={sys.executable}").returncode == 0
    assert (folder / ".venv" / "bin" / "python").exists()


def test_the_default_keeps_an_environment_that_works_and_replaces_one_that_does_not(folder: Path) -> None:
    default = interpreter(folder, "python3", supported=True, identity="/usr 3.13.0")
    path = f"{default.parent}{os.pathsep}/usr/bin:/bin"
    assert make(folder, "python", path=path).returncode == 0
    assert (folder / ".venv").exists()
    (folder / ".venv" / "bin" / "python").unlink()  # as after an upgrade that took the interpreter away
    assert make(folder, "python", path=path).returncode == 0
    assert not (folder / ".venv").exists()
