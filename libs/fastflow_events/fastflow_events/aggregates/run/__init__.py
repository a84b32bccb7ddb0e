"""The run aggregate: one wish to execute a pipeline, with all its attempts."""
