"""PURE: GitLab CI configurations with what they extend, reference and include."""
