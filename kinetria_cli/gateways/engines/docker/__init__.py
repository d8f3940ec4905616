"""The stack on Docker Compose: `docker compose` starts things, the Docker SDK (150 ms to import) looks at them."""
