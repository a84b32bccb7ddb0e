"""Real repositories and real servers for tests: over files, over HTTP, over SSH."""
