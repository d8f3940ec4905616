"""Where .env and the checkout are looked for, and what is said about a .env that is not right."""

from pathlib import Path

import pytest

from kinetria_cli.domain.errors import ConfigInvalid, ConfigMissing
from kinetria_cli.settings import NAMES
from kinetria_cli.settings_sources import (
    EnvFile,
    find_checkout,
    find_dotenv,
    inherited_environment,
    process_environment,
    read_env_file,
    user_data_folder,
)
from tests.world import CHECKOUT


def write(path: Path, text: str | bytes, *, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def parsed(path: Path, text: str | bytes) -> dict[str, str]:
    found = read_env_file(write(path, text), required=True)
    return {name: value.text for name, value in found.values.items()}


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """The path of a .env that is not written yet."""
    return tmp_path / "files" / ".env"


@pytest.mark.parametrize("marker", [".git", "pyproject.toml"])
def test_dotenv_is_looked_for_up_to_the_root_of_the_project(tmp_path: Path, marker: str) -> None:
    write(tmp_path / "project" / marker, "")
    below = tmp_path / "project" / "a" / "b"
    below.mkdir(parents=True)
    write(tmp_path / ".env", "A=above")
    assert find_dotenv(below) is None
    at_root = write(tmp_path / "project" / ".env", "A=root")
    assert find_dotenv(below) == at_root
    nearest = write(tmp_path / "project" / "a" / ".env", "A=near")
    assert find_dotenv(below) == nearest


def test_outside_a_project_only_the_folder_itself_counts(tmp_path: Path) -> None:
    below = tmp_path / "a"
    below.mkdir()
    write(tmp_path / ".env", "A=1")
    assert find_dotenv(below) is None
    assert find_dotenv(tmp_path) == tmp_path / ".env"


def test_a_folder_named_dotenv_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert find_dotenv(tmp_path) is None


def test_the_nearest_checkout_of_ours_is_found(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", '[project]\nname = "kinetria-cli"\n')
    write(tmp_path / "other" / "pyproject.toml", '[project]\nname = "other"\n# kinetria-cli\n')
    assert find_checkout(tmp_path / "other") == tmp_path
    assert find_checkout(CHECKOUT / "tests" / "unit") == CHECKOUT


@pytest.mark.parametrize(
    "text",
    [
        '[project]\nname = "other"\ndependencies = ["kinetria-cli"]\n',
        '[tool.x]\nname = "kinetria-cli"\n',
        '[project\nname = "kinetria-cli"\n',
        b'[project]\nname = "kinetria-cli" # \xff\n',
        "",
    ],
)
def test_a_pyproject_that_does_not_name_us_is_not_our_checkout(tmp_path: Path, text: str | bytes) -> None:
    write(tmp_path / "pyproject.toml", text)
    assert find_checkout(tmp_path) is None


def test_a_dollar_sign_is_literal(env: Path) -> None:
    text = "A=pa$$word\nB=\"${HOME} $A\"\nC='$(id)'\nD=$\n"
    assert parsed(env, text) == {"A": "pa$$word", "B": "${HOME} $A", "C": "$(id)", "D": "$"}


def test_the_usual_forms_of_a_line_are_read(env: Path) -> None:
    text = "\ufeffexport A=1 # comment\r\nB='x # y'\r\n\r\n# C=3\r\nD = spaced\r\nE=\r\n"
    assert parsed(env, text) == {"A": "1", "B": "x # y", "D": "spaced", "E": ""}


@pytest.mark.parametrize("line", ["F", '"', "export", "= x"])
def test_a_line_that_sets_nothing_is_an_error(env: Path, line: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        read_env_file(write(env, f"A=1\n{line}\nB=2\n"), required=True)
    assert caught.value.message == f"failed to parse config: {env} line 2 cannot be read"
    assert caught.value.hint == "a line is NAME=value; quotes must be closed"


def test_each_value_knows_its_line(env: Path) -> None:
    found = read_env_file(write(env, '\n# first\nA=1\n\n\nB="two\nlines"\nC=3\n'), required=True)
    assert {name: value.origin for name, value in found.values.items()} == {
        "A": f"{env} line 3",
        "B": f"{env} line 6",
        "C": f"{env} line 8",
    }


def test_a_missing_file_matters_only_where_it_was_named(env: Path) -> None:
    assert read_env_file(env, required=False) == EnvFile({})
    with pytest.raises(ConfigMissing) as caught:
        read_env_file(env, required=True)
    assert caught.value.message == f"failed to parse config: {env} does not exist"
    assert caught.value.hint == "name an existing file with --env-file"
    assert caught.value.exit_code == 3


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        read_env_file(tmp_path, required=True)
    assert caught.value.message == f"failed to parse config: {tmp_path} cannot be read: Is a directory"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_is_worth_a_warning(env: Path, mode: int) -> None:
    found = read_env_file(write(env, "A=1\n", mode=mode), required=True)
    assert found.warnings == (f"{env} can be read by other users; it may hold a password: chmod 600 {env}",)
    assert found.values["A"].text == "1"


@pytest.mark.parametrize(("text", "mode"), [("A=1\n", 0o600), ("A=1\n", 0o400), ("# nothing in it\n", 0o644)])
def test_a_file_that_gives_nothing_away_is_not(env: Path, text: str, mode: int) -> None:
    assert read_env_file(write(env, text, mode=mode), required=True).warnings == ()


def test_a_name_that_is_set_twice_is_worth_a_warning_with_both_lines(env: Path) -> None:
    found = read_env_file(write(env, "A=1\n\nB=2\nA=3\n"), required=True)
    assert found.warnings == (f"{env} sets A in line 1 and again in line 4; the last counts",)
    assert found.values["A"].text == "3"
    assert found.values["A"].origin == f"{env} line 4"


def test_a_file_that_is_not_utf_8_is_an_error_with_its_line(env: Path) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        parsed(env, b"A=1\nDB_PASSWORD=s3cret\xff\n")
    assert caught.value.message == f"failed to parse config: {env} line 2 is not UTF-8"
    assert caught.value.hint == "save the file as UTF-8"
    assert caught.value.exit_code == 3
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("line", ['DB_PASSWORD="s3cret', "DB_PASSWORD='s3cret", "=s3cret", 'A="s3cret" trailing'])
def test_a_line_that_cannot_be_read_is_an_error_without_its_value(env: Path, line: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        parsed(env, f"A=1\n\n{line}\nB=2\n")
    assert caught.value.message == f"failed to parse config: {env} line 3 cannot be read"
    assert caught.value.hint == "a line is NAME=value; quotes must be closed"
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("line", ["DB_PASSWORD=s3cret\u00a0", "DB_PASSWORD=s3cret\u2003 # a comment"])
def test_a_blank_at_the_end_that_nobody_sees_is_an_error(env: Path, line: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        parsed(env, f"A=1\n{line}\nB=2\n")
    assert caught.value.message == (
        f"failed to parse config: {env} line 2 ends with a blank that is not an ASCII space or tab"
    )
    assert "s3cret" not in str(caught.value)
    assert parsed(env, "A='x\u00a0'\nB=a\u00a0b\nC=1 # n\u00a0\n") == {"A": "x\u00a0", "B": "a\u00a0b", "C": "1"}


def test_the_example_sets_no_variable_of_the_database_and_only_ours() -> None:
    path = CHECKOUT / ".env.example"
    found = read_env_file(path, required=True)
    lines = path.read_text("utf-8").splitlines()
    assert set(found.values) <= NAMES
    assert not [name for name in found.values if name.startswith("DB_") or name == "DATABASE_URL"]
    assert [line for line in lines if "DB_" in line and not line.startswith("#")] == []
    shown = {line.removeprefix("# ").partition("=")[0] for line in lines if line.startswith("# DB_")}
    assert shown == {name for name in NAMES if name.startswith("DB_")}


def test_only_our_variables_of_the_environment_are_read() -> None:
    found = process_environment(frozenset({"A", "B"}), {"A": "1", "C": "3"})
    assert {name: (value.text, value.origin) for name, value in found.items()} == {"A": ("1", "the environment")}


def test_the_value_of_a_raw_variable_is_not_in_its_repr() -> None:
    found = process_environment(frozenset({"DB_PASSWORD"}), {"DB_PASSWORD": "s3cret"})
    assert "s3cret" not in repr(found)


def test_a_service_inherits_nothing_that_names_a_database_or_us(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGPASSWORD", "KINETRIA_PROJECT", "DB_PASSWORD", "SOMETHING_ELSE"):
        monkeypatch.setenv(name, "x")
    found = inherited_environment(frozenset({"DB_PASSWORD", "DATABASE_URL"}))
    assert found["SOMETHING_ELSE"] == "x"
    assert (found["DB_PASSWORD"], found["DATABASE_URL"]) == ("", "")
    assert not [name for name in found if name.startswith(("PG", "KINETRIA_"))]


@pytest.mark.parametrize(("xdg", "wanted"), [("/data", "/data"), ("relative", None), ("", None)])
def test_data_lie_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, xdg: str, wanted: str | None) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", xdg)
    assert user_data_folder() == (Path(wanted) if wanted else tmp_path / "home" / ".local" / "share")
