"""PURE: what the CI formats share: scripts put together from several places, containers, inputs."""
