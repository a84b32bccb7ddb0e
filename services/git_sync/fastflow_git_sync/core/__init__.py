"""git_sync's own thinking: which repositories, how they are reached, what Git says of itself; pure."""
