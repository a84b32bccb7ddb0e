"""The read model, read: one file per noun."""
