"""The container executor: everything that knows the container engine."""
