-- What questions need besides the rows. It is made after the first fold of a log, and kept up to date from then on.
CREATE INDEX runs_pipeline ON runs (pipeline, n);
CREATE INDEX runs_pipeline_status ON runs (pipeline, status, n, hour, duration_ms, wait_ms);
CREATE INDEX runs_status ON runs (status, n);
CREATE INDEX runs_outcome ON runs (outcome, n) WHERE outcome IS NOT NULL AND outcome <> 'succeeded';
CREATE INDEX runs_trigger ON runs (trigger_kind, n);
CREATE INDEX runs_who ON runs (who, n);
CREATE INDEX runs_schedule ON runs (schedule, n) WHERE schedule IS NOT NULL;
CREATE INDEX runs_backfill ON runs (backfill, n) WHERE backfill IS NOT NULL;
CREATE INDEX runs_commit ON runs (commit_sha, n) WHERE commit_sha IS NOT NULL;
CREATE INDEX runs_branch ON runs (branch, n) WHERE branch <> '';
CREATE INDEX runs_runner ON runs (runner, n) WHERE runner IS NOT NULL;
CREATE INDEX runs_duration ON runs (duration_ms, n) WHERE duration_ms IS NOT NULL;
CREATE INDEX runs_open ON runs (n) WHERE status IN ('queued', 'waiting', 'preparing', 'running');
CREATE INDEX runs_long ON runs (n, seq, status)
    WHERE seq - n > 1500 OR status IN ('queued', 'waiting', 'preparing', 'running');
CREATE INDEX runs_after ON runs (upstream_run) WHERE upstream_run IS NOT NULL;
CREATE INDEX run_details_again ON run_details (rerun_of) WHERE rerun_of IS NOT NULL;
CREATE INDEX runs_fanned_in ON runs (n) WHERE json_array_length(upstream_runs) > 1;
INSERT INTO hours SELECT hour, MIN(n), MAX(n) FROM runs GROUP BY hour;
INSERT INTO hour_counts SELECT hour, status, COUNT(*), SUM(COALESCE(duration_ms, 0)) FROM runs GROUP BY hour, status;
INSERT INTO day_counts
    SELECT hour / 24, pipeline, status, COUNT(*), SUM(COALESCE(duration_ms, 0)) FROM runs GROUP BY 1, pipeline, status;
INSERT INTO run_text (rowid, words)
    SELECT n, words_of(
        pipeline || ' ' || who || ' ' || COALESCE(commit_sha, '') || ' ' || params,
        CASE WHEN outcome IS NOT NULL OR status = 'rejected' THEN branch || ' ' || reason
        ELSE '' END,
        CASE WHEN outcome IS NOT NULL OR status = 'rejected' THEN error END
    ) FROM runs JOIN run_details USING (n);
ANALYZE;
