"""What, besides random seed, users and day, a profile's rows depend on, as a digest."""

import hashlib
from functools import cache
from importlib.resources import files

from kinetria_cli.usecases.profiles.catalogue import catalogue_rows

VERSION = 1
"""Of the generators: one more whenever they make other rows of the same parameters, which the pinned fingerprints of
the tests tell."""


_MAKERS = ("usecases/profiles", "data", "data/profiles", "domain", "gateways/postgres/seeding")
"""The folders of the package that rows and their images depend on."""


@cache
def code_version() -> str:
    """Return a digest of the code that makes rows: it changes by itself, also where VERSION was forgotten."""
    digest = hashlib.sha256()
    for name in _MAKERS:
        folder = files("kinetria_cli").joinpath(name)
        # A package that was frozen has no sources: there VERSION alone tells.
        found = [file for file in folder.iterdir() if file.is_file()] if folder.is_dir() else []
        for file in sorted(found, key=lambda file: file.name):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def definition_of(*parameters: object) -> str:
    """Return the digest of a profile's parameters, the catalogue and the generators' version."""
    return hashlib.sha256(repr((VERSION, catalogue_rows(), parameters)).encode()).hexdigest()
