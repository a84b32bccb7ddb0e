"""What a schema may not take back: pure comparison of an older with a newer one."""

from typing import Any

Schema = dict[str, Any]


def broken(older: Schema, newer: Schema) -> list[str]:
    """Every promise of the older schema that the newer one breaks, in words."""
    found = []
    for name, before in older.get("$defs", {}).items():
        after = newer.get("$defs", {}).get(name)
        if after is None:
            found.append(f"{name} is gone")
            continue
        found += [f"{name}.{key} is gone" for key in before.get("properties", {}) if key not in after["properties"]]
        found += [
            f"{name}.{key} has become required"
            for key in after.get("required", ())
            if key not in before.get("required", ())
        ]
        for key, property_ in before.get("properties", {}).items():
            if key in after["properties"] and (lost := kinds(property_) - kinds(after["properties"][key])):
                found.append(f"{name}.{key} no longer takes {', '.join(sorted(lost))}")
    return found


def kinds(property_: Schema) -> set[str]:
    """What a property takes: JSON types, allowed values, references."""
    if "anyOf" in property_:
        return {kind for each in property_["anyOf"] for kind in kinds(each)}
    if "enum" in property_:
        return {repr(value) for value in property_["enum"]}
    if "$ref" in property_:
        return {str(property_["$ref"])}
    kind = property_.get("type", "anything")
    if kind == "array" and isinstance(property_.get("items"), dict):
        return {f"array of {each}" for each in kinds(property_["items"])}
    if kind == "object" and isinstance(property_.get("additionalProperties"), dict):
        return {f"object of {each}" for each in kinds(property_["additionalProperties"])}
    return {str(kind)}
