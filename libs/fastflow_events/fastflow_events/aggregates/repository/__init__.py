"""The repository aggregate: where pipelines come from."""
