"""The strings under fields, which say what a field means, as descriptions in a JSON Schema."""

import ast
import inspect
import textwrap
from typing import Any

import msgspec
from msgspec import Struct

Schema = dict[str, Any]


def words_of(cls: type[Struct]) -> dict[str, str]:
    """Field name to the string under it, for the fields a class declares itself or inherits."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not (issubclass(base, Struct) and base is not Struct):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for field, below in zip(tree.body, tree.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = inspect.cleandoc(text)
                case _:
                    pass
    return found


def structs_in(cls: type[Struct]) -> dict[str, type[Struct]]:
    """The class and every struct its fields hold, by name."""
    found: dict[str, type[Struct]] = {}

    def walk(type_: object) -> None:
        match type_:
            case msgspec.inspect.StructType(cls=struct, fields=fields) if struct.__name__ not in found:
                found[struct.__name__] = struct
                for field in fields:
                    walk(field.type)
            case msgspec.inspect.UnionType(types=types):
                for each in types:
                    walk(each)
            case msgspec.inspect.Metadata(type=inner):
                walk(inner)
            case msgspec.inspect.DictType(value_type=inner) | msgspec.inspect.VarTupleType(item_type=inner):
                walk(inner)
            case msgspec.inspect.ListType(item_type=inner):
                walk(inner)
            case _:
                pass

    walk(msgspec.inspect.type_info(cls))
    return found


def with_words(schema: Schema, cls: type[Struct]) -> Schema:
    """The schema with the words under a field as the description of its property; they know more than its type does."""
    definitions = {}
    for name, definition in schema["$defs"].items():
        words = words_of(structs_in(cls)[name])
        properties = {
            key: {**property_, "description": words[key]} if key in words else property_
            for key, property_ in definition.get("properties", {}).items()
        }
        definitions[name] = {**definition, "properties": properties}
    return {**schema, "$defs": definitions}
