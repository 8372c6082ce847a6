"""The register's pages: which repositories hold which grants, for whoever may see them."""
