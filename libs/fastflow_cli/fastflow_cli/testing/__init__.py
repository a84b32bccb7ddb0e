"""What tests of a whole installation need."""
