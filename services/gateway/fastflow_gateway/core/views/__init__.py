"""The rows of the read model and how facts change them: pure folds, so replaying the log rebuilds every table."""
