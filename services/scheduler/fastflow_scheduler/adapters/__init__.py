"""What the scheduler has from outside."""
