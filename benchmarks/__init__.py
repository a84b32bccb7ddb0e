"""Ratios to baselines that are measured in the same run, on the same machine: `python -m benchmarks [NAME…]`."""
