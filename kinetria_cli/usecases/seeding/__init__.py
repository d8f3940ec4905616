"""Seeding: loading a profile's rows, comparing them, setting them back, and taking them away."""
