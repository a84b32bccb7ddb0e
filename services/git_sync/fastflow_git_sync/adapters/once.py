"""A repository that is looked into once: in a folder of its own, which is gone afterwards."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastflow_events.aggregates.repository.events import RepositoryConfigured
from msgspec.structs import replace

from fastflow_git_sync.adapters.git import open_source
from fastflow_git_sync.adapters.keyring import Keyring
from fastflow_git_sync.ports import Source
from fastflow_git_sync.settings import GitSyncSettings

_FOLDER = "once"


@asynccontextmanager
async def open_once(
    settings: GitSyncSettings, keyring: Keyring, name: str, configured: RepositoryConfigured
) -> AsyncIterator[Source]:
    """Open it with what the repository of this name may use; where it may be is what the API may say.

    Raises:
        InvalidRemoteError: the address, the branch or the sub-folder cannot be.
        GitError: a credential cannot be used, there is no Git, or no room for the copy.
    """
    access = keyring.access(name, configured)
    apart = settings.home / _FOLDER / uuid.uuid4().hex
    try:
        async with open_source(replace(settings, home=apart), "once", configured, access) as source:
            yield source
    finally:
        await asyncio.to_thread(shutil.rmtree, apart, ignore_errors=True)
