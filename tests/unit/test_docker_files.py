"""What the docker engine keeps and makes on this side: the build context, the memory, the password's verifier."""

import base64
import hashlib
import hmac
import re
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import EngineFailed
from kinetria_cli.gateways.engines.common.scram import change_password, verifier
from kinetria_cli.gateways.engines.docker.context import BuildContext
from kinetria_cli.gateways.engines.docker.memory import Memory, MemoryFile


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    texts = {
        "kinetria_cli/app.py": "app",
        "kinetria_cli/deep/er.sql": "SELECT 1",
        "kinetria_cli/__pycache__/app.pyc": "compiled",
        "kinetria_cli/_bundled/README.md": "a copy",
        "compose/Dockerfile": "FROM base",
        "compose/compose.yaml": "services: {}",
        "README.md": "read me",
    }
    for name, text in texts.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {name: tmp_path / "source" / name for name in ("kinetria_cli", "compose", "README.md")}


def test_the_context_has_the_sources_without_what_python_and_the_wheel_add(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    target = tmp_path / "context"
    BuildContext(sources, arguments="").write(target)
    made = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert made == {
        "README.md",
        "compose/Dockerfile",
        "compose/compose.yaml",
        "kinetria_cli/app.py",
        "kinetria_cli/deep/er.sql",
    }


def test_the_fingerprint_changes_with_what_the_image_is_made_of_and_with_nothing_else(sources: dict[str, Path]) -> None:
    def fingerprint(arguments: str = "") -> str:
        return BuildContext(sources, arguments=arguments).fingerprint()

    first = fingerprint()
    assert re.fullmatch(r"[0-9a-f]{12}", first)
    (sources["compose"] / "compose.yaml").write_text("services: {other: {}}")
    (sources["kinetria_cli"] / "__pycache__" / "app.pyc").write_text("compiled again")
    assert fingerprint() == first
    assert fingerprint("python:3.14") != first
    (sources["compose"] / "Dockerfile").write_text("FROM other")
    second = fingerprint()
    assert second != first
    (sources["kinetria_cli"] / "app.py").rename(sources["kinetria_cli"] / "moved.py")
    assert fingerprint() != second


def test_a_source_that_is_missing_is_named(sources: dict[str, Path]) -> None:
    sources["README.md"].unlink()
    with pytest.raises(EngineFailed, match=r"README\.md is missing"):
        BuildContext(sources, arguments="").fingerprint()


@pytest.fixture
def memory(tmp_path: Path) -> MemoryFile:
    return MemoryFile(tmp_path / "docker.json", tmp_path / "key")


def test_what_is_remembered_comes_back(memory: MemoryFile) -> None:
    assert memory.read() == Memory()
    memory.write(Memory(system="ab", major=16, credentials="cd", since="2026-11-24T10:00:00+00:00"))
    memory.note_made("app", "123", "hash")
    found = memory.read()
    assert (found.system, found.major, found.made) == ("ab", 16, {"app": ["123", "hash"]})
    memory.forget()
    assert memory.read() == Memory()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"unknown": 1}'])
def test_a_memory_that_was_spoiled_by_hand_is_none(memory: MemoryFile, tmp_path: Path, text: str) -> None:
    (tmp_path / "docker.json").write_text(text)
    assert memory.read() == Memory()


def test_credentials_are_told_apart_by_a_key_of_this_home_and_not_kept(memory: MemoryFile, tmp_path: Path) -> None:
    first = memory.credentials("kinetria", "kinetria", "s3cret-pass")
    assert first == memory.credentials("kinetria", "kinetria", "s3cret-pass")
    assert first != memory.credentials("kinetria", "kinetria", "other-pass")
    assert first != memory.credentials("kinetria", "kinetrias3cret-pass", "")
    other = MemoryFile(tmp_path / "docker.json", tmp_path / "another key")
    assert other.credentials("kinetria", "kinetria", "s3cret-pass") != first
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_verifier_is_what_the_server_would_have_stored() -> None:
    match = re.fullmatch(r"SCRAM-SHA-256\$4096:([^$]+)\$([^:]+):(.+)", verifier("s3cret-pass"))
    assert match
    salt, stored_key, server_key = (base64.b64decode(part) for part in match.groups())
    salted = hashlib.pbkdf2_hmac("sha256", b"s3cret-pass", salt, 4096)
    client_key = hmac.new(salted, b"Client Key", "sha256").digest()
    assert stored_key == hashlib.sha256(client_key).digest()
    assert server_key == hmac.new(salted, b"Server Key", "sha256").digest()
    assert verifier("s3cret-pass") != verifier("s3cret-pass")
    assert "s3cret-pass" not in change_password("kinetria", "s3cret-pass")
