"""Start git_sync."""

import os

from fastflow_events.service.process import start

from fastflow_git_sync.app import SERVICE, build
from fastflow_git_sync.settings import GitSyncSettings


async def run(settings: GitSyncSettings) -> None:
    """Run until SIGTERM; what this process inherited for Git itself (`GIT_DIR` in a hook) does not reach its children.

    Raises:
        FastflowError: something the service needs failed.
    """
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]
    await build(settings).run()


def main() -> None:
    """Read the environment and run."""
    start(SERVICE, GitSyncSettings, run)


if __name__ == "__main__":
    main()
