"""Seeding on PostgreSQL: row images, what makes them, and the database that takes and compares them."""
