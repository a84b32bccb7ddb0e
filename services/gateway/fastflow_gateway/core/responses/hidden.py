"""What answers leave out: values that may be secrets, and what helps to guess keys."""

from typing import Any

HIDDEN = "***"
_SECRETIVE = frozenset({"env", "sealed_env"})
_DROPPED = frozenset({"webhook_hash"})


def without_values(value: Any) -> Any:
    """JSON without the values of environment variables and sealed texts; their names stay."""
    match value:
        case dict():
            return {key: _hide_member(key, member) for key, member in value.items() if key not in _DROPPED}
        case list() | tuple():
            return [without_values(member) for member in value]
        case _:
            return value


def _hide_member(key: str, member: Any) -> Any:
    match member:
        case dict() if key in _SECRETIVE:
            return dict.fromkeys(member, HIDDEN)
        case str() if key == "sealed":
            # Which key it is for helps; the rest would help only whoever has that key.
            return ":".join([*member.split(":")[:3], HIDDEN])
        case _:
            return without_values(member)


def _names(variables: Any) -> Any:
    return dict.fromkeys(variables, HIDDEN) if isinstance(variables, dict) else variables


def without_keys(value: Any) -> Any:
    """JSON without what helps to guess webhook keys, and of `sealed_env` the names only."""
    match value:
        case dict():
            kept = {key: member for key, member in value.items() if key not in _DROPPED}
            return {
                key: _names(member) if key == "sealed_env" else without_keys(member) for key, member in kept.items()
            }
        case list():
            return [without_keys(member) for member in value]
        case _:
            return value
