"""The queue aggregate: who may dispatch."""
