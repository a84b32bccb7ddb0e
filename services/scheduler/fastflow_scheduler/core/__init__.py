"""The scheduler's own thinking: its state as a fold of the log, and the rules only it needs; pure."""
