"""Use cases: plain functions of the ports and what was asked; no framework, no SQL, no status codes."""
