"""The shared vocabulary of Fast-Flow: facts, the log that keeps them, and the two ways to listen to it."""
