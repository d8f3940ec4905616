"""Reading raw values: which text a variable has, and where that text came from."""

import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kinetria_cli.domain.errors import ConfigInvalid, ConfigMissing

PROJECT_MARKERS = (".git", "pyproject.toml")
DISTRIBUTION = "kinetria-cli"


@dataclass(frozen=True, slots=True)
class RawValue:
    """A text as it was found. `origin` completes the sentence "the value comes from ..."."""

    text: str = field(repr=False)
    origin: str


@dataclass(frozen=True, slots=True)
class EnvFile:
    """The variables of one .env file, and what is worth a warning about it."""

    values: Mapping[str, RawValue]
    warnings: tuple[str, ...] = ()


def parents(folder: Path) -> Iterator[Path]:
    """Yield `folder` and the folders above it."""
    yield folder
    yield from folder.parents


def find_dotenv(folder: Path) -> Path | None:
    """Return the nearest .env from `folder` up to its project's root, never above it.

    The root is the first folder with .git or pyproject.toml. Outside a project only `folder` itself counts: a .env in
    a folder that others share must not decide where we connect.
    """
    searched = []
    for candidate in parents(folder):
        searched.append(candidate)
        if any(os.path.exists(candidate / marker) for marker in PROJECT_MARKERS):  # noqa: PTH110 - Path's raises
            break
    else:
        searched = [folder]
    # os.path's functions say no where a folder above may not be looked into; Path's raise before Python 3.14.
    return next((place / ".env" for place in searched if os.path.isfile(place / ".env")), None)  # noqa: PTH113


def find_checkout(folder: Path) -> Path | None:
    """Return the nearest parent whose pyproject.toml names our distribution."""
    for candidate in parents(folder):
        pyproject = candidate / "pyproject.toml"
        if os.path.isfile(pyproject) and _names_us(pyproject):  # noqa: PTH113 - as above
            return candidate
    return None


def _names_us(pyproject: Path) -> bool:
    try:
        text = pyproject.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False  # another project's file; whatever is wrong with it is not our user's question
    if DISTRIBUTION not in text:
        return False
    import tomllib

    try:
        return bool(tomllib.loads(text).get("project", {}).get("name") == DISTRIBUTION)
    except tomllib.TOMLDecodeError:
        return False


def read_env_file(path: Path, *, required: bool) -> EnvFile:
    """Parse a .env file without interpolation: `$` is literal.

    Args:
        path: The file.
        required: Whether the user named it; a missing file is then an error.

    Raises:
        ConfigMissing: The file is required and not there.
        ConfigInvalid: It cannot be read, is not UTF-8, or a line cannot be parsed. Values are never quoted.
    """
    try:
        raw = path.read_bytes()
        mode = path.stat().st_mode
    except FileNotFoundError:
        if not required:
            return EnvFile({})
        raise ConfigMissing(
            f"failed to parse config: {path} does not exist", hint="name an existing file with --env-file"
        ) from None
    except OSError as error:
        raise ConfigInvalid(f"failed to parse config: {path} cannot be read: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigInvalid(
            f"failed to parse config: {path} line {line} is not UTF-8", hint="save the file as UTF-8"
        ) from None
    return _parse_env_text(text, path, readable_by_others=bool(stat.S_IMODE(mode) & 0o077))


def _parse_env_text(text: str, path: Path, *, readable_by_others: bool) -> EnvFile:
    import io

    from dotenv.parser import parse_stream

    values: dict[str, RawValue] = {}
    lines: dict[str, int] = {}
    warnings: list[str] = []
    for binding in parse_stream(io.StringIO(text)):
        # The parser's original text starts with the blank lines before the binding.
        line = binding.original.line + _leading_blank_lines(binding.original.string)
        loose = binding.key is None and binding.original.string.strip()
        if binding.error or (binding.key and binding.value is None) or (loose and not str(loose).startswith("#")):
            raise ConfigInvalid(
                f"failed to parse config: {path} line {line} cannot be read",
                hint="a line is NAME=value; quotes must be closed",
            )
        if binding.key is None:
            continue
        if _ends_in_odd_blank(binding.original.string):
            raise ConfigInvalid(
                f"failed to parse config: {path} line {line} ends with a blank that is not an ASCII space or tab",
                hint=f"remove the blank after the value of {binding.key}, or put the value in quotes",
            )
        if binding.key in values:
            warnings.append(
                f"{path} sets {binding.key} in line {lines[binding.key]} and again in line {line}; the last counts"
            )
        values[binding.key] = RawValue(binding.value or "", f"{path} line {line}")
        lines[binding.key] = line
    if readable_by_others and values:
        warnings.append(f"{path} can be read by other users; it may hold a password: chmod 600 {path}")
    return EnvFile(values, tuple(warnings))


