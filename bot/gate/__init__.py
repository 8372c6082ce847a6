"""PURE: Review + Policy + Facts -> Verdict: whether the check is green, and why."""
