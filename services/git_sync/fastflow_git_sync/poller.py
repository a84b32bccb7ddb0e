"""The loop of one repository: sync at the start, every so often, and when somebody rings."""

import logging

from fastflow_events.aggregates.pipeline.decider import pipeline_decider
from fastflow_events.recorded import Cause, Recorded

from fastflow_git_sync import handlers
from fastflow_git_sync.bell import Bell, pause_s
from fastflow_git_sync.deps import Deps, Repo

logger = logging.getLogger(__name__)


async def poll(deps: Deps, repo: Repo, bell: Bell, *, every_s: float) -> None:
    """Keep the log up to date with the repository until cancelled; one sync at a time, one more for who rang meanwhile.

    After a failure it tries again by itself, ever more rarely.
    """
    failures = 0
    while True:
        try:
            heard = await _heard(deps, repo, bell)
            cause = heard[-1].because() if heard else Cause(correlation_id=deps.new_id())
            failures = 0 if await handlers.sync(deps, repo, cause) else failures + 1
        except Exception:  # the loop is the last line of defence: report, wait, go on
            logger.exception("sync broke off", extra={"action": "sync_broke_off", "repository": repo.name})
            failures += 1
        await bell.wait(pause_s(failures, every_s))


async def _heard(deps: Deps, repo: Repo, bell: Bell) -> list[Recorded]:
    """Return the facts that rang, once the rows hold them; what follows answers every request the rows hold then."""
    heard: list[Recorded] = []
    while newest := bell.take():
        heard += newest
        for recorded in newest:
            rows = deps.pipelines if recorded.aggregate == pipeline_decider.aggregate else deps.repositories
            await rows.reached(recorded.seq)
    bell.asked = max(bell.asked, (await deps.repositories.known(repo.name)).state.requests)
    return heard
