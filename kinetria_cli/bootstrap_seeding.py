"""The part of the composition root that chooses what makes the rows of a seed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinetria_cli.domain.seed_ports import SeedSource
    from kinetria_cli.domain.seeding import Profile


def source_for(profile: Profile) -> SeedSource:
    """Return what makes the rows of a profile: a second process, where they are many and there can be one."""
    from kinetria_cli.gateways.postgres.seeding.process import ProcessSource
    from kinetria_cli.gateways.postgres.seeding.source import LocalSource

    # Embedded in another program, Python knows no interpreter to start; in a frozen one it is the program itself.
    if not sys.executable or getattr(sys, "frozen", False):
        return LocalSource(profile)
    return ProcessSource(profile)
