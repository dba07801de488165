"""Container engines: docker, podman and buildah."""
