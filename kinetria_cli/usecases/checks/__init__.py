"""The checks of `db check`: each compares what a database has with what it should have."""
