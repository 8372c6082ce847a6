"""SHELL over PyGithub, and the only importer of it: GitHub -> values -> requests."""
