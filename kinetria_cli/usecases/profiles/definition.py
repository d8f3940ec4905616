"""What, besides random seed, users and day, a profile's rows depend on, as a digest."""

import hashlib

from kinetria_cli.usecases.profiles.catalogue import catalogue_rows

VERSION = 1
"""Of the generators: one more whenever they make other rows of the same parameters, which the pinned fingerprints of
the tests tell."""


def definition_of(*parameters: object) -> str:
    """Return the digest of a profile's parameters, the catalogue and the generators' version."""
    return hashlib.sha256(repr((VERSION, catalogue_rows(), parameters)).encode()).hexdigest()
