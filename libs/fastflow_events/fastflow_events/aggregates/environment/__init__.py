"""The environment aggregate: packages resolved once, installed as the very same lock ever after."""
