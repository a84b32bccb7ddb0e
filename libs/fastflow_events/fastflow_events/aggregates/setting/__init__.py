"""The settings aggregate: what holds for the whole installation and changes while it runs; its only id is `main`."""
