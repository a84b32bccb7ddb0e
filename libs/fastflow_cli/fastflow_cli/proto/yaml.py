"""JSON values as block YAML; every scalar is JSON, so that no reader can take it for something else."""

import json
import re
from typing import Any

PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Plain keys that some readers take for something else."""


def dump(value: Any, indent: int = 0) -> str:
    """The value as YAML 1.2, keys in their own order."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{_key(key)}:{_nested(member, indent)}" for key, member in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{pad}-{_item(member, indent)}" for member in value)
    return f"{pad}{_scalar(value)}\n"


def _nested(value: Any, indent: int) -> str:
    if isinstance(value, dict | list) and value:
        return "\n" + dump(value, indent + 1)
    return f" {_scalar(value)}\n"


def _item(value: Any, indent: int) -> str:
    if isinstance(value, dict | list) and value:
        return " " + dump(value, indent + 1).lstrip(" ")
    return f" {_scalar(value)}\n"


def _key(key: str) -> str:
    return key if PLAIN.fullmatch(key) and key.lower() not in WORDS else json.dumps(key, ensure_ascii=False)


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
