"""The loop of one repository: sync at the start, every so often, and when somebody rings."""

import logging

from fastflow_events.recorded import Cause, Recorded

from fastflow_git_sync import handlers
from fastflow_git_sync.bell import Bell, pause_s
from fastflow_git_sync.deps import Deps, Repo

logger = logging.getLogger(__name__)


async def poll(deps: Deps, repo: Repo, bell: Bell, *, every_s: float) -> None:
    """Keep the log up to date with the repository until cancelled; one sync at a time, one more for who rang meanwhile.

    After a failure it tries again by itself, ever more rarely.
    """
    asked_by: Recorded | None = None
    failures = 0
    while True:
        cause = asked_by.because() if asked_by else Cause(correlation_id=deps.new_id())
        try:
            if asked_by:
                await deps.repositories.reached(asked_by.seq)
            failures = 0 if await handlers.sync(deps, repo, cause) else failures + 1
        except Exception:  # the loop is the last line of defence: report, wait, go on
            logger.exception("sync broke off", extra={"action": "sync_broke_off", "repository": repo.name})
            failures += 1
        asked_by = await bell.wait(pause_s(failures, every_s))
