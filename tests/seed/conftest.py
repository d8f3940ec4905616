"""What tests of loading have in common."""

import pytest

from kinetria_cli.gateways.postgres.seeding import load


@pytest.fixture
def small_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A COPY for each block, so that a few rows have moments between them."""
    monkeypatch.setattr(load, "COPY_BYTES", 1)
