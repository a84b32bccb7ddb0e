"""What runs add up to: pure folds over what the read model has counted."""
