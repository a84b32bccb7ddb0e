"""An installation on one machine: NATS and the four services as child processes."""
