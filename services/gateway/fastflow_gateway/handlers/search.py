"""Finding things by a few letters."""

from collections import Counter
from collections.abc import Iterable, Sequence

from fastflow_gateway.core.responses.search import (
    Found,
    FoundCommit,
    FoundPipeline,
    FoundRun,
    FoundSecret,
    FoundTag,
)
from fastflow_gateway.core.views.pipelines import PipelineRow, tags_of
from fastflow_gateway.ports import ReadModel

EVERYTHING = 1_000_000
SHORTEST_ID = 4
"""Fewer letters of an id begin too many of them."""
_HEX = frozenset("0123456789abcdef")


async def search(rows: ReadModel, q: str, *, limit: int, with_secrets: bool) -> Found:
    """What has these letters: names anywhere in them, ids at their beginning."""
    letters = q.strip().casefold()
    pipelines = await rows.pipelines(after="", limit=EVERYTHING)
    tags = Counter(tag for row in pipelines for tag in tags_of(row))
    secrets = {secret.name: secret.version for secret in await rows.secrets()} if with_secrets else {}
    named = {row.name: row for row in pipelines}
    return Found(
        q=q,
        pipelines=[
            FoundPipeline(name=name, repository=named[name].repository, status=named[name].status)
            for name in best(named, letters)[:limit]
        ],
        runs=await _runs(rows, letters, limit),
        commits=await _commits(rows, letters, pipelines, limit),
        tags=[FoundTag(tag=tag, pipelines=tags[tag]) for tag in best(tags, letters)[:limit]],
        secrets=[FoundSecret(name=name, version=secrets[name]) for name in best(secrets, letters)[:limit]],
    )


def best(names: Iterable[str], letters: str) -> list[str]:
    """Names that have the letters: the same name first, then those that begin with them, then by name. Pure."""
    found = [name for name in names if letters and letters in name.casefold()]
    return sorted(found, key=lambda name: (name.casefold() != letters, not name.casefold().startswith(letters), name))


async def _runs(rows: ReadModel, letters: str, limit: int) -> list[FoundRun]:
    if len(letters) < SHORTEST_ID or not set(letters) <= _HEX | {"-"}:
        return []
    found = await rows.runs_by_id(letters, limit=limit)
    return [FoundRun(id=row.id, pipeline=row.pipeline, status=row.status, requested_at=row.at) for row in found]


async def _commits(rows: ReadModel, letters: str, pipelines: Sequence[PipelineRow], limit: int) -> list[FoundCommit]:
    if len(letters) < SHORTEST_ID or not set(letters) <= _HEX:
        return []
    found: dict[str, set[str]] = {}
    for row in pipelines:
        if row.commit_sha.startswith(letters):
            found.setdefault(row.commit_sha, set()).add(row.name)
    for commit, pipeline in await rows.commits_by_id(letters, limit=limit):
        found.setdefault(commit, set()).add(pipeline)
    return [FoundCommit(commit=commit, pipelines=sorted(found[commit])[:limit]) for commit in sorted(found)[:limit]]
