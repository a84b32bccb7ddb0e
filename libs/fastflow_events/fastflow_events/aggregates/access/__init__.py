"""The access aggregate: who may come in, and what he may do; nothing in its facts says who somebody is."""
