"""The keyring aggregate: the public keys for which others seal what only the runners can open."""
