"""The verbs of the command, one module per family."""
