"""PURE: CircleCI configurations with their commands and orbs."""
