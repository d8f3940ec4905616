"""The settings: typed, frozen, each value with its origin. The only reader of the environment and of .env.

Precedence: option > --env-file > process environment > .env > what `up` recorded > default. A variable that is set to
nothing counts as not set, and hides the same one of a weaker source.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kinetria_cli import settings_values as values
from kinetria_cli.domain.config import ENV_MARK, EXPORTED, ConfigValue, environment_mark
from kinetria_cli.domain.errors import ConfigInvalid, ConfigMissing
from kinetria_cli.domain.stack import NamedDatabase, StackRecord
from kinetria_cli.settings_database import is_named, missing_names, named_database, remarks
from kinetria_cli.settings_sources import (
    EnvFile,
    RawValue,
    bundled,
    find_checkout,
    find_dotenv,
    process_environment,
    read_env_file,
    secret_file,
    user_data_folder,
)

DEFAULT_PROJECT = "kinetria"
ENVIRONMENTS = ("development", "test", "staging", "production")
ENGINES = ("auto", "docker", "embedded")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable that we read."""

    name: str
    parse: Callable[[str], Any] = values.plain
    default: str | None = None
    secret: bool = False


VARIABLES = (
    Variable("APP_NAME", default="kinetria"),
    Variable("ENVIRONMENT", values.choice(*ENVIRONMENTS), "development"),
    Variable("REQUEST_TIMEOUT", values.duration, "5s"),
    Variable("DATABASE_URL", secret=True),
    Variable("DB_HOST"),
    Variable("DB_PORT"),
    Variable("DB_USER"),
    Variable("DB_PASSWORD", secret=True),
    Variable("DB_PASSWORD_FILE"),
    Variable("DB_NAME"),
    Variable("DB_SSL_MODE"),
    Variable("DB_TARGET_SESSION_ATTRS"),
    Variable("DB_POOL_MIN_SIZE", values.count, "1"),
    Variable("DB_POOL_MAX_SIZE", values.count, "10"),
    Variable("HTTP_HOST", values.host, "127.0.0.1"),
    Variable("HTTP_PORT", values.port, "8080"),
    Variable("HEALTH_TOKEN", values.token, secret=True),
    Variable("HEALTH_TOKEN_FILE"),
    Variable("HEALTH_INTERVAL", values.duration, "2s"),
    Variable("KINETRIA_ENGINE", values.choice(*ENGINES), "auto"),
    Variable("KINETRIA_PROJECT", values.project, DEFAULT_PROJECT),
    Variable("KINETRIA_HOME", values.path),
    Variable("KINETRIA_MIGRATIONS_DIR", values.path),
    Variable("KINETRIA_COMPOSE_DIR", values.path),
    Variable("KINETRIA_IMAGE"),
    Variable("KINETRIA_POSTGRES_IMAGE"),
    Variable("KINETRIA_PYTHON_IMAGE"),
    Variable("KINETRIA_ALLOW_REMOTE_DOCKER", values.switch, "0"),
    Variable("KINETRIA_OUTPUT", values.choice("human", "json"), "human"),
)
NAMES = frozenset(variable.name for variable in VARIABLES)
DATABASE_NAMES = frozenset(name for name in NAMES if name.startswith("DB_") and "POOL" not in name) | {"DATABASE_URL"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, typed.

    `named` is the database that DB_* or DATABASE_URL name, if they do; `ignored` is the same for a command that does
    not use it. `exported` is whether an earlier `kinetria env` set their variables.
    """

    app_name: str
    environment: str
    request_timeout: float
    pool_min_size: int
    pool_max_size: int
    http_host: str
    http_port: int
    http_port_given: bool
    health_token: str | None = field(repr=False)
    health_interval: float
    engine: str
    project: str
    home: Path
    migrations_dir: Path
    compose_dir: Path
    image: str
    postgres_image: str
    python_image: str
    allow_remote_docker: bool
    output: str
    named: NamedDatabase | None
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    raw: Mapping[str, RawValue] = field(repr=False)
    exported: bool
    ignored: NamedDatabase | None

    def remarks(self, record: StackRecord | None) -> tuple[str, ...]:
        """Return what is set and does not count now; `record` is the stack in use, as `kinetria up` recorded it."""
        return remarks(self.raw, self.http_port, record)

    @property
    def production(self) -> bool:
        """Whether destroying something needs more than --yes."""
        return self.environment == "production"

    def secrets(self) -> tuple[str, ...]:
        """Every secret text that is set, for redaction."""
        found = list(_secrets(self.raw))
        if self.named:
            found.append(self.named.params.password)
        return tuple(text for text in found if text)

    def shown(self) -> tuple[ConfigValue, ...]:
        """Each variable with its value and origin; secrets without their value."""
        derived = {
            "KINETRIA_HOME": str(self.home),
            "KINETRIA_MIGRATIONS_DIR": str(self.migrations_dir),
            "KINETRIA_COMPOSE_DIR": str(self.compose_dir),
        }
        return tuple(_show(variable, self.raw, derived.get(variable.name)) for variable in VARIABLES)


def _secrets(raw: Mapping[str, RawValue]) -> tuple[str, ...]:
    return tuple(raw[variable.name].text for variable in VARIABLES if variable.secret and variable.name in raw)


def _show(variable: Variable, raw: Mapping[str, RawValue], derived: str | None = None) -> ConfigValue:
    if variable.name in raw:
        found = raw[variable.name]
        return ConfigValue(variable.name, None if variable.secret else found.text, found.origin, variable.secret)
    default = derived or variable.default
    return ConfigValue(variable.name, default, "not set" if default is None else "default", variable.secret)


@dataclass(frozen=True, slots=True)
class RawSettings:
    """Every variable that is set, by name, before anything is checked."""

    raw: Mapping[str, RawValue] = field(repr=False)
    warnings: tuple[str, ...]
    folder: Path
    mark: str | None

    def exported(self) -> bool:
        """Whether an earlier `kinetria env` of this project exported every value that names the database now."""
        project = self.raw["KINETRIA_PROJECT"].text if "KINETRIA_PROJECT" in self.raw else DEFAULT_PROJECT
        values = {name: self.raw[name].text for name in EXPORTED if name in self.raw}
        return self.mark == environment_mark(project, values)

    def secrets(self) -> tuple[str, ...]:
        """Every secret text that is set, as far as it can be told before anything is checked."""
        return _secrets(self.raw)

    def shown(self) -> tuple[ConfigValue, ...]:
        """Each variable as it was found, for somebody who is looking for the mistake in it."""
        checkout = find_checkout(self.folder)
        derived = {
            "KINETRIA_HOME": str(user_data_folder() / "kinetria"),
            "KINETRIA_MIGRATIONS_DIR": str(_own_folder(checkout, "migrations")),
            "KINETRIA_COMPOSE_DIR": str(_own_folder(checkout, "compose")),
        }
        return tuple(_show(variable, self.raw, derived.get(variable.name)) for variable in VARIABLES)


def read_settings(
    options: Mapping[str, RawValue] | None = None,
    *,
    env_file: Path | None = None,
    working_folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> RawSettings:
    """Collect what is set, the strongest source first. Arguments and errors of the files as for `load_settings`."""
    folder = (working_folder or _present_folder()).absolute()
    dotenv_path = find_dotenv(folder)
    dotenv = read_env_file(dotenv_path, required=False) if dotenv_path else EnvFile({})
    named_file = read_env_file(env_file, required=True) if env_file else EnvFile({})
    merged = {**dotenv.values, **process_environment(NAMES, environ), **named_file.values, **(options or {})}
    raw = {name: value for name, value in merged.items() if name in NAMES and value.text}
    mark = process_environment(frozenset({ENV_MARK}), environ).get(ENV_MARK)
    warnings = tuple(dict.fromkeys(dotenv.warnings + named_file.warnings))
    return RawSettings(raw, warnings, folder, mark.text if mark else None)


def _present_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise ConfigInvalid(f"the working folder cannot be used: {error.strerror}", hint="cd to another") from error


def load_settings(
    options: Mapping[str, RawValue] | None = None,
    *,
    env_file: Path | None = None,
    working_folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    database: bool = True,
) -> Settings:
    """Read, check and type all settings.

    Args:
        options: Values given as command-line options, by variable name.
        env_file: The file of --env-file.
        working_folder: Where the search for .env and the checkout starts; default the present one.
        environ: Read instead of the process environment, for tests.
        database: Whether DB_* and DATABASE_URL matter to the command; where not, they are not even checked.

    Raises:
        ConfigInvalid: Something is malformed; all problems are in the one message.
        ConfigMissing: Something that is required is not set, and nothing is malformed.
    """
    found = read_settings(options, env_file=env_file, working_folder=working_folder, environ=environ)
    problems: list[str] = []
    raw = _with_token(found.raw, problems)
    typed = _typed(raw, problems)
    malformed = len(problems)
    named = named_database(raw, problems if database else []) if is_named(raw) else None
    if problems:
        only_missing = not malformed and all(problem.endswith("is not set") for problem in problems)
        raise (ConfigMissing if only_missing else ConfigInvalid)(
            f"failed to parse config: {'; '.join(problems)}",
            hint=_hint(raw, only_missing),
        )
    checkout = find_checkout(found.folder)
    return Settings(
        app_name=typed["APP_NAME"],
        environment=typed["ENVIRONMENT"],
        request_timeout=typed["REQUEST_TIMEOUT"],
        pool_min_size=typed["DB_POOL_MIN_SIZE"],
        pool_max_size=typed["DB_POOL_MAX_SIZE"],
        http_host=typed["HTTP_HOST"],
        http_port=typed["HTTP_PORT"],
        http_port_given="HTTP_PORT" in raw and not found.exported(),
        health_token=typed["HEALTH_TOKEN"],
        health_interval=typed["HEALTH_INTERVAL"],
        engine=typed["KINETRIA_ENGINE"],
        project=typed["KINETRIA_PROJECT"],
        home=typed["KINETRIA_HOME"],
        migrations_dir=typed["KINETRIA_MIGRATIONS_DIR"] or _own_folder(checkout, "migrations"),
        compose_dir=typed["KINETRIA_COMPOSE_DIR"] or _own_folder(checkout, "compose"),
        image=typed["KINETRIA_IMAGE"] or "",
        postgres_image=typed["KINETRIA_POSTGRES_IMAGE"] or "",
        python_image=typed["KINETRIA_PYTHON_IMAGE"] or "",
        allow_remote_docker=typed["KINETRIA_ALLOW_REMOTE_DOCKER"],
        output=typed["KINETRIA_OUTPUT"],
        named=named if database else None,
        missing=tuple(missing_names(raw)),
        warnings=found.warnings,
        raw=raw,
        exported=found.exported(),
        ignored=None if database else named,
    )


def _with_token(raw: Mapping[str, RawValue], problems: list[str]) -> Mapping[str, RawValue]:
    token = secret_file(raw, "HEALTH_TOKEN", problems)
    return raw if token is None else {**raw, "HEALTH_TOKEN": token}


def _hint(raw: Mapping[str, RawValue], only_missing: bool) -> str:
    if not only_missing:
        return "kinetria config show lists each value and its origin"
    name = "DB_HOST" if "DB_HOST" in raw else "DATABASE_URL"
    return f"{name} (from {raw[name].origin}) names a database, so no local stack is used: set the others, or unset it"


def json_is_wanted(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the process environment asks for JSON; for errors that come before the settings are read."""
    found = process_environment(frozenset({"KINETRIA_OUTPUT"}), environ)
    return any(value.text == "json" for value in found.values())


def _typed(raw: Mapping[str, RawValue], problems: list[str]) -> dict[str, Any]:
    """Parse everything but the database's own variables, which are read as one."""
    typed: dict[str, Any] = {}
    for variable in VARIABLES:
        if variable.name in DATABASE_NAMES:
            continue
        text = raw[variable.name].text if variable.name in raw else variable.default
        try:
            typed[variable.name] = None if text is None else variable.parse(text)
        except ValueError as error:
            problems.append(f"{variable.name} {error} (from {raw[variable.name].origin})")
    if typed.get("DB_POOL_MIN_SIZE", 0) > typed.get("DB_POOL_MAX_SIZE", 0) and not problems:
        given = raw.get("DB_POOL_MIN_SIZE") or raw["DB_POOL_MAX_SIZE"]
        problems.append(f"DB_POOL_MIN_SIZE is larger than DB_POOL_MAX_SIZE (from {given.origin})")
    if "KINETRIA_HOME" not in raw:
        typed["KINETRIA_HOME"] = home = user_data_folder() / "kinetria"
        if not home.is_absolute():
            problems.append("KINETRIA_HOME is not set, and this user has no home folder")
    return typed


def _own_folder(checkout: Path | None, name: str) -> Path:
    return checkout / name if checkout else bundled(name)
