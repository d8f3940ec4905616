"""PostgreSQL through psycopg 3: connections, error translation, repositories."""
