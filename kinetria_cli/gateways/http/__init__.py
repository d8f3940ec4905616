"""GET /health: the service that answers it, and the probe that asks."""
