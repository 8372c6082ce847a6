"""PURE: GitHub Actions workflows, and those of Gitea and Forgejo, read as they will run."""