def _ends_in_odd_blank(text: str) -> bool:
    """Whether a no-break space or the like ends the value: the parser drops it, and an editor hides it."""
    value = re.sub(r"[ \t]+#[^\n]*$", "", text.partition("=")[2].rstrip("\r\n"))
    return value.rstrip() != value.rstrip(" \t\v\f")


def _leading_blank_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def secret_file(raw: Mapping[str, RawValue], name: str, problems: list[str]) -> RawValue | None:
    """Read a secret from the file that `name`_FILE names, without the line's end.

    Args:
        raw: The variables that are set, empty ones left out.
        name: The variable that the file stands for: DB_PASSWORD, HEALTH_TOKEN.
        problems: Takes a sentence where the file cannot be used, or where both variables are set.

    Returns:
        The secret; None where no file is named, or `problems` grew.
    """
    named = raw.get(f"{name}_FILE")
    if named is None:
        return None
    if name in raw:
        problems.append(
            f"{name} (from {raw[name].origin}) and {name}_FILE (from {named.origin}) are both set; keep one"
        )
        return None
    try:
        text = Path(named.text).expanduser().read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        problems.append(f"{name}_FILE names {named.text}, which cannot be read: {error.strerror} (from {named.origin})")
    except (ValueError, RuntimeError):  # not UTF-8, a NUL in the path, no home folder
        problems.append(f"{name}_FILE names {named.text}, which is not a UTF-8 text file (from {named.origin})")
    else:
        if text:
            return RawValue(text, f"{named.text}, named by {named.origin}")
        problems.append(f"{name}_FILE names {named.text}, which is empty (from {named.origin})")
    return None


def process_environment(names: frozenset[str], environ: Mapping[str, str] | None = None) -> dict[str, RawValue]:
    """Return those of our variables that the process environment has.

    Args:
        names: The variables that are ours.
        environ: Read instead of the process's own, for tests.
    """
    found = os.environ if environ is None else environ
    return {name: RawValue(found[name], "the environment") for name in names if name in found}


def forget_libpq_variables() -> None:
    """Remove PG* from our own environment: libpq would read host addresses, services and formats from them.

    Which database a command talks to is decided by DB_*, DATABASE_URL and the recorded stack alone.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def inherited_environment(ours: frozenset[str]) -> dict[str, str]:
    """Return the process environment for a service that we start, without any variable that names a database or us.

    Ours are set to nothing rather than left out: a .env where the service starts could set them otherwise.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "KINETRIA_"))}
    return kept | dict.fromkeys(ours, "")


def docker_environment(ours: frozenset[str]) -> dict[str, str]:
    """Return what `docker compose` inherits: everything but our own settings, secrets among them, and Compose's own.

    COMPOSE_FILE, COMPOSE_PROFILES and their like would make another stack of the same file.
    """
    strangers = ("PG", "KINETRIA_", "COMPOSE_")
    return {name: value for name, value in os.environ.items() if name not in ours and not name.startswith(strangers)}


def installed_package() -> Path:
    """Return the folder of the package that runs."""
    return Path(__file__).resolve().parent


def bundled(name: str) -> Path:
    """Return a file or folder of the project that came with this installation: `migrations`, `pyproject.toml`.

    In a wheel it lies inside the package; in an editable install beside it.
    """
    packaged = installed_package() / "_bundled" / name
    return packaged if packaged.exists() else installed_package().parent / name


def is_installed(path: Path) -> bool:
    """Whether a file or folder is one that a wheel brought."""
    return path.resolve().is_relative_to(installed_package() / "_bundled")


def user_data_folder() -> Path:
    """Return where this user's programs keep data (XDG base directory specification 0.8; on macOS Apple's own place).

    Written here because platformdirs takes 35 ms to import, a quarter of what the database driver takes.
    """
    if sys.platform == "darwin":
        return Path("~/Library/Application Support").expanduser()
    xdg = Path(os.environ.get("XDG_DATA_HOME", ""))
    # os.path's function leaves the ~ where there is no home folder; Path's raises.
    return xdg if xdg.is_absolute() else Path(os.path.expanduser("~/.local/share"))  # noqa: PTH111


def color_is_forced() -> bool:
    """Whether FORCE_COLOR asks for colour where there is no terminal (force-color.org)."""
    return bool(os.environ.get("FORCE_COLOR"))


def color_is_off() -> bool:
    """Whether NO_COLOR asks for none (no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))


def terminal_is_utf8() -> bool:
    """Whether the locale says so: LC_ALL, else LC_CTYPE, else LANG (POSIX.1-2017, section 8.2).

    Python's own encoding does not tell: it takes UTF-8 in the C locale too (PEP 538, PEP 540).
    """
    found = next((text for name in ("LC_ALL", "LC_CTYPE", "LANG") if (text := os.environ.get(name))), "")
    return "utf8" in found.lower().replace("-", "")
