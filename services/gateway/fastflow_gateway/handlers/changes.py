"""What is different since a pipeline last worked, or between any two runs."""

import asyncio
from collections.abc import Sequence

from fastflow_events.errors import FastflowError
from fastflow_events.log import EventLog
from fastflow_events.message import Statement
from msgspec.structs import replace

from fastflow_gateway.core.changes import differences as between
from fastflow_gateway.core.changes.differences import Given
from fastflow_gateway.core.changes.files import MOST_FILES, FileChange, files_between
from fastflow_gateway.core.changes.verdict import NothingBefore, OtherPipeline, verdict_of
from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.locked_packages import PackageChange, packages_between
from fastflow_gateway.core.responses.changes import ChangesResponse, CommitResponse, ComparedRun
from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.core.views.run_row import RunRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.commits import shown_commits
from fastflow_gateway.handlers.locked_packages import packages_of
from fastflow_gateway.handlers.output_comparison import compare_outputs
from fastflow_gateway.handlers.runs import find_run, history_of_run
from fastflow_gateway.handlers.versions_between import versions_between
from fastflow_gateway.ports import Code, ReadModel

LAST_SUCCESS = "last_success"
_LOOKED_AT = 50
"""Earlier successes among which one of the same run configuration is looked for."""
_KEY_BYTES = 32


async def changes_of_run(deps: Deps, run_id: str, against: str) -> ChangesResponse:
    """Compare a run with another one, or with the last success before it.

    Raises:
        NotFoundError: one of them does not exist.
        InvalidParameterError: they are of two pipelines.
    """
    row = await find_run(deps, run_id)
    other = await _last_success(deps.rows, row) if against == LAST_SUCCESS else await find_run(deps, against)
    if other is None:
        return _nothing(row, NothingBefore())
    if other.pipeline != row.pipeline:  # who may look at one may not look at the other for that
        raise InvalidParameterError(OtherPipeline(row.pipeline), parameter="with", given=against[:64])
    before, after = await _given(deps.log, other), await _given(deps.log, row)
    found = await _files(deps.code, before, after)
    packages = await _packages(deps.log, before, after)
    settings = between.settings_between(before, after)
    params, secrets = between.params_between(before, after), between.secrets_between(before, after)
    # Hashed with a key that nobody has: equal or not is all that they say.
    variables = between.variables_between(before, after, deps.random_bytes(_KEY_BYTES))
    verdict = verdict_of(
        files=len(found or ()) or int(_trees(before) != _trees(after)),
        packages=len(packages or ()),
        params=len(params),
        variables=len(variables),
        secrets=len(secrets),
        settings=[each.name for each in settings],
    )
    versions = await versions_between(deps.log, row.pipeline, before.request.commit, after.request.commit)
    output = await compare_outputs(deps, other, row)
    return replace(
        _nothing(row, verdict),
        against=_compared(other),
        commits=await _commits(deps, versions.commits),
        is_older_code=versions.is_backwards,
        files=None if found is None else found[:MOST_FILES],
        files_changed=len(found or ()),
        packages=packages,
        params=params,
        variables=variables,
        secrets=secrets,
        settings=settings,
        numbers=between.numbers_of(before, after),
        output=output.difference,
        equal_lines=output.equal,
        output_compared=output.complete,
    )


async def _last_success(rows: ReadModel, row: RunRow) -> RunRow | None:
    """The last one that was asked for before, of the same run configuration where there is one."""
    wanted = RunFilter(pipelines=(row.pipeline,), statuses=("succeeded",))
    found = await rows.runs(wanted, after=row.requested_seq, limit=_LOOKED_AT)
    alike = [each for each in found if each.run_config_id == row.run_config_id]
    return next(iter(alike or found), None)


async def _given(log: EventLog, row: RunRow) -> Given:
    given = between.given_of((await history_of_run(log, row.id)).recorded)
    assert given is not None
    return given


def _trees(given: Given) -> tuple[str, str] | None:
    return (given.specification.repository, given.specification.tree) if given.specification else None


async def _files(code: Code, before: Given, after: Given) -> list[FileChange] | None:
    """None where the code of one of them is not stored, or not known yet."""
    if before.specification is None or after.specification is None:
        return None
    if before.specification.tree == after.specification.tree:
        return []
    try:
        contents = [await code.contents(each.tree) for each in (before.specification, after.specification)]
    except FastflowError:
        return None
    return await asyncio.to_thread(files_between, *contents)


async def _packages(log: EventLog, before: Given, after: Given) -> list[PackageChange] | None:
    one, other = await packages_of(log, before), await packages_of(log, after)
    return None if one is None or other is None else packages_between(one, other)


async def _commits(deps: Deps, commits: Sequence[str]) -> list[CommitResponse]:
    shown = await shown_commits(deps, commits)
    return [
        CommitResponse(
            commit=commit,
            subject=shown.of(commit).subject,
            author=shown.of(commit).author,
            committed_at=shown.of(commit).at,
            commit_url=shown.of(commit).url,
        )
        for commit in commits
    ]


def _compared(row: RunRow) -> ComparedRun:
    return ComparedRun(
        id=row.id, status=row.status, outcome=row.outcome, requested_at=row.requested_at, commit=row.commit_sha
    )


def _nothing(row: RunRow, verdict: Statement) -> ChangesResponse:
    return ChangesResponse(
        run=_compared(row),
        against=None,
        verdict=str(verdict),
        verdict_message=verdict.message,
        commits=[],
        is_older_code=False,
        files=[],
        files_changed=0,
        packages=[],
        params=[],
        variables=[],
        secrets=[],
        settings=[],
        numbers=[],
        output=None,
        equal_lines=0,
        output_compared=False,
    )
