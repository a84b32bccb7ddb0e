"""The runner's own thinking: names, orders, limits, the engine's policy, what an end means; pure."""
