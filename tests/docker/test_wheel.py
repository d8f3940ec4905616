"""The wheel alone, away from the checkout, builds the image and runs the stack."""

import subprocess
import sys
from pathlib import Path

from tests.docker.kinetria_stack import DockerStack
from tests.integration.test_wheel import built_wheel
from tests.world import CHECKOUT


def test_the_wheel_builds_the_image_and_starts_the_stack(cli_stack: DockerStack, tmp_path: Path) -> None:
    venv, away = tmp_path / "venv", tmp_path / "away"
    away.mkdir()
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    install = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    wheel = built_wheel(tmp_path)
    subprocess.run([*install, "-c", str(CHECKOUT / "constraints.txt"), f"{wheel}[docker]"], check=True)

    def run(*arguments: str) -> str:
        command = [str(venv / "bin" / "kinetria"), *arguments]
        done = subprocess.run(command, cwd=away, env=cli_stack.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert " built" in run(*cli_stack.up_arguments, "--build", "--seed", "minimal")
    assert "healthy" in run("health")
    assert "users 1 " in run("status")
    assert "stopped" in run("down")
