"""Exits 0 when the engine's registry answers for an image within the given seconds, else 1.

Asks the engine, not the network from here: the engine may have a mirror, a proxy, or be elsewhere.
"""

import sys

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException


def answers(image: str, timeout_s: int) -> bool:
    """Whether the engine can see `image` in its registry."""
    try:
        docker.from_env(timeout=timeout_s).images.get_registry_data(image)
    except (DockerException, RequestException):
        return False
    return True


if __name__ == "__main__":
    sys.exit(not answers(sys.argv[1], int(sys.argv[2])))
