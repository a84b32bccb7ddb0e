"""The pipeline aggregate: a folder of a repository that can be run."""
