"""What may start now: admission, and the capacity of runners and pools."""
