"""A golden message per fact: written once, kept for ever, decoded by every later release."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from fastflow_events.envelope import body_of, headers_of, subject_of
from fastflow_events.errors import ContractError
from fastflow_events.fact import Fact, aggregate_name
from fastflow_events.recorded import Cause, Recorded
from fastflow_rules.definition import Definition, parse, to_fact

AT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
IDS = {
    "run": "01935f0c-0000-7000-8000-000000000001",
    "pipeline": "Umsätze v1.2",
    "repository": "main",
    "environment": "0f" * 16,
    "queue": "main",
    "access": "tok_" + "bd" * 10,
}
"""One id of each kind of aggregate; the pipeline's needs every rule of the token encoding."""
TEXTS = {
    "pipeline": IDS["pipeline"],
    "commit": "1f" * 20,
    "previous": "2e" * 20,
    "tree": "3d" * 20,
    "repository": "main",
    "runner": "runner-1",
    "pool": "default",
    "upstream_run": "01935f0c-0000-7000-8000-000000000002",
    "url": "https://git.example.org/pipelines.git",
    "branch": "main",
    "python": "3.11.2",
    "image": "sha256:" + "4c" * 32,
    "lock": "requests==2.32.0 --hash=sha256:" + "5b" * 32,
    "text": "requests==2.32.0\n",
    "bundle_sha256": "6a" * 32,
    "sha256": "7f" * 32,
    "lock_sha256": "8e" * 32,
    "requirements_sha256": "9d" * 32,
    "entry_point": "main.py",
    "who": "local",
    "by": "local",
    "hash": "ac" * 32,
    "on": "*",
}
"""Field name to a text that could really stand there."""


def sample_of(type_: str, cls: type[Fact]) -> dict[str, Any]:
    """Subject, headers and body of a fact with every field set."""
    value = _value(msgspec.inspect.type_info(cls), "")
    recorded = Recorded(
        seq=1,
        aggregate=aggregate_name(type_),
        id=IDS.get(aggregate_name(type_), f"{aggregate_name(type_)}-1"),
        version=1,
        at=AT,
        source="/fastflow/sample/1",
        cause=Cause(
            correlation_id="0af7651916cd43dd8448eb211c80319c",
            causation_id=f"run/{IDS['run']}/1",
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        fact=msgspec.convert(value, cls),
    )
    return {
        "subject": subject_of(recorded),
        "headers": headers_of(recorded),
        "body": msgspec.json.decode(body_of(recorded.fact)),
    }


def definition() -> dict[str, object]:
    """A normalised `pipeline.json`.

    Raises:
        ContractError: the example is not valid any more.
    """
    read = parse(b'{"description": "a sample", "timeout": 600, "tags": ["a", "b"]}', folder=IDS["pipeline"])
    if not isinstance(read, Definition):
        raise ContractError("; ".join(str(problem) for problem in read))
    return to_fact(read)


def _value(type_: object, name: str) -> Any:
    match type_:
        case msgspec.inspect.Metadata(type=inner):
            return _value(inner, name)
        case msgspec.inspect.UnionType(types=types):
            return _value(next(t for t in types if not isinstance(t, msgspec.inspect.NoneType)), name)
        case msgspec.inspect.StructType(fields=fields):
            return {field.encode_name: _value(field.type, field.encode_name) for field in fields}
        case msgspec.inspect.LiteralType(values=values):
            return values[0]
        case msgspec.inspect.BoolType():
            return True
        case msgspec.inspect.IntType(ge=least):
            return max(1, least or 1)
        case msgspec.inspect.FloatType():
            return 1.5
        case msgspec.inspect.StrType(pattern=None):
            return TEXTS.get(name, f"some {name.replace('_', ' ')}")
        case msgspec.inspect.StrType():
            return TEXTS.get(name, "1f" * 20)
        case msgspec.inspect.DateTimeType():
            return AT
        case msgspec.inspect.DictType(value_type=msgspec.inspect.CustomType()):
            return definition()
        case msgspec.inspect.DictType(value_type=inner):
            return {"NAME": _value(inner, name)}
        case msgspec.inspect.VarTupleType(item_type=inner) | msgspec.inspect.ListType(item_type=inner):
            return [_value(inner, name)]
        case _:
            return f"some {name.replace('_', ' ')}"
