"""PURE: two Sources and the changes between them -> Review."""
