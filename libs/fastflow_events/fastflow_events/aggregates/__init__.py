"""What has a history: one package each, with its commands, its facts, and the pure decider between them."""
