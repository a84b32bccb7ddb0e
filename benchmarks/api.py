"""Questions to the read model of a year of runs, against the same rows in a bare SQLite with its best index."""

import asyncio
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from fastflow_events.doubts import Doubts
from fastflow_events.service.projection import apply_batch
from fastflow_events.service.store import open_store
from fastflow_gateway.adapters.projection import SCHEMA, RowProjection
from fastflow_gateway.adapters.read_model import SqliteReadModel
from fastflow_gateway.adapters.readers import open_readers
from fastflow_gateway.bell import Changes
from fastflow_gateway.core.run_filter import RunFilter

from benchmarks.a_year import BEGIN, DAYS, Year
from benchmarks.measure import Sample, exactly, percentile
from benchmarks.results import Budget, Figure

RUNS = int(os.environ.get("FASTFLOW_BENCH_RUNS", "1000000"))
ROUNDS = 40
BATCH = 1000
WITHIN_MS, TIMES_BARE = Budget(100.0), Budget(3.0)
AT_LEAST = Budget(10_000.0, at_least=True)
Ask = Callable[[], Awaitable[object]]
Question = tuple[str, Ask, str, list[object]]
"""What it is called, ours, and what the bare file is asked, with its values."""


async def measure() -> list[Figure]:
    """Write a year of runs through the projection, then ask everything."""
    with tempfile.TemporaryDirectory(prefix="fastflow-bench-", dir="/var/tmp") as folder:
        path = Path(folder) / "read.db"
        figures = await _written(path)
        bare = Path(folder) / "bare.db"
        with closing(sqlite3.connect(bare)) as db:
            _fill(db, path)
            async with open_readers(path) as readers:
                model = SqliteReadModel(readers, path)
                for question in _questions(model, int((await model.all("SELECT MAX(seq) FROM runs"))[0][0])):
                    figures += await _asked(question, db)
    return figures


