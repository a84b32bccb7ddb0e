"""The run aggregate: one request to execute a pipeline, with all its attempts."""
