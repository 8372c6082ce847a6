"""PURE: Azure Pipelines with their templates."""
