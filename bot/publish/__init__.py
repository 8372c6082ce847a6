"""PURE: Review + Verdict + what already stands there -> the writes still missing."""
