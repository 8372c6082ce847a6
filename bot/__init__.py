"""sockgate: hold a pull request until someone justifies handing over the Docker socket."""

__version__ = "0.1.0"
