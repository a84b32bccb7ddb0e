"""Tails: what many follow is looked for, folded and encoded once."""
