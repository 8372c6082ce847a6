"""PURE: the resources of a Terraform module that start or configure containers."""
