"""Compose files: what they come to once everything they refer to is put in, and who gets what."""
