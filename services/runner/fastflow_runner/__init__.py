"""The service runner: executes attempts, and is the only one that reaches the container engine."""
