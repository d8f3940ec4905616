"""Looking at migration files before they run: squawk's rules, and each statement's locks with the tables' sizes."""

from kinetria_cli.gateways.migrations.lint.linter import FolderLinter, check_files

__all__ = ["FolderLinter", "check_files"]
