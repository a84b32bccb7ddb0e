"""The schedule aggregate: when a pipeline runs by itself; those of `pipeline.json` have facts only about themselves."""
