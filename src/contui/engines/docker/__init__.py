"""Docker and Podman over the Docker Engine API."""
