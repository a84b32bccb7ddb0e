"""The backfill aggregate: runs for instants of the past, as if a schedule had fired."""
