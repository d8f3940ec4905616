"""Reading a generated profile's file: every complaint says where, which key, and what it takes."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from kinetria_cli.domain.errors import ConfigInvalid
from kinetria_cli.usecases.guess import did_you_mean
from kinetria_cli.usecases.profiles.gym import Gym
from kinetria_cli.usecases.profiles.gym_keys import KEYS, NAME, Key, Unfit, clash
from kinetria_cli.usecases.profiles.toml_lines import line_of

RESERVED = ("minimal", "demo", "load")
"""Names that a file cannot take: their ids are those of the package's profiles."""
MAX_BYTES = 16_384
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


def read_gym(path: str) -> tuple[str, Gym]:
    """Return the name and the parameters of a profile in a file.

    Raises:
        ConfigInvalid: It cannot be read, is no TOML, or has a key or value that no profile has.
    """
    text = _text(path)
    document = _parse(path, text)
    given = _flat(document)
    for key in given:
        if key not in KEYS and key != NAME.name:
            raise _wrong(path, text, key, "is no key of a profile", _keys(key))
    name = _name(path, text, given.pop(NAME.name, None))
    values = {key: _value(path, text, KEYS[key], value) for key, value in given.items()}
    gym = replace(load_gym(), **{KEYS[key].field: value for key, value in values.items()})
    if found := clash(gym):
        blamed = next(key for key in found.keys if key in given)
        raise _wrong(path, text, blamed, found.why, found.hint)
    return name, gym


@cache
def load_gym() -> Gym:
    """Return the parameters of the package's own profile."""
    text = files("kinetria_cli.data.profiles").joinpath("load.toml").read_text("utf-8")
    given = _flat(tomllib.loads(text, parse_float=Decimal))
    return Gym(**{KEYS[key].field: KEYS[key].read(value) for key, value in given.items()})


def _text(path: str) -> str:
    hint = "kinetria seed --profile takes a name or a TOML file; README, Seeding, has an example"
    try:
        with Path(path).expanduser().open("rb") as file:
            found = file.read(MAX_BYTES + 1)
    except (OSError, RuntimeError, ValueError) as error:  # no such home, or a NUL in the name
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigInvalid(f"{path}: the profile cannot be read: {why}", hint=hint) from error
    if len(found) > MAX_BYTES:
        raise ConfigInvalid(f"{path}: the file is larger than {MAX_BYTES:,} bytes: this is no profile", hint=hint)
    try:
        return found.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = found[: error.start].count(b"\n") + 1
        raise ConfigInvalid(f"{path}:{line}: not UTF-8, which TOML is", hint="save it as UTF-8") from error


def _parse(path: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        said = str(error)
        found = _AT_LINE.search(said)
        line = int(found[1]) if found else text.rstrip("\n").count("\n") + 1
        why = _AT_LINE.sub("", said).removesuffix(" (at end of document)")
        written = text.split("\n")[line - 1].strip()
        raise ConfigInvalid(
            f"{path}:{line}: not TOML: {why[:1].lower()}{why[1:]}: {written[:80]}",
            hint="a line is  key = value  or  [table]; https://toml.io",
        ) from error


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values by their dotted key; a table that is empty, or where none is known, by its own."""
    flat: dict[str, Any] = {}
    tables = {key.split(".")[0] for key in KEYS if "." in key}
    for key, value in document.items():
        if key in tables and isinstance(value, dict):
            flat |= {f"{key}.{inner}": found for inner, found in value.items()}
        else:
            flat[key] = value
    return flat


def _name(path: str, text: str, given: object) -> str:
    name = Path(path).stem if given is None else given
    try:
        NAME.read(name)
    except Unfit as unfit:
        if given is not None:
            raise _wrong(path, text, NAME.name, unfit.why, NAME.takes) from unfit
        raise ConfigInvalid(
            f"{path}: the profile would be called as the file, and {unfit.why}",
            hint=f'set name = "mine" in the file: {NAME.takes}',
        ) from unfit
    if name in RESERVED:
        why = f"{name!r} is the name of a profile of the package, whose ids would be the same"
        if given is not None:
            raise _wrong(path, text, NAME.name, f"cannot be used: {why}", "take another name")
        raise ConfigInvalid(f"{path}: {why}", hint='set name = "mine" in the file')
    return str(name)


def _keys(wrong: str) -> str:
    known = (NAME.name, *KEYS)
    return f"{did_you_mean(wrong, known)}keys: {', '.join(known)}"


def _value(path: str, text: str, key: Key, value: object) -> Any:
    try:
        return key.read(value)
    except Unfit as unfit:
        raise _wrong(path, text, key.name, unfit.why, f"{key.name} takes {key.takes}") from unfit


def _wrong(path: str, text: str, key: str, why: str, hint: str) -> ConfigInvalid:
    return ConfigInvalid(f"{path}:{line_of(text, key)}: {key} {why}", hint=hint)
