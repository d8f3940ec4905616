"""yoyo, wrapped: one connection, one transaction for a file and its record, one advisory lock for a run."""

from kinetria_cli.gateways.migrations.gateway import YoyoMigrationGateway

__all__ = ["YoyoMigrationGateway"]
