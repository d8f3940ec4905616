"""The command that installs an optional library can be pasted, and names what pyproject.toml asks for."""

import importlib.metadata
import shlex
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from kinetria_cli.domain.extras import install_command
from tests.world import CHECKOUT

EXTRAS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_it_installs_the_libraries_of_the_extra_for_the_python_that_runs(extra: str) -> None:
    program, *words = shlex.split(install_command(extra))
    assert (program, words[:3]) == (sys.executable, ["-m", "pip", "install"])
    found = {requirement.name.replace(".", "-"): requirement.specifier for requirement in map(Requirement, words[3:])}
    asked = [Requirement(text) for text in EXTRAS[extra]]
    assert found == {requirement.name.replace(".", "-"): requirement.specifier for requirement in asked}


def test_without_an_installation_it_names_make(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "requires", missing)
    assert install_command("docker") == "make install"