async def _written(path: Path) -> list[Figure]:
    """Fold the year: almost all of it as a rebuild does, the rest as it comes day by day."""
    year = Year(RUNS)
    facts = year.facts()
    async with open_store(path, SCHEMA) as store:
        projection = RowProjection(store, Changes())
        await projection.begin(year.log_until(RUNS * 9 // 10))
        speeds: dict[bool, list[float]] = {True: [], False: []}
        while batch := [fact for _, fact in zip(range(BATCH), facts, strict=False)]:
            first = batch[-1].seq < year.first_until
            began = time.perf_counter()
            await apply_batch(Doubts(), store, projection, batch)
            speeds[first].append(len(batch) / (time.perf_counter() - began))
    size = path.stat().st_size
    return [
        _figure("facts per second, first fold of a log", _middle(speeds[True]), "facts/s", AT_LEAST),
        _figure("facts per second, in batches of a thousand", _middle(speeds[False]), "facts/s", AT_LEAST),
        _figure(f"bytes of the file, per run of {RUNS}", exactly(size / RUNS), "bytes", None),
    ]


def _middle(values: list[float]) -> Sample:
    return percentile(values, 50) if len(values) > 1 else exactly((values or [0.0])[0])


def _figure(name: str, ours: Sample, unit: str, budget: Budget | None) -> Figure:
    return Figure(name=name, ours=ours, bare=exactly(1.0), unit=unit, against="nothing", budget=budget)


def _fill(db: sqlite3.Connection, path: Path) -> None:
    """The same runs in one plain table, with the best index for each question."""
    db.execute("ATTACH ? AS ours", (str(path),))
    db.execute("CREATE TABLE plain AS SELECT * FROM ours.runs JOIN ours.run_details USING (n)")
    for columns in ("n", "pipeline, n", "status, n", "pipeline, status, n", "outcome, n", "who, n", "requested_at, n"):
        db.execute(f"CREATE INDEX plain_{abs(hash(columns))} ON plain ({columns})")
    db.execute("CREATE INDEX plain_day ON plain (pipeline, status, hour, duration_ms)")
    db.execute("CREATE INDEX plain_hour ON plain (hour, status)")
    db.execute("CREATE VIRTUAL TABLE plain_words USING fts5(words, content='', detail=none)")
    db.execute("INSERT INTO plain_words (rowid, words) SELECT n, pipeline || ' ' || params || ' ' || reason FROM plain")
    db.execute("ANALYZE")
    db.commit()


def _questions(model: SqliteReadModel, last: int) -> list[Question]:
    dice = random.Random(1)
    biggest, rare = "pipeline-0", "pipeline-150"
    top = "SELECT * FROM plain WHERE {} ORDER BY n DESC LIMIT 50"

    def runs(**more: object) -> Ask:
        return lambda: model.runs(RunFilter(**more), limit=50)  # type: ignore[arg-type]

    def deep() -> Awaitable[object]:
        return model.runs(RunFilter(), after=dice.randrange(last), limit=50)

    def back() -> int:
        return dice.randrange(last // 10, last)

    found = "SELECT * FROM plain WHERE n IN (SELECT rowid FROM plain_words({}) ORDER BY rowid DESC LIMIT 50)"
    since = BEGIN + timedelta(days=DAYS - 30)
    text = since.isoformat()[:19]
    group = "SELECT status, COUNT(*) FROM plain {} GROUP BY status"
    day = "SELECT hour / 24, status, COUNT(*), SUM(duration_ms) FROM plain {} GROUP BY 1, 2"
    ours_hour = "SELECT hour / 24, status, SUM(runs), SUM(duration_ms) FROM hour_counts GROUP BY 1, 2"
    ours_day = "SELECT day, status, SUM(runs), SUM(duration_ms) FROM day_counts {} GROUP BY 1, 2"
    month = (since - datetime.fromtimestamp(0, since.tzinfo)).days
    durations = (
        "SELECT duration_ms FROM {} WHERE pipeline = ? AND status IN ('succeeded', 'failed', 'cancelled', 'rejected') "
        "AND hour >= ?"
    )
    return [
        ("newest 50", runs(), top.format("1"), []),
        ("50 from somewhere", deep, top.format("n < ?"), [last // 2]),
        ("one pipeline", runs(pipelines=(biggest,)), top.format("pipeline = ?"), [biggest]),
        ("one status", runs(statuses=("failed",)), top.format("status = 'failed'"), []),
        (
            "pipeline and status, rare",
            runs(pipelines=(rare,), statuses=("failed",)),
            top.format("pipeline = ? AND status = 'failed'"),
            [rare],
        ),
        ("timed out", runs(outcomes=("timed_out",)), top.format("outcome = 'timed_out'"), []),
        ("one person", runs(who=("ann",)), top.format("who = 'ann'"), []),
        ("thirty days", runs(since=since), top.format("requested_at >= ?"), [text]),
        (
            "20 pipelines, failed",
            runs(pipelines=tuple(f"pipeline-{n}" for n in range(20)), statuses=("failed",)),
            top.format("status = 'failed' AND pipeline IN (" + ", ".join(f"'pipeline-{n}'" for n in range(20)) + ")"),
            [],
        ),
        ("longer than ten minutes", runs(longer_than_s=600.0), top.format("duration_ms > 600000"), []),
        ("a common word", runs(q="shop"), found.format("'shop'"), []),
        ("a rare word", runs(q="day77"), found.format("'day77'"), []),
        (
            "a word of one pipeline",
            runs(q="shop", pipelines=(rare,)),
            found.format("'shop AND 150'"),
            [],
        ),
        ("open runs", model.open_runs, top.format("status IN ('queued', 'waiting', 'preparing', 'running')"), []),
        ("counts of all", lambda: model.run_counts(RunFilter()), group.format(""), []),
        (
            "counts of one pipeline",
            lambda: model.run_counts(RunFilter(pipelines=(biggest,))),
            group.format("WHERE pipeline = ?"),
            [biggest],
        ),
        (
            "counts of one person",
            lambda: model.run_counts(RunFilter(who=("ann",))),
            "SELECT status, COUNT(*) FROM (SELECT status FROM plain WHERE who = 'ann' LIMIT 10001) GROUP BY status",
            [],
        ),
        ("heatmap of all", lambda: model.all(ours_hour), day.format(""), []),
        (
            "heatmap of the biggest pipeline",
            lambda: model.all(ours_day.format("WHERE pipeline = ?"), (biggest,)),
            day.format("WHERE pipeline = ?"),
            [biggest],
        ),
        (
            "durations of a pipeline, thirty days",
            lambda: model.all(durations.format("runs INDEXED BY runs_pipeline_status"), (biggest, month * 24)),
            durations.format("plain"),
            [biggest, month * 24],
        ),
        ("in flight then", lambda: model.in_flight(back()), top.format("seq > ? AND n <= ?"), [last // 2, last // 2]),
        (
            "counts then",
            lambda: model.counts_at(back(), None),
            "SELECT status, COUNT(*) FROM plain WHERE n <= ? GROUP BY status",
            [last // 2],
        ),
        (
            "runs that were over then",
            lambda: model.runs(RunFilter(statuses=("failed",)), limit=50, over_by=back()),
            top.format("status = 'failed' AND n <= ?"),
            [last // 2],
        ),
    ]


async def _asked(question: Question, db: sqlite3.Connection) -> list[Figure]:
    name, ask, sql, values = question
    mine, theirs = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await ask()
        mine.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        await asyncio.to_thread(lambda: None)  # both cross to a thread and back
        db.execute(sql, values).fetchall()
        theirs.append((time.perf_counter() - began) * 1000)
    return [
        Figure(
            name=f"{name}, p95",
            ours=percentile(mine, 95),
            bare=exactly(1.0),
            unit="ms",
            against="nothing",
            budget=WITHIN_MS,
        ),
        Figure(
            name=f"{name}, p50",
            ours=percentile(mine, 50),
            bare=percentile(theirs, 50),
            unit="ms",
            against="the same of a bare SQLite",
            budget=TIMES_BARE,
        ),
    ]
