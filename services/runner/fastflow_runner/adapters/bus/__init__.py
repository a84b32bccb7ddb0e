"""What the runner takes from the bus and puts on it: work, code, output, artifacts, samples, heartbeats."""
