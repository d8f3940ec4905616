"""What a server says about itself; apart from the pool, which takes longer to import than a health check may."""

from kinetria_cli.domain.stack import ServerInfo
from kinetria_cli.gateways.postgres.connect import Connection
from kinetria_cli.gateways.postgres.queries import load


def server_info(connection: Connection) -> ServerInfo:
    """Ask the server behind a connection about itself."""
    row = connection.execute(load("server")["info"].encode()).fetchone()
    assert row is not None
    return ServerInfo(*row)
