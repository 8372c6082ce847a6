"""Setting up: from a server that knows nothing to an App that is installed and heard from."""
