"""The human form of results: a module a subject, imported when a result of its kinds is printed."""

from importlib import import_module
from typing import Any

from kinetria_cli.presentation.screen import Screen

SUBJECTS = {
    "up": "stack",
    "down": "down",
    "status": "stack",
    "env": "stack",
    "env.unset": "stack",
    "config.show": "stack",
    "migrate": "migrations",
    "migrate.rollback": "rollbacks",
    "migrate.redo": "rollbacks",
    "migrate.status": "migrations",
    "migrate.plan": "plans",
    "migrate.history": "reports",
    "migrate.diff": "reports",
    "migrate.repair": "reports",
    "migrate.baseline": "reports",
    "migrate.lint": "lint",
    "migrate.new": "migration_files",
    "migrate.rebase": "migration_files",
    "migrate.verify": "verify",
    "health": "health",
    "doctor": "doctor",
    "seed": "seed",
    "seed.check": "seed_checks",
    "seed.verify": "seed_checks",
    "seed.remove": "seed_checks",
    "inspect.list": "records",
    "inspect.show": "record_tree",
    "inspect.chart": "training",
    "db.check": "checks",
    "doctor.bundle": "bundle",
}
"""Kind of result -> module that renders it."""


def render(result: Any, screen: Screen) -> None:
    """Print a result for people."""
    import_module(f"{__name__}.{SUBJECTS[result.kind]}").render(result, screen)
