"""Which source decides a setting, what is said about a bad one, and the defaults."""

from pathlib import Path

import pytest

from kinetria_cli.domain.errors import ConfigInvalid, ConfigMissing
from kinetria_cli.settings import DATABASE_NAMES, NAMES, Settings, json_is_wanted, load_settings, read_settings
from kinetria_cli.settings_sources import RawValue
from kinetria_cli.usecases.target import choose_target

OWN = {"DB_HOST": "db.example.com", "DB_USER": "ana", "DB_PASSWORD": "pa$$word", "DB_NAME": "gym"}


def loaded(environ: dict[str, str], **arguments: object) -> Settings:
    return load_settings(environ=environ, **arguments)  # type: ignore[arg-type]


def origin_of(settings: Settings, name: str) -> tuple[str | None, str]:
    (found,) = [value for value in settings.shown() if value.name == name]
    return found.value, found.origin


def private(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of somebody's."""
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    return project


@pytest.mark.scenario("S36")
def test_settings_read_the_database_from_db_variables() -> None:
    named = loaded({**OWN, "DB_PORT": "6543"}).named
    assert named is not None
    params = named.params
    assert (params.host, params.port, params.user, params.password, params.dbname) == (
        "db.example.com",
        6543,
        "ana",
        "pa$$word",
        "gym",
    )
    assert named.origin == "the environment"


@pytest.mark.scenario("S37")
def test_a_missing_host_fails_with_failed_to_parse_config() -> None:
    settings = loaded({name: value for name, value in OWN.items() if name != "DB_HOST"})
    assert settings.named is None
    with pytest.raises(ConfigMissing) as caught:
        choose_target(settings.named, None, running=False, missing=settings.missing)
    assert caught.value.message == "failed to parse config: DB_HOST is not set"
    assert caught.value.exit_code == 3


@pytest.mark.scenario("S38")
def test_defaults_are_port_5432_sslmode_require_and_http_port_8080() -> None:
    settings = loaded(OWN)
    assert settings.named is not None
    assert settings.named.params.port == 5432
    assert settings.named.params.sslmode == "require"
    assert settings.named.sslmode_given is False
    assert settings.http_port == 8080
    assert settings.http_port_given is False


def test_everything_else_has_the_default_of_the_specification(tmp_path: Path) -> None:
    settings = loaded({})
    assert settings.app_name == "kinetria"
    assert settings.environment == "development"
    assert settings.production is False
    assert settings.request_timeout == 5.0
    assert (settings.pool_min_size, settings.pool_max_size) == (1, 10)
    assert settings.http_host == "127.0.0.1"
    assert settings.health_token is None
    assert settings.health_interval == 2.0
    assert settings.project == "kinetria"
    assert settings.home == tmp_path / "home" / ".local" / "share" / "kinetria"
    assert settings.output == "human"
    assert settings.named is None
    assert settings.missing == tuple(f"{name} is not set" for name in OWN)


@pytest.mark.parametrize("strongest", ["option", "env file", "environment", "dotenv", "default"])
def test_the_strongest_source_decides_and_is_named(folder: Path, strongest: str) -> None:
    sources = ["option", "env file", "environment", "dotenv", "default"]
    present = sources[sources.index(strongest) :]
    dotenv, env_file = folder / ".env", folder / "other.env"
    if "dotenv" in present:
        private(dotenv, "# first line\n\nAPP_NAME=dotenv\n")
    if "env file" in present:
        private(env_file, "ENVIRONMENT=test\nAPP_NAME='env file'\n")
    settings = load_settings(
        {"APP_NAME": RawValue("option", "--app-name")} if "option" in present else {},
        env_file=env_file if "env file" in present else None,
        working_folder=folder,
        environ={"APP_NAME": "environment"} if "environment" in present else {},
    )
    origins = {
        "option": "--app-name",
        "env file": f"{env_file} line 2",
        "environment": "the environment",
        "dotenv": f"{dotenv} line 3",
        "default": "default",
    }
    name = "kinetria" if strongest == "default" else strongest
    assert settings.app_name == name
    assert origin_of(settings, "APP_NAME") == (name, origins[strongest])


def test_an_empty_variable_counts_as_not_set_and_hides_a_weaker_source(folder: Path) -> None:
    private(folder / ".env", "HTTP_PORT=9000\nDB_HOST=hidden.example.com\n")
    settings = load_settings(working_folder=folder, environ={"HTTP_PORT": "", "DB_HOST": ""})
    assert settings.http_port == 8080
    assert settings.http_port_given is False
    assert settings.named is None
    assert origin_of(settings, "HTTP_PORT") == ("8080", "default")


def test_an_empty_line_of_the_env_file_hides_the_environment(folder: Path) -> None:
    env_file = private(folder / "x.env", "DB_HOST=\nDB_USER=\n")
    settings = load_settings(env_file=env_file, working_folder=folder, environ=OWN)
    assert settings.named is None
    assert settings.missing == ("DB_HOST is not set", "DB_USER is not set")


def test_every_problem_is_in_one_message() -> None:
    bad = {"HTTP_PORT": "0", "REQUEST_TIMEOUT": "soon", "DB_HOST": "h", "DB_PORT": "x", "DB_SSL_MODE": "on"}
    with pytest.raises(ConfigInvalid) as caught:
        loaded({**OWN, **bad})
    assert caught.value.message == (
        "failed to parse config: REQUEST_TIMEOUT is 'soon', not a duration like 500ms, 5s or 1m (from the environment);"
        " HTTP_PORT is '0', not a port from 1 to 65535 (from the environment);"
        " DB_PORT is 'x', not a port from 1 to 65535 (from the environment);"
        " DB_SSL_MODE is 'on', not one of disable, allow, prefer, require, verify-ca, verify-full"
        " (from the environment)"
    )
    assert caught.value.hint == "kinetria config show lists each value and its origin"
    assert caught.value.code == "config.invalid"


def test_required_variables_that_are_missing_are_named_together() -> None:
    with pytest.raises(ConfigMissing) as caught:
        loaded({"DB_HOST": "db.example.com"})
    assert caught.value.message == (
        "failed to parse config: DB_USER is not set; DB_PASSWORD is not set; DB_NAME is not set"
    )
    assert caught.value.code == "config.missing"


def test_something_malformed_and_something_missing_are_both_told() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        loaded({"DB_HOST": "db.example.com", "ENVIRONMENT": "prod"})
    assert caught.value.message == (
        "failed to parse config: ENVIRONMENT is 'prod', not one of development, test, staging, production"
        " (from the environment); DB_USER is not set; DB_PASSWORD is not set; DB_NAME is not set"
    )
    assert caught.value.code == "config.invalid"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("KINETRIA_ENGINE", "podman", "KINETRIA_ENGINE is 'podman', not one of auto, docker, embedded"),
        ("KINETRIA_OUTPUT", "xml", "KINETRIA_OUTPUT is 'xml', not one of human, json"),
        ("DB_POOL_MAX_SIZE", "0", "DB_POOL_MAX_SIZE is '0', not a whole number from 1 to 10000"),
        ("HEALTH_INTERVAL", "0s", "HEALTH_INTERVAL is '0s', not a duration like 500ms, 5s or 1m"),
        (
            "KINETRIA_PROJECT",
            "My Gym",
            "KINETRIA_PROJECT is 'My Gym'; a name has lower-case letters, digits, - and _,"
            " and starts with a letter or digit",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_origin(name: str, value: str, problem: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        loaded({name: value})
    assert caught.value.message == f"failed to parse config: {problem} (from the environment)"


def test_a_pool_cannot_be_smaller_than_its_minimum() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        loaded({"DB_POOL_MIN_SIZE": "5", "DB_POOL_MAX_SIZE": "4"})
    problem = "DB_POOL_MIN_SIZE is larger than DB_POOL_MAX_SIZE (from the environment)"
    assert caught.value.message == f"failed to parse config: {problem}"


def test_a_command_without_a_database_does_not_check_its_variables() -> None:
    settings = loaded({"DB_HOST": "h", "DB_PORT": "nonsense"}, database=False)
    assert settings.named is None


def test_variables_that_are_not_ours_are_left_alone() -> None:
    settings = loaded({"PGHOST": "pg.example.com", "PGPASSWORD": "x", "DB_COLOUR": "red"})
    assert settings.named is None
    assert set(settings.raw) == set()


def test_a_secret_is_shown_by_its_origin_alone() -> None:
    settings = loaded({**OWN, "HEALTH_TOKEN": "t0ken-of-health"})
    assert origin_of(settings, "DB_PASSWORD") == (None, "the environment")
    assert origin_of(settings, "HEALTH_TOKEN") == (None, "the environment")
    assert origin_of(settings, "DATABASE_URL") == (None, "not set")
    assert set(settings.secrets()) == {"pa$$word", "t0ken-of-health"}
    assert "pa$$word" not in repr(settings)
    assert "t0ken-of-health" not in repr(settings)


def test_every_variable_is_shown_once() -> None:
    names = [value.name for value in loaded({}).shown()]
    assert sorted(names) == sorted(NAMES)
    assert {name for name in names if name.startswith("DB_") and "POOL" not in name} < DATABASE_NAMES


def test_paths_are_absolute_and_know_the_home_folder(tmp_path: Path) -> None:
    settings = loaded({"KINETRIA_HOME": "~/state", "KINETRIA_MIGRATIONS_DIR": "own/migrations"})
    assert settings.home == tmp_path / "home" / "state"
    assert settings.migrations_dir == tmp_path / "work" / "own" / "migrations"


def test_migrations_are_those_of_the_checkout_one_stands_in(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "kinetria-cli"\n', "utf-8")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    settings = load_settings(working_folder=below, environ={})
    assert settings.migrations_dir == tmp_path / "migrations"
    assert settings.compose_dir == tmp_path / "compose"


def test_migrations_of_another_project_are_never_picked_up(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[project]\nname = "other"\n', "utf-8")
    (folder / "migrations").mkdir()
    settings = load_settings(working_folder=folder, environ={})
    assert folder not in settings.migrations_dir.parents
    assert (settings.migrations_dir / "0001_create_users.sql").is_file()


def test_warnings_of_both_files_are_kept(folder: Path) -> None:
    private(folder / ".env", "A=1\nA=2\n")
    other = private(folder / "other.env", "B=1\nB=2\n")
    settings = load_settings(env_file=other, working_folder=folder, environ={})
    assert settings.warnings == (
        f"{folder / '.env'} sets A in line 1 and again in line 2; the last counts",
        f"{other} sets B in line 1 and again in line 2; the last counts",
    )


@pytest.mark.parametrize(("environ", "wanted"), [({}, False), ({"KINETRIA_OUTPUT": "json"}, True)])
def test_json_can_be_asked_for_before_the_settings_are_read(environ: dict[str, str], wanted: bool) -> None:
    assert json_is_wanted(environ) is wanted


def test_what_is_set_can_be_shown_before_it_is_checked() -> None:
    shown = {value.name: value for value in read_settings(environ={"DB_PORT": "nonsense", "DB_PASSWORD": "x"}).shown()}
    assert (shown["DB_PORT"].value, shown["DB_PORT"].origin) == ("nonsense", "the environment")
    assert (shown["DB_PASSWORD"].value, shown["DB_PASSWORD"].origin) == (None, "the environment")
    assert (shown["HTTP_PORT"].value, shown["HTTP_PORT"].origin) == ("8080", "default")


def test_the_token_is_read_from_its_file_and_is_as_secret(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("t0ken-of-health\n", "utf-8")
    settings = loaded({"HEALTH_TOKEN_FILE": str(file)})
    assert settings.health_token == "t0ken-of-health"
    assert origin_of(settings, "HEALTH_TOKEN") == (None, f"{file}, named by the environment")
    assert origin_of(settings, "HEALTH_TOKEN_FILE") == (str(file), "the environment")
    assert settings.secrets() == ("t0ken-of-health",)
    assert "t0ken-of-health" not in repr(settings)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "HEALTH_TOKEN_FILE names {}, which cannot be read: No such file or directory (from the environment)"),
        ("\n", "HEALTH_TOKEN_FILE names {}, which is empty (from the environment)"),
        (
            "two words",
            "HEALTH_TOKEN holds a blank, a line end or a character that is not ASCII, which no HTTP header carries"
            " (from {}, named by the environment)",
        ),
    ],
)
def test_a_token_file_that_cannot_be_used_is_a_problem(tmp_path: Path, content: str | None, problem: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content, "utf-8")
    with pytest.raises(ConfigInvalid) as caught:
        loaded({"HEALTH_TOKEN_FILE": str(file)})
    assert caught.value.message == f"failed to parse config: {problem.format(file)}"


def test_a_token_and_a_token_file_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        loaded({"HEALTH_TOKEN": "one", "HEALTH_TOKEN_FILE": str(tmp_path / "x")})
    assert caught.value.message == (
        "failed to parse config: HEALTH_TOKEN (from the environment) and HEALTH_TOKEN_FILE (from the environment)"
        " are both set; keep one"
    )
