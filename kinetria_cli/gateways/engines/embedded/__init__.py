"""PostgreSQL 16 from a wheel, and the app service beside it: a stack without Docker."""

from kinetria_cli.gateways.engines.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
