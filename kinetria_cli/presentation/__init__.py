"""What people and scripts read: the only importer of rich."""
