"""What the runner does for as long as it lives: takes work, prepares ahead, deletes what is no longer needed."""
