"""The wheel alone, in an empty environment away from the checkout, does what the checkout does."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.world import CHECKOUT, IDS, MIGRATIONS


def built_wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist")]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    return next((folder / "dist").glob("*.whl"))


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return built_wheel(tmp_path)


def test_the_wheel_carries_the_migrations_and_the_queries(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in MIGRATIONS.glob("*.sql"):
        assert f"kinetria_cli/_bundled/migrations/{path.name}" in names
    assert "kinetria_cli/gateways/postgres/queries/users.sql" in names
    assert "kinetria_cli/gateways/postgres/checks/catalog/indexes.sql" in names
    assert "kinetria_cli/gateways/postgres/checks/invariants/ended_before_began.sql" in names
    assert "kinetria_cli/data/exercises.toml" in names
    assert not [name for name in names if name.startswith(("tests", "bench"))]


def test_the_wheel_carries_what_an_image_is_built_from(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE", "compose/Dockerfile"):
        assert f"kinetria_cli/_bundled/{name}" in names


def test_the_wheel_starts_a_stack_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv, away = tmp_path / "venv", tmp_path / "away"
    away.mkdir()
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "-c", str(CHECKOUT / "constraints.txt"), f"{wheel}[embedded]"], check=True, capture_output=True
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "KINETRIA", "PYTHON"))}
    env["HOME"] = str(away)

    def run(*arguments: str, code: int = 0) -> str:
        command = [str(venv / "bin" / "kinetria"), *arguments]
        done = subprocess.run(command, cwd=away, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    try:
        ports = ("--db-port", str(free_port()), "--http-port", str(free_port()))
        assert "seed" in run("up", "--seed", "demo", *ports)
        assert "healthy" in run("health")
        assert f"{len(IDS)} applied, 0 pending" in run("migrate", "status")
        assert "belong to the installed program" in run("migrate", "new", "add rpe", code=5)
        psql = next(venv.rglob("pginstall/bin/psql"))
        shell = f'eval "$({venv}/bin/kinetria env)"; {psql} -Atc "select count(*) from users"'
        done = subprocess.run(["sh", "-c", shell], cwd=away, env=env, capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "5", done.stderr
    finally:
        run("down", "--volumes", "--yes")
