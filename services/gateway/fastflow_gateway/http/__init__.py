"""HTTP: parse, call one handler, answer."""
